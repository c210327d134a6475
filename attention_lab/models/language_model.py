"""A language model of the Llama family, from the norm of one layer to the whole model.

Read it from top to bottom, after ``transformer.py``. What is new since 2017: a norm without a mean
(`RMSNorm`), a feed-forward layer with a gate (`GatedFeedForward`), rotary positions, and query
heads that share keys and values (`GroupedAttention`). Every layer calls `attention`, the one of
notebook 07, so each head can be looked at (`recorded`), given a rule (`programmed`) and switched
off (`ablated`). Shapes: B texts in a batch, n_q queries, n_k keys, h heads, g key/value heads.

Touvron et al. 2023, *LLaMA* (arXiv:2302.13971), section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.attention import AttentionSteps, attention
from attention_lab.core.mode import Mode
from attention_lab.core.positions import rotate
from attention_lab.models.transformer import Cache

__all__ = [
    "Config",
    "GatedFeedForward",
    "GroupedAttention",
    "LanguageLayer",
    "LanguageModel",
    "RMSNorm",
    "ablated",
    "chosen",
    "mean_outputs",
    "programmed",
    "recorded",
]

Head = tuple[int, int]  # (layer, head)
STEPS = ("query", "key", "value", *AttentionSteps._fields)


@dataclass(frozen=True)
class Config:
    """The sizes of a `LanguageModel`.

    Attributes
    ----------
    n_words : int
        Tokens in the vocabulary.
    d_model, n_layers, n_heads : int
    n_kv_heads : int
        Key/value heads; each serves ``n_heads / n_kv_heads`` query heads.
    d_ff : int
        Features in the middle of the feed-forward layer.
    max_len : int
        The longest text, in tokens.
    rope_base : float
        Of the rotary positions; see `rotate`.
    eps : float
        Of the norms.
    """

    n_words: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_ff: int
    max_len: int = 8192
    rope_base: float = 100_000.0
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.n_heads % self.n_kv_heads or self.d_model % self.n_heads:
            raise ValueError(
                f"d_model = {self.d_model}, n_heads = {self.n_heads} and n_kv_heads = "
                f"{self.n_kv_heads}: each must be divisible by the next"
            )


class RMSNorm(nn.Module):
    """Divide by the root of the mean square, then scale each feature.

    Zhang and Sennrich 2019 (arXiv:1910.07467): LayerNorm without its mean and its offset.
    """

    def __init__(self, d_model: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n, d_model) to the same shape."""
        mean_square = x.square().mean(dim=-1, keepdim=True)  # (B, n, 1)
        return x * torch.rsqrt(mean_square + self.eps) * self.weight


class GatedFeedForward(nn.Module):
    """``down(silu(gate(x)) * up(x))``, for each token alone (SwiGLU, Shazeer 2020)."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n, d_model) to the same shape."""
        return self.down(F.silu(self.gate(x)) * self.up(x))  # through (B, n, d_ff)


@dataclass
class View:
    """One call of the model: where its tokens stand, and which keys its queries may see.

    Attributes
    ----------
    n_heads, n_q, n_k : int
        The queries are the last n_q of n_k tokens.
    positions, query_positions : Tensor, shape (n_q,)
        Of the keys and of the queries that are new.
    real : Tensor or None, shape (B, 1, 1, n_k)
        False where a token is padding.
    is_causal : bool
    """

    n_heads: int
    n_q: int
    n_k: int
    positions: Tensor
    query_positions: Tensor
    real: Tensor | None
    is_causal: bool
    _rules: dict[int, tuple[Tensor, Tensor | None]] = field(default_factory=dict)

    def own(self, is_causal: bool) -> Tensor | None:
        """Return the mask of the model itself, which broadcasts to (B, h, n_q, n_k)."""
        if not (is_causal and self.is_causal):
            return self.real
        ones = torch.ones(self.n_q, self.n_k, dtype=torch.bool, device=self.positions.device)
        causal = ones.tril(self.n_k - self.n_q)
        return causal if self.real is None else self.real & causal

    def rule(self, mode: Mode) -> tuple[Tensor, Tensor | None]:
        """Return what a mode shows and adds, (h, n_q, n_k): computed once, used by every layer."""
        if id(mode) not in self._rules:
            self._rules[id(mode)] = mode.dense(
                self.n_q, self.n_k, heads=self.n_heads, offset=self.n_k - self.n_q,
                device=self.positions.device,
            )  # fmt: skip
        return self._rules[id(mode)]


@dataclass(frozen=True)
class _Program:
    """A mode in some heads of a layer."""

    mode: Mode
    heads: frozenset[int]
    is_causal: bool


class GroupedAttention(nn.Module):
    """Causal self-attention in which several query heads share a key and a value head.

    Ainslie et al. 2023 (arXiv:2305.13245). Query head i uses key/value head ``i // (h / g)``, so
    a cache holds g and not h keys and values for each token.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        self.d_head, self.base = config.d_model // config.n_heads, config.rope_base
        narrow = config.n_kv_heads * self.d_head
        self.query = nn.Linear(config.d_model, config.d_model, bias=False)
        self.key = nn.Linear(config.d_model, narrow, bias=False)
        self.value = nn.Linear(config.d_model, narrow, bias=False)
        self.out = nn.Linear(config.d_model, config.d_model, bias=False)
        self.programs: list[_Program] = []  # see `programmed`
        self.replaced: list[dict[int, Tensor]] = []  # see `ablated`
        self.records: list[Callable[[dict[str, Tensor]], None]] = []  # see `recorded`

    def forward(self, x: Tensor, view: View, cache: Cache | None = None) -> Tensor:
        """Map tokens (B, n_q, d_model) to the same shape."""
        q = self.query(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, h, n_q, d_head)
        k = self.key(x).unflatten(-1, (self.n_kv_heads, -1)).transpose(1, 2)  # (B, g, n_q, d_head)
        v = self.value(x).unflatten(-1, (self.n_kv_heads, -1)).transpose(1, 2)
        q = rotate(q, view.query_positions, base=self.base)
        k = rotate(k, view.positions, base=self.base)
        if cache is not None:
            cache.check(x)
            k, v = cache.add(k, v)  # (B, g, n_k, d_head)
        shared_by = self.n_heads // self.n_kv_heads
        k = k.repeat_interleave(shared_by, dim=1)  # (B, g, n_k, d_head) -> (B, h, n_k, d_head)
        v = v.repeat_interleave(shared_by, dim=1)
        steps = self._steps(q, k, v, view)
        if self.replaced:
            steps = steps._replace(output=self._replace(steps.output))
        for record in self.records:
            record({"query": q, "key": k, "value": v, **steps._asdict()})
        joined = steps.output.transpose(1, 2).flatten(2)  # (B, h, n_q, d_head) -> (B, n_q, d_model)
        return self.out(joined)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "programs": [], "replaced": [], "records": []}  # a copy is free

    def _steps(self, q: Tensor, k: Tensor, v: Tensor, view: View) -> AttentionSteps:
        """Attend in all heads; those that obey the same modes are computed together."""
        if not self.programs:
            return attention(q, k, v, attn_mask=view.own(is_causal=True))
        groups: dict[tuple[int, ...], list[int]] = {}
        for head in range(self.n_heads):
            obeyed = tuple(i for i, each in enumerate(self.programs) if head in each.heads)
            groups.setdefault(obeyed, []).append(head)
        parts = [
            _attend(
                q[:, heads], k[:, heads], v[:, heads],
                [self.programs[i] for i in obeyed], heads, view,
            )
            for obeyed, heads in groups.items()
        ]  # fmt: skip
        order = torch.tensor([head for heads in groups.values() for head in heads]).argsort()
        joined = (torch.cat(step, dim=1)[:, order] for step in zip(*parts, strict=True))
        return AttentionSteps(*joined)

    def _replace(self, output: Tensor) -> Tensor:
        """Put given vectors in the place of what some heads say: (B, h, n_q, d_head)."""
        output = output.clone()
        for vectors in self.replaced:
            for head, vector in vectors.items():
                output[:, head] = vector
        return output


def _attend(
    q: Tensor, k: Tensor, v: Tensor, programs: list[_Program], heads: list[int], view: View
) -> AttentionSteps:
    """Attend in heads that obey the same programs: (B, h of them, n_q or n_k, d_head)."""
    visible = view.own(all(program.is_causal for program in programs))
    bias, scale, rules, normalizer = None, 1 / math.sqrt(q.shape[-1]), [], None
    for mode in (program.mode for program in programs):
        seen, added = view.rule(mode)  # (h, n_q, n_k)
        visible = seen[heads] if visible is None else visible & seen[heads]
        if added is not None:
            bias = added[heads] if bias is None else bias + added[heads]
        scale = scale / mode.temperature
        if mode.score_mod is not None:
            rules.append(mode.score_mod)
        normalizer = mode.normalizer or normalizer
    mask = visible
    if bias is not None:
        mask = torch.where(visible, bias.to(q.dtype), -math.inf)  # (B or 1, h of them, n_q, n_k)
    score_mod = _one_after_another(rules, heads, view.n_k - view.n_q) if rules else None
    steps = attention(q, k, v, attn_mask=mask, scale=scale, score_mod=score_mod)
    if normalizer is None:
        return steps
    # A normaliser may have a number for each head, so it gets all heads.
    masked = q.new_zeros(len(q), view.n_heads, view.n_q, view.n_k)
    masked[:, heads] = steps.masked
    weights = normalizer(masked)[:, heads]  # (B, h of them, n_q, n_k)
    return steps._replace(weights=weights, output=weights @ v)


def _one_after_another(rules: list[Callable], heads: list[int], offset: int) -> Callable:
    """Join score rules, which count heads and queries as the whole model does."""
    numbers = torch.tensor(heads)

    def score_mod(score: Tensor, b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        for rule in rules:
            score = rule(score, b, numbers[h], q_idx + offset, kv_idx)
        return score

    return score_mod


class LanguageLayer(nn.Module):
    """Self-attention, then feed-forward, each with a norm before it and a way around it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.d_model, config.eps)
        self.attention = GroupedAttention(config)
        self.feed_forward_norm = RMSNorm(config.d_model, config.eps)
        self.feed_forward = GatedFeedForward(config.d_model, config.d_ff)

    def forward(self, x: Tensor, view: View, cache: Cache | None = None) -> Tensor:
        """Map tokens (B, n_q, d_model) to the same shape."""
        x = x + self.attention(self.attention_norm(x), view, cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class LanguageModel(nn.Module):
    """From tokens to what may follow each of them.

    Parameters
    ----------
    config : Config

    Examples
    --------
    >>> config = Config(n_words=50, d_model=12, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=20)
    >>> model = LanguageModel(config)
    >>> model(torch.tensor([[3, 1, 4, 1]])).shape
    torch.Size([1, 4, 50])
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.n_words, config.d_model)
        if self.words.weight.device.type != "meta":
            nn.init.normal_(self.words.weight, std=config.d_model**-0.5)
        self.layers = nn.ModuleList(LanguageLayer(config) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.d_model, config.eps)

    @property
    def is_causal(self) -> bool:
        """Whether no program of `programmed` lets a token see later ones."""
        return all(p.is_causal for layer in self.layers for p in layer.attention.programs)

    def forward(self, tokens: Tensor, **options) -> Tensor:
        """Say what may follow each token: logits (B, n_q, n_words).

        The arguments are those of `hidden`.
        """
        return self.readout(self.hidden(tokens, **options))

    def readout(self, x: Tensor) -> Tensor:
        """Compare (B, n_q, d_model) with the vector of each word: logits (B, n_q, n_words)."""
        return F.linear(x, self.words.weight)

    def hidden(
        self,
        tokens: Tensor,
        *,
        caches: Sequence[Cache] | None = None,
        real: Tensor | None = None,
        is_causal: bool = True,
        positions: Tensor | None = None,
        query_positions: Tensor | None = None,
    ) -> Tensor:
        """Read tokens, and return the vectors that the readout takes: (B, n_q, d_model).

        Parameters
        ----------
        tokens : Tensor, shape (B, n_q)
        caches : sequence of Cache, optional
            Of `new_caches`: only tokens that are new since the last call are given.
        real : Tensor, shape (B, n_k), optional
            Boolean; False where a token is padding, in front of a text or behind it. With caches
            n_k counts the tokens that are kept.
        is_causal : bool
            False lets tokens see later ones: only to show what goes wrong.
        positions, query_positions : Tensor, shape (n_q,), optional
            Of the tokens as keys and as queries, perhaps fractions. If not given they count from
            0, or on from those kept; queries stand where keys do.

        Raises
        ------
        ValueError
            Tokens of another shape, none at all, too many, or not in the vocabulary; or a mask
            or positions of another shape.
        """
        kept = len(caches[0]) if caches else 0
        self._check(tokens, kept, real)
        n_q = tokens.shape[1]
        if positions is None:
            positions = torch.arange(kept, kept + n_q, device=tokens.device)
        query_positions = positions if query_positions is None else query_positions
        for name, each in (("positions", positions), ("query_positions", query_positions)):
            if each.shape != (n_q,):
                raise ValueError(
                    f"{name} has shape {tuple(each.shape)}, but there are {n_q} tokens: ({n_q},)"
                )
        mask = None if real is None else real[:, None, None, :]  # (B, 1, 1, n_k)
        view = View(
            self.config.n_heads, n_q, kept + n_q, positions, query_positions, mask, is_causal
        )
        x = self.words(tokens)  # (B, n_q) -> (B, n_q, d_model)
        for i, layer in enumerate(self.layers):
            x = layer(x, view, caches[i] if caches else None)  # (B, n_q, d_model)
        return self.norm(x)

    def new_caches(self) -> list[Cache]:
        """Return empty caches for `forward`, one for each layer."""
        return [Cache(grows=True) for _ in self.layers]

    def _check(self, tokens: Tensor, kept: int, real: Tensor | None) -> None:
        if tokens.ndim != 2 or tokens.numel() == 0:
            hint = ": tokens[None] makes a batch of one text" if tokens.ndim == 1 else ""
            raise ValueError(
                f"tokens has shape {tuple(tokens.shape)}, but it must be (B, n), with at least one "
                f"text of one token{hint}"
            )
        n_k, n_words = kept + tokens.shape[1], self.config.n_words
        if n_k > self.config.max_len:
            raise ValueError(
                f"{n_k} tokens, but the model reads at most {self.config.max_len}: shorten the text"
            )
        wrong = tokens[(tokens < 0) | (tokens >= n_words)]
        if len(wrong):
            raise ValueError(
                f"there is no token {wrong[0].item()}: the vocabulary has {n_words}, "
                f"0 to {n_words - 1}"
            )
        if real is not None and (real.dtype != torch.bool or real.shape != (len(tokens), n_k)):
            raise ValueError(
                f"real has shape {tuple(real.shape)} and dtype {real.dtype}, but it must be "
                f"boolean and ({len(tokens)}, {n_k}): one for each token, those kept included"
            )


# --- looking at heads, and changing what they do ----------------------------------------------


def chosen(
    config: Config,
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | Iterable[Head] | None = None,
) -> list[Head]:
    """Return the (layer, head) pairs that are meant, in order.

    Parameters
    ----------
    config : Config
    layers : int or iterable of int, optional
        None: all.
    heads : int, iterable of int, or iterable of (layer, head), optional
        None: all. Numbers are meant in each of the layers; pairs name their layer themselves.

    Raises
    ------
    ValueError
        A layer or head that is not there, pairs together with layers, or a bare ``(3, 4)``, which
        may mean two heads or one pair.

    Examples
    --------
    >>> config = Config(n_words=50, d_model=12, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=20)
    >>> chosen(config, layers=1, heads=[0, 5])
    [(1, 0), (1, 5)]
    >>> chosen(config, heads=[(1, 2), (0, 3)])
    [(0, 3), (1, 2)]
    """
    if isinstance(heads, tuple) and len(heads) == 2 and all(isinstance(i, int) for i in heads):
        raise ValueError(
            f"heads={heads} may mean two heads or one pair: write {list(heads)} for the heads "
            f"{heads[0]} and {heads[1]}, [{heads}] for head {heads[1]} of layer {heads[0]}"
        )
    heads = _listed(heads, config.n_heads)
    if any(isinstance(head, tuple) for head in heads):
        if layers is not None:
            raise ValueError(
                "heads are given as (layer, head), which name their layers: leave out layers="
            )
        pairs = heads
    else:
        pairs = [(layer, head) for layer in _listed(layers, config.n_layers) for head in heads]
    for layer, head in pairs:
        if not (0 <= layer < config.n_layers and 0 <= head < config.n_heads):
            raise ValueError(
                f"there is no head {head} in a layer {layer}: layers are 0 to "
                f"{config.n_layers - 1}, heads 0 to {config.n_heads - 1}"
            )
    return sorted(set(pairs))


def _listed(given: int | Iterable | None, number: int) -> list:
    if given is None:
        return list(range(number))
    return [given] if isinstance(given, int) else list(given)


@contextmanager
def _kept(model: LanguageModel, what: str, added: Mapping[int, object]) -> Iterator[None]:
    """Add something to the list ``what`` of some layers, and take it away at the end."""
    lists = {i: getattr(model.layers[i].attention, what) for i in added}
    for i, each in added.items():
        lists[i].append(each)
    try:
        yield
    finally:
        for i, each in added.items():
            # by identity: two equal programs may be nested
            lists[i][:] = [other for other in lists[i] if other is not each]


def _by_layer(pairs: Sequence[Head]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for layer, head in pairs:
        found.setdefault(layer, []).append(head)
    return found


@contextmanager
def programmed(
    model: LanguageModel,
    mode: Mode,
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | Iterable[Head] | None = None,
    *,
    causal: bool = True,
) -> Iterator[None]:
    """Let a mode act in some heads of a model, for the time of a ``with``.

    A rule gets the true ``q_idx``, ``kv_idx`` and ``h`` of the whole text, also where earlier
    tokens are in a cache. Nested ones act together: a key must be visible to each, biases add,
    temperatures multiply, score rules run from the outer to the inner, and of the normalisers the
    innermost counts.

    Parameters
    ----------
    model : LanguageModel
    mode : Mode
        See ``core/modes.py``.
    layers, heads
        As for `chosen`; all, if not given.
    causal : bool
        False: the model's own causal mask is left out in these heads.

    Raises
    ------
    ValueError
        As `chosen`.
    """
    by_layer = _by_layer(chosen(model.config, layers, heads))
    programs = {i: _Program(mode, frozenset(own), causal) for i, own in by_layer.items()}
    with _kept(model, "programs", programs):
        yield


@contextmanager
def ablated(
    model: LanguageModel,
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | Iterable[Head] | None = None,
    *,
    vectors: Mapping[Head, Tensor] | None = None,
) -> Iterator[None]:
    """Switch heads off: what they add is zero, or a vector that says nothing of this text.

    Parameters
    ----------
    model : LanguageModel
    layers, heads
        As for `chosen`; all, if not given.
    vectors : mapping of (layer, head) to Tensor, shape (d_head,) or (n_q, d_head), optional
        What each head gives instead of its output, such as `mean_outputs`. None: zero.

    Raises
    ------
    ValueError
        As `chosen`, or a head that has no vector.
    """
    pairs = chosen(model.config, layers, heads)
    if vectors is not None and (missing := [pair for pair in pairs if pair not in vectors]):
        raise ValueError(f"there is no vector for head {missing[0]}")
    zero = torch.zeros(())
    replaced = {
        layer: {head: zero if vectors is None else vectors[layer, head] for head in own}
        for layer, own in _by_layer(pairs).items()
    }
    with _kept(model, "replaced", replaced):
        yield


@contextmanager
def recorded(
    model: LanguageModel,
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | Iterable[Head] | None = None,
    *,
    step: str = "weights",
) -> Iterator[dict[Head, list[Tensor]]]:
    """Keep what chosen heads compute while the model runs, and nothing of the others.

    Parameters
    ----------
    model : LanguageModel
    layers, heads
        As for `chosen`; all, if not given.
    step : str
        "weights", or another step: "query" and "key" (after the rotation), "value", "scores",
        "scaled", "masked", "output".

    Yields
    ------
    dict of (layer, head) to list of Tensor
        One for each call of the model: (B, n_q, n_k), or (B, n, d_head).

    Raises
    ------
    ValueError
        As `chosen`, or there is no such step.

    Examples
    --------
    >>> config = Config(n_words=50, d_model=12, n_layers=2, n_heads=6, n_kv_heads=2, d_ff=20)
    >>> model = LanguageModel(config)
    >>> with recorded(model, heads=[(1, 5)]) as weights:
    ...     logits = model(torch.tensor([[3, 1, 4, 1]]))
    >>> weights[1, 5][0].shape
    torch.Size([1, 4, 4])
    """
    if step not in STEPS:
        raise ValueError(f"step must be one of {', '.join(STEPS)}, not {step!r}")
    pairs = chosen(model.config, layers, heads)
    found: dict[Head, list[Tensor]] = {pair: [] for pair in pairs}

    def keep_of(layer: int, own: list[int]) -> Callable[[dict[str, Tensor]], None]:
        def keep(steps: dict[str, Tensor]) -> None:
            taken = steps[step].detach()[:, own]  # a copy: what is not asked for can go
            for head, each in zip(own, taken.unbind(dim=1), strict=True):
                found[layer, head].append(each)

        return keep

    records = {layer: keep_of(layer, own) for layer, own in _by_layer(pairs).items()}
    with _kept(model, "records", records):
        yield found


@torch.no_grad()
def mean_outputs(
    model: LanguageModel,
    texts: Iterable[Tensor],
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | Iterable[Head] | None = None,
) -> dict[Head, Tensor]:
    """Return what heads say on average over all tokens of some texts, for `ablated`.

    Parameters
    ----------
    model : LanguageModel
    texts : iterable of Tensor, shape (B, n)
    layers, heads
        As for `chosen`; all, if not given.

    Returns
    -------
    dict of (layer, head) to Tensor, shape (d_head,)
    """
    with recorded(model, layers, heads, step="output") as outputs:
        for tokens in texts:
            model.hidden(tokens)
    return {
        pair: torch.cat([each.flatten(0, 1) for each in calls]).mean(dim=0)
        for pair, calls in outputs.items()
    }
