"""What a model keeps and reads: the sizes of real models, and six designs of attention for each.

Counting only, no tensors. A number is one float of the cache; a multiply-add is one product and
one sum, two FLOPs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["DESIGNS", "MODELS", "Cost", "Model", "Shape", "costs", "parameters", "size"]

KERNEL = 3  # of the convolution that attention is compared with


@dataclass(frozen=True)
class Shape:
    """The sizes of a model that decide what its attention costs.

    Attributes
    ----------
    layers, d_model, heads, kv_heads, d_head : int
    context : int
        Tokens that are kept.
    window : int
        Tokens that a layer with a window sees.
    full_every : int
        In a hybrid one layer of so many sees everything; 6 means five windows, then a full one.
    n_bytes : int
        Of one number.
    """

    layers: int
    d_model: int
    heads: int
    kv_heads: int
    d_head: int
    context: int
    window: int = 4096
    full_every: int = 6
    n_bytes: int = 2

    @property
    def latent(self) -> int:
        """Numbers that MLA keeps for a token and a layer: 4 d_head, and d_head / 2 for RoPE.

        The proportions of DeepSeek-V2 (arXiv:2405.04434), table 1.
        """
        return 4 * self.d_head + self.d_head // 2

    @property
    def full_layers(self) -> int:
        """Layers of the hybrid that see everything."""
        return self.layers // self.full_every

    @property
    def as_convolution(self) -> int:
        """Tokens at which scores and weighted sums cost as much as a convolution of width 3.

        2 n² (heads · d_head) = 3 n d_model².
        """
        return round(KERNEL * self.d_model**2 / (2 * self.heads * self.d_head))

    @property
    def as_the_rest(self) -> int:
        """Tokens at which they cost as much as the rest of a layer, 12 n d_model²."""
        return round(12 * self.d_model**2 / (2 * self.heads * self.d_head))


class Cost(NamedTuple):
    """What one design costs at one shape.

    Attributes
    ----------
    per_token : int
        Numbers kept for a token in one layer.
    cache : int
        Bytes kept in all layers.
    scores : int
        Bytes of the scores of one layer while a prompt is read, if they were stored.
    multiply_adds : int
        For the scores and weighted sums of one more token, in all layers.
    """

    per_token: int
    cache: int
    scores: int
    multiply_adds: int

    @property
    def per_byte(self) -> float:
        """Multiply-adds for each byte of the cache that is read."""
        return self.multiply_adds / self.cache


def _all_keys(kept: Callable[[Shape], int], done: Callable[[Shape], int]):
    """A design whose every layer keeps and reads all tokens."""

    def cost(shape: Shape) -> Cost:
        per_token, n = kept(shape), shape.context
        return Cost(
            per_token,
            shape.layers * per_token * n * shape.n_bytes,
            shape.heads * n**2 * shape.n_bytes,
            shape.layers * done(shape) * n,
        )

    return cost


def _per_key(shape: Shape) -> int:
    """Multiply-adds of one query in all heads, for one key: its score, and its value."""
    return 2 * shape.heads * shape.d_head


def _per_latent(shape: Shape) -> int:
    """The same where each head works on the latent itself: its score, then its share of it."""
    return shape.heads * (shape.latent + 4 * shape.d_head)


def _windows(full_layers: Callable[[Shape], int]):
    """A design of grouped heads in which only some layers see more than a window."""

    def cost(shape: Shape) -> Cost:
        full, n = full_layers(shape), shape.context
        near = min(n, shape.window)
        tokens = full * n + (shape.layers - full) * near  # summed over the layers
        per_token = 2 * shape.kv_heads * shape.d_head
        return Cost(
            per_token,
            per_token * tokens * shape.n_bytes,
            shape.heads * n * (n if full else near) * shape.n_bytes,
            _per_key(shape) * tokens,
        )

    return cost


DESIGNS: dict[str, Callable[[Shape], Cost]] = {
    "MHA": _all_keys(lambda s: 2 * s.heads * s.d_head, _per_key),
    "GQA": _all_keys(lambda s: 2 * s.kv_heads * s.d_head, _per_key),
    "MQA": _all_keys(lambda s: 2 * s.d_head, _per_key),
    "MLA": _all_keys(lambda s: s.latent, _per_latent),
    "window": _windows(lambda s: 0),
    "hybrid": _windows(lambda s: s.full_layers),
}


def costs(shape: Shape) -> dict[str, Cost]:
    """Return what each design costs at a shape."""
    return {name: design(shape) for name, design in DESIGNS.items()}


class Model(NamedTuple):
    """A real model: its shape, the design that it has, and where that is written."""

    shape: Shape
    design: str
    source: str


MODELS = {
    "SmolLM2 135M (2025)": Model(Shape(30, 576, 9, 3, 64, 8192), "GQA", "arXiv:2502.02737"),
    "GPT-3 175B (2020)": Model(Shape(96, 12288, 96, 8, 128, 2048), "MHA", "arXiv:2005.14165"),
    "PaLM 540B (2022)": Model(Shape(118, 18432, 48, 8, 256, 2048), "MQA", "arXiv:2204.02311"),
    "Mistral 7B (2023)": Model(
        Shape(32, 4096, 32, 8, 128, 8192, window=4096), "window", "arXiv:2310.06825"
    ),
    "Llama 3.1 8B (2024)": Model(
        Shape(32, 4096, 32, 8, 128, 131_072), "GQA", "arXiv:2407.21783"
    ),
    "DeepSeek-V3 (2024)": Model(
        Shape(61, 7168, 128, 8, 128, 131_072), "MLA", "arXiv:2412.19437"
    ),
    "Gemma 3 27B (2025)": Model(
        Shape(62, 5376, 32, 16, 128, 131_072, window=1024, full_every=6),
        "hybrid", "arXiv:2503.19786",
    ),
    "gpt-oss-120b (2025)": Model(
        Shape(36, 2880, 64, 8, 64, 131_072, window=128, full_every=2),
        "hybrid", "arXiv:2508.10925",
    ),
}  # fmt: skip


def parameters(shape: Shape, d_ff: int, n_words: int, *, tied: bool = False) -> int:
    """Return the parameters of a model of the Llama family.

    Parameters
    ----------
    shape : Shape
    d_ff : int
        Features in the middle of the gated feed-forward layer.
    n_words : int
        Of the vocabulary.
    tied : bool
        The readout has the vectors of the words, not its own.
    """
    d, wide = shape.d_model, shape.heads * shape.d_head
    narrow = shape.kv_heads * shape.d_head
    layer = 2 * d * wide + 2 * d * narrow + 3 * d * d_ff + 2 * d  # projections, SwiGLU, two norms
    return shape.layers * layer + d + n_words * d * (1 if tied else 2)


UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(n_bytes: float) -> str:
    """Write a number of bytes with three digits: ``16 GiB``, ``22.5 KiB``."""
    power = 0
    while n_bytes >= 1000 and power < len(UNITS) - 1:
        n_bytes, power = n_bytes / 1024, power + 1
    digits = 0 if n_bytes >= 100 or not power else 1 if n_bytes >= 10 else 2
    text = f"{n_bytes:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {UNITS[power]}"
