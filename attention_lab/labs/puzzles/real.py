"""Puzzles 20 to 23: rules that a real language model obeys."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.modes import Mode
from attention_lab.grading.feedback import Problem, call, describe, name_of
from attention_lab.grading.model import asked_model
from attention_lab.labs.puzzles.judging import mask_of
from attention_lab.labs.puzzles.pictures import Limit, beside, limits_table
from attention_lab.labs.puzzles.puzzle import puzzle
from attention_lab.models.language_model import programmed
from attention_lab.models.pretrained import SmolLM2

__all__ = ["break_the_copy", "few_keys", "say_it_within_limits", "say_the_word"]

REAL = "5 A real language model obeys"
Answer = Callable[..., Any]

# Three of each can be chosen, and the model can go on with any of them.
YARD = "There were a cat, a dog and a horse in the yard. I fed the"
TEXTS = {
    YARD: (" cat", " dog", " horse"),
    "On the table lay an apple, a pear and a lemon. She ate the": (" apple", " pear", " lemon"),
    "We met a doctor, a farmer and a painter on the train. I talked to the": (
        " doctor", " farmer", " painter",
    ),
}  # fmt: skip
MOON = (
    "The Moon moves around the Earth once in about a month. It has no light of its own: what we "
    "see is sunlight that its grey ground throws back to us. Half of it is always lit, and the "
    "phases show how much of that half is turned towards the Earth."
)
BRIDGE = "The old bridge over the river was closed in March, because two of its stones had moved."
MARKET = (
    "My aunt sells bread, honey and green tea at a small market near the sea, but never on a "
    "Monday."
)
BEES = (
    "Bees find their way by the sun. A worker that has found a field of flowers flies home, and "
    "there she dances on the comb: she runs a short way straight ahead, shaking her body, then "
    "turns back in a half circle and runs the same way again. The direction of the run says in "
    "which direction the flowers are, measured from the sun, and its length says how far away they "
    "are. The other bees stand around her in the dark and feel the dance with their antennae. A "
    "minute later they fly out, and most of them arrive at the field although they have never seen "
    "it before."
)
N_LAYERS = 30

_measured: dict[str, list[Limit]] = {}  # what the last check of a puzzle has measured


@functools.cache
def plain_losses(text: str, twice: bool = False) -> Tensor:
    """The model's own losses of a text, or of a text that comes twice."""
    lm = asked_model()
    return lm.loss(copies(lm, text) if twice else text)


def copies(lm: SmolLM2, text: str) -> Tensor:
    tokens = lm.read(text)
    return torch.cat([tokens, tokens], 1)


def asked(name: str, limits: Sequence[Limit]) -> Callable[[Any], str]:
    """Return what draws a list of limits, with what the last check has measured."""

    def picture(answer: Any) -> str:
        found = _measured.get(name, []) if answer is not None else []
        known = {limit.what: limit for limit in found}
        rows = [known.get(limit.what, limit) for limit in limits]
        return beside(limits_table("what is asked", rows))

    return picture


def held(name: str, wanted: Sequence[Limit], came: Sequence[tuple[str, bool]]) -> None:
    """Keep what was measured for the picture."""
    _measured[name] = [
        limit._replace(came=text, holds=holds)
        for limit, (text, holds) in zip(wanted, came, strict=True)
    ]


def mode_of(made: Any, name: str) -> Mode:
    if made is None:
        raise Problem(f"{name} returned None: is a return missing?")
    if not isinstance(made, Mode):
        raise Problem(
            f"{name} must return a mode, such as modes.spotlight([4], 2.0), but it returned a "
            f"{type(made).__name__}"
        )
    return made


def next_word(lm: SmolLM2, text: str, mode: Mode, layers: Any = None) -> tuple[str, float]:
    """What comes next under a mode, and how likely."""
    return under(lm, mode, lambda: lm.next(text, 1)[0], layers)


def under(lm: SmolLM2, mode: Mode, measure: Callable[[], Any], layers: Any = None) -> Any:
    """Measure something while a mode acts."""
    try:
        with programmed(lm.model, mode, layers=layers):
            return measure()
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise Problem(f"under “{mode}” the model raised {describe(error)}") from error


# --- 20: a word ---------------------------------------------------------------------------------

SAY = [Limit(f"“… {text.split('. ')[1]}”: the chosen word comes", "3 of 3") for text in TEXTS]


@puzzle(20, "say the word", budget=1, part=REAL, picture=asked("say_the_word", SAY))
def say_the_word(answer: Answer) -> str:
    """``answer(at, last)``: a mode; the model goes on with the word at position ``at``."""
    _measured.pop("say_the_word", None)
    name = name_of(answer)
    mode_of(call(answer, {"at": 3, "last": 16}), name)
    lm = asked_model()
    found: list[tuple[str, int]] = []
    first_wrong = ""
    for text, words in TEXTS.items():
        last, right = lm.read(text).shape[1] - 1, 0
        for word in words:
            mode = mode_of(call(answer, {"at": lm.find(text, word)[0], "last": last}), name)
            came, share = next_word(lm, text, mode)
            right += came == word
            if came != word and not first_wrong:
                first_wrong = (
                    f"“{word.strip()}” was chosen, and after “… {text[-25:]}” the model says "
                    f"“{came}” ({share:.2f}), under “{mode}”"
                )
        found.append((f"{right} of 3", right))
    held("say_the_word", SAY, [(text, right == 3) for text, right in found])
    if first_wrong:
        raise Problem(first_wrong)
    return "Nine of nine words, and not a number of the model was changed."


# --- 21: a copy ---------------------------------------------------------------------------------

COPY = [
    Limit("keys hidden from a query, besides the later ones", "at most 1"),
    Limit("loss of the second copy, from its second token", "above 2 in both texts"),
    Limit("loss of the first copy changes by", "less than 0.05"),
]


@puzzle(21, "break the copy", budget=1, part=REAL, picture=asked("break_the_copy", COPY))
def break_the_copy(answer: Answer) -> str:
    """``answer(n)``: a rule; a text of n tokens comes twice, and the model no longer sees it."""
    _measured.pop("break_the_copy", None)
    masks = {n: mask_of(answer, n, {"n": n // 2}, factory=True) for n in (4, 38, 46)}
    most = max(int((~mask).tril().sum(-1).max()) for mask in masks.values())
    first_change, second = 0.0, []
    if most <= 1:
        lm = asked_model()
        for text in (BRIDGE, MARKET):
            tokens, plain = copies(lm, text), plain_losses(text, True)
            size = tokens.shape[1]
            mask = mask_of(answer, size, {"n": size // 2}, factory=True)
            rule = Mode("your rule", lambda b, h, q_idx, kv_idx, mask=mask: mask[q_idx, kv_idx])
            losses = under(lm, rule, lambda tokens=tokens: lm.loss(tokens))
            half = size // 2
            change = (losses[: half - 1].mean() - plain[: half - 1].mean()).abs().item()
            first_change = max(first_change, change)
            second.append(losses[half:].mean().item())
    low = min(second, default=0.0)
    held(
        "break_the_copy",
        COPY,
        [
            (str(most), most <= 1),
            (f"{low:.2f}" if second else "not run", low > 2),
            (f"{first_change:.3f}" if second else "not run", bool(second) and first_change < 0.05),
        ],
    )
    if most > 1:
        raise Problem(f"{most} keys that are not later are hidden from one query; 1 is allowed")
    if first_change >= 0.05:
        raise Problem(
            f"the loss of the first copy changes by {first_change:.3f}: there, nothing may be "
            "missing"
        )
    if low <= 2:
        plain = min(plain_losses(text, True)[-8:].mean().item() for text in (BRIDGE, MARKET))
        raise Problem(
            f"the second copy is still read off the first: its loss is {low:.2f} (a plain model "
            f"has {plain:.2f} at its end). Which key says what comes next?"
        )
    return (
        f"One key of up to 45 is hidden, and the loss of the copy rises to {low:.2f}: copying "
        "reads the token that came next last time."
    )


# --- 22: few keys -------------------------------------------------------------------------------

BUDGETS = {8: 1.0, 16: 0.5}  # keys: by how much the loss may rise
KEYS = [
    Limit("keys that a query sees", "8 and 16 at most"),
    Limit("loss of 91 tokens rises with 8 keys by", "less than 1.0"),
    Limit("loss of 91 tokens rises with 16 keys by", "less than 0.5"),
]
FROM = 32


@puzzle(22, "a few keys are enough", budget=1, part=REAL, picture=asked("few_keys", KEYS))
def few_keys(answer: Answer) -> str:
    """``answer(keys)``: a causal rule with at most so many keys for each query; keep the loss low.

    Xiao et al. 2023, arXiv:2309.17453: a window fails, a window with sinks does not.
    """
    _measured.pop("few_keys", None)
    for keys in (*BUDGETS, 5):
        for n in (3, 60):
            mask = mask_of(answer, n, {"keys": keys}, factory=True)
            if mask.triu(1).any():
                raise Problem(f"for keys = {keys} a query sees a later key")
            most = int(mask.sum(-1).max())
            if most > keys:
                raise Problem(f"for keys = {keys} and {n} tokens a query sees {most} keys")
    lm = asked_model()
    plain, n = plain_losses(BEES)[FROM - 1 :].mean().item(), lm.read(BEES).shape[1]
    rises, most_seen = {}, []
    for keys in BUDGETS:
        mask = mask_of(answer, n, {"keys": keys}, factory=True)
        most_seen.append(int(mask.sum(-1).max()))
        rule = Mode("your rule", lambda b, h, q_idx, kv_idx, mask=mask: mask[q_idx, kv_idx])
        rises[keys] = under(lm, rule, lambda: lm.loss(BEES))[FROM - 1 :].mean().item() - plain
    held(
        "few_keys",
        KEYS,
        [
            (" and ".join(map(str, most_seen)), True),
            *((f"{rises[keys]:.2f}", rises[keys] < limit) for keys, limit in BUDGETS.items()),
        ],
    )
    for keys, limit in BUDGETS.items():
        if most_seen[list(BUDGETS).index(keys)] > keys:
            raise Problem(f"for keys = {keys} and {n} tokens a query sees too many keys")
        if rises[keys] >= limit:
            mask = mask_of(answer, n, {"keys": keys}, factory=True)
            unseen = not mask[keys * 2 :, 0].any()
            why = ": its late queries do not see key 0, where heads put what they do not need"
            raise Problem(
                f"with {keys} keys the loss rises from {plain:.2f} by {rises[keys]:.2f}, and less "
                f"than {limit} is wanted{why if unseen else ''}"
            )
    return f"With 16 of up to {n} keys the loss rises by {rises[16]:.2f}, with 8 by {rises[8]:.2f}."


# --- 23: within limits --------------------------------------------------------------------------

MOST_LAYERS, LEAST, MOST_CHANGE = 4, 0.75, 0.05
WITHIN = [
    Limit("words that come next as chosen", "9 of 9"),
    Limit("the least likely of them has", f"{LEAST} or more"),
    Limit("layers in which the mode acts", f"{MOST_LAYERS} at most"),
    Limit("losses of another text change, on average, by", f"less than {MOST_CHANGE}"),
]


def layers_of(layers: Any) -> list[int]:
    """Read an int, a range or a list of layers."""
    try:
        numbers = [layers] if isinstance(layers, int) else list(layers)
    except TypeError:
        numbers = [None]
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in numbers)
    if not numbers or not whole or not all(0 <= each < N_LAYERS for each in numbers):
        raise Problem(
            f"the layers must be numbers from 0 to {N_LAYERS - 1}, such as range(20, 22), not "
            f"{str(layers)[:60]}"
        )
    return sorted(set(numbers))


def steered(answer: Answer, at: int, last: int) -> tuple[Mode, list[int]]:
    name, made = name_of(answer), call(answer, {"at": at, "last": last})
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        came = f"{len(made)} things" if isinstance(made, (tuple, list)) else type(made).__name__
        raise Problem(f"{name} must return (mode, layers), but it returned {came}")
    return mode_of(made[0], name), layers_of(made[1])


@puzzle(
    23, "say it within limits", budget=1, part=REAL, picture=asked("say_it_within_limits", WITHIN)
)
def say_it_within_limits(answer: Answer) -> str:
    """``answer(at, last)``: (mode, layers); the word is said, and another text hardly changes."""
    _measured.pop("say_it_within_limits", None)
    steered(answer, 3, 16)
    lm = asked_model()
    right, least, change, used, first_wrong = 0, 1.0, 0.0, 0, ""
    for text, words in TEXTS.items():
        last = lm.read(text).shape[1] - 1
        for word in words:
            mode, layers = steered(answer, lm.find(text, word)[0], last)
            used = max(used, len(layers))
            share = under(lm, mode, lambda t=text, w=word: lm.probabilities(t)[lm.token(w)], layers)
            came, _ = next_word(lm, text, mode, layers)
            right += came == word
            least = min(least, share.item())
            if came != word and not first_wrong:
                first_wrong = f"“{word.strip()}” was chosen, and the model says “{came}”"
        # of each text the last word, on a text that the mode was not made for
        moved = under(lm, mode, lambda: lm.loss(MOON), layers) - plain_losses(MOON)
        change = max(change, moved.abs().mean().item())
    held(
        "say_it_within_limits",
        WITHIN,
        [
            (f"{right} of 9", right == 9),
            (f"{least:.2f}", least >= LEAST),
            (str(used), used <= MOST_LAYERS),
            (f"{change:.3f}", change < MOST_CHANGE),
        ],
    )
    _within(right, least, used, change, first_wrong, only_for(mode, last))
    return (
        f"Nine words in {used} of {N_LAYERS} layers, the least likely with {least:.2f}; the losses "
        f"of the other text change by {change:.3f}."
    )


def only_for(mode: Mode, query: int) -> bool:
    """Whether a mode leaves every query of the other text as it is, but one."""
    if mode.temperature != 1 or mode.score_mod is not None or mode.normalizer is not None:
        return False
    n = asked_model().read(MOON).shape[1]
    visible, bias = mode.dense(n, n, heads=9)
    changed = (~visible).tril().any(-1)
    if bias is not None:
        changed = changed | (bias.tril() != 0).any(-1)
    rows = changed.any(0).nonzero().flatten().tolist()
    return rows in ([], [query])


def _within(
    right: int, least: float, used: int, change: float, first_wrong: str, is_for_one: bool
) -> None:
    """Say which limit does not hold.

    Raises
    ------
    Problem
        The first of them, and how many more.
    """
    broken: list[str] = []
    if used > MOST_LAYERS:
        broken.append(f"the mode acts in {used} layers, and {MOST_LAYERS} are allowed")
    if right < 9:
        broken.append(f"{right} of 9 words come as chosen: {first_wrong}")
    elif least < LEAST:
        broken.append(
            f"all words come, but the least likely with {least:.2f}, and {LEAST} is wanted"
        )
    if change >= MOST_CHANGE:
        why = "" if is_for_one else ": the mode acts on more queries than the last"
        broken.append(
            f"the losses of another text change by {change:.3f} on average, and less than "
            f"{MOST_CHANGE} is wanted{why}"
        )
    if broken:
        more = f" ({len(broken) - 1} more of the limits not held)" if len(broken) > 1 else ""
        raise Problem(f"{broken[0]}{more}")
