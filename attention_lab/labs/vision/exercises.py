"""Notebook 13: images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.core.attention import attention
from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, call, name_of

__all__ = [
    "begins_as_identity",
    "channel_gates",
    "images_needed",
    "kernel_as_scores",
    "occlusion_by_window",
    "put_together",
    "real_differences",
]


@exercise
def put_together(answer: Callable[..., Tensor]) -> str:
    """``unpatchify(tokens, channels, height, width)``: the image from its square patches."""
    sizes = ((1, 1, 4, 6, 2), (2, 3, 6, 4, 2), (3, 2, 3, 9, 3), (1, 3, 2, 2, 1), (2, 1, 8, 4, 4))
    cases = []
    for batch, channels, height, width, size in sizes:
        image = normal(batch, channels, height, width, seed=height + width)
        tokens = F.unfold(image, size, stride=size).mT
        cases.append({"tokens": tokens, "channels": channels, "height": height, "width": width})

    def size_of(tokens: Tensor, channels: int) -> int:
        return math.isqrt(tokens.shape[-1] // channels)

    def right(tokens: Tensor, channels: int, height: int, width: int) -> Tensor:
        size = size_of(tokens, channels)
        return F.fold(tokens.mT, (height, width), size, stride=size)

    def columns_first(tokens: Tensor, channels: int, height: int, width: int) -> Tensor:
        size = size_of(tokens, channels)
        grid = tokens.unflatten(1, (width // size, height // size)).transpose(1, 2).flatten(1, 2)
        return right(grid, channels, height, width)

    def turned(tokens: Tensor, channels: int, height: int, width: int) -> Tensor:
        size = size_of(tokens, channels)
        inside = tokens.unflatten(-1, (channels, size, size)).mT.flatten(-3)
        return right(inside, channels, height, width)

    def channels_last(tokens: Tensor, channels: int, height: int, width: int) -> Tensor:
        inside = tokens.unflatten(-1, (-1, channels)).mT.flatten(-2)
        return right(inside, channels, height, width)

    judge(
        answer,
        cases,
        right,
        "the images",
        {
            "the numbers are only given another shape: a patch is spread over its row": (
                lambda tokens, channels, height, width: tokens.reshape(-1, channels, height, width)
            ),
            "the patches are taken column by column; they come row by row": columns_first,
            "rows and columns inside a patch are swapped": turned,
            "a token is read as pixels first and channels last; its channels come first": (
                channels_last
            ),
        },
    )
    return "Every number is back in its place: cutting into patches loses nothing."


def _gate_case(batch: int, channels: int, middle: int, height: int, width: int) -> dict[str, Any]:
    return {
        "x": normal(batch, channels, height, width, seed=channels),
        "w_down": normal(channels, middle, seed=middle),
        "w_up": 2 * normal(middle, channels, seed=middle + 1),
    }


@exercise
def channel_gates(answer: Callable[..., Tensor]) -> str:
    """``squeeze_excite(x, w_down, w_up)``: each channel times a gate of its own."""
    cases = [
        _gate_case(*sizes)
        for sizes in ((1, 4, 2, 2, 3), (3, 6, 3, 4, 4), (2, 3, 5, 1, 2), (4, 5, 1, 3, 2))
    ]

    def made(
        squeeze: Callable[[Tensor], Tensor] = lambda x: x.mean(dim=(2, 3)),
        middle: Callable[[Tensor], Tensor] = torch.relu,
        gate: Callable[[Tensor], Tensor] = torch.sigmoid,
    ) -> Callable[..., Tensor]:
        def scaled(x: Tensor, w_down: Tensor, w_up: Tensor) -> Tensor:
            return x * gate(middle(squeeze(x) @ w_down) @ w_up)[:, :, None, None]

        return scaled

    judge(
        answer,
        cases,
        made(),
        "the maps",
        {
            "the gates are made by a softmax: they compete and sum to 1. SE uses a sigmoid": made(
                gate=lambda z: z.softmax(dim=-1)
            ),
            "the ReLU in the middle is missing": made(middle=lambda z: z),
            "each channel is squeezed by its largest number; SE takes the mean": made(
                squeeze=lambda x: x.amax(dim=(2, 3))
            ),
            "each channel is squeezed by its sum; SE takes the mean": made(
                squeeze=lambda x: x.sum(dim=(2, 3))
            ),
            "the mean runs over the batch as well: each image has gates of its own": made(
                squeeze=lambda x: x.mean(dim=(0, 2, 3)).expand(len(x), -1)
            ),
            "the sigmoid is missing: a gate is between 0 and 1": made(gate=lambda z: z),
            "the gated maps are added to x; SE gives the gated maps alone": (
                lambda x, w_down, w_up: x + made()(x, w_down, w_up)
            ),
        },
    )
    return "Each channel has a gate between 0 and 1, whatever the others have: nothing competes."


@exercise
def begins_as_identity(answer: Callable[..., Tensor]) -> str:
    """``non_local(x, w_query, w_key, w_value, w_out)``: attention over places, added to x."""
    cases = []
    for batch, channels, inner, height, width in (
        (1, 3, 2, 2, 3),
        (2, 4, 3, 3, 1),
        (3, 2, 5, 2, 2),
    ):
        maps = {
            f"w_{name}": normal(channels, inner, seed=seed + channels)
            for seed, name in enumerate(("query", "key", "value"))
        }
        x = normal(batch, channels, height, width, seed=height)
        for factor in (1.0, 0.0):  # with 0 it must change nothing
            cases.append({"x": x, **maps, "w_out": factor * normal(inner, channels, seed=9)})

    def mixed(
        x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor, w_out: Tensor, **options: Any
    ) -> Tensor:
        places = x.flatten(2).mT  # (B, H·W, C)
        steps = attention(places @ w_query, places @ w_key, places @ w_value, **options)
        return (steps.output @ w_out).mT.reshape(x.shape)

    def over_queries(x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor, w_out: Tensor):
        places = x.flatten(2).mT
        scaled = attention(places @ w_query, places @ w_key, places @ w_value).scaled
        return x + (scaled.softmax(dim=-2) @ (places @ w_value) @ w_out).mT.reshape(x.shape)

    def scattered(x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor, w_out: Tensor):
        places = x.flatten(2).mT
        output = attention(places @ w_query, places @ w_key, places @ w_value).output @ w_out
        return x + output.reshape(x.shape)

    judge(
        answer,
        cases,
        lambda *given: given[0] + mixed(*given),
        "the maps",
        {
            "x itself is missing: with w_out = 0 nothing would be left of it": mixed,
            "the scores are not divided by √d": lambda *given: given[0] + mixed(*given, scale=1.0),
            "the softmax runs over the queries; use the keys, the last axis": over_queries,
            "(B, H·W, C) is read as (B, C, H, W): swap the axes back first": scattered,
        },
    )
    return "With w_out = 0 it changes nothing: put into a trained network, it begins harmless."


def _in_a_line(kernel: Tensor, height: int, width: int) -> Tensor:
    """Take neighbours of the flat index: beyond the end of a row comes the next row."""
    n = height * width
    scores = torch.full((n, n), -math.inf, dtype=kernel.dtype)
    for i in range(n):
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                if 0 <= i + down * width + right < n:
                    scores[i, i + down * width + right] = kernel[down + 1, right + 1].log()
    return scores.softmax(dim=-1)


@exercise
def kernel_as_scores(answer: Callable[..., Tensor]) -> str:
    """``scores(kernel, height, width)``: softmax of them is a filter of positive numbers."""
    cases = [
        {"kernel": normal(3, 3, seed=seed).exp(), "height": height, "width": width}
        for seed, (height, width) in enumerate(((3, 4), (5, 2), (4, 4), (1, 5), (6, 3)))
    ]

    def weights(
        kernel: Tensor, height: int, width: int, number: Callable[[Tensor], Tensor] = torch.log
    ) -> Tensor:
        at = torch.arange(height * width)
        rows, columns = at // width, at % width
        down, right = rows - rows[:, None] + 1, columns - columns[:, None] + 1
        near = (down >= 0) & (down < 3) & (right >= 0) & (right < 3)
        scores = number(kernel)[down.clamp(0, 2), right.clamp(0, 2)]
        return scores.masked_fill(~near, -math.inf).softmax(dim=-1)

    def in_rows(given: Mapping[str, Any]) -> Tensor:
        made = call(answer, given)
        n = given["height"] * given["width"]
        if not isinstance(made, Tensor) or made.shape != (n, n):
            came = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise Problem(f"the scores of {n} pixels have the shape ({n}, {n}), not {came}")
        return made.softmax(dim=-1)

    def softened(kernel: Tensor, height: int, width: int) -> Tensor:
        return in_rows({"kernel": kernel, "height": height, "width": width})

    softened.__name__ = name_of(answer)
    judge(
        softened,
        cases,
        weights,
        "the weights, softmax of your scores,",
        {
            "the kernel itself is the score; softmax takes exp of it, so give its logarithm": (
                lambda *given: weights(*given, number=lambda kernel: kernel)
            ),
            "the kernel is turned round: kernel[0, 0] belongs to the neighbour above and to the "
            "left": lambda kernel, *size: weights(kernel.flip(0, 1), *size),
            "rows and columns of the kernel are swapped": (
                lambda kernel, *size: weights(kernel.T, *size)
            ),
            "the right neighbour of the last pixel of a row is taken for the first of the next "
            "row": _in_a_line,
            "all neighbours have the same weight: the kernel is not used": (
                lambda *given: weights(*given, number=torch.zeros_like)
            ),
        },
        zeros=True,
    )
    return "A positive filter is one head whose scores depend on the offset alone: log of its tap."


@exercise
def images_needed(answer: Callable[..., Any]) -> str:
    """``needed(p, q)``: test images until two accuracies lie two standard errors apart."""
    cases = [
        {"p": p, "q": q}
        for p, q in (
            (0.97, 0.98),
            (0.98, 0.97),
            (0.5, 0.6),
            (0.993, 0.991),
            (0.8, 0.95),
            (1.0, 0.9),
        )
    ]

    def variance(p: float) -> float:
        return p * (1 - p)

    def needed(p: float, q: float, errors: float = 2.0) -> Tensor:
        both = variance(p) + variance(q)
        return torch.tensor(errors**2 * both / (p - q) ** 2, dtype=torch.float64)

    came = []
    for inputs in cases:
        number = numbers(call(answer, inputs), f"{name_of(answer)} must return one number")
        if number.numel() != 1:
            raise Problem(f"{name_of(answer)} must return one number, not {number.numel()}")
        came.append(number.reshape(()).double())
    results = iter(came)

    def again(*_: Any) -> Tensor:
        return next(results)

    again.__name__ = name_of(answer)
    judge(
        again,
        cases,
        needed,
        "the number of images",
        {
            "this is for one standard error; two are asked for": lambda p, q: needed(p, q, 1.0),
            "only p was measured with an error here; q was, too: the variances add": (
                lambda p, q: torch.tensor(4 * variance(p) / (p - q) ** 2, dtype=torch.float64)
            ),
            "divide by the difference squared": lambda p, q: needed(p, q) * abs(p - q),
            "the two standard errors are added; their squares are what adds": (
                lambda p, q: torch.tensor(
                    4 * (variance(p) ** 0.5 + variance(q) ** 0.5) ** 2 / (p - q) ** 2,
                    dtype=torch.float64,
                )
            ),
        },
    )
    return "0.97 against 0.98 needs 1948 images, 0.991 against 0.993 needs about 16 000."


class _Linear:
    """A network that is one fixed matrix: it can be asked about any image (B, H, W)."""

    def __init__(self, height: int, width: int, classes: int, seed: int) -> None:
        self.weights = normal(height * width, classes, seed=seed)

    def __call__(self, images: Tensor) -> Tensor:
        if not isinstance(images, Tensor) or images.ndim != 3:
            came = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
            raise ValueError(f"the network takes images (B, H, W), not {came}")
        return images.flatten(1).double() @ self.weights


def _by_window(
    model: _Linear, image: Tensor, size: int, *,
    cover: float = 0.0, reading: str = "log", follows: bool = False,
) -> Tensor:  # fmt: skip
    """Cover size × size pixels around each pixel, and see what the class of the whole loses."""
    height, width = image.shape

    def read(images: Tensor) -> Tensor:
        logits = model(images)
        if reading == "log":
            return logits.log_softmax(dim=-1)
        return logits.softmax(dim=-1) if reading == "probability" else logits

    whole = read(image[None])[0]
    lost = torch.zeros(height, width, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            hidden = image.clone()
            top, left, reach = max(i - size // 2, 0), max(j - size // 2, 0), size // 2 + 1
            hidden[top : i + reach, left : j + reach] = cover
            now = read(hidden[None])[0]
            at = now.argmax() if follows else whole.argmax()
            lost[i, j] = whole[whole.argmax()] - now[at]
    return lost


@exercise
def occlusion_by_window(answer: Callable[..., Tensor]) -> str:
    """``occlusion(model, image, size)``: what covering a window around each pixel costs."""
    cases = []
    for height, width, size, seed in ((3, 4, 1, 0), (4, 5, 3, 1), (5, 3, 3, 2), (6, 6, 5, 3)):
        image = normal(height, width, seed=seed + 4).abs()
        cases.append({"model": _Linear(height, width, 4, seed), "image": image, "size": size})

    def with_options(**options: Any) -> Callable[..., Tensor]:
        return lambda *given: _by_window(*given, **options)

    judge(
        answer,
        cases,
        _by_window,
        "the losses",
        {
            "the sign is turned: what is lost is the whole image minus the covered one": (
                lambda *given: -_by_window(*given)
            ),
            "these are probabilities; their logarithms are asked for": with_options(
                reading="probability"
            ),
            "these are logits; take their log_softmax": with_options(reading="logits"),
            "the class is read again in each covered image; keep the one of the whole image": (
                with_options(follows=True)
            ),
            "only the pixel itself is covered, not size × size pixels around it": (
                lambda model, image, size: _by_window(model, image, 1)
            ),
            "the window is covered with 1, ink; cover it with 0, paper": with_options(cover=1.0),
        },
    )
    return "The window may stick out over the edge; what it covers there is nothing."


STATEMENTS = {
    "A": (
        True,
        "A holds: more than a hundred images against a few, for each seed, p below 0.001",
    ),
    "B": (
        False,
        "B does not: for no module is the mean more than 0.005 above the plain CNN, and none of "
        "nine paired tests gives a p below 0.05",
    ),
    "C": (
        True,
        "C holds: with another start, and nothing else, it read more on each of three seeds, for "
        "two of them with p below 0.001; the CNN stayed better than both",
    ),
    "D": (
        False,
        "D does not: that two networks could not be told apart on 450 images is no proof that "
        "they are equal",
    ),
    "E": (
        True,
        "E holds: trained on moved images, both read moved ones far better than before",
    ),
}


@exercise
def real_differences(answer: Any) -> str:
    """The letters of what the runs of the notebook show."""
    return judge_statements(answer, STATEMENTS)
