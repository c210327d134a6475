"""Puzzles 14 to 19: biases, a normaliser, and heads that count and find."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from attention_lab.core.modes import Mode
from attention_lab.core.normalisers import masked_softmax
from attention_lab.grading.cases import judge, normal, shown
from attention_lab.grading.compare import same
from attention_lab.grading.feedback import Problem, call, describe, name_of, run, tensor_of
from attention_lab.labs.puzzles.pictures import beside, differ, weights_table
from attention_lab.labs.puzzles.puzzle import puzzle

__all__ = [
    "count_so_far",
    "halving",
    "lift_to_share",
    "look_where_told",
    "may_say_nothing",
    "turn_back_one",
]

PRIORS, PROGRAMS = "3 Numbers that steer", "4 Heads that count and find"
Answer = Callable[..., Any]
Weights = Callable[[Any], Tensor]


def compared(wanted: Tensor, weights: Weights, note: str, edge: str) -> Callable[[Any], str]:
    """Return what draws weights: the wanted ones, and those that an answer gives.

    Parameters
    ----------
    wanted : Tensor, shape (n_q, n_k)
    weights : callable
        Takes an answer and returns its weights for the same input; whatever it raises, only the
        wanted ones are drawn.
    note : str
        What the input is.
    edge : str
        What is said where the two differ.
    """

    def picture(answer: Any) -> str:
        left = weights_table("wanted", wanted)
        if answer is None:
            return beside(left, note=note)
        try:
            came = weights(answer)
            if tuple(came.shape) != tuple(wanted.shape):
                return beside(left, note=note)
            right = weights_table("yours", came, wanted)
        except Exception:  # the verdict says what is wrong with it
            return beside(left, note=note)
        return beside(left, right, f"{note}. {edge}" if differ(came, wanted) else note)

    return picture


# --- 14: a bias that halves ---------------------------------------------------------------------


def lower(n: int) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool).tril()


def with_bias(scores: Tensor, bias: Tensor) -> Tensor:
    return masked_softmax((scores + bias).masked_fill(~lower(len(scores)), -math.inf))


def bias_of(answer: Answer, n: int) -> Tensor:
    """Write a bias rule out, (n, n)."""
    if not callable(answer):
        raise Problem(f"this must be a function of b, h, q_idx, kv_idx, but it is {answer!r}")
    try:
        dense = Mode("your rule", bias=answer).dense(n, n, dtype=torch.float64)[1]
    except (Exception, SystemExit) as error:
        raise Problem(describe(error) or f"your rule raised {type(error).__name__}") from error
    return dense[0].detach()


def back(n: int) -> Tensor:
    """How far each key lies before each query, (n, n)."""
    return torch.arange(n)[:, None] - torch.arange(n)[None, :]


HALF = -math.log(2)


def halved(n: int, factor: float = HALF) -> Tensor:
    return factor * back(n).double()


@puzzle(
    14,
    "each key half of the next",
    budget=1,
    part=PRIORS,
    picture=compared(
        with_bias(torch.zeros(4, 4), halved(4)),
        lambda answer: with_bias(torch.zeros(4, 4), bias_of(answer, 4)),
        "all scores equal, causal mask",
        "✗ differs",
    ),
)
def halving(answer: Answer) -> str:
    """``bias(b, h, q_idx, kv_idx)``: with equal scores each key weighs half of the next one.

    Press et al. 2022, arXiv:2108.12409 (ALiBi) with the slope ln 2.
    """
    cases = [torch.zeros(4, 4), torch.zeros(1, 1), normal(2, 2), normal(7, 7, seed=1),
             3 * normal(19, 19, seed=2)]  # fmt: skip
    biases = [bias_of(answer, len(scores)) for scores in cases]
    came = [with_bias(scores, bias) for scores, bias in zip(cases, biases, strict=True)]

    def given_by(factor: float) -> bool:
        made = [with_bias(scores, halved(len(scores), factor)) for scores in cases]
        return all(same(one, other) for one, other in zip(came, made, strict=True))

    if given_by(HALF):
        return "The last query gives 1/15, 2/15, 4/15, 8/15: a bias of −ln 2 for each step back."
    for message, factor in {
        "each key weighs twice the next one: the sign is the wrong way round": -HALF,
        "each key weighs 1/e ≈ .368 of the next one: softmax takes e to the bias, so the step is "
        "ln 2 and not 1": -1.0,
        "each key weighs e^-.5 ≈ .607 of the next one: a bias is added before the exp": -0.5,
        "each key weighs e^-2 ≈ .135 of the next one: a bias is added before the exp": -2.0,
        "each key weighs e times the next one: the sign, and the step is ln 2": 1.0,
        "nothing changes: the bias is the same for all keys of a query": 0.0,
    }.items():
        if given_by(factor):
            raise Problem(message)
    for scores, weights, bias in zip(cases, came, biases, strict=True):
        right = with_bias(scores, halved(len(scores)))
        if not same(weights, right):
            n = len(scores)
            if not bias.isfinite().all():
                raise Problem(f"for n = {n} there is a bias that is not finite")
            i, j = (weights - right).abs().gt(1e-6).nonzero()[0].tolist()
            raise Problem(
                f"for n = {n} query {i} gives key {j} {weights[i, j]:.3f} and not {right[i, j]:.3f}"
            )
    raise AssertionError  # pragma: no cover (one of the cases differs)


# --- 15: a share --------------------------------------------------------------------------------


def share_bias(scores: Tensor, chosen: Tensor, wanted: float) -> Tensor:
    inside = scores[:, chosen].logsumexp(-1)
    outside = scores[:, ~chosen].logsumexp(-1)
    return math.log(wanted / (1 - wanted)) - inside + outside


def lifted(scores: Tensor, chosen: Tensor, bias: Tensor) -> Tensor:
    return (scores + bias[:, None] * chosen).softmax(-1)


def share_case(n_q: int, n_k: int, keys: tuple[int, ...], wanted: float, scale=1.0) -> dict:
    chosen = torch.zeros(n_k, dtype=torch.bool)
    chosen[list(keys)] = True
    return {"scores": scale * normal(n_q, n_k, seed=n_k), "chosen": chosen, "wanted": wanted}


SHARES = [
    share_case(2, 4, (1, 2), 0.8),
    share_case(1, 2, (0,), 0.5),
    share_case(5, 3, (2,), 0.01),
    share_case(3, 7, (0, 3, 6), 0.9, scale=4),
    share_case(2, 9, (4, 5), 0.3, scale=30),
    {"scores": torch.zeros(4, 5).double(), "chosen": torch.tensor([True] * 4 + [False]),
     "wanted": 0.2},
]  # fmt: skip


def drawn_share(answer: Answer) -> Tensor:
    return lifted(SHARES[0]["scores"], SHARES[0]["chosen"], run(answer, SHARES[0], (2,)).double())


@puzzle(
    15,
    "lift keys to a share",
    budget=2,
    part=PRIORS,
    picture=compared(
        lifted(SHARES[0]["scores"], SHARES[0]["chosen"], share_bias(*SHARES[0].values())),
        drawn_share,
        "k1 and k2 are chosen; together they shall have .80 in each row",
        "✗ differs",
    ),
)
def lift_to_share(answer: Answer) -> str:
    """``answer(scores, chosen, wanted)``: one bias a query, (n_q,), that gives chosen keys a share.

    Softmax with a bias on some keys is a prior: p becomes p e^b / (p e^b + 1 - p).
    """

    def share(scores: Tensor, chosen: Tensor) -> Tensor:
        return scores.softmax(-1)[:, chosen].sum(-1)

    def logit(p: Tensor | float) -> Tensor:
        p = torch.as_tensor(p, dtype=torch.float64)
        return torch.log(p) - torch.log1p(-p)

    def same_for_all(scores: Tensor, wanted: float) -> Tensor:
        return logit(wanted).expand(len(scores))

    judge(
        answer,
        SHARES,
        share_bias,
        "the biases",
        {
            "this is the bias for keys that have half of the weight now (logit of the wanted "
            "share): subtract the logit of the share that they have": (
                lambda scores, chosen, wanted: same_for_all(scores, wanted)
            ),
            "the share itself is divided (log(wanted / share)): the other keys lose at the same "
            "time, so it is the odds p / (1 - p) that e^b multiplies": (
                lambda scores, chosen, wanted: torch.log(wanted / share(scores, chosen))
            ),
            "the sign is the wrong way round: a larger share needs a larger bias": (
                lambda scores, chosen, wanted: -share_bias(scores, chosen, wanted)
            ),
            "this is the difference of the shares; softmax multiplies by e^b, so it is the logits "
            "that differ by b": (lambda scores, chosen, wanted: wanted - share(scores, chosen)),
            "the softmax runs over the queries; use the last axis": (
                lambda scores, chosen, wanted: (
                    logit(wanted) - logit(scores.softmax(0)[:, chosen].sum(-1))
                )
            ),
        },
    )
    return "e^b multiplies the odds: b = logit(wanted) − logit(share now)."


# --- 16: nothing --------------------------------------------------------------------------------


def with_nothing(scores: Tensor, sink: float) -> Tensor:
    extra = torch.full_like(scores[..., :1], sink)
    return torch.cat([scores, extra], -1).softmax(-1)[..., :-1]


HIDE = -math.inf
NOTHING = [
    {"scores": torch.tensor([[2.0, 0.0, 1.0], [-2.0, -3.0, HIDE], [HIDE] * 3]), "sink": 0.0},
    {"scores": torch.tensor([[0.0]]), "sink": 0.0},
    {"scores": normal(2, 3, 5, seed=3), "sink": 1.5},
    {"scores": torch.tensor([[1000.0, 999.0, -1000.0, HIDE]]).double(), "sink": -3.0},
    {"scores": torch.tensor([[-1000.0, -1001.0], [HIDE, -999.0]]).double(), "sink": -1000.0},
    {"scores": torch.tensor([HIDE, HIDE, 3.0, 3.0]).double(), "sink": 700.0},
    {"scores": 5 * normal(4, 12, seed=4), "sink": -2.0},
    # one shift for all rows would make exp of the second 0
    {"scores": torch.tensor([[1000.0, 999.0], [-1000.0, -1001.0]]).double(), "sink": -1000.0},
]


def shifted_late(scores: Tensor, sink: float) -> Tensor:
    """exp(sink) is added after the largest score was taken off the others."""
    e = (scores - scores.amax(-1, keepdim=True)).exp().nan_to_num(0.0)
    return e / (e.sum(-1, keepdim=True) + math.exp(min(sink, 700.0)))


def _not_plain(answer: Answer) -> None:
    """Name the mistakes that give nan somewhere: `judge` takes no nan for another.

    Raises
    ------
    Problem
        The answer gives what one of them gives, in every case.
    """
    mistakes: dict[str, Callable[[Tensor, float], Tensor]] = {
        "this is the plain softmax: the denominator lacks exp(sink)": (
            lambda scores, sink: scores.softmax(-1)
        ),
        "this is the plain softmax, with zeros for a hidden row: the denominator lacks exp(sink)": (
            lambda scores, sink: masked_softmax(scores)
        ),
        "exp overflows for scores such as 1000: subtract the largest number first, the sink's "
        "included": lambda scores, sink: (
            scores.exp() / (scores.exp().sum(-1, keepdim=True) + torch.tensor(sink).double().exp())
        ),
        "sink itself is added to the denominator; exp(sink) is wanted": lambda scores, sink: (
            scores.exp() / (scores.exp().sum(-1, keepdim=True) + sink)
        ),
    }
    came = [run(answer, case) for case in NOTHING]
    for message, mistake in mistakes.items():
        made = [mistake(**case) for case in NOTHING]
        if all(
            one.shape == other.shape
            and torch.allclose(one.double(), other.double(), atol=2e-5, equal_nan=True)
            for one, other in zip(came, made, strict=True)
        ):
            raise Problem(message)


@puzzle(
    16,
    "a softmax that may say nothing",
    budget=3,
    part=PRIORS,
    picture=compared(
        with_nothing(**NOTHING[0]),
        lambda answer: run(answer, NOTHING[0], (3, 3)),
        "scores 2, 0, 1; −2, −3, hidden; all hidden; sink 0",
        "✗ differs",
    ),
)
def may_say_nothing(answer: Answer) -> str:
    """``answer(scores, sink)``: weights whose denominator has exp(sink) as well.

    OpenAI 2025, gpt-oss: a learned sink for each head. Miller 2023, "Attention Is Off By One".
    """
    _not_plain(answer)
    judge(
        answer,
        NOTHING,
        with_nothing,
        "the weights",
        {
            "exp(sink) is added to scores that were shifted by their largest: shift the sink by "
            "the same number": shifted_late,
            "the weight of the sink is still there as a last column; it belongs to no key": (
                lambda scores, sink: torch.cat(
                    [scores, torch.full_like(scores[..., :1], sink)], -1
                ).softmax(-1)
            ),
        },
        zeros=True,
    )
    return "A row sums to 1 − the sink's weight; a row with nothing to see is all zero, not nan."


# --- 17: counting -------------------------------------------------------------------------------


def occurrences(tokens: Tensor) -> Tensor:
    """How often each token has occurred up to itself; 0 for the first, which begins the text."""
    same_token = (tokens[:, None] == tokens[None, :]) & lower(len(tokens))
    counts = same_token.sum(-1)
    counts[0] = 0
    return counts.double()


Parts = tuple[Tensor, Tensor]


def head_of(answer: Answer, tokens: Tensor) -> Parts:
    """Hold an answer to a mask (n, n) without empty rows, and values (n,) of 0 and 1."""
    n, name = len(tokens), name_of(answer)
    made = call(answer, {"tokens": tokens})
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        came = f"{len(made)} things" if isinstance(made, (tuple, list)) else type(made).__name__
        raise Problem(f"{name} must return (mask, value), but it returned {came}")
    mask, value = made
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool or mask.shape != (n, n):
        came = (
            f"{mask.dtype} of shape {tuple(mask.shape)}"
            if isinstance(mask, Tensor)
            else f"a {type(mask).__name__}"
        )
        raise Problem(f"the mask must be boolean, {(n, n)} for {n} tokens, but it is {came}")
    if isinstance(value, Tensor) and not value.is_floating_point() and not value.is_complex():
        value = value.double()  # a comparison, or integers
    value = tensor_of(value, "the value")
    if value.shape != (n,):
        raise Problem(f"the value must have shape ({n},) for {n} tokens, not {tuple(value.shape)}")
    if not torch.isin(value, torch.tensor([0.0, 1.0], dtype=value.dtype)).all():
        raise Problem(
            f"the value may hold 0 and 1 only, and it holds {shown(value[:9])}: the counting is "
            "left to the average"
        )
    empty = (~mask).all(-1).nonzero().flatten().tolist()
    if empty:
        raise Problem(f"query {empty[0]} sees no key at all, so there is nothing to average")
    return mask, value.double()


def averaged(mask: Tensor, value: Tensor) -> Tensor:
    return mask.double() @ value / mask.sum(-1)


def counting(tokens: Tensor, seen: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Parts:
    """Make a mask from (same token, causal, first key), with the value 1 at the first key."""
    n = len(tokens)
    first = (torch.arange(n) == 0).expand(n, n)
    return seen(tokens[:, None] == tokens, lower(n), first), first[0].double()


TEXTS = [
    torch.tensor(tokens)
    for tokens in ([9, 4, 7, 4, 4, 7], [9], [3, 5], [8, 1, 2, 3, 4], [6] + [2] * 11,
                   [0, 5, 1, 5, 0 + 2, 1, 5, 2, 2, 7, 5, 1, 1, 1, 3, 5])
]  # fmt: skip
DRAWN = counting(TEXTS[0], lambda same_token, causal, first: same_token & causal | first)
MISCOUNTED: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "the tokens that come later are counted as well: the head is to be causal": (
        lambda same_token, causal, first: same_token | first
    ),
    "the query's own token is not counted": lambda same_token, causal, first: (
        same_token & causal & ~torch.eye(len(causal), dtype=torch.bool) | first
    ),
    "all tokens are counted, not only those that are equal to the query's": (
        lambda same_token, causal, first: causal
    ),
}


@puzzle(
    17,
    "count by averaging",
    budget=3,
    part=PROGRAMS,
    picture=compared(
        DRAWN[0] / DRAWN[0].sum(-1, keepdim=True),
        lambda answer: (lambda mask: mask / mask.sum(-1, keepdim=True))(
            head_of(answer, TEXTS[0])[0]
        ),
        "weights for the tokens 9 4 7 4 4 7 (9 begins the text): the weight on k0 says the count",
        "✗ differs from one way to do it",
    ),
)
def count_so_far(answer: Answer) -> str:
    """``answer(tokens)``: (mask, value); 1 / output − 1 is how often the token has occurred so far.

    The width of a selector in RASP: Weiss et al. 2021, arXiv:2106.06981.
    """
    made = [head_of(answer, tokens) for tokens in TEXTS]
    outputs = [averaged(*parts) for parts in made]
    if all(
        same(1 / out - 1, occurrences(tokens)) for out, tokens in zip(outputs, TEXTS, strict=True)
    ):
        return "Averages forget how many there were; one key that is always there remembers it."
    if all((out == 0).any() for out in outputs[2:]):
        raise Problem(
            "some outputs are 0, and 1 / 0 is no count: each query has to see key 0, whose value "
            "is 1, beside the tokens that it counts"
        )
    if all((value == 1).all() for _, value in made):
        raise Problem("every value is 1, so every average is 1: only key 0 may have the value 1")
    for message, seen in MISCOUNTED.items():
        right = [averaged(*counting(tokens, seen)) for tokens in TEXTS]
        if all(same(one, other) for one, other in zip(outputs, right, strict=True)):
            raise Problem(message)
    for tokens, out in zip(TEXTS, outputs, strict=True):
        count, wanted = 1 / out - 1, occurrences(tokens)
        if not same(count, wanted):
            i = (~torch.isclose(count, wanted)).nonzero()[0].item()
            raise Problem(
                f"for tokens {shown(tokens)} query {i} counts {count[i]:.3g} and not "
                f"{wanted[i]:.0f} (its output is {out[i]:.3g})"
            )
    raise AssertionError  # pragma: no cover (one of the texts differs)


# --- 18: look where told ------------------------------------------------------------------------


def parabola(n: int) -> Tensor:
    """Positions in two numbers: (2j, -j²)."""
    j = torch.arange(n, dtype=torch.float64)
    return torch.stack([2 * j, -(j**2)], -1)


TARGETS = [
    (6, torch.arange(5, -1, -1)),
    (1, torch.tensor([0])),
    (2, torch.tensor([1, 0, 1])),
    (5, torch.tensor([0, 0, 1, 2, 3])),
    (40, torch.tensor([39, 0, 20, 20, 7, 38])),
    (12, (5 * torch.arange(12)) % 12),
]


def looked(answer: Answer, n: int, targets: Tensor) -> Tensor:
    query = run(answer, {"targets": targets}, (len(targets), 2)).double()
    if not query.isfinite().all():
        raise Problem(f"for targets {shown(targets)} a query is not finite")
    return (query @ parabola(n).T).softmax(-1)


ENOUGH = 0.99


@puzzle(
    18,
    "look where you are told",
    budget=1,
    part=PROGRAMS,
    picture=compared(
        torch.eye(6).flip(0).double(),
        lambda answer: looked(answer, *TARGETS[0]),
        "weights for the targets 5 4 3 2 1 0: a text read backwards",
        "✗ differs",
    ),
)
def look_where_told(answer: Answer) -> str:
    """``answer(targets)``: queries (n_q, 2) for the keys (2j, −j²); .99 goes to the target."""
    came = [looked(answer, n, targets) for n, targets in TARGETS]
    hit = [
        weights.gather(-1, targets[:, None])[:, 0]
        for weights, (_, targets) in zip(came, TARGETS, strict=True)
    ]
    if all((weights >= ENOUGH).all() for weights in hit):
        return (
            "With q = β (t, 1) the score is β (t² − (t − j)²): the nearer, the higher. Two numbers "
            "find any of n positions."
        )
    finds_all = all(
        (weights.argmax(-1) == targets).all()
        for weights, (_, targets) in zip(came, TARGETS, strict=True)
    )
    if finds_all:
        least = min(float(weights.min()) for weights in hit)
        raise Problem(
            f"the target always has the largest weight, but only {least:.3f} at worst, and .99 is "
            "wanted: make the queries longer"
        )

    def read_as(made: Callable[[Tensor], Tensor]) -> bool:
        """Whether the largest weights lie where these queries, made long, would put them."""
        return all(
            torch.equal(
                weights.argmax(-1), (1e3 * made(targets.double()) @ parabola(n).T).argmax(-1)
            )
            for weights, (n, targets) in zip(came, TARGETS, strict=True)
        )

    one = torch.ones_like
    for message, made in {
        "the two numbers of the query are swapped: (t, 1) times (2j, −j²) is 2tj − j²": (
            lambda t: torch.stack([one(t), t], -1)
        ),
        "twice the target is looked at: the key has the factor 2 already": (
            lambda t: torch.stack([2 * t, one(t)], -1)
        ),
        "the sign of j² is turned: then far keys win": lambda t: torch.stack([t, -one(t)], -1),
    }.items():
        if read_as(made):
            raise Problem(message)
    for weights, (n, targets) in zip(came, TARGETS, strict=True):
        found = weights.argmax(-1)
        if not torch.equal(found, targets):
            i = (found != targets).nonzero()[0].item()
            raise Problem(
                f"of {n} keys a query whose target is {targets[i]} gives most, "
                f"{weights[i].max():.3f}, to key {found[i]}"
            )
    raise AssertionError  # pragma: no cover (one target was missed)


# --- 19: one back by turning --------------------------------------------------------------------


def circles(frequencies: Tensor, n: int) -> Tensor:
    """Positions as (cos wj, sin wj) for each frequency, (n, 2m)."""
    angle = torch.arange(n, dtype=torch.float64)[:, None] * frequencies.double()
    return torch.stack([angle.cos(), angle.sin()], -1).flatten(1)


CIRCLES = [
    (6, torch.linspace(0.2, 3.0, 6, dtype=torch.float64)),
    (2, torch.tensor([1.0], dtype=torch.float64)),
    (9, torch.tensor([0.6], dtype=torch.float64)),
    (25, torch.linspace(0.1, 2.7, 11, dtype=torch.float64)),
    (14, torch.tensor([2.9, 0.4, 1.3], dtype=torch.float64)),
]


def turned_weights(answer: Answer, n: int, frequencies: Tensor) -> Tensor:
    size = 2 * len(frequencies)
    made = call(answer, {"frequencies": frequencies})
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        came = f"{len(made)} things" if isinstance(made, (tuple, list)) else type(made).__name__
        raise Problem(f"{name_of(answer)} must return (W_Q, W_K), but it returned {came}")
    for matrix, name in zip(made, ("W_Q", "W_K"), strict=True):
        shape = tuple(tensor_of(matrix, name).shape)
        if len(shape) != 2 or shape[0] != size:
            raise Problem(
                f"{name} must have {size} rows, two for each of the {len(frequencies)} "
                f"frequencies, but its shape is {shape}"
            )
    if made[0].shape[1] != made[1].shape[1]:
        raise Problem("W_Q and W_K must have as many columns as each other")
    x = circles(frequencies, n)
    scores = (x @ made[0].detach().double()) @ (x @ made[1].detach().double()).T
    if not scores.isfinite().all():
        raise Problem("a score is not finite")
    return scores.softmax(-1)


def drawn_turn(answer: Answer) -> Tensor:
    weights = turned_weights(answer, *CIRCLES[0])
    return torch.cat([torch.zeros(1, 6).double(), weights[1:]])


@puzzle(
    19,
    "one back by turning",
    budget=4,
    part=PROGRAMS,
    picture=compared(
        torch.eye(6).double().roll(1, 0).tril(),
        drawn_turn,
        "weights of six positions, no mask; query 0 has no key before it and is not looked at",
        "✗ differs",
    ),
)
def turn_back_one(answer: Answer) -> str:
    """``answer(frequencies)``: W_Q, W_K that let each position attend to the one before it.

    Su et al. 2021, arXiv:2104.09864 turn queries and keys by their positions.
    """
    came = [turned_weights(answer, n, frequencies)[1:] for n, frequencies in CIRCLES]
    sizes = [n for n, _ in CIRCLES]

    def looks(step: int) -> bool:
        """Whether the largest weight lies `step` away, wherever there is such a key."""
        for weights, n in zip(came, sizes, strict=True):
            target = torch.arange(1, n) + step
            inside = (target >= 0) & (target < n)
            if not torch.equal(weights.argmax(-1)[inside], target[inside]):
                return False
        return True

    if looks(-1):
        least = min(float(weights.diagonal().min()) for weights in came)
        if least >= 0.9:
            return "The difference of two angles is all that a score sees, and W_Q takes 1 off it."
        raise Problem(
            f"the key before always has the largest weight, but only {least:.3f} at worst, and .9 "
            "is wanted: make W_Q larger"
        )
    for message, step in {
        "each position attends to the one after it: turn the other way (x @ W_Q multiplies a row "
        "from the left)": 1,
        "each position attends to itself: W_Q has to turn by one position": 0,
        "each position attends to the one two before it: both turn, so each by half, or one": -2,
    }.items():
        if looks(step):
            raise Problem(message)
    for weights, (n, frequencies) in zip(came, CIRCLES, strict=True):
        found = weights.argmax(-1)
        if not torch.equal(found, torch.arange(n - 1)):
            i = (found != torch.arange(n - 1)).nonzero()[0].item()
            raise Problem(
                f"for frequencies {shown(frequencies)} and n = {n} position {i + 1} gives most, "
                f"{weights[i].max():.3f}, to position {found[i]}"
            )
    raise AssertionError  # pragma: no cover (one was missed)
