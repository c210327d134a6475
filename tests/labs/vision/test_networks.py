"""What each network is, and what it must hold whatever it has learned."""

import pytest
import torch

from attention_lab.labs.vision.images import of_patches, patches, pixel_order, rearranged
from attention_lab.labs.vision.networks import (
    CBAM,
    CNN,
    KINDS,
    NonLocal,
    SqueezeExcite,
    ViT,
    build,
    parameters,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_gives_ten_logits_and_the_same_start_for_a_seed(kind):
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    network = build(kind, seed=1).eval()
    assert torch.equal(torch.rand(1), wanted)
    images = torch.rand(3, 8, 8)
    assert network(images).shape == (3, 10)
    assert torch.equal(network(images), build(kind, seed=1).eval()(images))
    assert not torch.equal(network(images), build(kind, seed=2).eval()(images))
    assert 14_000 < parameters(network) < 19_000


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match=r"kind must be one of MLP, CNN, .*, not 'best'"):
        build("best")


def test_the_wider_cnn_has_about_as_many_parameters_as_the_largest_module():
    sizes = {kind: parameters(build(kind)) for kind in KINDS if kind.startswith("CNN")}
    assert abs(sizes["CNN, wider"] - sizes["CNN + non-local"]) < 500
    assert parameters(SqueezeExcite(64, 16)) == 580
    # without biases: the numbers of the papers' tables, for 64 channels
    weights = [p.numel() for p in CBAM(64, 16, kernel=7).parameters() if p.ndim > 1]
    assert sum(weights) == 610
    assert sum(p.numel() for p in NonLocal(64).parameters() if p.ndim > 1) == 8192


def test_gates_lie_between_0_and_1_and_do_not_compete():
    torch.manual_seed(0)
    for module in (SqueezeExcite(8), CBAM(8)):
        x = torch.randn(4, 8, 3, 5)
        gates = module.gates(x)
        assert gates.shape == (4, 8)
        assert ((gates > 0) & (gates < 1)).all()
        with torch.no_grad():
            module.up.bias[3] += 5  # one gate opens, and no other moves
        moved = (module.gates(x) != gates).any(dim=0)
        assert moved.tolist() == [channel == 3 for channel in range(8)]
        assert module(x).shape == x.shape


def test_a_non_local_block_begins_as_the_identity_and_sees_all_places():
    torch.manual_seed(0)
    block, x = NonLocal(6), torch.randn(2, 6, 3, 4)
    assert torch.equal(block(x), x)
    torch.nn.init.normal_(block.out.weight)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(block(x)[0, :, 0, 0].sum(), x)
    assert (gradient[0].abs().sum(dim=0) > 0).all()
    assert not gradient[1].any()


def test_the_module_is_the_only_difference_of_two_cnns():
    one, other = build("CNN"), build("CNN + SE")
    for name, numbers in one.state_dict().items():
        assert torch.equal(numbers, other.state_dict()[name])


def test_a_cnn_reads_images_of_other_sizes():
    assert CNN().eval().features(torch.rand(2, 24, 24)).shape == (2, 32, 12, 12)


def test_a_vit_without_positions_reads_a_set_and_one_with_them_does_not():
    images = torch.rand(4, 8, 8)
    other = of_patches(patches(images, 2)[:, torch.randperm(16)], 2, 8)
    with torch.no_grad():
        without, with_ = build("ViT without positions").eval(), build("ViT").eval()
        assert torch.allclose(without(images), without(other), atol=1e-5)
        assert not torch.allclose(with_(images), with_(other), atol=1e-2)


def test_where_cls_looks():
    vit = ViT(patch=4).eval()
    looks = vit.looks(torch.rand(3, 8, 8))
    assert looks.shape == (3, 4, 4)  # images, heads, patches
    assert ((looks > 0) & (looks < 1)).all()
    assert (looks.sum(-1) < 1).all()  # the rest is what CLS has on itself


def test_rearranged_networks_see_the_other_order():
    images = torch.rand(2, 8, 8)
    network = build("MLP, pixels rearranged").eval()
    want = network.network(rearranged(images, pixel_order()))
    assert torch.equal(network(images), want)
