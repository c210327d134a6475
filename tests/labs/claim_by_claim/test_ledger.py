"""Every claim of the article: its text, its verdict, and the cell that it leads to."""

import re

import nbformat
import pytest

import claim_links
from attention_lab.labs.claim_by_claim.ledger import (
    SECTIONS,
    VERDICTS,
    Claim,
    claims,
    matching,
    part_of,
    tally,
)
from attention_lab.labs.claim_by_claim.material import EXPERIMENTS, OPPOSITES, STATEMENTS

ALL = claims()
each_claim = pytest.mark.parametrize("claim", ALL, ids=[claim.name for claim in ALL])
NUMBER = re.compile(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?")  # the 2 of SmolLM2 is none
BOOK = claim_links.ROOT / "notebooks/17_claim_by_claim.ipynb"
CELLS = {cell.id: cell for cell in nbformat.read(BOOK, as_version=4).cells}


def numbers(text):
    """Return the numbers of a text: 1 050 624 is one, and 1.0 is 1."""
    text = re.sub(r"(?<=\d)[ ,](?=\d{3}(?!\d))", "", text)
    return {float(number) for number in NUMBER.findall(text)}


def test_there_are_134_claims_in_the_order_of_the_article():
    assert [claim.name for claim in ALL] == [f"C{i:03}" for i in range(1, 135)]
    parts = [int(part_of(claim.section)) for claim in ALL]
    assert parts == sorted(parts)
    assert set(map(str, parts)) == set(SECTIONS)


@each_claim
def test_a_claim_is_short_and_in_our_own_words(claim):
    assert claim.verdict in VERDICTS
    for text, most in ((claim.claim, 110), (claim.answer, 200), (claim.number, 110)):
        assert 3 < len(text) <= most, text
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text), "not the article's own text"
    assert re.search(r"[.)?V1]$", claim.answer)
    assert claim.answer != claim.claim


@each_claim
def test_its_link_leads_to_a_cell_that_prints_its_number(claim):
    assert claim_links.fault(claim) == ""
    assert claim.link.startswith(f"{claim.notebook}.ipynb#")
    assert " " not in claim.link
    (cell,) = (each for each in claim_links.cells_of(claim.notebook) if each.id == claim.cell)
    aside = {float(number) for number in ASIDE.get(claim.name, "").split()}
    assert numbers(claim.number) - numbers(claim_links.printed(cell)) == aside


# numbers beside the one that is shown: how many or how long something is
ASIDE = {
    "C005": "3",
    "C008": "0.045",
    "C020": "0",
    "C049": "7 9",
    "C050": "3",
    "C053": "3",
    "C054": "2 3",
    "C059": "10",
    "C063": "3",
    "C075": "8",
    "C089": "64",
    "C090": "4",
    "C091": "3",
    "C095": "4",
    "C124": "512",
}
GOOD = next(claim for claim in ALL if claim.name == "C001")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"notebook": "99_nothing"}, "there is no notebook 99_nothing"),
        ({"cell": "nothing"}, "there is no such cell"),
        ({"find": "0.358"}, "does not say '0.358'"),
        ({"heading": "Elsewhere"}, "not under 'Elsewhere'"),
    ],
)
def test_a_broken_link_is_found(changed, says):
    assert says in claim_links.fault(GOOD._replace(**changed))


def test_the_script_writes_the_headings_anew(tmp_path, monkeypatch, capsys):
    data = tmp_path / "claims.json"
    monkeypatch.setattr(claim_links, "DATA", data)
    moved = [claim._replace(heading="Elsewhere") if claim is GOOD else claim for claim in ALL]
    monkeypatch.setattr(claim_links, "claims", lambda: moved)
    assert claim_links.main() == 0
    assert '"heading": "Elsewhere"' not in data.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(claim_links, "claims", lambda: [GOOD._replace(find="0.358")])
    assert claim_links.main() == 1
    assert "C001" in capsys.readouterr().out


def test_claims_are_found_by_part_verdict_mark_and_words():
    assert len(matching(ALL)) == 134
    assert {part_of(claim.section) for claim in matching(ALL, part="3")} == {"3"}
    assert len(matching(ALL, part="3")) == 15
    wrong = matching(ALL, verdict="wrong", contradicts=True)
    assert wrong
    assert all(claim.verdict == "wrong" and claim.contradicts for claim in wrong)
    assert [claim.name for claim in matching(ALL, text="c013")] == ["C013"]
    assert [claim.name for claim in matching(ALL, text="TORCHVISION uses")] == ["C055"]
    assert matching(ALL, text="torchvision dropout") == []
    assert sum(tally(ALL).values()) == 134
    assert list(tally([])) == list(VERDICTS)


def test_a_link_of_the_same_shape_as_jupyter_makes_it():
    claim = GOOD._replace(notebook="01_x", heading="3 What $W_O$ buys, or not?")
    assert claim.link == "01_x.ipynb#3-What-$W_O$-buys,-or-not?"
    assert isinstance(claim, Claim)


def test_what_the_text_of_the_notebook_says_of_all_claims_is_counted():
    counted = tally(ALL)
    assert 0.23 < counted["right"] / len(ALL) < 0.27  # a quarter
    assert counted["imprecise"] / len(ALL) > 1 / 3
    assert counted["imprecise"] > counted["wrong"]
    opposed = tally(matching(ALL, contradicts=True))
    assert opposed["right"] == 10
    assert "with an opposite in the same text 10 are right" in CELLS["counts-read"].source
    wrong = {part: tally(matching(ALL, part=part))["wrong"] for part in SECTIONS}
    assert wrong["6"] == wrong["8"] == 0
    assert wrong["4"] + wrong["5"] > sum(wrong.values()) / 2


ANSWERED = re.compile(r"\(\[C(\d{3})\]\(([^)\s]+)\)\)\.")


def test_each_number_of_the_ten_answers_is_that_of_the_claim_it_names():
    found = 0
    text = CELLS["faq-one"].source + "\n\n" + CELLS["faq-two"].source
    for line in re.sub(r"\*\*.*?\*\*", "", text).split("\n"):
        parts = ANSWERED.split(line)
        for said, name, link in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
            claim = ALL[int(name) - 1]
            known = numbers(f"{claim.number} {claim.answer} {claim.find}")
            assert numbers(said), said
            assert numbers(said) <= known, (name, said)
            assert link == claim.link, f"{name}: {claim.link}"
            found += 1
    assert found == 27  # nine answers of three sentences; the tenth is an exercise


def test_who_says_the_opposite_is_said_of_both():
    for claim in ALL:
        for other in claim.opposite:
            if other != "its code":  # is no claim
                assert claim.name in ALL[int(other[1:]) - 1].opposite, (claim.name, other)
    assert [claim.name for claim in ALL if claim.opposite == ["its code"]] == ["C013"]


def test_every_statement_belongs_to_a_section_and_the_pairs_do_not_overlap():
    letters = "".join(OPPOSITES)
    assert len(letters) == len(set(letters)) == 14
    assert set(letters) <= set(STATEMENTS)
    assert {"".join(sorted(pair)) for pair in OPPOSITES} == set(OPPOSITES)
    for said in OPPOSITES.values():
        assert any(ALL[int(name) - 1].contradicts for name in re.findall(r"C(\d{3})", said))


def test_the_numbers_of_the_experiments_are_those_of_claims():
    known = set().union(*(numbers(f"{claim.number} {claim.find}") for claim in ALL))
    for done, _, _ in EXPERIMENTS.values():
        assert numbers(done) - {100, 9} <= known | {7, 8}, done
