"""A Transformer, from one attention layer with several heads to a whole encoder-decoder.

Read it from top to bottom; each class uses the ones above it. Shapes: B sentences in a batch,
n_q queries, n_k keys, h heads. A mask is True where a query may attend.

Vaswani et al. 2017, *Attention Is All You Need*, section 3. There each norm comes after its
residual sum (post-norm, ``norm_first=False``, PyTorch's default). Here it comes before its layer
(pre-norm, ``norm_first=True``), unless said otherwise. Xiong et al. 2020 (arXiv:2002.04745) show
that at the start the gradients near the output are large in a post-norm Transformer and not in a
pre-norm one; their pre-norm models, trained without the warm-up of the learning rate, came out
about as good as post-norm models with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attention_lab.core.attention import attention
from attention_lab.core.positions import alibi_bias, rotate, sinusoidal
from attention_lab.models.evaluation import evaluation
from attention_lab.models.vocabulary import END, PAD, START

__all__ = [
    "POSITIONS",
    "Cache",
    "Decoder",
    "DecoderLayer",
    "Embedding",
    "Encoder",
    "EncoderLayer",
    "FeedForward",
    "MultiHeadAttention",
    "Residual",
    "Transformer",
    "recorded",
]

POSITIONS = ("none", "sinusoidal", "learned", "rotary", "alibi")


class Cache:
    """The keys and values of one attention, kept from one written word to the next.

    Parameters
    ----------
    grows : bool
        True for self-attention: each step adds its own. False for cross-attention: those of the
        source are computed once, and belong to that source.
    """

    def __init__(self, grows: bool) -> None:
        self.grows = grows
        self.key: Tensor | None = None  # (B, h, n_k, d_k)
        self.value: Tensor | None = None  # (B, h, n_k, d_v)
        self.source: Tensor | None = None  # (B, n_k, d_model), what they were computed from

    def __len__(self) -> int:
        return 0 if self.key is None else self.key.shape[-2]

    @property
    def is_complete(self) -> bool:
        """Whether all keys and values are here, so that none are to be computed."""
        return not self.grows and self.key is not None

    def add(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep new ones behind the old ones, and return all."""
        if self.key is not None:
            key = torch.cat([self.key, key], dim=-2)
            value = torch.cat([self.value, value], dim=-2)
        self.key, self.value = key, value
        return key, value

    def check(self, source: Tensor) -> None:
        """Hold the keys that come to the source, or to the batch, of those that are kept.

        Raises
        ------
        ValueError
            They belong to another source, or to another number of sentences.
        """
        if self.key is None:
            return
        if self.grows and len(self.key) != len(source):
            raise ValueError(
                f"the cache holds {len(self.key)} sentences, and {len(source)} came: begin again "
                "with new caches"
            )
        if not self.grows and source is not self.source and not _equal(source, self.source):
            raise ValueError(
                "the cache holds keys and values of another source: begin again with new caches"
            )


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


class MultiHeadAttention(nn.Module):
    """``Concat(head_1 ... head_h) W_O``, each head an attention of its own (section 3.2.2).

    Parameters
    ----------
    d_model : int
    n_heads : int
    d_k, d_v : int, optional
        Features of a query or key, and of a value, in each head; ``d_model / n_heads`` if not
        given.
    dropout : float
        Share of the weights that are set to 0 while it is trained.
    position : str
        "rotary" or "alibi": the head sees positions. Anything else: it does not.

    Raises
    ------
    ValueError
        ``d_k`` or ``d_v`` is not given, and ``n_heads`` does not divide ``d_model``; or there is
        no such position.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_k: int | None = None,
        d_v: int | None = None,
        dropout: float = 0.0,
        position: str = "none",
    ) -> None:
        super().__init__()
        if n_heads < 1:
            raise ValueError(f"n_heads must be 1 or more, not {n_heads}")
        if position not in POSITIONS:
            raise ValueError(f"position must be one of {', '.join(POSITIONS)}, not {position!r}")
        if d_model % n_heads and (d_k is None or d_v is None):
            raise ValueError(
                f"d_model = {d_model} is not divisible by n_heads = {n_heads}: choose others, or "
                "give d_k and d_v"
            )
        self.n_heads, self.dropout, self.position = n_heads, dropout, position
        d_k, d_v = d_k or d_model // n_heads, d_v or d_model // n_heads
        self.query = nn.Linear(d_model, n_heads * d_k)
        self.key = nn.Linear(d_model, n_heads * d_k)
        self.value = nn.Linear(d_model, n_heads * d_v)
        self.out = nn.Linear(n_heads * d_v, d_model)
        self.record: list[Tensor] | None = None  # see `recorded`

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        attn_mask: Tensor | None = None,
        is_causal: bool = False,
        cache: Cache | None = None,
    ) -> Tensor:
        """Attend from each query to all keys.

        Parameters
        ----------
        query : Tensor, shape (B, n_q, d_model)
        key, value : Tensor, shape (B, n_k, d_model)
            For self-attention all three are the same.
        attn_mask : Tensor, optional
            Boolean; True = may attend. Of shape (n_q, n_k), (B, n_q, n_k) or (B, h, n_q, n_k): the
            number of axes says which. Any of them may be 1. With a cache n_k counts those kept.
        is_causal : bool
            No query attends to a later key. The queries are the last n_q of n_k tokens.
            Joined by AND with ``attn_mask``.
        cache : Cache, optional
            Keys and values of earlier calls.

        Returns
        -------
        Tensor, shape (B, n_q, d_model)

        Raises
        ------
        ValueError
            Query, key, value, mask and cache do not fit each other, or rotary positions meet a
            cache that does not grow.
        TypeError
            One of them is no tensor, or ``attn_mask`` is not boolean.
        """
        self._check(query, key, value, cache)
        q = self._split(self.query(query))  # (B, n_q, d_model) -> (B, h, n_q, d_k)
        k, v = self._keys_and_values(key, value, cache)  # (B, h, n_k, d_k), (B, h, n_k, d_v)
        n_q, n_k = q.shape[-2], k.shape[-2]
        if self.position == "rotary":
            q = rotate(q, torch.arange(n_k - n_q, n_k, device=q.device))  # (B, h, n_q, d_k)
        attn_mask = _with_heads(attn_mask, (len(q), self.n_heads, n_q, n_k))
        attn_mask, is_causal = self._join_masks(attn_mask, is_causal, q, n_k)
        output = self._attend(q, k, v, attn_mask, is_causal)  # (B, h, n_q, d_v)
        joined = output.transpose(1, 2).flatten(2)  # (B, h, n_q, d_v) -> (B, n_q, h * d_v)
        return self.out(joined)  # (B, n_q, h * d_v) -> (B, n_q, d_model)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "record": None}  # a copy is not recorded

    def _split(self, x: Tensor) -> Tensor:
        """Give each head its features: (B, n, h * d) -> (B, h, n, d)."""
        # Features are split, then head and token change sides.
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def _keys_and_values(
        self, key: Tensor, value: Tensor, cache: Cache | None
    ) -> tuple[Tensor, Tensor]:
        """Return all keys (B, h, n_k, d_k) and values (B, h, n_k, d_v), those kept included."""
        if cache is not None and cache.is_complete:
            return cache.key, cache.value
        k = self._split(self.key(key))  # (B, n, d_model) -> (B, h, n, d_k)
        v = self._split(self.value(value))  # (B, n, d_model) -> (B, h, n, d_v)
        if self.position == "rotary":
            start = len(cache) if cache is not None else 0
            k = rotate(k, torch.arange(start, start + k.shape[-2], device=k.device))
        if cache is None:
            return k, v
        cache.source = key
        return cache.add(k, v)

    def _join_masks(
        self, attn_mask: Tensor | None, is_causal: bool, q: Tensor, n_k: int
    ) -> tuple[Tensor | None, bool]:
        """Join what hides keys and what ALiBi adds; the plain causal mask is left to PyTorch."""
        n_q = q.shape[-2]
        if is_causal and (attn_mask is not None or n_q != n_k or self.position == "alibi"):
            causal = torch.ones(n_q, n_k, dtype=torch.bool, device=q.device).tril(n_k - n_q)
            attn_mask = causal if attn_mask is None else attn_mask & causal  # (..., n_q, n_k)
            is_causal = False
        if self.position == "alibi":
            bias = alibi_bias(self.n_heads, n_q, n_k, q.device).to(q.dtype)  # (h, n_q, n_k)
            attn_mask = bias if attn_mask is None else bias.masked_fill(~attn_mask, -math.inf)
        return attn_mask, is_causal

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None, is_causal: bool
    ) -> Tensor:
        """Return the output of each head, (B, h, n_q, d_v)."""
        p = self.dropout if self.training else 0.0
        if self.record is None:  # the weights are never whole in memory
            return F.scaled_dot_product_attention(
                q, k, v, attn_mask=attn_mask, is_causal=is_causal, dropout_p=p
            )  # (B, h, n_q, d_k) x (B, h, n_k, d_k) x (B, h, n_k, d_v) -> (B, h, n_q, d_v)
        weights = attention(q, k, v, attn_mask=attn_mask, is_causal=is_causal).weights
        self.record.append(weights.detach())  # (B, h, n_q, n_k)
        return F.dropout(weights, p) @ v  # (B, h, n_q, n_k) x (B, h, n_k, d_v) -> (B, h, n_q, d_v)

    def _check(self, query: Tensor, key: Tensor, value: Tensor, cache: Cache | None) -> None:
        # All of it before PyTorch is called: on the CPU, SDPA with more values than keys reads
        # memory that is not its own.
        d_model = self.query.in_features
        for name, tensor in (("query", query), ("key", key), ("value", value)):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{name} must be a tensor, but it is {type(tensor).__name__}")
            if tensor.ndim != 3 or tensor.shape[-1] != d_model:
                hint = f": {name}[None] makes a batch of one sentence" if tensor.ndim == 2 else ""
                raise ValueError(
                    f"{name} has shape {tuple(tensor.shape)}, but it must be (B, n, {d_model}), "
                    f"with d_model = {d_model} features{hint}"
                )
        shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
        if key.shape[1] != value.shape[1]:
            raise ValueError(
                f"{shapes}: there must be one value for each key, but {key.shape[1]} != "
                f"{value.shape[1]}"
            )
        if not len(query) == len(key) == len(value):
            raise ValueError(f"{shapes}: all three must have as many sentences (B)")
        if cache is not None:
            cache.check(key)
        if self.position == "rotary" and cache is not None and not cache.grows:
            raise ValueError(
                "rotary positions need a cache that grows: where the query stands is lost"
            )


def _with_heads(attn_mask: Tensor | None, shape: tuple[int, int, int, int]) -> Tensor | None:
    """Give a mask the axis of the heads, and hold it to the scores (B, h, n_q, n_k).

    The number of its axes says what they are, never their length: with as many sentences as heads
    both would fit.
    """
    if attn_mask is None:
        return None
    if not isinstance(attn_mask, Tensor):
        raise TypeError(
            f"attn_mask must be a boolean tensor, but it is {type(attn_mask).__name__}; "
            "torch.as_tensor(attn_mask) makes one"
        )
    if attn_mask.dtype != torch.bool:
        raise TypeError(
            f"attn_mask has dtype {attn_mask.dtype}; it must be boolean (True = may attend)"
        )
    full = attn_mask[:, None] if attn_mask.ndim == 3 else attn_mask
    wanted = shape[-2:] if full.ndim == 2 else shape
    if full.ndim not in (2, 4) or any(
        own not in (1, size) for own, size in zip(full.shape, wanted, strict=True)
    ):
        b, h, n_q, n_k = shape
        raise ValueError(
            f"attn_mask has shape {tuple(attn_mask.shape)}; with B = {b}, h = {h}, n_q = {n_q} and "
            f"n_k = {n_k} it must be (n_q, n_k), (B, n_q, n_k) or (B, h, n_q, n_k), any of them "
            "perhaps 1"
        )
    return full


class FeedForward(nn.Module):
    """Two linear maps with a ReLU between them, for each token alone (section 3.3).

    Parameters
    ----------
    d_model : int
    d_ff : int
        Features in the middle.
    dropout : float
        After the ReLU.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.inner = nn.Linear(d_model, d_ff)
        self.dropout = nn.Dropout(dropout)
        self.outer = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, n, d_model) to tokens of the same shape."""
        x = self.inner(x).relu()  # (B, n, d_model) -> (B, n, d_ff)
        return self.outer(self.dropout(x))  # (B, n, d_ff) -> (B, n, d_model)


class Residual(nn.Module):
    """A layer with a way around it, and its norm (section 3.1).

    Pre-norm is ``x + layer(norm(x))``, post-norm ``norm(x + layer(x))``.

    Parameters
    ----------
    d_model : int
    dropout : float
        On what the layer adds.
    norm_first : bool
        True: pre-norm. False: post-norm.
    """

    def __init__(self, d_model: int, dropout: float = 0.0, norm_first: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.norm_first = norm_first

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        """Return tokens of the shape of x, (B, n, d_model)."""
        if self.norm_first:
            return x + self.dropout(layer(self.norm(x)))
        return self.norm(x + self.dropout(layer(x)))


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward (figure 1, left).

    Parameters
    ----------
    d_model, n_heads, d_ff : int
    dropout : float
    norm_first : bool
        True: pre-norm. False: post-norm.
    position : str
        As for `MultiHeadAttention`.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        dropout: float = 0.0,
        norm_first: bool = True,
        position: str = "none",
    ) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(
            d_model, n_heads, dropout=dropout, position=position
        )
        self.feed_forward = FeedForward(d_model, d_ff, dropout)
        self.around_self = Residual(d_model, dropout, norm_first)
        self.around_feed = Residual(d_model, dropout, norm_first)

    def forward(
        self, x: Tensor, *, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Map tokens (B, n, d_model) to tokens of the same shape."""

        def look(y: Tensor) -> Tensor:
            return self.self_attention(y, y, y, attn_mask=attn_mask, is_causal=is_causal)

        return self.around_feed(self.around_self(x, look), self.feed_forward)


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention to the encoder, feed-forward (figure 1, right).

    The parameters are those of `EncoderLayer`.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        dropout: float = 0.0,
        norm_first: bool = True,
        position: str = "none",
    ) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(
            d_model, n_heads, dropout=dropout, position=position
        )
        # Positions on the two sides are not comparable, so none are given to cross-attention.
        self.cross_attention = MultiHeadAttention(d_model, n_heads, dropout=dropout)
        self.feed_forward = FeedForward(d_model, d_ff, dropout)
        self.around_self = Residual(d_model, dropout, norm_first)
        self.around_cross = Residual(d_model, dropout, norm_first)
        self.around_feed = Residual(d_model, dropout, norm_first)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        *,
        attn_mask: Tensor | None = None,
        is_causal: bool = True,
        memory_mask: Tensor | None = None,
        caches: tuple[Cache | None, Cache | None] = (None, None),
    ) -> Tensor:
        """Map tokens to tokens of the same shape, with a look at the encoder's output.

        Parameters
        ----------
        x : Tensor, shape (B, n_q, d_model)
        memory : Tensor, shape (B, n_k, d_model)
            What the encoder gave.
        attn_mask, memory_mask : Tensor, optional
            Boolean, of self- and of cross-attention; their shapes are those of
            `MultiHeadAttention.forward`.
        is_causal : bool
            Of self-attention.
        caches : (Cache, Cache), optional
            Of self- and of cross-attention.

        Returns
        -------
        Tensor, shape (B, n_q, d_model)
        """
        own, crossed = caches

        def look_back(y: Tensor) -> Tensor:
            return self.self_attention(y, y, y, attn_mask=attn_mask, is_causal=is_causal, cache=own)

        def look_across(y: Tensor) -> Tensor:
            return self.cross_attention(y, memory, memory, attn_mask=memory_mask, cache=crossed)

        x = self.around_self(x, look_back)
        x = self.around_cross(x, look_across)
        return self.around_feed(x, self.feed_forward)


class _Stack(nn.Module):
    """What `Encoder` and `Decoder` share: layers of one kind, and perhaps a norm at the end."""

    layer: type[nn.Module]

    def __init__(
        self,
        n_layers: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        dropout: float = 0.0,
        norm_first: bool = True,
        position: str = "none",
        final_norm: bool | None = None,
    ) -> None:
        super().__init__()
        options = {"dropout": dropout, "norm_first": norm_first, "position": position}
        self.layers = nn.ModuleList(
            self.layer(d_model, n_heads, d_ff, **options) for _ in range(n_layers)
        )
        final_norm = norm_first if final_norm is None else final_norm
        self.norm = nn.LayerNorm(d_model) if final_norm else nn.Identity()


class Encoder(_Stack):
    """A stack of `EncoderLayer`.

    Parameters
    ----------
    n_layers : int
    d_model, n_heads, d_ff, dropout, norm_first, position
        As for `EncoderLayer`.
    final_norm : bool, optional
        A norm at the end. If not given, pre-norm stacks have it and post-norm stacks, which end
        with one anyway, do not. `nn.Transformer` has it always.
    """

    layer = EncoderLayer

    def forward(
        self, x: Tensor, *, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Pass tokens (B, n, d_model) through all layers."""
        for layer in self.layers:
            x = layer(x, attn_mask=attn_mask, is_causal=is_causal)  # (B, n, d_model)
        return self.norm(x)


class Decoder(_Stack):
    """A stack of `DecoderLayer`; its parameters are those of `Encoder`."""

    layer = DecoderLayer

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        *,
        attn_mask: Tensor | None = None,
        is_causal: bool = True,
        memory_mask: Tensor | None = None,
        caches: list[tuple[Cache, Cache]] | None = None,
    ) -> Tensor:
        """Pass tokens (B, n_q, d_model) through all layers, each of which sees the memory.

        The arguments are those of `DecoderLayer.forward`, with a pair of caches for each layer.
        """
        for i, layer in enumerate(self.layers):
            x = layer(
                x,
                memory,
                attn_mask=attn_mask,
                is_causal=is_causal,
                memory_mask=memory_mask,
                caches=caches[i] if caches else (None, None),
            )  # (B, n_q, d_model)
        return self.norm(x)


class Embedding(nn.Module):
    """Numbers of words to vectors, with the position added where it is of a kind that is added.

    The paper multiplies the vectors by sqrt(d_model), since they start short there; those of
    `nn.Embedding` start with variance 1 and need no factor.

    Parameters
    ----------
    n_words, d_model : int
    position : str
        "sinusoidal" or "learned": something is added. Anything else: nothing is.
    max_len : int
        Positions that "learned" has a vector for.
    dropout : float
    """

    def __init__(
        self, n_words: int, d_model: int, position: str, max_len: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(n_words, d_model)
        self.position = position
        self.positions = nn.Embedding(max_len, d_model) if position == "learned" else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, numbers: Tensor, start: int = 0) -> Tensor:
        """Map numbers (B, n), the first of them at position ``start``, to (B, n, d_model)."""
        x = self.words(numbers)  # (B, n) -> (B, n, d_model)
        n, d_model = x.shape[-2:]
        if self.position == "sinusoidal":
            sines = sinusoidal(n, d_model, start=start, device=x.device, dtype=x.dtype)
            x = x + sines  # (B, n, d_model) + (n, d_model)
        elif self.position == "learned":
            if start + n > self.positions.num_embeddings:
                raise ValueError(
                    f"{start + n} tokens, but there is a learned vector for the first "
                    f"{self.positions.num_embeddings} positions only"
                )
            positions = torch.arange(start, start + n, device=x.device)  # (n)
            x = x + self.positions(positions)  # (B, n, d_model) + (n, d_model)
        return self.dropout(x)


class Transformer(nn.Module):
    """From the words of a source to the words of a target (figure 1, the whole of it).

    Parameters
    ----------
    n_source, n_target : int
        Number of words on both sides; 0, 1 and 2 are padding, start and end.
    d_model, n_heads, n_layers : int
        As many layers in the encoder as in the decoder.
    d_ff : int, optional
        ``4 * d_model`` if not given, as in the paper.
    dropout : float
        0.1 in the paper.
    norm_first : bool
        True: pre-norm. False: post-norm, as in the paper.
    position : str
        One of `POSITIONS`.
    max_len : int
        Positions that "learned" has a vector for.
    is_causal : bool
        False lets the decoder see the words that it is to predict: only to show what goes wrong.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 1,
        d_ff: int | None = None,
        dropout: float = 0.0,
        norm_first: bool = True,
        position: str = "sinusoidal",
        max_len: int = 64,
        is_causal: bool = True,
    ) -> None:
        super().__init__()
        if position not in POSITIONS:
            raise ValueError(f"position must be one of {', '.join(POSITIONS)}, not {position!r}")
        stack = (n_layers, d_model, n_heads, d_ff or 4 * d_model)
        options = {"dropout": dropout, "norm_first": norm_first, "position": position}
        self.source = Embedding(n_source, d_model, position, max_len, dropout)
        self.target = Embedding(n_target, d_model, position, max_len, dropout)
        self.encoder = Encoder(*stack, **options)
        self.decoder = Decoder(*stack, **options)
        self.readout = nn.Linear(d_model, n_target)
        self.is_causal = is_causal

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Read the source (B, n_k); return memory (B, n_k, d_model) and mask (B, 1, 1, n_k)."""
        real = (source != PAD)[:, None, None, :]
        return self.encoder(self.source(source), attn_mask=real), real

    def read(
        self,
        target: Tensor,
        memory: Tensor,
        real: Tensor,
        caches: list[tuple[Cache, Cache]] | None = None,
    ) -> Tensor:
        """Read words (B, n_q), and say what may follow each: logits (B, n_q, n_target).

        With ``caches`` only the words that are new since the last call are read.
        """
        start = len(caches[0][0]) if caches else 0
        # Padding stands behind all words, where a causal mask hides it anyway.
        mask = None if self.is_causal else (target != PAD)[:, None, None, :]
        x = self.decoder(
            self.target(target, start), memory, attn_mask=mask,
            is_causal=self.is_causal, memory_mask=real, caches=caches,
        )  # fmt: skip
        return self.readout(x)  # (B, n_q, d_model) -> (B, n_q, n_target)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Predict each word of a target from the right words before it (teacher forcing).

        Parameters
        ----------
        source : Tensor, shape (B, n_k)
        target : Tensor, shape (B, n_q + 1)
            From <start> on. The last word is only predicted, never read.

        Returns
        -------
        Tensor, shape (B, n_q, n_target)
        """
        return self.read(target[:, :-1], *self.encode(source))

    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean cross-entropy of the words of a target, padding left out."""
        logits = self(source, target)
        return F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD)

    def new_caches(self) -> list[tuple[Cache, Cache]]:
        """Return empty caches for `read`, two for each layer of the decoder."""
        return [(Cache(grows=True), Cache(grows=False)) for _ in self.decoder.layers]

    @torch.no_grad()
    def decode(self, source: Tensor, max_new_tokens: int = 16, *, cached: bool = True) -> Tensor:
        """Write the likeliest word at each step, until every sentence has its <end>.

        Parameters
        ----------
        source : Tensor, shape (B, n_k)
        max_new_tokens : int
            The largest number of words.
        cached : bool
            Keep keys and values from step to step. Without, all words are read again for each
            new one; the result is the same. Not done where the decoder is not causal: there
            each new word changes what the earlier ones were.

        Returns
        -------
        Tensor, shape (B, n_q)
            Without <start>; padding after each <end>.

        Notes
        -----
        It runs in evaluation mode, without dropout, and gives back the mode the model was in.
        """
        with evaluation(self):
            memory, real = self.encode(source)
            written = torch.full((len(source), 1), START, device=source.device)  # (B, 1)
            caches = self.new_caches() if cached and self.is_causal else None
            ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)  # (B)
            while written.shape[1] <= max_new_tokens and not ended.all():
                unread = written[:, -1:] if caches else written
                logits = self.read(unread, memory, real, caches)[:, -1]  # (B, n_target)
                word = logits.argmax(dim=-1).masked_fill(ended, PAD)  # (B)
                written = torch.cat([written, word[:, None]], dim=1)
                ended = ended | (word == END)
        return written[:, 1:]


@contextmanager
def recorded(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Collect the weights of every attention in a model while it runs.

    Without it they are never computed as such, and cost nothing.

    Yields
    ------
    dict of name to list of Tensor
        For each `MultiHeadAttention`, by its name in the model such as
        ``decoder.layers.0.cross_attention``, the weights (B, h, n_q, n_k) of each call.

    Examples
    --------
    >>> model = Transformer(9, 9).eval()
    >>> with recorded(model) as weights:
    ...     written = model.decode(torch.tensor([[3, 4, 2]]), max_new_tokens=5)
    >>> [w.shape for w in weights["encoder.layers.0.self_attention"]]
    [torch.Size([1, 4, 3, 3])]
    """
    layers = {n: m for n, m in model.named_modules() if isinstance(m, MultiHeadAttention)}
    found = {name: [] for name in layers}
    before = {name: layer.record for name, layer in layers.items()}
    for name, layer in layers.items():
        layer.record = found[name]
    try:
        yield found
    finally:
        for name, layer in layers.items():
            layer.record = before[name]
