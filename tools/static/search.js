// The search of the static pages: every word must stand in a section; titles count most.
// The index is a script beside this one (search-index.js), so it also works without a server.
"use strict";
(() => {
  const menu = document.querySelector("nav details");
  if (menu && matchMedia("(min-width: 1100px)").matches) menu.open = true;
  // What is wider than its place can be moved by keyboard, too.
  function reach() {
    for (const each of document.querySelectorAll("pre, .table, .picture, .formula")) {
      if (each.scrollWidth > each.clientWidth + 1) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    }
  }
  addEventListener("load", reach);
  addEventListener("resize", reach);

  const field = document.querySelector("#search");
  const found = document.querySelector("#found");
  const said = document.querySelector("#said");
  const MOST = 30;
  let asked = null;

  function load() {
    asked ??= new Promise((done) => {
      const script = document.createElement("script");
      script.src = "search-index.js";
      script.onload = () => {
        done(window.SECTIONS.map(([address, page, heading, text]) => {
          const title = `${page} ${heading}`.toLowerCase();
          return { address, page, heading, text, title, all: text.toLowerCase() };
        }));
      };
      document.head.append(script);
    });
    return asked;
  }

  // Where a word begins: “mask” finds “masks” and not “unmask”.
  function places(text, word) {
    const at = [];
    for (let i = text.indexOf(word); i >= 0; i = text.indexOf(word, i + 1)) {
      if (i === 0 || !/[\p{L}\p{N}]/u.test(text[i - 1])) at.push(i);
    }
    return at;
  }

  function worth(section, words) {
    let sum = 0;
    for (const word of words) {
      const inTitle = places(section.title, word).length;
      const inText = places(section.all, word).length;
      if (!inTitle && !inText) return 0;
      sum += 20 * inTitle + Math.min(inText, 5);
      if (section.heading.toLowerCase() === words.join(" ")) sum += 100;
    }
    return sum;
  }

  function excerpt(section, words) {
    const first = Math.min(...words.map((word) => places(section.all, word)[0] ?? Infinity));
    const start = Number.isFinite(first) ? Math.max(0, first - 60) : 0;
    const piece = section.text.slice(start, start + 180);
    const line = document.createElement("p");
    line.append(start ? "…" : "");
    let last = 0;
    const hits = words.flatMap((word) =>
      places(piece.toLowerCase(), word).map((at) => [at, at + word.length]));
    for (const [from, to] of hits.sort((a, b) => a[0] - b[0])) {
      if (from < last) continue;
      const mark = document.createElement("mark");
      mark.textContent = piece.slice(from, to);
      line.append(piece.slice(last, from), mark);
      last = to;
    }
    line.append(piece.slice(last), "…");
    return line;
  }

  async function search() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      found.replaceChildren();
      said.textContent = "";
      return;
    }
    const sections = await load();
    if (words.join() !== field.value.toLowerCase().split(/\s+/).filter(Boolean).join()) return;
    const hits = sections
      .map((section) => [worth(section, words), section])
      .filter(([sum]) => sum)
      .sort((a, b) => b[0] - a[0]);
    const shown = hits.slice(0, MOST);
    said.textContent = hits.length > MOST
      ? `${hits.length} sections; the first ${MOST}` : `${hits.length} section${hits.length === 1 ? "" : "s"}`;
    found.replaceChildren(...shown.map(([, section]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = section.address;
      link.textContent = section.heading === section.page
        ? section.page : `${section.page} › ${section.heading}`;
      item.append(link, excerpt(section, words));
      return item;
    }));
  }

  field.addEventListener("focus", load, { once: true });
  field.addEventListener("input", search);
  field.form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { field.value = ""; search(); }
    const inField = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !inField) { event.preventDefault(); field.focus(); }
  });
  found.addEventListener("click", (event) => {
    if (event.target.closest("a")) { field.value = ""; search(); }
  });
})();
