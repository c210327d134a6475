"""Leak maps: which output depends on which token, whatever the mask says.

`leak_map` asks the gradient, `perturbation_map` moves each token and looks. Each can miss what the
other finds, so a model without a leak passes both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["leak_map", "perturbation_map"]


def leak_map(function: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """Return how much each output moves with each token, by the gradient.

    Parameters
    ----------
    function : callable
        Takes tokens (n, d) and returns one output for each query, (n_q, d_v), computed by torch
        from the tokens.
    tokens : Tensor, shape (n, d)
        Where the gradient is taken; floating point. Best numbers drawn at random.

    Returns
    -------
    Tensor, shape (n_q, n)
        Entry (i, j) is the size (Frobenius norm) of the derivative of output i by token j. More
        than 0: output i depends on token j. 0: its derivative is 0 at these tokens. That is no
        proof that there is no leak: a derivative can be too small for the dtype (a weight of
        e^-800), vanish at one point (x² at 0), or be cut for a part of the function (detach,
        argmax). `perturbation_map` beside it finds those.

    Raises
    ------
    ValueError
        Tokens or outputs have not two axes; or no output depends on the tokens by autograd, as
        under no_grad, after detach, or through NumPy: then a map would be all zeros, and mean
        nothing.
    """
    _check_tokens(tokens)
    tokens = tokens.detach()
    with torch.enable_grad():
        probe = tokens.clone().requires_grad_()
        output = function(probe)
        _check_output(output)
        (found,) = (
            torch.autograd.grad(output.sum(), probe, allow_unused=True)
            if output.requires_grad
            else (None,)
        )
        if found is None:
            raise ValueError(
                "by autograd no output depends on the tokens: was the gradient cut, by no_grad, "
                "detach, argmax or NumPy? perturbation_map needs no gradient"
            )
        derivative = torch.autograd.functional.jacobian(function, tokens)  # (n_q, d_v, n, d)
    return derivative.pow(2).sum(dim=(1, 3)).sqrt()


def perturbation_map(
    function: Callable[[Tensor], Tensor], tokens: Tensor, *, seed: int = 0
) -> Tensor:
    """Return how far each output moves when a token is replaced: no gradient is needed.

    Each token is replaced six times: by numbers like its own, ten times and a thousand times as
    large, and by each of these with the other sign. So a leak that acts on one side only is found,
    such as a relu of a token's feature.

    Parameters
    ----------
    function, tokens
        As for `leak_map`; the function may be any.
    seed : int
        Of the numbers that replace a token.

    Returns
    -------
    Tensor, shape (n_q, n)
        Entry (i, j) is the largest change of a feature of output i by token j. More than 0:
        output i depends on token j (if the function gives the same for the same tokens). 0: six
        other tokens changed nothing.

    Raises
    ------
    ValueError
        Tokens or outputs have not two axes.
    """
    _check_tokens(tokens)
    tokens = tokens.detach()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        before = function(tokens.clone())
        _check_output(before)
        columns = []
        for j in range(len(tokens)):
            moved = torch.zeros(len(before), dtype=before.dtype, device=before.device)
            for size in (1, 10, 1000):
                drawn = torch.randn(tokens.shape[1], generator=random, dtype=torch.float64)
                for other in (size * drawn, -size * drawn):
                    changed = tokens.clone()
                    changed[j] = other.to(tokens)
                    moved = torch.maximum(moved, (function(changed) - before).abs().amax(dim=1))
            columns.append(moved)
    return torch.stack(columns, dim=1)


def _check_tokens(tokens: Tensor) -> None:
    if tokens.ndim != 2 or not tokens.is_floating_point():
        raise ValueError(
            f"tokens must be floating point numbers of shape (n, d), but they are {tokens.dtype} "
            f"of shape {tuple(tokens.shape)}"
        )


def _check_output(output: Tensor) -> None:
    if not isinstance(output, Tensor) or output.ndim != 2:
        came = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"the function must return one output for each query, (n_q, d_v), but it returned "
            f"{came}: for a function of a batch write lambda x: function(x[None])[0]"
        )
