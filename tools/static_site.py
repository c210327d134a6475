"""Write the course as static pages, with a search and one page to print: ``make site``.

    python tools/static_site.py [FOLDER]    build/site if none is named

What is shown is what the notebooks hold: nothing is run. The pages need no server and no network.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import notebooks as tool
from attention_lab.pictures.tables import DARKENED
from catalogue import title_of
from page import Page, in_address

STATIC = Path(__file__).parent / "static"
PRINTED = "whole"  # the stem of the page to print
# Rows of the README: title, file, question, minutes, exercises
ROW = re.compile(r"^\| \[([^\]]+)\]\(notebooks/([\w.]+)\) \| (.*?) \| (.*?) \| (\d+) \|", re.M)


class Entry(NamedTuple):
    """A notebook as the front page lists it."""

    stem: str
    title: str
    question: str
    minutes: str
    exercises: str


def pages() -> list[Path]:
    """Return the notebooks of the site: the course in order, and then those to look things up."""
    course = tool.course()
    return [*course, *(p for p in sorted(tool.NOTEBOOKS.glob("*.ipynb")) if p not in course)]


def entries(paths: Sequence[Path]) -> list[Entry]:
    """Return what the README says of each notebook; of one that it leaves out, its title."""
    readme = (tool.ROOT / "README.md").read_text(encoding="utf-8")
    rows = {Path(file).stem: rest for _, file, *rest in ROW.findall(readme)}
    return [Entry(path.stem, title_of(path), *rows.get(path.stem, ("", "", ""))) for path in paths]


def link(stem: str, anchor: str = "") -> str:
    """Return the address of a heading on the site."""
    return f"{stem}.html" + (f"#{in_address(anchor)}" if anchor else "")


def link_in_print(stem: str, anchor: str = "") -> str:
    """Return the same on the page that holds all."""
    return f"#{in_address(f'{stem}--{anchor}')}"


def frame(title: str, main: str, menu: str) -> str:
    """Return a whole page."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script src="search.js" defer></script>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header><a href="index.html">Attention Lab</a>
<form role="search"><input type="search" id="search" placeholder="Search the course ( / )"
aria-label="Search the course" autocomplete="off"></form>
<div id="results"><p id="said" role="status"></p><ol id="found"></ol></div></header>
<div class="layout">
<nav aria-label="The notebooks"><details><summary>The notebooks</summary>{menu}</details></nav>
<main id="main">
{main}
</main>
</div>
</body>
</html>
"""


def menu_of(listed: Sequence[Entry], here: str = "", page: Page | None = None) -> str:
    """Return the list of notebooks, with the sections of the page that is open."""
    items = []
    for entry in listed:
        inside = ""
        if page and entry.stem == here:
            sections = [s for s in page.sections[1:] if s.level == 2]
            inside = "".join(
                f'<li><a href="#{in_address(s.anchor)}">{html.escape(s.heading)}</a></li>'
                for s in sections
            )
            inside = f"<ol>{inside}</ol>"
        mark = ' class="here"' if entry.stem == here else ""
        current = ' aria-current="page"' if entry.stem == here else ""
        items.append(
            f'<li{mark}><a href="{link(entry.stem)}"{current}>{html.escape(entry.title)}</a>'
            f"{inside}</li>"
        )
    return f"<ol>{''.join(items)}</ol>"


def ends(listed: Sequence[Entry], at: int) -> str:
    """Return the links to the notebook before and the one after."""
    before = listed[at - 1] if at else None
    after = listed[at + 1] if at + 1 < len(listed) else None
    said = [("← ", before, ""), ("", after, " →")]
    links = "".join(
        f'<a href="{link(e.stem)}">{a}{html.escape(e.title)}{z}</a>' if e else "<span></span>"
        for a, e, z in said
    )
    return f'<div class="ends">{links}</div>'


def front(listed: Sequence[Entry]) -> str:
    """Return the front page."""
    rows = "".join(
        f'<tr><td><a href="{link(e.stem)}">{html.escape(e.title)}</a></td>'
        f'<td>{html.escape(e.question)}</td><td class="short">{html.escape(e.minutes)}</td></tr>'
        for e in listed
    )
    return (
        '<div class="cell markdown"><h1>Attention Lab</h1><p>Notebooks that teach the attention '
        "mechanism. On these pages you read them: text, code, figures, numbers. To move the "
        "widgets, to have an exercise checked and to change the code, open the notebooks in "
        f'JupyterLab or in Colab: <a href="{tool.repository()}">the project</a> says how.</p>'
        '<div class="table"><table><thead><tr><th>notebook</th><th>what it answers</th>'
        f"<th>to read</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p><a href="{PRINTED}.html">All of it on one page</a>, to print.</p></div>'
    )


def write_pages(paths: Sequence[Path], folder: Path) -> None:
    """Write a page for each notebook, and the index of the search."""
    listed = entries(paths)
    index = []
    for at, (path, entry) in enumerate(zip(paths, listed, strict=True)):
        page = Page(path, folder, link)
        body = page.body()
        whole = frame(
            f"{entry.title} · Attention Lab",
            body + ends(listed, at),
            menu_of(listed, entry.stem, page),
        )
        (folder / f"{path.stem}.html").write_text(whole, encoding="utf-8")
        for section in page.sections:
            first = section is page.sections[0]
            heading = entry.title if first else section.heading
            address = link(entry.stem, "" if first else section.anchor)
            index.append([address, entry.title, heading, " ".join(section.words)])
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    (folder / "search-index.js").write_text(f"window.SECTIONS={text};\n", encoding="utf-8")
    (folder / "index.html").write_text(
        frame("Attention Lab", front(listed), menu_of(listed)), encoding="utf-8"
    )


def write_print(paths: Sequence[Path], folder: Path) -> None:
    """Write all notebooks on one page: nothing folded, solutions and answers behind each."""
    chapters = []
    for path in paths:
        page = Page(path, folder, link_in_print, prefix=f"{path.stem}--", printed=True)
        body = page.body()
        kept = "".join(page.kept_back)
        if kept:
            kept = f"<h2>Hints, solutions and answers of {html.escape(title_of(path))}</h2>{kept}"
        chapters.append(f'<section id="{path.stem}--">{body}{kept}</section>')
    listed = "".join(
        f'<li><a href="{link_in_print(e.stem)}">{html.escape(e.title)}</a></li>'
        for e in entries(paths)
    )
    start = f'<h1>Attention Lab</h1><ol class="contents">{listed}</ol>'
    whole = frame("Attention Lab, all of it", start + "".join(chapters), menu_of(entries(paths)))
    (folder / f"{PRINTED}.html").write_text(whole, encoding="utf-8")


def write(folder: Path, paths: Sequence[Path] | None = None) -> None:
    """Write the site into a folder, which is made anew."""
    paths = pages() if paths is None else paths
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dark = DARKENED.replace(".jp-RenderedImage img,.jp-RenderedMarkdown img[src^='data:']", "")
    drawn = f"{dark}.figure:not(.photo),.picture img"
    sheet = (STATIC / "style.css").read_text(encoding="utf-8") + (
        f"@media screen and (prefers-color-scheme:dark){{:is({drawn})"
        "{filter:invert(.92) hue-rotate(180deg)}}\n"
    )
    (folder / "style.css").write_text(sheet, encoding="utf-8")
    shutil.copy(STATIC / "search.js", folder)
    write_pages(paths, folder)
    write_print(paths, folder)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else tool.ROOT / "build" / "site"
    start = time.perf_counter()
    write(folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(
        f"{len(pages())} notebooks, {size / 2**20:.1f} MB, {time.perf_counter() - start:.1f} s: "
        f"open {folder / 'index.html'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
