"""Notebook 14: sounds and alignment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.grading.answers import judge_statements, numbers
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, name_of, returned

__all__ = [
    "key_of_sound",
    "next_weights",
    "peak_frequency",
    "share_on_target",
    "shortest_failing",
    "what_sound_shows",
    "window_needed",
    "windowed_weights",
]


def _judge_values(
    answer: Callable[..., Any],
    cases: Sequence[Mapping[str, Any]],
    right: Callable[..., Tensor],
    what: str,
    wanted: str,
    mistakes: Mapping[str, Callable[..., Tensor]],
) -> None:
    """Judge an answer that returns numbers, as such or as a tensor."""

    def read(*given: Any) -> Tensor:
        result = returned(answer, dict(zip(cases[0], given, strict=True)))
        return numbers(result, f"{name_of(answer)} must return {wanted}")

    came = []
    for inputs in cases:
        result = read(*inputs.values())
        size = right(*inputs.values()).shape
        if result.numel() != size.numel():
            raise Problem(f"{name_of(answer)} must return {wanted}, not {result.numel()} numbers")
        came.append(result.reshape(size))
    results = iter(came)

    def again(*_: Any) -> Tensor:
        return next(results)

    again.__name__ = name_of(answer)
    judge(again, cases, right, what, mistakes)


# --- sounds -------------------------------------------------------------------------------------


def _waves(n: int, rate: int, *waves: tuple[float, float], noise: float, seed: int) -> Tensor:
    """Add sine waves (Hz, amplitude) and noise, float64."""
    time = torch.arange(n, dtype=torch.float64) / rate
    samples = noise * normal(n, seed=seed)
    for hertz, loud in waves:
        samples = samples + loud * torch.sin(2 * math.pi * hertz * time + seed)
    return samples


def _energies(samples: Tensor) -> Tensor:
    return torch.fft.rfft(samples).abs() ** 2


@exercise
def peak_frequency(answer: Callable[..., Any]) -> str:
    """``peak_frequency(samples, rate)``: the frequency in Hz at which a sound is loudest."""
    cases = [
        {"samples": _waves(n, rate, *waves, noise=0.1, seed=n) + offset, "rate": rate}
        for n, rate, offset, waves in (
            (400, 8000, 0.0, ((880.0, 1.0),)),
            (250, 4000, 3.0, ((1232.0, 0.5),)),  # an offset: bin 0 has the most energy
            (900, 16000, -2.0, ((320.0, 0.6), (5200.0, 1.2))),
            (600, 3000, 0.5, ((1010.0, 0.8), (15.0, 0.4))),
        )
    ]

    def peak(samples: Tensor, rate: int) -> Tensor:
        energies = _energies(samples)
        energies[0] = 0
        return energies.argmax().double() * rate / len(samples)

    def with_constant(samples: Tensor, rate: int) -> Tensor:
        return _energies(samples).argmax().double() * rate / len(samples)

    def by_bins(samples: Tensor, rate: int) -> Tensor:
        energies = _energies(samples)
        energies[0] = 0
        return energies.argmax().double() * rate / len(energies)

    _judge_values(
        answer,
        cases,
        peak,
        "the frequency",
        "one number",
        {
            "this is the number of the bin; bin k lies at k * rate / n Hz": (
                lambda samples, rate: peak(samples, len(samples))
            ),
            "bin 0 is counted: it is the mean of the samples, not a wave": with_constant,
            "bin k lies at k * rate / n Hz with n the number of samples, not of bins": by_bins,
            "bin k lies at k * rate / n Hz, not at k * n / rate": (
                lambda samples, rate: peak(samples, len(samples)) * len(samples) / rate
            ),
            "bin k lies at k * rate / n Hz; the rate is not always 8000": (
                lambda samples, rate: peak(samples, 8000)
            ),
        },
    )
    return "The loudest wave is found, whatever the length, the rate and the offset."


KEYS_ROWS, KEYS_COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0)


def _at(samples: Tensor, rate: int, hertz: float) -> float:
    """Return the energy of a sound at one frequency."""
    time = torch.arange(len(samples), dtype=torch.float64) / rate
    angle = 2 * math.pi * hertz * time
    return float((samples @ angle.cos()) ** 2 + (samples @ angle.sin()) ** 2)


@exercise
def key_of_sound(answer: Callable[..., Any]) -> str:
    """``key_of(samples, rate)``: which row and which column of the keypad are heard, in Hz."""
    cases = [
        {"samples": _waves(n, rate, (low, a), (high, b), noise=noise, seed=n), "rate": rate}
        for n, rate, low, a, high, b, noise in (
            (800, 8000, 770.0, 1.0, 1336.0, 1.0, 0.2),
            # 725 Hz lies between two rows, and is loud: both rows have more than the column
            (120, 8000, 725.0, 1.5, 1477.0, 0.45, 0.02),
            (1000, 16000, 941.0, 0.4, 1209.0, 1.4, 0.3),
            (66, 6000, 697.0, 0.35, 1262.0, 2.0, 0.02),  # and here between two columns
            (900, 11025, 852.0, 0.7, 1477.0, 0.6, 0.4),
        )
    ]
    every = (*KEYS_ROWS, *KEYS_COLUMNS)

    def pair(samples: Tensor, rate: int) -> Tensor:
        row = max(KEYS_ROWS, key=lambda hertz: _at(samples, rate, hertz))
        column = max(KEYS_COLUMNS, key=lambda hertz: _at(samples, rate, hertz))
        return torch.tensor([row, column], dtype=torch.float64)

    def two_loudest(samples: Tensor, rate: int) -> Tensor:
        loud = sorted(every, key=lambda hertz: _at(samples, rate, hertz))[-2:]
        return torch.tensor(sorted(loud), dtype=torch.float64)

    _judge_values(
        answer,
        cases,
        pair,
        "row and column",
        "two numbers: row and column in Hz",
        {
            "these are the two loudest of all seven; take the loudest row and the loudest column": (
                two_loudest
            ),
            "the column stands first; return the row, then the column": (
                lambda samples, rate: pair(samples, rate).flip(0)
            ),
            "the rate is not always 8000": lambda samples, rate: pair(samples, 8000),
        },
    )
    return "One row and one column, also where a row is loud and off its place."


# --- alignment ----------------------------------------------------------------------------------


def _aligned_case(n_q: int, n_k: int, stride: int, extra: int, seed: int) -> dict[str, Any]:
    """Weights and spans: some peaks inside, one on an end of its span."""
    weights = (3 * normal(n_q + extra, n_k, seed=seed)).softmax(-1)
    at = weights[:n_q].argmax(-1).double() * stride
    start = at - torch.tensor([0.0, 2.0, 5.0, -1.0, 1.0]).repeat(n_q)[:n_q]
    length = torch.tensor([3.0, 2.0, 9.0, 4.0, 7.0]).repeat(n_q)[:n_q]
    return {"weights": weights, "spans": torch.stack([start, start + length], 1), "stride": stride}


@exercise
def share_on_target(answer: Callable[..., Any]) -> str:
    """``on_target(weights, spans, stride)``: share of digits whose largest weight is inside."""
    cases = [
        _aligned_case(n_q, n_k, stride, extra, seed)
        for n_q, n_k, stride, extra, seed in (
            (4, 12, 2, 1, 1),
            (7, 20, 3, 1, 2),
            (5, 9, 1, 0, 3),
            (3, 15, 2, 2, 4),
            (9, 30, 4, 1, 5),
        )
    ]

    def hits(
        weights: Tensor, spans: Tensor, stride: float, *, closed: bool = False, soft: bool = False
    ) -> Tensor:
        n = len(spans)
        at = torch.arange(weights.shape[1]).double() * stride
        inside = at >= spans[:, :1]
        inside = inside & ((at <= spans[:, 1:]) if closed else (at < spans[:, 1:]))
        if soft:
            return (weights[:n] * inside).sum(-1)
        peaks = weights[:n].argmax(-1, keepdim=True)
        return inside.gather(1, peaks)[:, 0].double()

    _judge_values(
        answer,
        cases,
        lambda *given: hits(*given).mean(),
        "the share",
        "one number",
        {
            "frame j of the weights lies at j * stride": (
                lambda weights, spans, stride: hits(weights, spans, 1).mean()
            ),
            "the end of a span is the first frame after it, and not inside": (
                lambda *given: hits(*given, closed=True).mean()
            ),
            "this is the mean weight inside; count the digits whose largest weight is inside": (
                lambda *given: hits(*given, soft=True).mean()
            ),
            "divide by the number of digits: the rows after them belong to the end": (
                lambda weights, *more: hits(weights, *more).sum() / len(weights)
            ),
            "this is their number; divide by the number of digits": (
                lambda *given: hits(*given).sum()
            ),
        },
    )
    return "Peaks at the start of a span count, those at its end do not."


@exercise
def next_weights(answer: Callable[..., Tensor]) -> str:
    """``next_weights(before, stop)``: where the next step of a forward walk stops."""
    cases = []
    for n, seed, short in ((3, 1, 1.0), (6, 2, 0.9), (10, 3, 0.7), (2, 4, 1.0), (5, 5, 0.4)):
        before = (2 * normal(n, seed=seed)).softmax(-1) * short
        stop = normal(n, seed=10 + seed).sigmoid()
        stop[n // 2] = seed % 2  # certain to stop, or certain to go on
        cases.append({"before": before, "stop": stop})

    def next_row(before: Tensor, stop: Tensor, *, strictly: bool = False) -> Tensor:
        here, row = torch.zeros((), dtype=before.dtype), []
        come = torch.cat([before.new_zeros(1), before[:-1]]) if strictly else before
        for j in range(len(stop)):
            here = (here * (1 - stop[j - 1]) if j else here) + come[j]
            row.append(stop[j] * here)
        return torch.stack(row)

    def from_start(before: Tensor, stop: Tensor) -> Tensor:
        first = torch.zeros_like(before)
        first[0] = 1
        return next_row(first, stop)

    def backwards(before: Tensor, stop: Tensor) -> Tensor:
        return next_row(before.flip(0), stop.flip(0)).flip(0)

    judge(
        answer,
        cases,
        next_row,
        "the weights",
        {
            "each step begins at frame 0 here; it begins where the step before stopped": from_start,
            "a step may stop where the step before stopped; here it must go on": (
                lambda before, stop: next_row(before, stop, strictly=True)
            ),
            "the weights are made to sum to 1; what walks past the last frame is lost": (
                lambda before, stop: next_row(before, stop) / next_row(before, stop).sum()
            ),
            "this is how likely a step comes to each frame; times stop is how likely it stops": (
                lambda before, stop: next_row(before, stop) / stop
            ),
            "this is before * stop: who does not stop at a frame goes on to the next": (
                lambda before, stop: before * stop
            ),
            "the walk goes backwards here": backwards,
        },
    )
    return "It goes forward from every place at once, and loses what walks past the end."


@exercise
def windowed_weights(answer: Callable[..., Tensor]) -> str:
    """``windowed(scores, before, first, last)``: weights near the largest weight before."""
    cases = []
    for batch, n_k, first, last, seed in (
        (2, 6, 0, 2, 1), (3, 9, 1, 4, 2), (1, 5, 2, 3, 3), (4, 12, 1, 1, 4), (5, 7, -1, 3, 5),
    ):  # fmt: skip
        scores = 2 * normal(batch, n_k, seed=seed)
        before = (3 * normal(batch, n_k, seed=20 + seed)).softmax(-1)
        if batch > 1:
            before[-1] = 0.05 / (n_k - 1)
            before[-1, -1] = 0.95  # at the end of the sound: the window may be empty
        cases.append({"scores": scores, "before": before, "first": first, "last": last})

    def made(
        scores: Tensor, before: Tensor, first: int, last: int,
        *, mean: bool = False, after: bool = False,
    ) -> Tensor:  # fmt: skip
        places = torch.arange(scores.shape[1])
        centre = (before * places).sum(-1).round().long() if mean else before.argmax(-1)
        offset = places - centre[:, None]
        seen = (offset >= first) & (offset <= last)
        seen[:, -1] |= ~seen.any(-1)
        if after:
            return scores.softmax(-1) * seen
        return scores.masked_fill(~seen, -math.inf).softmax(-1)

    def one_short(scores: Tensor, before: Tensor, first: int, last: int) -> Tensor:
        return made(scores, before, first, last - 1)

    judge(
        answer,
        cases,
        made,
        "the weights",
        {
            "the scores are hidden after the softmax; hide them before it, so that a row sums to 1":
                lambda *given: made(*given, after=True),
            "the centre is the mean place here; take the frame with the largest weight": (
                lambda *given: made(*given, mean=True)
            ),
            "the last frame of the window is left out; both ends are seen": one_short,
            "the window is not used: these are the weights over all frames": (
                lambda scores, *_: scores.softmax(-1)
            ),
        },
        zeros=True,
        fact=lambda came, *_: (
            "where the window has no frame at all, the last frame has to be seen"
            if came.isnan().any()
            else "each row has to follow from its own window"
        ),
    )  # fmt: skip
    return "Only frames of the window get weight, and the end of the sound is no trap."


@exercise
def window_needed(answer: Callable[..., Any]) -> str:
    """``window_needed(sounds, stride, share)``: how far a window has to reach."""
    cases = []
    for lengths, stride, share, seed in (
        ([4, 3], 2, 1.0, 1), ([6, 2, 5], 3, 0.9, 2), ([9], 1, 0.75, 3), ([3, 3, 8, 4], 2, 0.5, 4),
        ([12, 7], 4, 0.95, 5),
    ):  # fmt: skip
        sounds = []
        for k, n in enumerate(lengths):
            random = torch.Generator().manual_seed(100 * seed + k)
            tones = 3 + 6 * torch.rand(n, generator=random, dtype=torch.float64)
            gaps = 1 + 5 * torch.rand(n, generator=random, dtype=torch.float64)
            ends = (tones + gaps).cumsum(0) - gaps
            sounds.append(torch.stack([ends - tones, ends], 1))
        cases.append({"sounds": sounds, "stride": stride, "share": share})

    def steps_of(sounds: list[Tensor], how: str) -> Tensor:
        steps = []
        for spans in sounds:
            middle = spans.mean(1)
            if how == "gap":
                steps.append(spans[1:, 0] - spans[:-1, 1])
            elif how == "start":
                steps.append(spans[1:, 0] - spans[:-1, 0])
            else:
                steps.append(middle[1:] - middle[:-1])
        return torch.cat(steps)

    def needed(sounds: list[Tensor], stride: float, share: float, *, how: str = "middle") -> Tensor:
        steps = (steps_of(sounds, how) / stride).ceil().sort().values
        return steps[max(math.ceil(share * len(steps) - 1e-9), 1) - 1]

    _judge_values(
        answer,
        cases,
        needed,
        "the reach",
        "one whole number",
        {
            "these are frames of the sound; a frame of the weights is stride of them": (
                lambda sounds, stride, share: needed(sounds, 1, share)
            ),
            "this is the step that all pairs need; share of them is enough": (
                lambda sounds, stride, share: needed(sounds, stride, 1.0)
            ),
            "this is the silence between two tones; measure from middle to middle": (
                lambda *given: needed(*given, how="gap")
            ),
            "this is from start to start; measure from middle to middle": (
                lambda *given: needed(*given, how="start")
            ),
            "round up: a window that ends just before the next middle does not see it": (
                lambda sounds, stride, share: needed(sounds, stride, share) - 1
            ),
        },
    )
    return "So far must a window reach; a shorter one hides the next digit."


# --- what a model can ------------------------------------------------------------------------


class _Listener:
    """Something that writes numbers, right or wrong by a rule, and counts nothing."""

    def __init__(self, wrong: Callable[[str], bool]) -> None:
        self.wrong = wrong

    def __call__(self, number: Any) -> str:
        if not isinstance(number, str):
            raise TypeError(f"listen takes one number, a text such as '305', not {number!r}")
        return number[:-1] if self.wrong(number) else number


def _drawn(lengths: Sequence[int], seed: int) -> list[str]:
    random = torch.Generator().manual_seed(seed)
    return [
        "".join(map(str, torch.randint(0, 10, (n,), generator=random).tolist())) for n in lengths
    ]


@exercise
def shortest_failing(answer: Callable[..., Any]) -> str:
    """``shortest_failing(listen, numbers, least)``: from which length on a model fails."""
    mixed = [6, 3, 8, 5, 3, 6, 8, 4, 10, 5, 4, 10, 3, 8, 6, 12, 12, 4, 5, 12] * 3
    cases = [
        {"listen": _Listener(wrong), "numbers": _drawn(lengths, seed), "least": least}
        for wrong, lengths, seed, least in (
            (lambda number: len(number) > 6, mixed, 1, 0.9),
            (lambda number: len(number) in (4, 10), mixed[7:], 2, 0.5),  # 5 is right again
            (lambda number: "7" in number[:-1], mixed, 3, 0.75),
            (lambda number: number[0] in "02468" and len(number) >= 5, mixed[3:], 4, 0.7),
            (lambda number: len(number) == 12 and number[0] != "5", [12, 9, 12, 9, 9, 12], 5, 1.0),
        )
    ]

    def shares(listen: _Listener, named: list[str]) -> dict[int, float]:
        found: dict[int, list[bool]] = {}
        for number in named:
            found.setdefault(len(number), []).append(listen(number) == number)
        return {n: sum(found[n]) / len(found[n]) for n in sorted(found)}

    def shortest(listen: _Listener, named: list[str], least: float) -> Tensor:
        by_length = shares(listen, named)
        return torch.tensor(float(next(n for n in by_length if by_length[n] < least)))

    def first_mistake(listen: _Listener, named: list[str], _: float) -> Tensor:
        return torch.tensor(float(min(len(n) for n in named if listen(n) != n)))

    def last_good(listen: _Listener, named: list[str], least: float) -> Tensor:
        by_length = shares(listen, named)
        good = [n for n in by_length if by_length[n] >= least]
        return torch.tensor(float(max(good))) if good else torch.tensor(math.nan)

    def longest(listen: _Listener, named: list[str], least: float) -> Tensor:
        by_length = shares(listen, named)
        return torch.tensor(float(max(n for n in by_length if by_length[n] < least)))

    _judge_values(
        answer,
        cases,
        shortest,
        "the length",
        "one whole number",
        {
            "this is the length of the shortest mistake; ask for the share of each length": (
                first_mistake
            ),
            "this is the longest length that is good; the shortest that fails is asked for": (
                last_good
            ),
            "this is the longest length that fails; the shortest is asked for": longest,
        },
    )
    return "The share of each length by itself: a mean over all lengths would hide it."


STATEMENTS = {
    "A": (
        True,
        "A holds: without a label for any frame nearly every digit has its largest weight inside "
        "its tone",
    ),
    "B": (
        False,
        "B does not: keys and queries that are local, with no order in them, wrote next to nothing "
        "right",
    ),
    "C": (
        False,
        "C does not: no counting listener wrote a number of eight digits, and each had written "
        "those of six",
    ),
    "D": (
        False,
        "D does not: the window of 1 to 6 frames hid the next digit, and took right answers away",
    ),
    "E": (
        True,
        "E holds: in loud noise far more of the weight stays in place than numbers stay right",
    ),
    "F": (
        True,
        "F holds: at speed 0.7 the counting listeners went on, and those by location failed",
    ),
}


@exercise
def what_sound_shows(answer: Any) -> str:
    """The letters of what the measurements of the notebook show."""
    return judge_statements(answer, STATEMENTS)
