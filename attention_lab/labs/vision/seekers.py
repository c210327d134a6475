"""Small networks that find, label, choose and fill in: attention says where, or when."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from attention_lab.core.attention import attention
from attention_lab.labs.vision.images import Split, patches
from attention_lab.labs.vision.networks import CNN
from attention_lab.models.evaluation import evaluation
from attention_lab.models.transformer import Encoder

__all__ = ["Chooser", "Filler", "Labeller", "Pointer", "expected_patches"]


class _Pool(nn.Module):
    """One learned query that reads tokens (B, n, d); or their mean.

    Parameters
    ----------
    d_model : int
    is_uniform : bool
        Every token has the same weight, 1 / n.
    """

    def __init__(self, d_model: int, is_uniform: bool) -> None:
        super().__init__()
        self.key = nn.Linear(d_model, 16)
        self.query = nn.Parameter(torch.randn(1, 16))
        self.is_uniform = is_uniform

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is read, (B, d), and the weights, (B, n)."""
        query = 0 * self.query if self.is_uniform else self.query  # equal scores, equal weights
        steps = attention(query, self.key(tokens), tokens)
        return steps.output[:, 0], steps.weights[:, 0]


class Pointer(nn.Module):
    """Read the digit on a canvas (B, 24, 24) by one query over 12 × 12 places.

    It is told which digit it is, and never where. Its first two convolutions are those of a network
    that has read single digits, and stay as they are; the third one goes on learning.

    Parameters
    ----------
    cnn : CNN
        Trained on single digits; it is not changed.
    is_uniform : bool
        Take the mean over all places instead of what the query chooses.
    """

    def __init__(self, cnn: CNN, is_uniform: bool = False) -> None:
        super().__init__()
        self.seen = copy.deepcopy(cnn).requires_grad_(False)
        self.third = copy.deepcopy(cnn.third)
        channels = cnn.readout.in_features
        self.pool = _Pool(channels, is_uniform)
        self.readout = nn.Linear(channels, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, 10) and weights (B, 144)."""
        with torch.no_grad(), evaluation(self.seen):
            x = self.seen.features(images)  # (B, C, 12, 12)
        read, weights = self.pool(self.third(x).flatten(2).mT)
        return self.readout(read), weights


class Chooser(nn.Module):
    """Read the digit in a clip (B, 8, 8, 8): each frame alone, then one query over the frames.

    Parameters
    ----------
    is_uniform : bool
        Take the mean over the frames instead.
    """

    def __init__(self, is_uniform: bool = False) -> None:
        super().__init__()
        self.frame = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU())
        self.pool = _Pool(32, is_uniform)
        self.readout = nn.Linear(32, 10)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, 10) and weights (B, 8)."""
        read, weights = self.pool(self.frame(frames.flatten(2)))
        return self.readout(read), weights


class Labeller(nn.Module):
    """Say for each patch of an image (B, 8, 16) to which digit it belongs.

    Parameters
    ----------
    reach : int
        A patch sees those up to ``reach`` rows and columns away; 0: only itself.
    """

    def __init__(self, reach: int = 8) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 32)
        self.places = nn.Parameter(torch.randn(32, 32))
        self.encoder = Encoder(2, 32, 4, 64)
        self.readout = nn.Linear(32, 10)
        row, column = torch.arange(32) // 8, torch.arange(32) % 8
        near = [(each[:, None] - each).abs() <= reach for each in (row, column)]
        self.register_buffer("mask", near[0] & near[1], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits for each patch, (B, 32, 10)."""
        x = self.embed(patches(images, 2)) + self.places
        return self.readout(self.encoder(x, attn_mask=self.mask))


class Filler(nn.Module):
    """Fill in the hidden patches of a digit, from those that are seen (He et al. 2022)."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 32)
        self.hidden = nn.Parameter(torch.randn(32) * 0.02)
        self.places = nn.Parameter(torch.randn(16, 32))
        self.encoder = Encoder(2, 32, 4, 64)
        self.readout = nn.Linear(32, 4)

    def forward(self, images: Tensor, hidden: Tensor) -> Tensor:
        """Return every patch as it is guessed: (B, 8, 8), (B, 16) -> (B, 16, 4).

        ``hidden`` is True where a patch is not seen.
        """
        x = torch.where(hidden[..., None], self.hidden, self.embed(patches(images, 2)))
        return self.readout(self.encoder(x + self.places))


def expected_patches(data: Split, images: Tensor, hidden: Tensor, noise: float = 0.01) -> Tensor:
    """Guess hidden patches by the best linear rule: what is expected under a normal distribution.

    Its mean and covariance are those of ``data``; nothing is trained by steps.

    Parameters
    ----------
    data : Split
    images : Tensor, shape (B, 8, 8)
    hidden : Tensor, shape (B, 16)
        True = not seen.
    noise : float
        Added to the variance of each pixel, so that the seen ones can be divided by.

    Returns
    -------
    Tensor, shape (B, 16, 4)
    """
    known = patches(data.images, 2).flatten(1).double()  # (n, 64)
    mean, covariance = known.mean(dim=0), known.T.cov() + noise * torch.eye(64, dtype=torch.double)
    given = patches(images, 2).flatten(1).double()  # (B, 64)
    guessed = given.clone()
    for row, is_hidden in zip(guessed, hidden.repeat_interleave(4, dim=1), strict=True):
        seen = ~is_hidden
        weights = torch.linalg.solve(covariance[seen][:, seen], row[seen] - mean[seen])
        row[is_hidden] = mean[is_hidden] + covariance[is_hidden][:, seen] @ weights
    return guessed.view(-1, 16, 4).to(images.dtype)
