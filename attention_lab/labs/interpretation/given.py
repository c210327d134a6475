"""The attention weights of any model, as they come, made into one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem

__all__ = ["Given", "read"]

LOAD = (
    "transformers gives weights only if it is asked: from_pretrained(..., "
    'attn_implementation="eager"), then model(..., output_attentions=True).attentions'
)
MARKS = {"Ġ": " ", "▁": " ", "Ċ": "\n", "ĉ": "\t"}  # how tokenizers write a space or a line


class Given(NamedTuple):
    """The weights of all heads on one text.

    Attributes
    ----------
    layers : list of Tensor, each (n_heads, n_q, n_k)
        The reader's own tensors: nothing is copied.
    queries, keys : list of str
        As they are shown.
    """

    layers: list[Tensor]
    queries: list[str]
    keys: list[str]

    @property
    def n_heads(self) -> int:
        """Of one layer; all have as many."""
        return self.layers[0].shape[0]

    @property
    def is_self(self) -> bool:
        """Whether queries and keys are the same tokens."""
        return self.queries is self.keys

    def head(self, layer: int, head: int) -> Tensor:
        """Return the weights of one head: float32, (n_q, n_k)."""
        found = self.layers[layer][head].detach().to("cpu", torch.float32)
        return found.nan_to_num().clamp(0, 1)


def read(attentions: Any, tokens: Sequence[str], keys: Sequence[str] | None = None) -> Given:
    """Bring weights and words into one form.

    Parameters
    ----------
    attentions : tuple of Tensor, or Tensor
        For each layer (1, n_heads, n_q, n_k) or without the 1, as ``output_attentions=True`` of
        transformers gives them; or what the model returned, with these inside.
    tokens : sequence of str
        The queries, such as ``tokenizer.convert_ids_to_tokens(ids)``.
    keys : sequence of str, optional
        Only for cross-attention: the tokens that are attended to.

    Raises
    ------
    Problem
        It is something else; the text says what came, and how to get what is wanted.
    """
    layers = [_layer(each, index) for index, each in enumerate(_each_layer(attentions))]
    if len({each.shape for each in layers}) != 1:
        shapes = ", ".join(str(tuple(each.shape)) for each in layers[:4])
        raise Problem(
            f"the layers differ in shape ({shapes}, …); give those of one shape: attentions[:2]"
        )
    _, n_q, n_k = layers[0].shape
    queries = _words(tokens, "tokens")
    if keys is not None:
        given = Given(layers, queries, _words(keys, "keys"))
    elif n_q != n_k:
        raise Problem(
            f"these weights are of {n_q} queries and {n_k} keys: cross-attention, or a step with "
            "a cache. Give the words of both: heads(attentions, queries, keys)"
        )
    else:
        given = Given(layers, queries, queries)
    for words, count, what in ((given.queries, n_q, "queries"), (given.keys, n_k, "keys")):
        if len(words) != count:
            raise Problem(
                f"{len(words)} tokens, and the weights are of {count} {what}: "
                "tokens of another text, or without the special ones?"
            )
    return given


def _each_layer(attentions: Any) -> list[Any]:
    for name in ("encoder_attentions", "cross_attentions"):
        if getattr(attentions, name, None) is not None:
            raise Problem(
                "this model has an encoder and a decoder: give one of .encoder_attentions, "
                ".decoder_attentions, or .cross_attentions with the words of both"
            )
    if hasattr(attentions, "attentions"):
        attentions = attentions.attentions
    if attentions is None or isinstance(attentions, (str, dict)):
        raise Problem(f"attentions is {type(attentions).__name__}: {LOAD}")
    if hasattr(attentions, "ndim"):
        if attentions.ndim < 4:
            raise Problem(
                f"attentions has the shape {tuple(attentions.shape)}: wanted is a tuple with a "
                "tensor for each layer, or one tensor (layers, heads, queries, keys)"
            )
        return list(attentions)
    layers = list(attentions)
    if not layers or any(each is None for each in layers):
        raise Problem(f"attentions is empty, or a layer is None: {LOAD}")
    if isinstance(layers[0], (tuple, list)):
        raise Problem(
            "attentions is a tuple of tuples, as generate() gives them, one for each new token: "
            "call the model once on the whole text and give its .attentions"
        )
    return layers


def _layer(each: Any, index: int) -> Tensor:
    """Return (n_heads, n_q, n_k), not copied."""
    weights = torch.as_tensor(each)
    if weights.ndim == 4 and weights.shape[0] > 1:
        raise Problem(
            f"layer {index} has a batch of {weights.shape[0]} texts: give one of them, "
            "[layer[:1] for layer in attentions]"
        )
    if weights.ndim == 4:
        weights = weights[0]
    if weights.ndim != 3 or not weights.numel():
        raise Problem(
            f"layer {index} has the shape {tuple(weights.shape)}; wanted is (1, heads, queries, "
            "keys)"
        )
    return weights.detach()


def _words(tokens: Any, what: str) -> list[str]:
    words = list(tokens) if not isinstance(tokens, str) else tokens
    if len(words) == 1 and isinstance(words[0], (list, tuple)):
        words = list(words[0])  # a batch of one
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise Problem(
            f"{what} must be a list of words, one for each position: "
            "tokenizer.convert_ids_to_tokens(ids)"
        )
    return [_shown(word) for word in words]


def _shown(token: str) -> str:
    """Write a token as text: without the marks of its tokenizer, and never empty."""
    for mark, meant in MARKS.items():
        token = token.replace(mark, meant)
    return token.strip(" ").replace("\n", "↵").replace("\t", "⇥") or "·"
