"""Cells of a notebook as HTML that needs nothing else: no script, no server, no outside address.

Formulas become MathML, which browsers draw themselves; code is coloured by classes; an output is
what the notebook holds of it. `static_site` puts the pieces together.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import mistune
import nbformat
from latex2mathml.converter import convert
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import lint
import notebooks as tool

# where no formula stands: in code, and in the address of a link
FENCED = re.compile(r"^```.*?^```|`[^`\n]+`|\]\([^)\s]*\)", re.S | re.M)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
ANNOUNCED = re.compile(r"^\*\*((?:Exercise|Puzzle) [\d.]*\d)", re.M)
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.S)
NOTEBOOK_LINK = re.compile(r'href="(\w+\.ipynb[^"]*)"')  # in an output
DETAILS = re.compile(r"<details.*?</details>", re.S)
STYLE = re.compile(r"<style>.*?</style>", re.S)
TWIN = "<div>Run this cell to make it live.</div>"
VERDICT = re.compile(r'<div class="alab-slab".*?</div>', re.S)
PHOTOGRAPH = 50_000  # colours
OPEN, CLOSE = "\ue000", "\ue001"  # around the number of a formula, while Markdown is read
# Browsers know no letters but upright and slanted; these are the letters as signs of their own.
LETTERS = {"sans-serif": (0x1D5A0, 0x1D5BA), "bold": (0x1D400, 0x1D41A)}
ALIGNED = re.compile(r"\\begin\{aligned\}(.*?)\\end\{aligned\}", re.S)
LETTER = re.compile(r'<mi mathvariant="([\w-]+)">([A-Za-z])</mi>')
# What a typesetter knows and a browser does not: a sign that follows a bracket, a comma or a
# relation belongs to its number; the name of a function stands off from its argument.
SIGN = re.compile(
    r"(<(?:mrow|mtd|math)[^>]*>|<mo(?![^>]*postfix)[^>]*>(?!&#x0002(?:9|1);|&#x0005D;|&#x0007D;)"
    r"[^<]*</mo>)<mo>&#x02212;</mo>"
)
FUNCTION = re.compile(r"<mi>(ln|log|exp|sin|cos|tanh|max|min)</mi>(?!<mo[^>]*>&#x00028;|</m)")


class Section(NamedTuple):
    """A heading and the words under it, for the search."""

    anchor: str
    heading: str
    level: int
    words: list[str]


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading as JupyterLab makes it."""
    return heading.strip().replace(" ", "-")


def _as_array(aligned: re.Match[str]) -> str:
    """Return aligned lines as an array, which the converter knows: right, left, right, left ..."""
    lines = re.split(r"\\\\", aligned[1].strip())
    columns = max(line.count("&") for line in lines) + 1
    return rf"\begin{{array}}{{{('rl' * columns)[:columns]}}}{aligned[1]}\end{{array}}"


def formula(latex: str, *, block: bool) -> str:
    """Return LaTeX as MathML."""
    latex = ALIGNED.sub(_as_array, latex.strip())
    made = convert(latex, display="block" if block else "inline")

    def letter(found: re.Match[str]) -> str:
        starts = LETTERS.get(found[1])
        if starts is None:
            return found[0]
        start = starts[found[2].islower()]
        return f"<mi>&#x{start + ord(found[2].lower()) - ord('a'):X};</mi>"

    made = LETTER.sub(letter, made)
    made = made.replace("<mo>&#x0221E;</mo>", "<mi>&#x0221E;</mi>")
    made = SIGN.sub(r'\1<mo form="prefix">&#x02212;</mo>', made)
    made = made.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">/</mo>')
    made = FUNCTION.sub(r'<mo lspace="0.17em" rspace="0.17em" form="infix">\1</mo>', made)
    return f'<span class="formula">{made}</span>' if block else made


def code(source: str) -> str:
    """Return Python as HTML with a class for each kind of word."""
    source = source.replace("  # fmt: skip", "")  # said to a tool, not to a reader
    inside = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{inside}</code></pre>'


class _Renderer(mistune.HTMLRenderer):
    """HTML with the anchors of JupyterLab, links of the site, and tables that scroll."""

    def __init__(self, page: Page) -> None:
        super().__init__(escape=False)
        self.page = page
        self.headings: list[str] = []

    def heading(self, text: str, level: int, **_: Any) -> str:
        anchor = self.page.open_section(self.headings.pop(0), level)
        return f'<h{level} id="{html.escape(anchor)}">{text}</h{level}>\n'

    def block_code(self, code_: str, info: str | None = None) -> str:
        if (info or "").startswith("py"):
            return code(code_)
        return f'<pre class="code"><code>{html.escape(code_)}</code></pre>'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return f'<a href="{html.escape(self.page.address(unquote(url)))}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self.page.attached(text, url)


class Page:
    """One notebook as HTML.

    Parameters
    ----------
    path : Path
    folder : Path
        Where pictures are written, into ``pictures/``.
    link : callable
        ``link(notebook, anchor)`` is the address of a heading; the notebook is the stem of its
        file, and the anchor may be empty.
    prefix : str
        Begins each anchor: where several notebooks stand on one page.
    printed : bool
        Nothing is folded; hints, solutions and what answers a prediction stand at the end.

    Attributes
    ----------
    sections : list of Section
    kept_back : list of str
        Hints, solutions and answers, as HTML.
    """

    def __init__(
        self,
        path: Path,
        folder: Path,
        link: Callable[[str, str], str],
        *,
        prefix: str = "",
        printed: bool = False,
    ) -> None:
        self.path, self.folder, self.link = path, folder, link
        self.prefix, self.printed = prefix, printed
        self.sections: list[Section] = []
        self.kept_back: list[str] = []
        self._exercise, self._answers = "", 0
        self._attachments: dict[str, Any] = {}
        self._sheets: set[str] = set()
        self._renderer = _Renderer(self)
        self._markdown = mistune.create_markdown(
            escape=False, renderer=self._renderer, plugins=["table"]
        )

    def body(self) -> str:
        """Return all cells, and write their pictures."""
        cells = nbformat.read(self.path, as_version=4).cells
        return "\n".join(self._cell(cell) for cell in cells)

    def _cell(self, cell: Any) -> str:
        self._attachments = cell.get("attachments", {})
        inside = self._text(cell.source) if cell.cell_type == "markdown" else self._run(cell)
        name = html.escape(f"{self.prefix}cell-{cell.id}")
        return f'<div class="cell {cell.cell_type}" id="{name}">{inside}</div>'

    # --- text -------------------------------------------------------------------------------

    def _text(self, source: str) -> str:
        source = tool.BADGE.sub(
            lambda badge: f"[Open in Colab]({badge[0].rpartition('](')[2]}", source
        )
        if self.printed:
            source = self._without_folded(source)
        shown = re.sub(tool.FOLDED, " ", source, flags=re.S)
        made = self.markdown(source)
        self._index(shown)
        return made

    def _without_folded(self, source: str) -> str:
        """Unfold what is folded; hints and solutions are kept for the end."""

        def keep(found: re.Match[str]) -> str:
            kind, inside = found[1], found[2]
            if kind not in ("Hint", "Solution"):
                return f"**{kind}.**\n{inside}"
            head = f"<p><b>{html.escape(self._exercise)}, {kind.lower()}</b></p>"
            self.kept_back.append(head + self.markdown(inside))
            return ""

        for announced in ANNOUNCED.finditer(source):
            self._exercise = announced[1]
        return FOLDED.sub(keep, source)

    def markdown(self, source: str) -> str:
        """Return Markdown with formulas as HTML."""
        formulas: list[str] = []
        pieces, last = [], 0

        def hide(found: re.Match[str]) -> str:
            formulas.append(formula(found[1] or found[2], block=bool(found[1])))
            return f"{OPEN}{len(formulas) - 1}{CLOSE}"

        for fenced in FENCED.finditer(source):
            pieces += [FORMULA.sub(hide, source[last : fenced.start()]), fenced[0]]
            last = fenced.end()
        pieces.append(FORMULA.sub(hide, source[last:]))
        fences = re.sub(r"^```.*?^```", "", source, flags=re.S | re.M)
        self._renderer.headings += HEADING.findall(fences)
        made = self._markdown("".join(pieces))
        made = re.sub(r"<table>.*?</table>", r'<div class="table">\g<0></div>', made, flags=re.S)

        def show(found: re.Match[str]) -> str:
            drawn = formulas[int(found[2])]
            if (found[1] or found[3]) and drawn.startswith("<math"):  # no line begins with a comma
                return f'<span class="whole">{found[1]}{drawn}{found[3]}</span>'
            return f"{found[1]}{drawn}{found[3]}"

        return re.sub(rf"(\(?){OPEN}(\d+){CLOSE}([.,;:?!)]*)", show, made)

    def open_section(self, heading: str, level: int) -> str:
        """Begin a section of the search, and return its anchor."""
        anchor = anchor_of(heading)
        known = [section.anchor for section in self.sections]
        if anchor in known:
            anchor = f"{anchor}-{sum(each.startswith(anchor) for each in known) + 1}"
        self.sections.append(Section(anchor, _plain(heading), level, []))
        return self.prefix + anchor

    def _index(self, shown: str) -> None:
        """Share out the words of a cell over the sections that begin in it."""
        parts = HEADING.split(re.sub(r"^```.*?^```", "", shown, flags=re.S | re.M))[::2]
        begun = self.sections[len(self.sections) - len(parts) + 1 :] if len(parts) > 1 else []
        before = self.sections[: len(self.sections) - len(begun)][-1:]
        for section, part in zip([*before, *begun], parts if before else parts[1:], strict=True):
            section.words.append(_plain(part))

    def address(self, url: str) -> str:
        """Return where a link of a notebook leads on the site."""
        file, _, anchor = url.partition("#")
        if re.match(r"\w+:", url):
            return url
        if not file:
            return self.link(self.path.stem, anchor)
        if file.endswith(".ipynb") and "/" not in file:
            return self.link(file.removesuffix(".ipynb"), anchor)
        inside = (tool.NOTEBOOKS / file).resolve().relative_to(tool.ROOT)
        return f"{tool.repository()}/blob/main/{inside}"

    def attached(self, alt: str, url: str) -> str:
        """Return a picture that is attached to the cell."""
        name = url.removeprefix("attachment:")
        return self._image(self._attachments[name]["image/png"], html.unescape(alt))

    def _image(self, data: str, alt: str, size: Any = None) -> str:
        content = base64.b64decode(data)
        name = f"pictures/{hashlib.sha1(content).hexdigest()[:12]}.png"
        (self.folder / "pictures").mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)
        kind = "figure photo" if _is_photograph(content) else "figure"
        large = "".join(f' {k}="{v}"' for k, v in (size or {}).items() if k in ("width", "height"))
        return f'<img class="{kind}" src="{name}" alt="{html.escape(alt)}"{large}>'

    # --- code and what it gave --------------------------------------------------------------

    def _run(self, cell: Any) -> str:
        shown = code(cell.source)
        if cell.id == "set-up":
            return f"<details><summary>Set-up</summary>{shown}</details>"
        outputs = "".join(map(self._output, cell.outputs))
        if re.search(r"^check\.", cell.source, re.M):
            outputs = VERDICT.sub("", outputs, count=1)  # “Not attempted”
        is_answer = tool.ANSWER in cell.metadata.get("tags", [])
        if self.printed and outputs and (is_answer or lint.PREDICT.search(cell.source)):
            return shown + self._answered_later(outputs, is_answer)
        if is_answer:
            outputs = f'<details class="answer"><summary>The output</summary>{outputs}</details>'
        return shown + (f'<div class="output">{outputs}</div>' if outputs else "")

    def _answered_later(self, outputs: str, is_answer: bool) -> str:
        """Leave a number where an answer stands, and keep the answer for the end."""
        self._answers += 1
        left = "" if is_answer else DETAILS.sub("", outputs)
        late = outputs if is_answer else "".join(DETAILS.findall(outputs))
        self.kept_back.append(f"<p><b>Answer {self._answers}</b></p>{late}")
        note = f'<div class="still">Answer {self._answers}: behind this notebook.</div>'
        return f'<div class="output">{left}{note}</div>'

    def _output(self, output: Any) -> str:
        if output.output_type == "stream":
            return f"<pre>{html.escape(output.text)}</pre>"
        data = output.get("data", {})
        if "image/png" in data:
            about = output.metadata.get("image/png", {})
            return self._image(data["image/png"], about.get("alt", ""), about)
        if "text/html" in data:
            return f'<div class="picture">{self._twin(data)}</div>'
        return f"<pre>{html.escape(data.get('text/plain', ''))}</pre>"

    def _twin(self, data: Any) -> str:
        """Return HTML with each style sheet once, and what a still widget cannot do."""
        is_asked = data.get("text/plain", "").startswith("Predict")
        colab = re.search(r"\]\(([^()]*)\)$", tool.badge(self.path.name))[1]
        says = f'It moves in JupyterLab and in <a href="{colab}">Colab</a>; here it stands still.'
        note = "" if is_asked or self.printed else f'<div class="still">{says}</div>'
        made = STYLE.sub(self._once, data["text/html"].replace(TWIN, note))
        if self.printed:
            made = made.replace("<details>", "<details open>")
        return NOTEBOOK_LINK.sub(self._relinked, made)

    def _relinked(self, found: re.Match[str]) -> str:
        return f'href="{html.escape(self.address(unquote(html.unescape(found[1]))))}"'

    def _once(self, sheet: re.Match[str]) -> str:
        if sheet[0] in self._sheets:
            return ""
        self._sheets.add(sheet[0])
        return sheet[0]


def _is_photograph(png: bytes) -> bool:
    """Tell by the number of colours: a figure of ours has at most some thousand."""
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGB").getcolors(PHOTOGRAPH) is None


def _plain(markdown: str) -> str:
    """Return the words of Markdown."""
    text = re.sub(r"<[^>]*>|!\[[^\]]*\]\([^)]*\)|\[Open in Colab\]\(.*", " ", markdown)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\\[^$\n]*\$", " … ", text, flags=re.S)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`$|>#]|---+", " ", text).split())


def in_address(anchor: str) -> str:
    """Return an anchor as it stands behind the # of an address."""
    return quote(anchor, safe="-_.~!$&'()*+,;=:@/?")
