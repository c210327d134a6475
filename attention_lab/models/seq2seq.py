"""A small encoder-decoder: from one sequence to another, with attention or with one vector.

An encoder that reads in both directions, a decoder that writes word by word, and at each word
attention from the decoder's state to the encoder's states (Bahdanau et al. 2014). The query is the
state after the step, as in Luong et al. 2015; Bahdanau et al. ask with the state before it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attention_lab.core.attention import masked_softmax
from attention_lab.core.scores import additive, dot, general
from attention_lab.models.evaluation import evaluation
from attention_lab.models.vocabulary import END, PAD, START

__all__ = ["SCORES", "Decoded", "Seq2Seq"]

SCORES = ("additive", "dot", "scaled", "general", "none")


class Decoded(NamedTuple):
    """What `Seq2Seq.decode` writes.

    Attributes
    ----------
    numbers : Tensor, shape (batch, n_q)
        The words, <end> included, and padding after it.
    weights : Tensor, shape (batch, n_q, n_k)
        For each written word the weights over the words of the source; zeros without attention.
    """

    numbers: Tensor
    weights: Tensor


class Seq2Seq(nn.Module):
    """An encoder-decoder with GRUs and one attention.

    Parameters
    ----------
    n_source, n_target : int
        Number of words on both sides.
    d_model : int
        Features of a word vector and of a state; even.
    score : str
        "additive", "dot", "scaled" or "general": how query and key are compared. "none": no
        attention, the decoder gets one fixed vector (the encoder's last states).
    """

    def __init__(self, n_source: int, n_target: int, d_model: int = 64, score: str = "additive"):
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, not {score!r}")
        self.score = score
        self.source = nn.Embedding(n_source, d_model)
        self.target = nn.Embedding(n_target, d_model)
        self.encoder = nn.GRU(d_model, d_model // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRUCell(2 * d_model, d_model)
        self.readout = nn.Linear(2 * d_model, n_target)
        if score == "general":
            self.weight = nn.Parameter(torch.randn(d_model, d_model) / math.sqrt(d_model))
        elif score == "additive":
            self.query_weight = nn.Parameter(torch.randn(d_model, d_model) / math.sqrt(d_model))
            self.key_weight = nn.Parameter(torch.randn(d_model, d_model) / math.sqrt(d_model))
            self.vector = nn.Parameter(torch.randn(d_model) / math.sqrt(d_model))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return states (batch, n_k, d), the last ones (batch, d), and the mask (batch, n_k)."""
        real = source != PAD
        packed = nn.utils.rnn.pack_padded_sequence(
            self.source(source), real.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        states, last = self.encoder(packed)  # last: (2, batch, d/2), both directions
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        return states, last.transpose(0, 1).flatten(1), real

    def attend(self, state: Tensor, states: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """One query, the decoder's state (batch, d), over the encoder's states.

        Returns
        -------
        output : Tensor, shape (batch, d)
        weights : Tensor, shape (batch, n_k)
        """
        query = state[:, None]  # (batch, 1, d)
        if self.score == "additive":
            scores = additive(query, states, self.query_weight, self.key_weight, self.vector)
        elif self.score == "general":
            scores = general(query, states, self.weight)
        else:
            scores = dot(query, states)
            if self.score == "scaled":
                scores = scores / math.sqrt(states.shape[-1])
        weights = masked_softmax(scores.masked_fill(~real[:, None], -math.inf))  # (batch, 1, n_k)
        return (weights @ states)[:, 0], weights[:, 0]

    def step(
        self, word: Tensor, state: Tensor, output: Tensor, memory: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read one word (batch), and say what may come next.

        Returns
        -------
        logits : Tensor, shape (batch, n_target)
        state, output : Tensor, shape (batch, d)
        weights : Tensor, shape (batch, n_k)
        """
        states, last, real = memory
        state = self.decoder(torch.cat([self.target(word), output], dim=-1), state)
        if self.score == "none":
            output, weights = last, states.new_zeros(real.shape)
        else:
            output, weights = self.attend(state, states, real)
        return self.readout(torch.cat([state, output], dim=-1)), state, output, weights

    def forward(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Predict each word of a target from the words before it (teacher forcing).

        Parameters
        ----------
        source : Tensor, shape (batch, n_k)
        target : Tensor, shape (batch, n_q + 1)
            From <start> on.

        Returns
        -------
        logits : Tensor, shape (batch, n_q, n_target)
        weights : Tensor, shape (batch, n_q, n_k)
        """
        memory = self.encode(source)
        state = output = memory[1]
        logits, weights = [], []
        for word in target[:, :-1].T:
            logit, state, output, row = self.step(word, state, output, memory)
            logits.append(logit)
            weights.append(row)
        return torch.stack(logits, dim=1), torch.stack(weights, dim=1)

    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the mean cross-entropy of the words of a target, padding left out."""
        logits, _ = self(source, target)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD
        )

    @torch.no_grad()
    def decode(self, source: Tensor, max_new_tokens: int = 16) -> Decoded:
        """Write the likeliest word at each step, until every sentence has its <end>.

        Parameters
        ----------
        source : Tensor, shape (batch, n_k)
        max_new_tokens : int
            The largest number of words.

        Returns
        -------
        Decoded

        Notes
        -----
        It runs in evaluation mode, and gives back the mode the model was in.
        """
        words, weights = [], []
        with evaluation(self):
            memory = self.encode(source)
            state = output = memory[1]
            word = torch.full((len(source),), START, device=source.device)  # (batch)
            ended = torch.zeros_like(word, dtype=torch.bool)
            while len(words) < max_new_tokens and not ended.all():
                logits, state, output, row = self.step(word, state, output, memory)
                word = logits.argmax(dim=-1).masked_fill(ended, PAD)
                ended = ended | (word == END)
                words.append(word)
                weights.append(row)
        return Decoded(torch.stack(words, dim=1), torch.stack(weights, dim=1))
