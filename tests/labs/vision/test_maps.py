"""Maps of one image, and how far they agree."""

import pytest
import torch

from attention_lab.labs.vision import trained
from attention_lab.labs.vision.images import patches, splits
from attention_lab.labs.vision.maps import (
    accuracy_covered,
    attention_map,
    covered,
    occlusion_map,
    rank_correlation,
    rollout_map,
)
from attention_lab.labs.vision.runs import best, classify
from attention_lab.models.transformer import recorded


@pytest.fixture(scope="module")
def vit():
    return trained.load("ViT")


@pytest.fixture
def five():
    return splits()["test"].images[:5]


def test_the_kept_networks_read_as_the_kept_runs(vit):
    for kind in trained.NETWORKS:
        network = trained.load(kind)
        assert not network.training
        share = classify(network, splits()["test"]).double().mean().item()
        assert share == pytest.approx(best(kind)[0].accuracy, abs=0.01)


def test_what_is_packed_is_what_is_loaded(vit):
    again = trained.packed(vit)
    assert again == trained.packed(trained.load("ViT"))
    assert again["cls"][0] == [32]


def test_the_attention_map_is_the_row_of_cls_without_cls(vit, five):
    with torch.no_grad(), recorded(vit) as weights:
        vit(five)
    row = weights["encoder.layers.1.self_attention"][0].mean(dim=1)[:, 0, 1:]
    looks = attention_map(vit, five)
    assert torch.allclose(looks, row / row.sum(-1, keepdim=True))
    assert torch.allclose(looks.sum(-1), torch.ones(5))


def test_rollout_with_one_layer_is_half_of_the_row(five):
    from attention_lab.labs.vision.networks import ViT

    one = ViT(n_layers=1).eval()
    assert torch.allclose(rollout_map(one, five), attention_map(one, five), atol=1e-6)
    two = ViT().eval()
    assert torch.allclose(rollout_map(two, five).sum(-1), torch.ones(5))


def test_covering_puts_paper_over_whole_patches():
    images, hidden = torch.rand(3, 8, 8) + 0.1, torch.rand(3, 16) < 0.4
    lies = covered(images, hidden)
    assert torch.equal(patches(lies, 2) == 0, hidden[..., None].expand(-1, -1, 4))
    assert torch.equal(lies[lies != 0], images[lies != 0])


def test_the_occlusion_map_is_what_each_patch_costs(vit, five):
    needs = occlusion_map(vit, five)
    assert needs.shape == (5, 16)
    whole = vit(five).log_softmax(-1)
    for k, at in ((0, 5), (3, 9)):
        hidden = torch.zeros(1, 16, dtype=torch.bool)
        hidden[0, at] = True
        now = vit(covered(five[k : k + 1], hidden)).log_softmax(-1)[0]
        want = (whole[k].max() - now[whole[k].argmax()]).item()
        assert needs[k, at].item() == pytest.approx(want, abs=1e-4)
    of_class = occlusion_map(vit, five, classes=torch.full((5,), 3))
    assert not torch.allclose(of_class, needs)
    blank = patches(five, 2).sum(-1) == 0
    assert not needs[blank].any()  # paper over paper


def test_a_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    torch.manual_seed(0)
    one, other = torch.randn(6, 16), torch.randn(6, 16).round()  # with equal numbers
    want = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    assert torch.allclose(rank_correlation(one, other), torch.tensor(want))
    assert torch.allclose(rank_correlation(one, one.exp()), torch.ones(6).double())
    assert torch.allclose(rank_correlation(one, -one), -torch.ones(6).double())
    assert rank_correlation(one, torch.ones(6, 16)).isnan().all()


def test_covering_from_none_to_all(vit):
    images, labels = splits()["test"].images[:60], splits()["test"].labels[:60]
    order = torch.arange(16).expand(60, 16)
    shares = accuracy_covered(vit, images, labels, order)
    assert len(shares) == 17
    assert shares[0] == (vit(images).argmax(-1) == labels).double().mean()
    empty = vit(torch.zeros(1, 8, 8)).argmax().item()
    assert shares[-1] == (labels == empty).double().mean()


def test_what_the_notebook_says_of_the_kept_maps():
    assert [kept["seed"] for kept in trained.kept_maps()] == [0, 1, 2]
    for kept in trained.kept_maps():
        pairs = kept["correlation"]
        assert 0.1 < pairs["attention, occlusion"] < pairs["ink, occlusion"] < 0.9
        four = {name: curve[4] for name, curve in kept["covered"].items()}
        assert four["occlusion"] < four["attention"] < four["any order"]


def test_agreement_of_a_few_images_is_like_the_kept_one(vit):
    few = splits()["test"]
    few = type(few)(few.images[:150], few.labels[:150])
    found = trained.agreement(vit, trained.load("CNN"), few)
    kept = trained.kept_maps()[0]
    for pair, number in kept["correlation"].items():
        assert found["correlation"][pair] == pytest.approx(number, abs=0.1), pair
    assert found["covered"]["ink"][0] > 0.9
