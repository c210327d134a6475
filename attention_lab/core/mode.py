"""A mode: how attention is to be done, as a small value that can be joined, written out and run.

The library of them is `attention_lab.core.modes`.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.core.attention import HALF, AttentionSteps, attention
from attention_lab.core.masks import everything
from attention_lab.core.rules import MaskMod, ScoreMod, at_each_point, source_of

__all__ = ["Bias", "Mode", "Normalizer"]

Bias = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Normalizer = Callable[[Tensor], Tensor]

OR, AND, ONE = range(3)  # how tightly the words of a mask hold together
# parts of which a mode can have one only, what stands for none, and why two cannot be joined
ONLY_ONE = {
    "temperature": (1, "a temperature: the scores are divided once"),
    "score_mod": (None, "a score_mod: which of the two acts first would change the result"),
    "normalizer": (None, "a normaliser: the weights are made once"),
}


class Words(NamedTuple):
    """A mode in words: its mask, how tightly those words hold together, and what comes on top."""

    mask: str
    tight: int = ONE
    more: tuple[str, ...] = ()

    def within(self, tight: int) -> str:
        """Return the words of the mask, in brackets if they would fall apart there."""
        return f"({self.mask})" if self.tight < tight else self.mask

    def __str__(self) -> str:
        return f"{self.mask}, plus {' and '.join(self.more)}" if self.more else self.mask


@dataclass(frozen=True, eq=False, repr=False)
class Mode:
    """How attention is to be done: who is seen, with what prior, and how sharply.

    Its parts act in this order on the scaled scores s: ``s / temperature``, then ``score_mod``,
    plus ``bias``; ``mask_mod`` hides; ``normalizer`` makes weights. Masks are joined by ``&``,
    ``|`` and ``~``, all else by ``+``.

    Parameters
    ----------
    name : str
        The rule in a few words. The name of a joined mode is made of the names of its parts.
    mask_mod : callable
        ``mask_mod(b, h, q_idx, kv_idx)`` is True where the query may attend to the key. Each rule
        is called on scalar tensors, as flex_attention does.
    bias : callable, optional
        ``bias(b, h, q_idx, kv_idx)`` is the number that is added to the score.
    score_mod : callable, optional
        ``score_mod(score, b, h, q_idx, kv_idx)`` is the new score: for what is no sum.
    temperature : float
    normalizer : callable, optional
        Takes the masked scores (..., n_k), ``-inf`` where hidden, and gives weights of the same
        shape; softmax if not given. Its rows have to sum to 1, or to what its method
        ``row_sums(masked)`` gives, if it has one.
    positions : int, optional
        How many positions the rules know (the nodes of a tree); any number if not given.

    Raises
    ------
    TypeError
        A rule that takes other arguments, is plain Python, or returns another type. The message
        has the rule, and its right form if that can be found.
    ValueError
        A rule that raises or returns more than one number; a temperature that is not above 0.

    Examples
    --------
    >>> before = Mode("the key before", lambda b, h, q_idx, kv_idx: kv_idx == q_idx - 1)
    >>> before.dense(3, 3)[0].int()
    tensor([[[0, 0, 0],
             [1, 0, 0],
             [0, 1, 0]]], dtype=torch.int32)
    >>> print(~before)
    not the key before
    >>> (~before).pairs(3)
    7
    """

    name: str
    mask_mod: MaskMod = everything
    bias: Bias | None = field(default=None, kw_only=True)
    score_mod: ScoreMod | None = field(default=None, kw_only=True)
    temperature: float = field(default=1.0, kw_only=True)
    normalizer: Normalizer | None = field(default=None, kw_only=True)
    positions: int | None = field(default=None, kw_only=True)
    words: Words | None = field(default=None, kw_only=True)  # given where they are composed

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(
                f"a mode begins with its name, a text, but the name is {self.name!r}: write "
                'Mode("in a few words", rule)'
            )
        is_number = isinstance(self.temperature, (int, float))
        if not is_number or not 0 < self.temperature < math.inf:
            raise ValueError(
                f"a temperature must be one number above 0, but it is {self.temperature!r}"
            )
        if self.normalizer is not None and not callable(self.normalizer):
            raise TypeError(
                f"the normaliser of “{self.name}” must be a function of the masked scores, but it "
                f"is {self.normalizer!r}"
            )
        if self.words is None:  # the rules of a joined mode were checked when its parts were made
            for part in ("mask_mod", "bias", "score_mod"):
                if getattr(self, part) is not None:
                    _check_rule(self.name, part, getattr(self, part))
            has_mask = self.mask_mod is not everything
            mask = self.name if has_mask or self.is_mask else "every key"
            more = f"the rest of “{self.name}”" if has_mask else self.name
            words = Words(mask, ONE, () if self.is_mask else (more,))
            object.__setattr__(self, "words", words)

    @property
    def is_mask(self) -> bool:
        """True if the mode has a mask and no other part."""
        return self.score_rule is None and self.normalizer is None

    @property
    def score_rule(self) -> ScoreMod | None:
        """Temperature, ``score_mod`` and bias as one rule, for flex_attention; None without any."""
        heat, changed, bias = self.temperature, self.score_mod, self.bias
        if heat == 1 and bias is None:
            return changed

        def score_rule(score: Tensor, b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor):
            if heat != 1:
                score = score / heat
            if changed is not None:
                score = changed(score, b, h, q_idx, kv_idx)
            return score if bias is None else score + bias(b, h, q_idx, kv_idx)

        return score_rule

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Mode: {self.name}>"

    # --- joining --------------------------------------------------------------------------------

    def __and__(self, other: Mode) -> Mode:
        """Both masks must let a pair through. The same as ``+``: a mask is a bias of ``-inf``."""
        return _both(self, other, "&")

    def __add__(self, other: Mode) -> Mode:
        """Add the biases, and let through what both masks let through."""
        return _both(self, other, "+")

    def __or__(self, other: Mode) -> Mode:
        """One of the two masks must let a pair through."""
        _check_mode(other, "|")
        for mode in (self, other):
            if not mode.is_mask:
                raise TypeError(
                    f"| joins masks, but “{mode}” has also {_more_parts(mode)}: what would a pair "
                    "get of it that the other mask lets through? Join the masks by |, then add the "
                    "rest by +"
                )
        first, second = self.mask_mod, other.mask_mod
        words = Words(f"{self.words.within(OR)} or {other.words.within(OR)}", OR)
        return Mode(
            str(words),
            lambda b, h, q_idx, kv_idx: first(b, h, q_idx, kv_idx) | second(b, h, q_idx, kv_idx),
            positions=_fewer(self, other),
            words=words,
        )

    def __invert__(self) -> Mode:
        """Let through what was hidden, and hide what was let through."""
        if not self.is_mask:
            raise TypeError(
                f"~ turns a mask round, but “{self}” has also {_more_parts(self)}, which has no "
                "opposite: turn the mask round, then add the rest by +"
            )
        mask_mod = self.mask_mod
        words = Words(f"not {self.words.within(ONE)}", ONE)
        return Mode(
            str(words),
            lambda b, h, q_idx, kv_idx: ~mask_mod(b, h, q_idx, kv_idx),
            positions=self.positions,
            words=words,
        )

    def __bool__(self) -> bool:
        raise TypeError(
            "a mode is neither True nor False: write & for and, | for or, ~ for not, as in "
            "modes.causal & ~modes.sink(1)"
        )

    # --- running --------------------------------------------------------------------------------

    def attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        scale: float | None = None,
        offset: int = 0,
    ) -> AttentionSteps:
        """Run the mode through our `attention`.

        Parameters
        ----------
        query : Tensor, shape (n_q, d_k), (b, n_q, d_k) or (b, h, n_q, d_k)
        key : Tensor, shape (..., n_k, d_k)
        value : Tensor, shape (..., n_k, d_v)
        scale : float, optional
            As for `attention`.
        offset : int
            The position of the first query: n_k - n_q where a cache has the keys before it.

        Returns
        -------
        AttentionSteps
            ``scaled`` is after temperature, ``score_mod`` and bias.
        """
        # Half precision is computed in float32 as in `attention`, up to the output.
        dtype = getattr(query, "dtype", None)
        half = dtype in HALF and dtype == key.dtype == value.dtype
        inputs = [each.float() if half else each for each in (query, key, value)]
        mask_mod = None if self.mask_mod is everything else _moved(self.mask_mod, offset)
        score_mod = self.score_rule and _moved(self.score_rule, offset)
        if all(getattr(each, "ndim", 0) > 1 for each in inputs):  # if not, `attention` says so
            self._check_size(query.shape[-2], key.shape[-2], offset)
        steps = attention(*inputs, scale=scale, score_mod=score_mod, mask_mod=mask_mod)
        if self.normalizer is not None:
            weights = self._normalized(steps.masked)
            steps = steps._replace(weights=weights, output=weights @ inputs[2])
        return AttentionSteps(*(step.to(dtype) for step in steps))

    def dense(
        self,
        n_q: int,
        n_k: int,
        *,
        heads: int = 1,
        offset: int = 0,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Write the mask and the bias out.

        Parameters
        ----------
        n_q, n_k : int
            Number of queries and of keys.
        heads : int
        offset : int
            The position of the first query: n_k - n_q where a cache has the keys before it.
        dtype : torch.dtype, optional
            Of the bias; PyTorch's default if not given.
        device : torch.device, optional

        Returns
        -------
        visible : Tensor, shape (heads, n_q, n_k), boolean
            True = may attend.
        bias : Tensor, shape (heads, n_q, n_k), floating point; None if the mode has none
            A gradient reaches what was learned in it.

        Raises
        ------
        ValueError
            More positions than the mode knows.
        """
        self._check_size(n_q, n_k, offset)
        shape = torch.Size((1, heads, n_q, n_k))
        visible = at_each_point(
            _moved(self.mask_mod, offset), f"the mask of “{self}”", shape, device=device
        )[0]
        if self.bias is None:
            return visible, None
        zeros = torch.zeros(shape, dtype=dtype, device=device)
        rule = _moved(_as_score_mod(self.bias, self.name), offset)
        return visible, at_each_point(rule, f"the bias of “{self}”", shape, zeros, device=device)[0]

    def attn_mask(self, n_q: int, n_k: int, **options: Any) -> Tensor:
        """Return what PyTorch's scaled_dot_product_attention adds to the scores.

        Parameters are those of `dense`.

        Returns
        -------
        Tensor, shape (heads, n_q, n_k), floating point
            The bias, and ``-inf`` where a key is hidden.

        Raises
        ------
        ValueError
            The mode has a part that no sum can do: the message says what does it.
        """
        if self.score_mod is not None or self.normalizer is not None:
            raise ValueError(
                f"“{self}” has {_more_parts(self)}, and no number that is added to a score does "
                "the same: run it by mode.attention(query, key, value)"
            )
        if self.temperature != 1:
            raise ValueError(
                f"“{self}” has a temperature, and no number that is added to a score does the "
                "same: leave it out of the mode, and give scaled_dot_product_attention "
                f"scale=1 / (math.sqrt(d_k) * {self.temperature:g})"
            )
        visible, bias = self.dense(n_q, n_k, **options)
        if bias is None:
            dtype, device = options.get("dtype"), options.get("device")
            bias = torch.zeros(visible.shape, dtype=dtype, device=device)
        return bias.masked_fill(~visible, -math.inf)

    # --- counting -------------------------------------------------------------------------------

    def pairs(self, n: int, *, heads: int = 1) -> int:
        """Return how many pairs of n queries and n keys are kept, in all heads together."""
        return int(self.dense(n, n, heads=heads)[0].sum())

    def skippable_blocks(self, n: int, block: int = 128) -> float:
        """Return the share of blocks of keys that nobody has to read, in the first head.

        Parameters
        ----------
        n : int
            Number of queries and of keys.
        block : int
            Rows and columns of a block; flex_attention takes 128.
        """
        visible = self.dense(n, n)[0][:1]
        return 1 - F.max_pool2d(visible.float(), block, ceil_mode=True).mean().item()

    def _check_size(self, n_q: int, n_k: int, offset: int) -> None:
        asked = max(offset + n_q, n_k)
        if self.positions is not None and asked > self.positions:
            raise ValueError(f"“{self}” has {self.positions} positions, but {asked} are asked for")

    def _normalized(self, masked: Tensor) -> Tensor:
        weights = self.normalizer(masked)
        if getattr(weights, "shape", None) != masked.shape:
            came = tuple(weights.shape) if isinstance(weights, Tensor) else type(weights).__name__
            raise ValueError(
                f"the normaliser of “{self}” must give weights of the shape of the scores, "
                f"{tuple(masked.shape)}, but it gave {came}"
            )
        return weights


# --- joining ------------------------------------------------------------------------------------


def _both(first: Mode, second: Mode, sign: str) -> Mode:
    """Masks by AND, biases by sum; of every other part one of the two may bring one."""
    _check_mode(second, sign)
    kept = {}
    for part, (none, why) in ONLY_ONE.items():
        given = [getattr(mode, part) for mode in (first, second)]
        given = [each for each in given if each is not none and each != none]
        if len(given) == 2:
            raise ValueError(f"“{first}” and “{second}” both have {why}. Leave one of them out")
        if given:
            kept[part] = given[0]
    hiding = [mode for mode in (first, second) if mode.mask_mod is not everything]
    mask_mod, words = everything, first.words
    if len(hiding) == 1:
        mask_mod, words = hiding[0].mask_mod, hiding[0].words
    if len(hiding) == 2:
        mask_mod = _joined(first.mask_mod, second.mask_mod, operator.and_)
        words = Words(f"{first.words.within(AND)} and {second.words.within(AND)}", AND)
    bias = first.bias or second.bias
    if first.bias and second.bias:
        bias = _joined(first.bias, second.bias, operator.add)
    words = words._replace(more=first.words.more + second.words.more)
    return Mode(
        str(words), mask_mod, bias=bias, positions=_fewer(first, second), words=words, **kept
    )


def _joined(first: Callable, second: Callable, join: Callable) -> Callable:
    def joined(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        return join(first(b, h, q_idx, kv_idx), second(b, h, q_idx, kv_idx))

    return joined


def _fewer(first: Mode, second: Mode) -> int | None:
    known = [mode.positions for mode in (first, second) if mode.positions is not None]
    return min(known, default=None)


def _more_parts(mode: Mode) -> str:
    named = {
        "a temperature": mode.temperature != 1,
        "a score_mod": mode.score_mod,
        "a bias": mode.bias,
        "a normaliser": mode.normalizer,
    }
    return " and ".join(name for name, has in named.items() if has)


def _check_mode(other: Any, sign: str) -> None:
    if not isinstance(other, Mode):
        raise TypeError(
            f"{sign} joins two modes, but one is a {type(other).__name__}: "
            'Mode("in a few words", rule) makes a mode of a rule'
        )


def _moved(rule: Callable, offset: int) -> Callable:
    """Shift the queries of a rule: the first has the position ``offset``."""
    if offset == 0:
        return rule

    def moved(*arguments: Tensor) -> Tensor:
        *before, q_idx, kv_idx = arguments
        return rule(*before, q_idx + offset, kv_idx)

    return moved


# --- a rule as a learner writes it ----------------------------------------------------------------


def _as_score_mod(bias: Bias, name: str) -> ScoreMod:
    def added(score: Tensor, b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        number = bias(b, h, q_idx, kv_idx)
        is_truth = isinstance(number, bool) or getattr(number, "dtype", None) == torch.bool
        if is_truth or not isinstance(number, (int, float, Tensor)):
            came = "True or False" if is_truth else f"a {type(number).__name__}"
            mask = ": what says True or False is a mask, mask_mod=" if is_truth else ""
            raise TypeError(
                f"the bias of “{name}” must return a number, but it returned {came}{mask}"
            )
        return score + number

    added.__wrapped__ = bias  # so that a message shows the learner's own line
    return added


def _check_rule(name: str, part: str, rule: Any) -> None:
    """Call a rule on one pair, so that what is wrong in it is said where it is written."""
    called = f"the {'mask' if part == 'mask_mod' else part} of “{name}”"
    if not callable(rule):
        raise TypeError(f"{called} must be a function, but it is {rule!r}")
    wanted = ["b", "h", "q_idx", "kv_idx"]
    if part == "score_mod":
        wanted.insert(0, "score")
    try:
        inspect.signature(rule).bind(*wanted)
    except TypeError:
        raise TypeError(
            f"{called} is called with ({', '.join(wanted)}), but it takes "
            f"{inspect.signature(rule)}: write lambda {', '.join(wanted)}: ..."
        ) from None
    scores = () if part == "mask_mod" else (torch.zeros(1, 1),)
    tried = _as_score_mod(rule, name) if part == "bias" else rule
    try:
        at_each_point(tried, called, torch.Size((1, 1)), *scores)
    except Exception as error:
        if str(error).startswith(called):
            raise
        written = source_of(rule)
        shown = f", “{written}”," if written else ""
        raise ValueError(f"{called}{shown} raised {type(error).__name__}: {error}") from error
