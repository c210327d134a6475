"""Notebook 10: programmable rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_lab.core import modes
from attention_lab.core.attention import masked_softmax
from attention_lab.core.modes import Mode
from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.feedback import Problem, name_of, returned
from attention_lab.grading.model import asked_model
from attention_lab.models.language_model import programmed

__all__ = [
    "break_one_rule",
    "budget_of_keys",
    "exact_pairs",
    "make_it_say",
    "several_spans",
    "shared_question",
]


def _mode_of(answer: Callable[..., Any], inputs: dict[str, Any]) -> Mode:
    """Call an answer that must return a mode."""
    made = returned(answer, inputs)
    if not isinstance(made, Mode):
        raise Problem(
            f"{name_of(answer)} must return a Mode, but it returned {type(made).__name__}; "
            'Mode("in a few words", rule) makes one of a rule'
        )
    return made


def _mask_of(mode: Mode, n: int) -> Tensor:
    """Return the mask of a mode that has no other part, (n, n)."""
    if not mode.is_mask:
        raise Problem(f"“{mode}” has more than a mask, and only a mask is wanted here")
    try:
        return mode.dense(n, n)[0][0]
    except (ValueError, IndexError, RuntimeError, TypeError) as error:
        raise Problem(f"“{mode}” does not fit {n} tokens: {error}") from None


def _first(found: Tensor) -> tuple[int, int]:
    """Return the first pair (query, key) that is True."""
    return tuple(found.nonzero()[0].tolist())


# --- 10.1 ---------------------------------------------------------------------------------------


@exercise
def shared_question(answer: Callable[..., Any]) -> str:
    """``mode(prompt, lengths)``: causal; each answer sees the question and itself."""
    for prompt, lengths in ((3, [2, 4]), (1, [3]), (4, [1, 3, 2]), (2, [5, 1, 1, 2])):
        given = f"prompt = {prompt}, lengths = {lengths}"
        n = prompt + sum(lengths)
        made = _mask_of(_mode_of(answer, {"prompt": prompt, "lengths": list(lengths)}), n)
        part = torch.repeat_interleave(
            torch.arange(len(lengths) + 1), torch.tensor([prompt, *lengths])
        )
        causal = torch.ones(n, n, dtype=torch.bool).tril()
        same = part[:, None] == part[None, :]
        asked = (part == 0)[None, :] & (part > 0)[:, None]  # an answer looks at the question
        if (ahead := made & ~causal).any():
            i, j = _first(ahead)
            raise Problem(f"for {given} query {i} sees key {j}, which comes later")
        if (other := made & ~same & ~asked).any():
            i, j = _first(other)
            raise Problem(f"for {given} query {i} sees key {j} of another answer")
        if (missing := causal & asked & ~made).any():
            i, j = _first(missing)
            raise Problem(f"for {given} query {i} does not see key {j}, a part of the question")
        if (missing := causal & same & ~made).any():
            i, j = _first(missing)
            raise Problem(f"for {given} query {i} does not see key {j} of its own part")
    return (
        "The answers are read in one pass, each as if the others were not there. Their positions "
        "still go on; a model with positions would have to count each from the question."
    )


# --- 10.2 ---------------------------------------------------------------------------------------


@exercise
def exact_pairs(answer: Callable[..., Any]) -> str:
    """``mode(n, pairs)``: causal, each token sees itself, and so many pairs are kept."""
    for n, pairs in ((4, 7), (4, 4), (4, 10), (6, 9), (7, 20), (9, 31), (1, 1), (12, 13)):
        given = f"n = {n}, pairs = {pairs}"
        made = _mask_of(_mode_of(answer, {"n": n, "pairs": pairs}), n)
        if made.triu(1).any():
            i, j = _first(made.triu(1))
            raise Problem(f"for {given} query {i} sees key {j}, which comes later")
        if not made.diagonal().all():
            (i,) = (~made.diagonal()).nonzero()[0].tolist()
            raise Problem(f"for {given} token {i} does not see itself")
        if (kept := int(made.sum())) != pairs:
            raise Problem(f"for {given} it keeps {kept} pairs")
    return "The number of pairs says what a mode costs, and not which mode it is."


# --- 10.3 ---------------------------------------------------------------------------------------


def _odds(share: Tensor) -> Tensor:
    return torch.log(share) - torch.log1p(-share)


@exercise
def several_spans(answer: Callable[..., Any]) -> str:
    """``biases(shares, wanted)``: one bias for each group, so that all get their share at once."""

    def right(shares: Tensor, wanted: Tensor) -> Tensor:
        return torch.log(wanted / (1 - wanted.sum())) - torch.log(shares / (1 - shares.sum()))

    def case(*pairs: tuple[float, float], dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        shares, wanted = torch.tensor(pairs, dtype=dtype).T
        return {"shares": shares.clone(), "wanted": wanted.clone()}

    judge(
        answer,
        [
            case((0.1, 0.4), (0.2, 0.3)),
            case((0.3, 0.05)),
            case((0.05, 0.2), (0.4, 0.1), (0.15, 0.5)),
            case((0.2, 0.2), (0.1, 0.6), (0.3, 0.05), (0.02, 0.01)),
            case((0.25, 0.5), (0.5, 0.25), dtype=torch.float32),
        ],
        right,
        "the biases",
        {
            "this is the formula for one group at a time; the bias of one takes from the others": (
                lambda shares, wanted: _odds(wanted) - _odds(shares)
            ),
            "this is ln(wanted / share): the sum that all is divided by changes as well": (
                lambda shares, wanted: torch.log(wanted / shares)
            ),
            "the sign is the wrong way round": lambda shares, wanted: -right(shares, wanted),
            "these are the factors e^b; a bias is their logarithm": (
                lambda shares, wanted: right(shares, wanted).exp()
            ),
        },
    )
    return "Each ratio to the rest is multiplied by its e^b, so all groups fit at once."


# --- 10.4 ---------------------------------------------------------------------------------------


def _top(masked: Tensor, k: int) -> Tensor:
    smallest = masked.topk(min(k, masked.shape[-1]), dim=-1).values[..., -1:]
    return masked_softmax(masked.masked_fill(masked < smallest, -torch.inf))


@exercise
def budget_of_keys(answer: Callable[..., Any]) -> str:
    """``weights(masked, k)``: a softmax over the k largest scores of each row."""
    rows = {
        "masked": torch.tensor([[0.5, -1.0, 2.0, 1.0], [-3.0, -1.0, -torch.inf, -2.0]]).double(),
        "k": 2,
    }

    def case(k: int, *shape: int, seed: int, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
        masked = 2 * normal(*shape, seed=seed, dtype=dtype)
        hidden = normal(*shape, seed=seed + 50) > 0.6
        hidden[..., 0, :] = True  # a row without a key
        return {"masked": masked.masked_fill(hidden, -torch.inf), "k": k}

    def one_row_of_all(masked: Tensor, k: int) -> Tensor:
        kept = masked.flatten().topk(min(k, masked.numel())).values[-1]
        return masked_softmax(masked.masked_fill(masked < kept, -torch.inf))

    def smallest(masked: Tensor, k: int) -> Tensor:
        turned = -masked.masked_fill(masked == -torch.inf, torch.inf)
        return masked_softmax(masked.masked_fill(_top(turned, k) == 0, -torch.inf))

    judge(
        answer,
        [
            rows,
            case(1, 3, 5, seed=1),
            case(3, 2, 4, 6, seed=2),
            case(9, 4, 4, seed=3),
            case(2, 2, 3, 5, 7, seed=4, dtype=torch.float32),
        ],
        _top,
        "the weights",
        {
            "the weights of the largest keys were kept, and they do not sum to 1: leave the others "
            "out before the softmax": lambda masked, k: masked_softmax(masked).where(
                _top(masked, k) > 0, 0.0
            ),
            "this is the softmax over all keys: nothing was left out": (
                lambda masked, k: masked_softmax(masked)
            ),
            "the k largest were taken of the whole matrix; each query has its own": one_row_of_all,
            "the k smallest scores were kept": smallest,
        },
        zeros=True,
    )
    return 'In a mode: Mode("top 4", normalizer=lambda masked: top_k(masked, 4)).'


# --- 10.5 ---------------------------------------------------------------------------------------


@exercise
def break_one_rule(answer: Callable[..., Any]) -> str:
    """``mode()``: causal, breaks exactly one of the four invariants."""
    mode = _mode_of(answer, {})
    try:
        visible = mode.dense(7, 7)[0][0]
        if visible.triu(1).any():
            i, j = _first(visible.triu(1))
            raise Problem(f"“{mode}” is not causal: query {i} sees key {j}; join modes.causal")
        tried = [
            modes.invariants(mode, n, seed=seed) for n, seed in ((8, 0), (5, 1), (6, 2), (3, 3))
        ]
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        raise Problem(f"“{mode}” cannot be run: {error}") from None
    # mean weights that were divided in float32 sum to 1 within 1e-8: that breaks nothing
    broken = [[i for i, each in enumerate(found, 1) if not each.number < 1e-6] for found in tried]
    every = sorted({number for each in broken for number in each})
    if not every:
        raise Problem(f"“{mode}” keeps all four")
    if len(every) > 1:
        named = " and ".join(f"{number} ({tried[0][number - 1].name})" for number in every)
        raise Problem(f"“{mode}” breaks more than one: {named}")
    return (
        f"Only number {every[0]} is broken: {tried[0][every[0] - 1].name}. Weights below 0 on keys "
        "that are seen can sum to 1."
    )


# --- 10.6 ---------------------------------------------------------------------------------------

LISTS = (
    ("There were a hat, a coat and a belt on the table. I took the", " belt"),
    ("We saw a lion, a bear and a wolf in the park. She photographed the", " bear"),
    ("He bought apples, bread and cheese at the market. At home he ate the", " cheese"),
    ("On the desk lay a pen, a book and a lamp. She picked up the", " lamp"),
    ("In the garden stood a table, a chair and a bench. He painted the", " table"),
    ("The tree, the wall and the gate were wet. He touched the", " gate"),
)
OBEY = 5


@exercise
def make_it_say(answer: Callable[..., Any]) -> str:
    """``mode(pieces, word)``: SmolLM2 goes on with the word, and its loss stays as it is."""
    lm, obeyed, wrong = asked_model(), 0, ""
    for text, word in LISTS:
        pieces = lm.pieces(text)
        mode = _mode_of(answer, {"pieces": list(pieces), "word": word})
        tokens = lm.read(text)
        with programmed(lm.model, mode), torch.no_grad():
            x = lm.model.hidden(tokens)
            came = lm.model.readout(x[:, -1])[0]
            logits = lm.model.readout(x[:, -2])[0]
        if _changes_the_text(lm, tokens, logits):
            raise Problem(
                f"for “{text}” the model reads the text before its last token otherwise than "
                f"without the mode: let it act for the query {len(pieces) - 1} only"
            )
        number = int(came.argmax())
        if number == lm.token(word):
            obeyed += 1
        else:
            wrong = (
                f"“{text}” goes on with {lm.pieces(torch.tensor([[number]]))[0]!r}, not {word!r}"
            )
    if obeyed < OBEY:
        raise Problem(f"{obeyed} of {len(LISTS)} texts obey, and {OBEY} have to; {wrong}")
    return f"{obeyed} of {len(LISTS)} texts go on with the word, and up to there nothing changed."


def _changes_the_text(lm: Any, tokens: Tensor, logits: Tensor) -> bool:
    """Tell whether the last but one token foretells another word than without a mode."""
    with torch.no_grad():
        plain = lm.model.readout(lm.model.hidden(tokens[:, :-1])[:, -1])[0]
    return bool((plain - logits).abs().max() > 1e-2)
