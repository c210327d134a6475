"""ScaleExplorer, driven by the values of its fields."""

import pytest
import torch

from attention_lab.core.normalisers import sparsemax
from attention_lab.labs.scale_and_temperature.widget import NORMALISERS, draw_scores
from attention_lab.widgets import ScaleExplorer
from helpers import tables


def test_scale_explorer_says_what_torch_computes():
    explorer = ScaleExplorer(64)
    assert explorer.scores.shape == (200, 10)
    assert abs(explorer.scores.std().item() / 8 - 1) < 0.05
    explorer.scaled.value = True
    explorer.temperature.value = 2
    weights = (draw_scores(64, 10) / 16).softmax(dim=-1)
    largest = weights.amax(dim=-1).mean().item()
    assert f"largest weight {largest:.3f}, sum of a row 1.000" in explorer.note
    jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
    size = jacobian.flatten(1).norm(dim=-1).mean().item()
    assert f"size of the Jacobian {size:.3f}".rstrip("0") in explorer.note
    assert "standard deviation 0.5 expected" in explorer.note
    (_, bars), (caption, matrix) = tables(explorer.picture.value)
    assert bars[1][1] == f"{weights[0].max().item():.3f}"
    assert caption.startswith("Jacobian of query 0 (10 × 10)")
    assert float(matrix[1][1]) == pytest.approx(jacobian[0, 0, 0].item(), abs=6e-4)


def test_scale_explorer_changes_its_normaliser_and_its_keys():
    explorer = ScaleExplorer(4)
    explorer.normaliser.value = "sparsemax"
    explorer.query.value = 3
    weights = sparsemax(draw_scores(4, 10))[3]
    ((_, bars), _) = tables(explorer.picture.value)
    assert bars[1][1] == f"{weights.max().item():.3f}"
    assert f"other {(10 - 8)}" == bars[-1][0]
    explorer.normaliser.value = "sigmoid"
    assert "entropy" not in explorer.note
    explorer.n_k.value = 32
    assert "<img" in explorer.picture.value
    assert explorer.scores.shape == (200, 32)
    # fewer keys are the first of more
    assert torch.equal(draw_scores(4, 32)[:, :10], draw_scores(4, 10))
    assert explorer.twin_text().startswith("ScaleExplorer, d_k = 4: Scores:")


@pytest.mark.parametrize("normaliser", NORMALISERS)
@pytest.mark.parametrize("d_k", [1, 1024])
def test_scale_explorer_draws_extremes(normaliser, d_k):
    explorer = ScaleExplorer(d_k)
    explorer.normaliser.value = normaliser
    for temperature, keys in ((0.1, 2), (10, 32)):
        explorer.temperature.value, explorer.n_k.value = temperature, keys
        assert "Not used" not in explorer.status.value
        assert "nan" not in explorer.note
