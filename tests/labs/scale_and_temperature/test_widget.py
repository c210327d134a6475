"""ScaleExplorer, driven by the values of its fields."""

import re
from base64 import b64decode

import pytest
import torch

from attention_lab.core.normalisers import sparsemax
from attention_lab.labs.scale_and_temperature.widget import NORMALISERS, Setting, draw_scores
from attention_lab.widgets import ScaleExplorer
from helpers import all_inside, redraws_of, tables, whys


def drawing(explorer):
    data = re.search(r"base64,([^\"]*)", explorer.picture.value)[1]
    return b64decode(data).decode()


def outline(explorer):
    return re.search(r'<polyline points="([^"]*)"', drawing(explorer))[1]


def bars_of(explorer):
    return re.findall(r'height="([\d.]+)" fill="#aab7c4"', drawing(explorer))


def test_scale_explorer_says_what_torch_computes():
    explorer = ScaleExplorer(64)
    assert explorer.setting.scores.shape == (200, 10)
    assert abs(explorer.setting.scores.std().item() / 8 - 1) < 0.05
    explorer.scaled.value = True
    explorer.temperature.value = 2
    weights = (draw_scores(64, 10) / 16).softmax(dim=-1)
    largest = weights.amax(dim=-1).mean().item()
    assert f"largest weight {largest:.3f}" in explorer.note
    jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
    size = jacobian.flatten(1).norm(dim=-1).mean().item()
    (caption, means), (_, bars), (name, matrix) = tables(explorer.picture.value)
    assert caption == "means over 200 queries"
    assert means[0] == ["what", "now", "outline"]
    assert ">not scaled, T = 1<" in drawing(explorer)
    now = {row[0]: row[1] for row in means}
    assert float(now["standard deviation of the scores"]) == pytest.approx(0.5, abs=0.01)
    assert now["largest weight"] == f"{largest:.3f}"
    assert float(now["size of the Jacobian"]) == pytest.approx(size, abs=6e-4)
    assert now["sum of a row"] == "1.000"
    sharp = draw_scores(64, 10).softmax(dim=-1)
    assert means[2][2] == f"{sharp.amax(dim=-1).mean().item():.3f}"
    best = weights[0].argmax().item()
    assert bars[1][:2] == [f"k{best}", f"{weights[0].max().item():.3f}"]
    assert bars[1][3] == f"{sharp[0, best].item():.3f}"
    assert name.startswith("Jacobian of query 0 (10 × 10)")
    assert float(matrix[1][1]) == pytest.approx(jacobian[0, 0, 0].item(), abs=6e-4)


def test_scale_explorer_changes_its_normaliser_and_its_keys():
    explorer = ScaleExplorer(4)
    explorer.normaliser.value = "sparsemax"
    explorer.query.value = 3
    weights = sparsemax(draw_scores(4, 10))[3]
    (_, _), (_, bars), (_, _) = tables(explorer.picture.value)
    assert bars[1][1] == f"{weights.max().item():.3f}"
    assert f"other {(10 - 8)}" == bars[-1][0]
    explorer.normaliser.value = "sigmoid"
    assert "entropy" not in explorer.note
    explorer.n_k.value = 32
    assert explorer.picture.value.count("<img") == 2  # scores, and a Jacobian of 32 × 32
    assert explorer.setting.scores.shape == (200, 32)
    # fewer keys are the first of more
    assert torch.equal(draw_scores(4, 32)[:, :10], draw_scores(4, 10))
    assert explorer.twin_text().startswith("ScaleExplorer, d_k = 4, not scaled, T = 1, sigmoid:")


@pytest.mark.parametrize("normaliser", NORMALISERS)
def test_the_jacobians_are_those_of_autograd(normaliser):
    setting = Setting(16, scaled=True, temperature=0.5, n_k=5, normaliser=normaliser)
    of_scores = torch.func.vmap(torch.func.jacrev(NORMALISERS[normaliser][0]))
    torch.testing.assert_close(setting.jacobians, of_scores(setting.scores))


@pytest.mark.parametrize("normaliser", NORMALISERS)
@pytest.mark.parametrize("d_k", [1, 1024])
def test_scale_explorer_draws_extremes(normaliser, d_k):
    explorer = ScaleExplorer(d_k)
    explorer.normaliser.value = normaliser
    for temperature, keys in ((0.1, 2), (10, 32)):
        explorer.temperature.value, explorer.n_k.value = temperature, keys
        assert "Not used" not in explorer.status.value
        assert "nan" not in explorer.picture.value + explorer.note


def test_the_scale_is_seen():
    explorer = ScaleExplorer(64)
    before = bars_of(explorer), outline(explorer)
    explorer.scaled.value = True
    assert bars_of(explorer) != before[0]
    assert outline(explorer) == before[1]  # the ghost: the scores without a scale
    above_0 = [sum(float(height) > 0 for height in bars) for bars in (before[0], bars_of(explorer))]
    assert above_0[0] > 4 * above_0[1]


def frame(explorer):
    """What must stand still: texts and size of the axis, and the shape of the tables."""
    svg = drawing(explorer)
    words = re.findall(r"<text[^>]*>[^<]*", svg)
    still = [word for word in words if "beyond" not in word]
    places = [re.sub("beyond.*", "", word) for word in words if "beyond" in word]
    size = re.search(r'<svg[^>]*width="(\d+)" height="(\d+)"', svg).groups()
    shapes = [[len(row) for row in rows] for _, rows in tables(explorer.picture.value)]
    heads = [rows[0] for _, rows in tables(explorer.picture.value)]
    return still, places, size, shapes, heads


@pytest.mark.parametrize("d_k", [1, 64, 1024])
def test_the_axes_stand_still_while_scale_and_temperature_move(d_k):
    explorer = ScaleExplorer(d_k)
    first = frame(explorer)
    seen = set()
    for temperature in (0.1, 0.5, 1, 3, 10):
        for scaled in (False, True):
            explorer.temperature.value, explorer.scaled.value = temperature, scaled
            assert frame(explorer) == first
            seen.add(drawing(explorer))
    # and the data move; √1 scales nothing, and what is narrower than a bar is one bar
    assert len(seen) == {1: 5, 64: 10, 1024: 9}[d_k]


def test_an_error_moves_nothing():
    explorer = ScaleExplorer(64)
    controls, buttons, status, picture, _ = explorer.children

    def boxes():
        parts = [part for child in (controls, buttons) for part in all_inside(child)]
        return [(part, part.layout.width, part.layout.height, part.layout.display)
                for part in parts]  # fmt: skip

    before, drawn = boxes(), picture.value
    explorer.temperature.field.value = "0,5"
    assert "Not used" in status.value
    assert "temperature" in status.value
    assert boxes() == before
    assert picture.value == drawn
    assert "alab-stale" in picture._dom_classes
    # the line has one height for all that is said, and nothing is said beside the field
    assert "alab-status" in status._dom_classes
    assert explorer.temperature.message_line.layout.display == "none"
    explorer.temperature.field.value = "0.5"
    assert "Not used" not in status.value
    assert "alab-stale" not in picture._dom_classes
    assert boxes() == before


def test_a_setting_can_be_pinned_beside_the_next():
    explorer = ScaleExplorer(64)
    explorer.scaled.value = True
    explorer.pin.click()
    assert explorer.pinned == Setting(64, scaled=True)
    kept = outline(explorer)
    shape = frame(explorer)[2:4]
    explorer.temperature.value = 0.5
    assert outline(explorer) == kept
    assert frame(explorer)[2:4] == shape
    (_, means), (_, bars), _ = tables(explorer.picture.value)
    assert means[0][2] == bars[0][3] == "outline"
    assert means[2][2] == f"{Setting(64, scaled=True).means.largest:.3f}"
    assert means[2][1] == f"{Setting(64, True, 0.5).means.largest:.3f}"
    assert "pinned: d_k = 64, scaled, T = 1" in drawing(explorer)
    explorer.d_k.value = 256  # other keys: their weights cannot stand side by side
    assert {row[3] for row in tables(explorer.picture.value)[1][1][1:]} == {"–"}
    explorer.unpin.click()
    assert explorer.pinned is None
    assert explorer.unpin.disabled
    assert ">not scaled, T = 1<" in drawing(explorer)


def test_fewer_keys_are_compared_with_more_and_more_with_fewer():
    explorer = ScaleExplorer(4)
    explorer.n_k.value = 3
    explorer.pin.click()
    explorer.n_k.value = 12
    rows = tables(explorer.picture.value)[1][1][1:9]
    assert all((row[3] != "–") == (row[0] in ("k0", "k1", "k2")) for row in rows)
    explorer.pin.click()
    explorer.n_k.value = 2
    assert "–" not in str(tables(explorer.picture.value)[1][1])


def test_the_temperature_can_be_played_with_one_redraw_for_each_moment():
    explorer = ScaleExplorer(64)
    assert explorer.play.value == 20
    counted = redraws_of(explorer)
    explorer.play.value = 0
    assert explorer.temperature.value == 10
    explorer.play.value = 40
    assert explorer.temperature.value == 0.1
    assert len(counted) == 2
    # a temperature that is typed stays, though no moment is at it
    explorer.temperature.field.value = "0.123"
    assert explorer.temperature.value == 0.123
    assert explorer.play.value == 38
    assert len(counted) == 3


def test_weights_and_jacobian_say_how_they_were_made():
    explorer = ScaleExplorer(64, scaled=True)
    explorer.n_k.value = 3
    explorer.temperature.value = 0.5
    setting = explorer.setting
    said = whys(explorer.picture.value)
    assert len(said) == 3 + 9
    k = setting.weights[0].argmax().item()
    score, x = draw_scores(64, 3)[0, k].item(), setting.scores[0, k].item()
    assert said[0].startswith(f"score {score:.3f} / √64 / 0.5 = {x:.3f}; less the largest, {x:.3f}")
    assert said[0].endswith(f"e^0 / (sum of 3 such) = {setting.weights[0, k]:.3f}")
    w = setting.weights[0]
    assert said[3] == f"weight 0 by score 0: {w[0]:.3f} × (1 − {w[0]:.3f}) = {w[0] - w[0] ** 2:.3f}"
    assert said[4].startswith(f"weight 0 by score 1: −{w[0]:.3f} × {w[1]:.3f} = ")
    for name, part in (
        ("softmax-plus-one", "+ sum of 3 such"),
        ("sigmoid", "1 / (1 + e^"),
        ("sparsemax", "sparsemax: "),
    ):
        explorer.normaliser.value = name
        assert part in whys(explorer.picture.value)[0]
    explorer.normaliser.value = "sigmoid"
    assert "each weight has its own score only" in whys(explorer.picture.value)[4]
    explorer.n_k.value = 11
    assert len(whys(explorer.picture.value)) == 8  # the largest weights; no cell of the Jacobian
