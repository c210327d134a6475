"""The networks of notebook 13: each takes images (B, 8, 8) and gives logits (B, 10)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from attention_lab.core.attention import attention
from attention_lab.labs.vision.images import patches, pixel_order, rearranged
from attention_lab.models.training import seeded
from attention_lab.models.transformer import Encoder, recorded

__all__ = [
    "CBAM",
    "CNN",
    "KINDS",
    "MLP",
    "NonLocal",
    "SqueezeExcite",
    "ViT",
    "build",
    "parameters",
]

CLASSES = 10


class MLP(nn.Module):
    """Fully connected: every pixel has weights of its own."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 48), nn.ReLU(), nn.Linear(48, CLASSES)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images.flatten(1))


class SqueezeExcite(nn.Module):
    """A gate for each channel (Hu et al. 2018, section 3): a sigmoid, and no softmax.

    Parameters
    ----------
    channels : int
    reduction : int
        The layer in the middle has this many times fewer channels.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // reduction)
        self.up = nn.Linear(channels // reduction, channels)

    def gates(self, x: Tensor) -> Tensor:
        """Return a number between 0 and 1 for each channel of (B, C, H, W): (B, C)."""
        return self.up(self.down(x.mean(dim=(2, 3))).relu()).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gates(x)[:, :, None, None]


class CBAM(nn.Module):
    """A gate for each channel, then one for each place (Woo et al. 2018, section 3.1).

    Parameters
    ----------
    channels, reduction
        As for `SqueezeExcite`.
    kernel : int
        Side of the filter that makes the gates of the places; 7 in the paper, 3 for our 4 × 4.
    """

    def __init__(self, channels: int, reduction: int = 4, kernel: int = 3) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // reduction)
        self.up = nn.Linear(channels // reduction, channels)
        self.places = nn.Conv2d(2, 1, kernel, padding=kernel // 2)

    def gates(self, x: Tensor) -> Tensor:
        """Return a number between 0 and 1 for each channel of (B, C, H, W): (B, C)."""
        pooled = torch.stack([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))])  # (2, B, C)
        return self.up(self.down(pooled).relu()).sum(dim=0).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.gates(x)[:, :, None, None]
        both = torch.stack([x.mean(dim=1), x.amax(dim=1)], dim=1)  # (B, 2, H, W)
        return x * self.places(both).sigmoid()


class NonLocal(nn.Module):
    """Self-attention over the places of a map of channels (Wang et al. 2018), added to it.

    It begins as the identity: the last map is 0 at the start (section 4.1 there).

    Parameters
    ----------
    channels : int
        Queries, keys and values have half as many.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(channels, channels // 2) for _ in range(3))
        self.out = nn.Linear(channels // 2, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        places = x.flatten(2).mT  # (B, C, H, W) -> (B, H·W, C)
        mixed = attention(self.query(places), self.key(places), self.value(places)).output
        return x + self.out(mixed).mT.reshape(x.shape)


def _convolution(before: int, after: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)  # the norm has a bias
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


class CNN(nn.Module):
    """Three convolutions of 3 × 3, and the mean over all places.

    After each of them batch norm: every channel gets the mean 0 and the deviation 1 over a batch.

    Parameters
    ----------
    channels : int
        Of the second and third convolution; the first has half as many.
    module : callable, optional
        Makes what stands before the last convolution, on maps of 4 × 4, from ``channels``.
    """

    def __init__(
        self, channels: int = 32, module: Callable[[int], nn.Module] = lambda _: nn.Identity()
    ) -> None:
        super().__init__()
        self.first = _convolution(1, channels // 2)
        self.second = _convolution(channels // 2, channels)
        self.third = _convolution(channels, channels)
        self.readout = nn.Linear(channels, CLASSES)
        self.module = module(channels)  # the last, so that the others start as without it

    def features(self, images: Tensor) -> Tensor:
        """Return what the module gets: (B, C, H/2, W/2), of images (B, H, W)."""
        x = self.second(self.first(images[:, None]))  # (B, H, W) -> (B, C, H, W)
        return nn.functional.max_pool2d(x, 2)

    def forward(self, images: Tensor) -> Tensor:
        x = self.module(self.features(images))
        return self.readout(self.third(x).mean(dim=(2, 3)))


class ViT(nn.Module):
    """A Transformer over patches, with a token of its own that reads them (Dosovitskiy 2021).

    Parameters
    ----------
    patch : int
        Side of a patch.
    d_model, n_heads, d_ff, n_layers
        Of the encoder, which is pre-norm.
    positions : float
        Each patch gets a learned vector of its place added; this is the standard deviation of its
        numbers at the start. 0: no positions.
    """

    def __init__(
        self,
        patch: int = 2,
        d_model: int = 32,
        n_heads: int = 4,
        d_ff: int = 64,
        n_layers: int = 2,
        *,
        positions: float = 1.0,
    ) -> None:
        super().__init__()
        self.patch = patch
        count = (8 // patch) ** 2
        self.embed = nn.Linear(patch * patch, d_model)
        self.cls = nn.Parameter(torch.randn(d_model) * 0.02)
        places = torch.randn(count, d_model) * positions
        self.places = nn.Parameter(places) if positions else None
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff)
        self.readout = nn.Linear(d_model, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.embed(patches(images, self.patch))  # (B, 8, 8) -> (B, 16, d_model)
        if self.places is not None:
            x = x + self.places
        cls = self.cls.expand(len(x), 1, -1)
        x = self.encoder(torch.cat([cls, x], dim=1))  # (B, 1 + 16, d_model)
        return self.readout(x[:, 0])

    def looks(self, images: Tensor) -> Tensor:
        """Return the weights of the last layer from the token CLS to the patches: (B, h, n)."""
        attend = self.encoder.layers[-1].self_attention
        with torch.no_grad(), recorded(attend) as weights:
            self(images)
        ((each,),) = weights.values()  # one layer, called once: (B, h, 1 + n, 1 + n)
        return each[:, :, 0, 1:]


class Rearranged(nn.Module):
    """A network that gets every image with its pixels in one other order."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("order", pixel_order(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.network(rearranged(images, self.order))


KINDS: dict[str, Callable[[], nn.Module]] = {
    "MLP": MLP,
    "CNN": CNN,
    "CNN + SE": lambda: CNN(module=SqueezeExcite),
    "CNN + CBAM": lambda: CNN(module=CBAM),
    "CNN + non-local": lambda: CNN(module=NonLocal),
    "CNN, wider": lambda: CNN(channels=34),
    "ViT": ViT,
    "ViT, positions start at 0.02": lambda: ViT(positions=0.02),
    "ViT without positions": lambda: ViT(positions=0),
    "MLP, pixels rearranged": lambda: Rearranged(MLP()),
    "CNN, pixels rearranged": lambda: Rearranged(CNN()),
    "ViT, pixels rearranged": lambda: Rearranged(ViT()),
}


def build(kind: str, seed: int = 0) -> nn.Module:
    """Return a network that has learned nothing yet.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    with seeded(seed):
        return KINDS[kind]()


def parameters(network: nn.Module) -> int:
    """Return how many numbers a network has learned."""
    return sum(each.numel() for each in network.parameters())
