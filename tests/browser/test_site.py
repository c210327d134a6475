"""The static pages in Chromium, without any network: read, searched, in both themes."""

import pytest

import notebooks as tool
import static_site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("site")]
SOME = ["04_scale_and_temperature", "06_masks", "glossary"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "site"
    static_site.write(folder, [tool.NOTEBOOKS / f"{stem}.ipynb" for stem in SOME])
    return folder


@pytest.fixture
def opened(browser, site):
    """Open a page; what it asks for and what it complains of is kept."""
    contexts = []

    def open_(stem, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto((site / f"{stem}.html").as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("stem", [*SOME, "index", "whole"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_and_asks_for_nothing_outside(opened, stem, width):
    page = opened(stem, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.said == []
    assert page.asked
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert page.evaluate(broken) == []


def test_formulas_are_laid_out(opened):
    page = opened("06_masks")
    small = "[...document.querySelectorAll('main > .cell > p math')]"
    sizes = page.evaluate(f"{small}.map(m => m.getBoundingClientRect().height)")
    assert len(sizes) > 10
    assert min(sizes) > 5
    heights = page.evaluate(
        "[...document.querySelectorAll('mfrac')].map(m => m.getBoundingClientRect().height)"
    )
    assert min(heights) > 20  # one above the other


def test_the_search_finds_a_section_and_leads_there(opened):
    page = opened("glossary")
    page.keyboard.press("/")
    page.keyboard.type("leak map")
    page.wait_for_selector("#found li")
    assert page.locator("#found a").first.inner_text() == "Glossary › leak map"
    page.get_by_role("link", name="06 Masks: who may see whom › 3 The leak map").click()
    page.wait_for_url("**/06_masks.html#3-The-leak-map")
    top = page.locator("[id='3-The-leak-map']").bounding_box()["y"]
    assert 0 <= top < 300
    page.fill("#search", "zebra crossing")
    page.wait_for_function("document.querySelector('#said').textContent === '0 sections'")
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""


def test_the_list_of_notebooks_is_open_where_there_is_room(opened):
    assert opened("06_masks").locator("nav details").get_attribute("open") is not None
    narrow = opened("06_masks", 390)
    assert narrow.locator("nav details").get_attribute("open") is None
    narrow.locator("nav summary").click()
    narrow.get_by_role("link", name="04 Scale and temperature").first.click()
    narrow.wait_for_url("**/04_scale_and_temperature.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("stem", ["06_masks", "index"])
def test_it_can_be_read_by_all(opened, stem, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(stem, scheme=scheme)
    # axe does not see that a filter turns a picture over
    options = {"runOnly": ["wcag2a", "wcag2aa"]}
    found = axe.run(page, context={"exclude": [[".output"]]}, options=options)
    assert [v["id"] + str(v["nodes"][0]["target"]) for v in found.response["violations"]] == []
