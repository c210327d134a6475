"""The static pages: whole, without an outside address, and every formula drawn."""

import html
import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import unquote

import nbformat
import pytest

import lint
import notebooks as tool
import page as pages
import static_site


class Tags(HTMLParser):
    """All start tags of a page, and its text outside code and outputs."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        if tag in ("pre", "code", "style", "script") or "output" in given.get("class", ""):
            self._inside.append([tag, 0])
        elif self._inside and tag == self._inside[-1][0]:
            self._inside[-1][1] += 1

    def handle_endtag(self, tag):
        if self._inside and tag == self._inside[-1][0]:
            if self._inside[-1][1]:
                self._inside[-1][1] -= 1
            else:
                self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.text.append(data)

    def values(self, attribute, *names):
        found = [(tag, given.get(attribute)) for tag, given in self.tags]
        return [value for tag, value in found if value and (not names or tag in names)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "site"
    static_site.write(folder)
    return folder


@pytest.fixture(scope="module")
def parsed(site):
    return {file.name: Tags(file.read_text(encoding="utf-8")) for file in site.glob("*.html")}


def test_there_is_a_page_for_each_notebook_and_two_more(parsed):
    stems = {path.stem for path in tool.NOTEBOOKS.glob("*.ipynb")}
    assert set(parsed) == {f"{stem}.html" for stem in stems | {"index", "whole"}}


def test_every_link_within_the_site_resolves(site, parsed):
    ids = {name: set(tags.values("id")) for name, tags in parsed.items()}
    followed = 0
    for name, tags in parsed.items():
        for address in tags.values("href", "a"):
            if re.match(r"\w+:", address):
                assert address.startswith("https://"), address
                continue
            file, _, anchor = address.partition("#")
            followed += 1
            assert (file or name) in parsed, f"{name}: {address}"
            assert not anchor or unquote(anchor) in ids[file or name], f"{name}: {address}"
    assert followed > 500


def test_nothing_is_fetched_from_outside(site, parsed):
    for name, tags in parsed.items():
        for address in [*tags.values("src"), *tags.values("href", "link")]:
            assert address.startswith("data:") or (site / address).is_file(), f"{name}: {address}"
        assert not tags.values("srcset"), name
    for file in [*site.glob("*.css"), site / "search.js", *site.glob("*.html")]:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", text), file.name
    assert "http" not in (site / "search.js").read_text(encoding="utf-8")


def test_every_formula_is_drawn_by_the_browser(parsed):
    for path in static_site.pages():
        formulas = 0
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                formulas += len(pages.FORMULA.findall(pages.FENCED.sub("", cell.source)))
        tags = parsed[f"{path.stem}.html"]
        assert Counter(tag for tag, _ in tags.tags)["math"] == formulas, path.stem
    for name, tags in parsed.items():
        text = "".join(tags.text)
        assert not re.search(r"[$\ue000\ue001\\]", text), f"{name}: {text[:80]}"


def test_no_sign_of_latex_is_left_in_a_formula(site):
    for file in site.glob("*.html"):
        for made in re.findall(r"<math.*?</math>", file.read_text(encoding="utf-8"), re.S):
            text = html.unescape(re.sub(r"<[^>]*>", "", made))
            assert not re.search(r"[&$\\]", text), f"{file.name}: {text}"


def test_no_anchor_is_there_twice_and_each_heading_has_that_of_jupyterlab(parsed):
    for path in static_site.pages():
        ids = parsed[f"{path.stem}.html"].values("id")
        assert [name for name, count in Counter(ids).items() if count > 1] == []
        assert lint.anchors_of(lint.read(path)) <= set(ids)
    ids = parsed["whole.html"].values("id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_every_picture_says_what_it_shows(parsed):
    for name, tags in parsed.items():
        for tag, given in tags.tags:
            assert tag != "img" or given.get("alt"), f"{name}: {str(given)[:80]}"


def test_the_search_knows_every_section(site, parsed):
    text = (site / "search-index.js").read_text(encoding="utf-8")
    sections = json.loads(text.removeprefix("window.SECTIONS=").removesuffix(";\n"))
    found = {heading: (address, words) for address, _, heading, words in sections}
    address, words = found["3 The leak map"]
    assert address == "06_masks.html#3-The-leak-map"
    assert "How does one find out whether a mask works?" in words
    assert {"Glossary", "leak map", "06 Masks: who may see whom"} <= set(found)
    solution = "torch.ones(n, n).tril()"
    assert not [heading for heading, (_, words) in found.items() if solution in words]
    ids = {name: set(tags.values("id")) for name, tags in parsed.items()}
    for address, *_ in sections:
        file, _, anchor = address.partition("#")
        assert not anchor or unquote(anchor) in ids[file], address


def made(tmp_path, *cells, **options):
    path = tmp_path / "06_made.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    page = pages.Page(path, tmp_path, static_site.link, **options)
    return page, page.body()


def answered():
    """A cell that answers, an exercise, and what is folded under it."""
    v4 = nbformat.v4
    answer = v4.new_code_cell(
        "print(7)  # fmt: skip",
        id="a",
        outputs=[v4.new_output("stream", text="7\n")],
        metadata={"tags": ["answer"]},
    )
    verdict = {"text/html": '<div class="alab-slab">○ <b>Not attempted:</b></div><i>wanted</i>'}
    check = v4.new_code_cell(
        "check.it(answer)", id="b", outputs=[v4.new_output("display_data", data=verdict)]
    )
    folded = (
        "<details><summary>Hint</summary>\n\nLook at $d_k$.\n\n</details>\n"
        "<details><summary>Solution</summary>\n\n```python\nanswer = 7\n```\n\n</details>"
    )
    return answer, check, v4.new_markdown_cell(folded, id="c")


def test_an_answer_is_folded_and_what_was_not_attempted_is_not_told(tmp_path):
    _, body = made(tmp_path, *answered())
    assert '<details class="answer"><summary>The output</summary><pre>7\n' in body
    assert "Not attempted" not in body
    assert "<i>wanted</i>" in body
    assert "fmt: skip" not in body
    assert body.count("<details>") == 2


def test_in_print_nothing_is_folded_and_solutions_stand_behind(tmp_path):
    seen = "**Exercise 6.1: x** Do.\n\n<details><summary>What came out</summary>\n\n8\n\n</details>"
    asked = nbformat.v4.new_markdown_cell(seen, id="seen")
    replies = "<b>Predict.</b> How many?<details><summary>7</summary>Right.</details>"
    guess = nbformat.v4.new_code_cell(
        "predict.it()",
        id="g",
        outputs=[nbformat.v4.new_output("display_data", data={"text/html": replies})],
    )
    page, body = made(tmp_path, asked, guess, *answered(), printed=True, prefix="x--")
    assert "How many?" in body
    assert "Right." not in body
    assert body.index("Answer 1: behind") < body.index("Answer 2: behind")
    assert "Right." in page.kept_back[0]
    assert "<pre>7\n</pre>" in page.kept_back[1]
    assert "<pre>7\n</pre>" not in body
    assert "<strong>What came out.</strong>" in body
    assert page.kept_back[2].startswith("<p><b>Exercise 6.1, hint</b></p>")
    assert "<details" not in body
    assert 'id="x--cell-a"' in body
    assert len(page.kept_back) == 4
    assert "answer" in page.kept_back[3]
    assert "<math" in page.kept_back[2]


def test_formulas_are_not_taken_from_code_and_survive_markdown(tmp_path):
    source = "# A\n\n`$x$` and $a_1*b_2*c$ |\n\n```\n$y$\n```\n\n$$ -\\infty $$\n\n## A"
    page, body = made(tmp_path, nbformat.v4.new_markdown_cell(source))
    assert body.count("<math") == 2
    assert "<code>$x$</code>" in body
    assert "$y$" in body
    assert '<mo form="prefix">&#x02212;</mo><mi>&#x0221E;</mi>' in body
    assert [section.anchor for section in page.sections] == ["A", "A-2"]


def test_aligned_lines_stand_below_each_other():
    made = pages.formula(r"\begin{aligned} a &= b \\ & + c \end{aligned}", block=True)
    assert made.count("<mtr>") == 2
    assert made.count("<mtd") == 4
    assert "&</mi>" not in made
    assert [f'columnalign="{side}"' in made for side in ("left", "right")] == [True, True]


def test_a_photograph_is_told_from_a_figure_and_not_turned_over(site):
    text = (site / "13_vision.html").read_text(encoding="utf-8")
    assert 0 < text.count('class="figure photo"') < text.count('class="figure"')
    assert ".figure:not(.photo)" in (site / "style.css").read_text(encoding="utf-8")


def test_no_line_begins_with_the_comma_behind_a_formula(tmp_path):
    _, body = made(tmp_path, nbformat.v4.new_markdown_cell("A ($a$), and $b$ and $$ c $$."))
    first, second = re.findall(
        r'(?:<span class="(?:whole|formula)">\(?)?<math.*?</math>[^<]*', body
    )[:2]
    assert first.startswith('<span class="whole">(<math')
    assert first.endswith("),")
    assert second.startswith("<math")


def test_letters_that_browsers_do_not_know_become_signs():
    assert "<mi>&#x1D5C5;</mi>" in pages.formula(r"\mathsf{l}", block=False)
    assert "<mi>&#x1D417;</mi>" in pages.formula(r"\mathbf{X}", block=False)


def test_links_lead_to_pages_to_the_project_and_outside(tmp_path):
    source = "[a](01_attention_weights.ipynb#A-b) [b](../README.md) [c](https://x.org) [d](#E)"
    _, body = made(tmp_path, nbformat.v4.new_markdown_cell(source))
    assert re.findall('href="([^"]*)"', body) == [
        "01_attention_weights.html#A-b",
        f"{tool.repository()}/blob/main/README.md",
        "https://x.org",
        "06_made.html#E",
    ]


def test_the_tool_writes_where_it_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(static_site, "pages", lambda: [tool.NOTEBOOKS / "glossary.ipynb"])
    monkeypatch.setattr(sys, "argv", ["static_site.py", str(tmp_path / "there")])
    assert static_site.main() == 0
    assert (tmp_path / "there" / "index.html").exists()
    assert capsys.readouterr().out.startswith("1 notebooks, ")
