"""What the notebooks say of SmolLM2, measured again with margins (tools/real_model_lessons.py).

Other processors round differently, so that a number may move in its third decimal; a bound here
leaves much more room than that, and less than what the lesson says.
"""

import os

import pytest
import torch

import real_model_lessons as lessons
from attention_lab.models import pretrained
from attention_lab.models.pretrained import is_installed, smollm2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lm():
    if not is_installed() and not os.environ.get("CI"):
        pytest.skip(f"SmolLM2 is not installed: {pretrained.INSTALL}")
    return smollm2()


# On fewer prompts than in the notebooks' tool, which a test of minutes does not need.
PARTS = {
    "giver": {"every": 3},
    "spotlight": {"every": 2},
    "planted": {"orders": lessons.ORDERS[:3]},
}


@pytest.fixture
def measured(lm, request):
    """The numbers of one lesson."""
    with torch.no_grad():
        return lessons.LESSONS[request.param](lm, **PARTS.get(request.param, {}))


def of(name):
    return pytest.mark.parametrize("measured", [name], indirect=True)


def controls(measured, begin):
    found = [value for key, value in measured.items() if key.startswith(begin)]
    assert len(found) >= 3
    return found


@of("steering")
def test_a_bias_steers_and_a_large_one_breaks_the_text(measured):
    expected = {0: (0.291, 0.068), 2: (0.081, 0.203), 3: (0.039, 0.210), 6: (0.0, 0.0)}
    for b, pair in expected.items():
        assert measured[f"b = {b}: Paris, Lyon"] == pytest.approx(pair, abs=0.01)
    assert measured["b = 0, continued"].startswith(" Paris.")
    assert measured["b = 2, continued"].startswith(" Lyon.")
    assert "Lyon" not in measured["b = 6, continued"]
    assert measured["bias 0 on cats: cats, dogs"] == pytest.approx((0.201, 0.127), abs=0.01)
    assert measured["bias 3 on cats: cats, dogs"] == pytest.approx((0.094, 0.293), abs=0.01)


@of("induction")
def test_induction_heads(measured):
    assert list(measured["heads"])[:4] == [(18, 6), (17, 4), (17, 3), (17, 5)]
    assert measured["heads"][18, 6] > 0.9
    first, second, right = measured["normal"]
    assert first > 14
    assert second < 2.1
    assert right > 0.7
    # losses without them: two alone do little more than one, eight end it
    without = [measured[f"without {k}"][0] for k in (1, 2, 4, 8)]
    assert without[0] > second + 0.4
    assert without[2] > without[0] + 1
    assert without[3] > without[2] + 2
    assert measured["without 8"][1] < 0.05
    others = controls(measured, "without 8 others")
    assert max(loss for loss, _ in others) < without[3] - 3


@of("previous")
def test_heads_that_read_the_token_before(measured):
    assert list(measured["heads"])[:2] == [(16, 0), (11, 1)]
    assert measured["heads"][16, 0] > 0.85
    assert measured["without 4"][0] > max(loss for loss, _ in controls(measured, "without 4 o")) + 3


@of("sinks")
def test_the_first_position_is_a_sink(measured):
    share, heads = measured["weight of position 0, heads above half"]
    assert 0.3 < share < 0.42
    assert 60 < heads < 100
    assert measured["weight of position 1"] < 0.02
    with_another = [v for k, v in measured.items() if k.startswith("weight of position 0, which")]
    assert len(with_another) == 4
    assert all(abs(each - share) < 0.06 for each in with_another)
    assert abs(measured["weight of position 1, with 0 hidden"] - share) < 0.05
    assert abs(measured["loss, with 0 hidden"] - measured["loss"]) < 0.25
    one, two = measured["weights of positions 0 and 1, both The"]
    assert abs(one - two) < 0.02
    assert one + two > share > one + 0.1


@of("streaming")
def test_a_window_needs_the_first_key(measured):
    full = measured["full"]
    for size in (32, 64):
        bare, one, four = (measured[f"window {size}, {keys} sinks"] for keys in (0, 1, 4))
        assert bare > one + 0.4
        assert bare > four + 0.4
        assert full - 0.1 < four < full + 0.5
    assert measured["window 36"] > measured["window 32, 4 sinks"] + 0.6


@of("one_diagonal")
def test_one_hidden_diagonal_ends_copying(measured):
    assert measured["second"] < 0.35
    assert measured["89 back hidden"] > measured["second"] + 1.5
    for back in (87, 88, 95):
        assert abs(measured[f"{back} back hidden"] - measured["second"]) < 0.1
    assert next(iter(measured["heads"])) == (18, 6)
    assert measured["without 4"] > measured["without 1"] > measured["second"] + 0.3
    assert abs(measured["without 4, first"] - measured["first"]) < 0.1
    others = controls(measured, "without 4 others")
    assert max(others) < measured["second"] + 0.2
    assert min(measured["4 at their mean"], measured["without 4"]) > max(others) + 0.5


@of("no_causal_mask")
def test_without_the_causal_mask_the_loss_falls_by_cheating(measured):
    assert measured["no mask"] < measured["causal"] - 0.6
    assert measured["causal and q + 1"] < measured["causal"] - 0.2
    honest = measured["from token 61, causal"]
    assert measured["from token 61, the first 60 see each other"] > honest + 0.3
    assert measured["from token 61, the first 60 hidden"] > honest + 0.1


@of("positions")
def test_off_by_one_is_worse_than_no_position(measured):
    plain = measured["as it is"]
    assert measured["shifted by 1000"] == pytest.approx(plain, abs=0.005)
    stretched = [measured[f"stretched {by}"] for by in (1.5, 2, 4)]
    assert plain < stretched[0] < stretched[1] < stretched[2]
    assert stretched[2] > plain + 2.5
    assert plain + 1.2 < measured["frozen"] < measured["uniform attention"] - 1
    assert measured["every distance + 1"] > measured["uniform attention"] + 0.3
    assert measured["1 back hidden"] > plain + 1.2
    assert all(measured[f"{back} back hidden"] < plain + 0.5 for back in (0, 2, 4))


@of("giver")
def test_the_head_that_reads_the_answer_is_not_the_one_that_matters(measured):
    normal = measured["normal"][0]
    assert measured["prompts"] == 14
    assert measured["normal"][1] > 0.9
    assert measured["answer hidden in all heads"][0] < 0
    assert measured["8 readers off"][0] > normal - 1
    assert measured["answer hidden from 8 readers"][0] < normal - 2
    assert measured["(23, 3) off"][0] < normal - 1.5
    assert measured["(23, 3) on the giver"] > 0.5
    assert measured["giver hidden from (23,3), (20,0), (25,2)"][0] < normal - 2
    for begin in ("answer hidden from 8 others", "one other off"):
        assert all(abs(each[0] - normal) < 1 for each in controls(measured, begin))


@of("planted")
def test_an_order_that_is_hidden_is_not_obeyed(measured):
    robots = [answers for asked, answers in measured.items() if "robot" in asked]
    assert len(robots) == 3
    assert all(each["with the order"] == "I am a robot." for each in robots)
    assert all("robot" not in each["order hidden"] for each in robots)
    assert sum(each["order hidden"] == each["clean"] for each in robots) >= 1
    assert all(each["question hidden"] == "I am a robot." for each in robots)


@of("spotlight")
def test_a_spotlight_for_the_last_query_only(measured):
    for name in ("lists", "names", "facts"):
        dark, lit = measured[f"{name}, b = 0"], measured[f"{name}, b = 4"]
        assert lit[0] > dark[0] + 0.2
        assert lit[1] > dark[1] + 0.2
        assert abs(measured[f"{name}, b = 4, layers 0 to 9"][1] - dark[1]) < 0.15
        assert measured[f"{name}, b = 4, layers 18 to 25"][1] > dark[1] + 0.2
    assert measured["once on dog"].startswith(" dog")
    assert measured["share, layer 0, largest error"] < 1e-5
    _, after, predicted = measured["share before, after, predicted"]
    assert after < predicted - 0.03
