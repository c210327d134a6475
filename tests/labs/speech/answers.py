"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch


def energies(samples):
    energy = torch.fft.rfft(samples).abs() ** 2
    energy[0] = 0
    return energy


def peak_by_numpy(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples.numpy() - samples.numpy().mean()))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


def peak_of_full_fft(samples, rate):
    n = len(samples)
    spectrum = torch.fft.fft(samples).abs()
    spectrum[0] = 0
    return torch.fft.fftfreq(n, 1 / rate)[: n // 2][spectrum[: n // 2].argmax()].double()


ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)


def loud(samples, rate, hertz):
    time = torch.arange(len(samples), dtype=samples.dtype) / rate
    waves = torch.stack([(2 * math.pi * hertz * time).cos(), (2 * math.pi * hertz * time).sin()])
    return (waves @ samples).pow(2).sum().item()


def key_by_tensor(samples, rate):
    found = []
    for group in (ROWS, COLUMNS):
        energy = torch.tensor([loud(samples, rate, hertz) for hertz in group])
        found.append(float(group[energy.argmax()]))
    return torch.tensor(found)


def key_by_list(samples, rate):
    return [max(group, key=lambda hertz: loud(samples, rate, hertz)) for group in (ROWS, COLUMNS)]


def two_loudest(samples, rate):
    return sorted(sorted((*ROWS, *COLUMNS), key=lambda hertz: loud(samples, rate, hertz))[-2:])


def target_by_loop(weights, spans, stride):
    hits = 0
    for row, (start, end) in zip(weights.tolist(), spans.tolist(), strict=False):
        at = row.index(max(row)) * stride
        hits += start <= at < end
    return hits / len(spans)


def target_by_mask(weights, spans, stride):
    at = torch.arange(weights.shape[1]) * stride
    inside = (at >= spans[:, :1]) & (at < spans[:, 1:])
    peaks = torch.nn.functional.one_hot(weights[: len(spans)].argmax(-1), weights.shape[1]).bool()
    return (inside & peaks).any(-1).float().mean()


def by_double_sum(before, stop):
    n = len(stop)
    out = torch.zeros_like(before)
    for j in range(n):
        for k in range(j + 1):
            out[j] = out[j] + before[k] * (1 - stop[k:j]).prod() * stop[j]
    return out


def by_matrix(before, stop):
    n = len(stop)
    passes = torch.zeros(n, n, dtype=stop.dtype)
    for k in range(n):
        passes[k, k:] = torch.cat([torch.ones(1, dtype=stop.dtype), (1 - stop[k:-1]).cumprod(0)])
    return (before @ passes) * stop


def walk_from_start(before, stop):
    return stop * torch.cat([torch.ones(1, dtype=stop.dtype), (1 - stop).cumprod(0)[:-1]])


def windowed_by_loop(scores, before, first, last):
    rows = []
    for score, weight in zip(scores, before, strict=True):
        centre = int(weight.argmax())
        row = torch.full_like(score, -math.inf)
        for j in range(max(centre + first, 0), min(centre + last + 1, len(score))):
            row[j] = score[j]
        if row.isinf().all():
            row[-1] = 0
        rows.append(row.softmax(-1))
    return torch.stack(rows)


def seen_of(scores, before, first, last):
    after = torch.arange(scores.shape[1]) - before.argmax(-1, keepdim=True)
    seen = (after >= first) & (after <= last)
    seen[~seen.any(-1), -1] = True
    return seen


def windowed_by_product(scores, before, first, last):
    part = scores.exp() * seen_of(scores, before, first, last)
    return part / part.sum(-1, keepdim=True)


def windowed_nan(scores, before, first, last):
    after = torch.arange(scores.shape[1]) - before.argmax(-1, keepdim=True)
    seen = (after >= first) & (after <= last)
    return scores.masked_fill(~seen, -math.inf).softmax(-1)


def needed_by_counting(sounds, stride, share):
    steps = [s for spans in sounds for s in (spans.mean(1).diff() / stride).tolist()]
    reach = 0
    while sum(step <= reach for step in steps) < share * len(steps) - 1e-9:
        reach += 1
    return reach


def needed_by_kth(sounds, stride, share):
    steps = torch.cat([spans[1:].mean(1) - spans[:-1].mean(1) for spans in sounds]) / stride
    return steps.kthvalue(math.ceil(share * len(steps))).values.ceil()


def failing_by_sorting(listen, numbers, least):
    for length in sorted({len(number) for number in numbers}):
        of_length = [number for number in numbers if len(number) == length]
        if sum(listen(number) == number for number in of_length) < least * len(of_length):
            return length
    return None


def failing_by_numpy(listen, numbers, least):
    lengths = np.array([len(number) for number in numbers])
    right = np.array([listen(number) == number for number in numbers])
    shares = {int(n): right[lengths == n].mean() for n in set(lengths)}
    return min(n for n, share in shares.items() if share < least)


def last_good(listen, numbers, least):
    lengths = sorted({len(number) for number in numbers})
    of = {n: [number for number in numbers if len(number) == n] for n in lengths}
    return max((n for n in lengths if not failing_by_sorting(listen, of[n], least)), default=0)


def no_return(*_):
    print("computed")


RIGHT = {
    "peak_frequency": [peak_by_numpy, peak_of_full_fft],
    "key_of_sound": [key_by_tensor, key_by_list],
    "share_on_target": [target_by_loop, target_by_mask],
    "next_weights": [by_double_sum, by_matrix],
    "windowed_weights": [windowed_by_loop, windowed_by_product],
    "window_needed": [needed_by_counting, needed_by_kth],
    "shortest_failing": [failing_by_sorting, failing_by_numpy],
    "what_sound_shows": ["A, E and F", {"F", "A", "E"}],
}

WRONG = {
    "peak_frequency": [
        (lambda samples, rate: energies(samples).argmax().item(), "the number of the bin"),
        (
            lambda samples, rate: (
                (torch.fft.rfft(samples).abs().argmax() * rate).item() / len(samples)
            ),
            "bin 0 is counted",
        ),
        (
            lambda samples, rate: (
                (energies(samples).argmax() * rate).item() / len(energies(samples))
            ),
            "not of bins",
        ),
        (
            lambda samples, rate: (energies(samples).argmax() * 8000).item() / len(samples),
            "the rate is not always 8000",
        ),
        (lambda samples, rate: samples, "must return one number, not 400 numbers"),
        (lambda samples, rate: 440, "the frequency should be 880"),
    ],
    "key_of_sound": [
        (two_loudest, "the two loudest of all seven"),
        (lambda samples, rate: key_by_list(samples, rate)[::-1], "the column stands first"),
        (lambda samples, rate: key_by_list(samples, 8000), "the rate is not always 8000"),
        (lambda samples, rate: 5, "must return two numbers: row and column in Hz, not 1"),
        (lambda samples, rate: (697, 1209), "row and column should be [770, 1336]"),
        (no_return, "is a return missing?"),
    ],
    "share_on_target": [
        (lambda weights, spans, stride: target_by_loop(weights, spans, 1), "lies at j * stride"),
        (
            lambda weights, spans, stride: (
                sum(
                    s <= at <= e
                    for at, (s, e) in zip(
                        (weights.argmax(-1) * stride).tolist(), spans.tolist(), strict=False
                    )
                )
                / len(spans)
            ),
            "and not inside",
        ),
        (
            lambda weights, spans, stride: (
                target_by_loop(weights, spans, stride) * len(spans) / len(weights)
            ),
            "the rows after them belong to the end",
        ),
        (
            lambda weights, spans, stride: target_by_loop(weights, spans, stride) * len(spans),
            "this is their number",
        ),
        (
            lambda weights, spans, stride: (
                (
                    weights[: len(spans)]
                    * (
                        (torch.arange(weights.shape[1]) * stride >= spans[:, :1])
                        & (torch.arange(weights.shape[1]) * stride < spans[:, 1:])
                    )
                )
                .sum(-1)
                .mean()
            ),
            "the mean weight inside",
        ),
    ],
    "next_weights": [
        (walk_from_start, "begins at frame 0 here"),
        (lambda before, stop: before * stop, "this is before * stop"),
        (
            lambda before, stop: by_matrix(before, stop) / by_matrix(before, stop).sum(),
            "made to sum to 1",
        ),
        (
            lambda before, stop: by_matrix(torch.cat([torch.zeros(1), before[:-1]]), stop),
            "here it must go on",
        ),
        (
            lambda before, stop: by_matrix(before.flip(0), stop.flip(0)).flip(0),
            "the walk goes backwards",
        ),
        (lambda before, stop: before, "the weights should be"),
    ],
    "windowed_weights": [
        (
            lambda scores, before, first, last: (
                scores.softmax(-1) * seen_of(scores, before, first, last)
            ),
            "hidden after the softmax",
        ),
        (windowed_nan, "where the window has no frame at all"),
        (
            lambda scores, before, first, last: windowed_by_loop(scores, before, first, last - 1),
            "both ends are seen",
        ),
        (lambda scores, before, first, last: scores.softmax(-1), "the window is not used"),
        (lambda scores, before, first, last: scores, "the weights differ first"),
    ],
    "window_needed": [
        (lambda sounds, stride, share: needed_by_counting(sounds, 1, share), "frames of the sound"),
        (
            lambda sounds, stride, share: needed_by_counting(sounds, stride, 1.0),
            "the step that all pairs need",
        ),
        (
            lambda sounds, stride, share: needed_by_counting(sounds, stride, share) - 1,
            "round up",
        ),
        (lambda sounds, stride, share: 7, "the reach should be"),
    ],
    "shortest_failing": [
        (
            lambda listen, numbers, least: min(len(n) for n in numbers if listen(n) != n),
            "the shortest mistake",
        ),
        (last_good, "the longest length that is good"),
        (
            lambda listen, numbers, least: max(
                n
                for n in {len(x) for x in numbers}
                if failing_by_sorting(listen, [x for x in numbers if len(x) == n], least)
            ),
            "the longest length that fails",
        ),
        (lambda listen, numbers, least: listen(numbers), "takes one number, a text"),
    ],
    "what_sound_shows": [
        ("ABEF", "5 of the 6 statements are judged right"),
        ("ACE", "4 of the 6 statements are judged right"),
        ("BCD", "0 of the 6 statements are judged right"),
        ("AX", "X is no statement"),
    ],
}
