"""Right answers, and wrong ones with what must be said of them."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def multi_head(
    axis=-1, scale=None, split="right", join="right", masked=True, project=True, hidden=-math.inf
):
    """Build an answer to 7.2, right or with a fault."""

    def answer(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
        B, n, d_model = x.shape

        def heads(t):
            if split == "reshape":
                return t.reshape(B, n_heads, n, -1)
            if split == "fixed":
                return t.reshape(B, 5, n_heads, -1).transpose(1, 2)
            return t.reshape(B, n, n_heads, -1).transpose(1, 2)

        q, k, v = heads(x @ w_query), heads(x @ w_key), heads(x @ w_value)
        scores = q @ k.transpose(-2, -1)
        scores = scores / (scale(q.shape[-1], d_model) if scale else math.sqrt(q.shape[-1]))
        if mask is not None and masked:
            scores = scores.masked_fill(~mask if masked is True else mask, hidden)
        weights = scores.softmax(dim=axis)
        if join == "reshape":
            joined = (weights @ v).reshape(B, n, -1)
        elif join == "-1":
            joined = (weights @ v).transpose(1, 2).reshape(B, -1, d_model)
        else:
            joined = (weights @ v).transpose(1, 2).reshape(B, n, -1)
        return (joined @ w_out if project else joined), weights

    return answer


def multi_head_by_loop(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    outputs, weights = [], []
    parts = [w.chunk(n_heads, dim=1) for w in (w_query, w_key, w_value)]
    for w_q, w_k, w_v in zip(*parts, strict=True):
        bias = torch.zeros(x.shape[1], x.shape[1], dtype=x.dtype)
        if mask is not None:
            bias[~mask] = -math.inf
        scores = torch.einsum("bqd,bkd->bqk", x @ w_q, x @ w_k) * w_q.shape[1] ** -0.5
        weights.append(torch.softmax(scores + bias, dim=2))
        outputs.append(weights[-1] @ (x @ w_v))
    return torch.cat(outputs, dim=2) @ w_out, torch.stack(weights, dim=1)


def multi_head_by_sdpa(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    q, k, v = ((x @ w).unflatten(-1, (n_heads, -1)).mT.mT.movedim(2, 1) for w in
               (w_query, w_key, w_value))  # fmt: skip
    eye = torch.eye(x.shape[1], dtype=x.dtype)
    weights = F.scaled_dot_product_attention(q, k, eye.expand(*k.shape[:-1], -1), attn_mask=mask)
    return (weights @ v).movedim(1, 2).flatten(2) @ w_out, weights


def multi_head_masked_late(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    """The mask after the softmax, and the rows divided by their sums again: it is the same."""
    heads = [
        (x @ w).unflatten(-1, (n_heads, -1)).transpose(1, 2) for w in (w_query, w_key, w_value)
    ]
    q, k, v = heads
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        weights = weights * mask
        weights = weights / weights.sum(-1, keepdim=True)
    return [(weights @ v).transpose(1, 2).flatten(2) @ w_out, weights]


def always_two_heads(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    return multi_head()(x, w_query, w_key, w_value, w_out, 2, mask)


def always_causal(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    if mask is not None:
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    return multi_head()(x, w_query, w_key, w_value, w_out, n_heads, mask)


def swapped(*given, mask=None):
    return multi_head()(*given, mask)[::-1]


def reasons_found(context, output, tokens, d_model):
    found = {}
    if context.shape[-1] != d_model:
        found["shape"] = True
    if torch.equal(context, output):
        found["same"] = True
    if context.std() == 0:
        found["equal"] = True
    return found


def refute(*reasons):
    known = {
        "shape": lambda c, o, t, d: c.shape != (*t.shape, d),
        "fixed": lambda c, o, t, d: c.shape != (3, 3, 10),
        "positive": lambda c, o, t, d: bool((c > 0).all()),
        "axes": lambda c, o, t, d: c.ndim != 3,
        "equal": lambda c, o, t, d: (c == c.flatten()[0]).all(),
        "spread": lambda c, o, t, d: c.std() == 0,
        "same": lambda c, o, t, d: torch.equal(c, o),
        "no gradient": lambda c, o, t, d: not c.requires_grad,
        "not the tokens": lambda c, o, t, d: c.shape == t.shape and bool((c != t).any()),
        "never": lambda c, o, t, d: False,
        "always": lambda c, o, t, d: True,
        "not one": lambda c, o, t, d: c != o,
        "not said": lambda c, o, t, d: "yes",
        "whole": lambda c, o, t, d: bool((c == c.round()).all()),
        "number of axes": lambda c, o, t, d: c.ndim != 3,
        "length of the last": lambda c, o, t, d: np.bool_(c.shape[-1] != d),
    }
    return lambda c, o, t, d: {reason: known[reason](c, o, t, d) for reason in reasons}


def copy_over(order=("query", "key", "value"), transpose=False, bias=True, out=True, out_bias=True):
    def answer(ours, theirs):
        maps = [getattr(ours, name) for name in order]
        with torch.no_grad():
            theirs.in_proj_weight.copy_(
                torch.cat([m.weight.T if transpose else m.weight for m in maps])
            )
            if bias:
                theirs.in_proj_bias.copy_(torch.cat([m.bias for m in maps]))
            if out:
                own = ours.out.weight
                theirs.out_proj.weight.copy_(own.T if out == "transposed" else own)
                if out_bias:
                    theirs.out_proj.bias.copy_(ours.out.bias)

    return answer


def copy_by_state(ours, theirs):
    parts = {"query": 0, "key": 1, "value": 2}
    state = theirs.state_dict()
    for name, i in parts.items():
        own = getattr(ours, name)
        d = own.weight.shape[0]
        state["in_proj_weight"][i * d : (i + 1) * d] = own.weight
        state["in_proj_bias"][i * d : (i + 1) * d] = own.bias
    state["out_proj.weight"], state["out_proj.bias"] = ours.out.weight, ours.out.bias
    theirs.load_state_dict(state)


def copy_data(ours, theirs):
    theirs.in_proj_weight.data = torch.cat([ours.query.weight, ours.key.weight, ours.value.weight])
    theirs.in_proj_bias.data = torch.cat([ours.query.bias, ours.key.bias, ours.value.bias])
    theirs.out_proj = ours.out


def one_third(ours, theirs):
    theirs.in_proj_weight = torch.nn.Parameter(ours.query.weight)


def new_out(ours, theirs):
    copy_over()(ours, theirs)
    theirs.out = ours.out


def no_copy(ours, theirs):
    theirs.forward = lambda *given, **named: (ours(*given), None)


def copy_back(ours, theirs):
    with torch.no_grad():
        ours.query.weight.copy_(theirs.in_proj_weight[: ours.query.weight.shape[0]])


def in_place(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    x += 1
    return x, x


RIGHT = {
    "predict_outcomes": ["acefdbgb", ["A", "C", "E", "F", "D", "B", "G", "B"], "A C E F D B G B"],
    "repaired": [multi_head(), multi_head_by_loop, multi_head_by_sdpa, multi_head_masked_late],
    "contradictions": [
        refute("shape", "equal", "same"),
        refute("axes", "spread", "same", "no gradient"),
        refute("shape", "spread", "whole"),
        refute("shape", "equal", "not the tokens"),
        lambda c, o, t, d: [c.shape[-1] != d, torch.allclose(c, o), bool((o == o[..., :1]).all())],
        # 1 and 0 are truth values, too
        lambda c, o, t, d: [int(c.ndim != 3), int(torch.equal(c, o)), int(c.std() == 0)],
    ],
    "copy_weights": [copy_by_state, copy_data],
    "runs_when": [
        lambda n, h, k, v, m: n == h and h == k and (n * n * v) % m == 0,
        lambda n, h, k, v, m: np.bool_(n == h == k and (n * n * v) % m == 0),
        lambda n, n_heads, d_k, d_v, d_model: (
            len({n, n_heads, d_k}) == 1 and not n**2 * d_v % d_model
        ),
    ],
}


WRONG = {
    "predict_outcomes": [
        ("AAAAAAAA", "1 of 8 are right. Write the shape"),
        ("ACEFDAGB", "7 of 8 are right. Write the shape"),
        ("ACEFDBG", "there are 8 configurations, and you gave 7 letters"),
        ("ACEFDBGX", "X is no outcome here"),
        (17, "write eight letters"),
    ],
    "repaired": [
        (multi_head(axis=2), "The first that does not: the weights of a query sum to 1"),
        (multi_head(axis=2), "(the softmax runs over the queries)"),
        (multi_head(scale=lambda d_k, d: 1), "not divided by √d_k"),
        (multi_head(scale=lambda d_k, d: math.sqrt(d)), "divided by √d_model, not by √d_k"),
        (multi_head(scale=lambda d_k, d: d_k), "divided by d_k, not by its root"),
        (multi_head(split="reshape"), "(the heads are split by one reshape"),
        (multi_head(join="reshape"), "(the heads are joined without turning back"),
        (multi_head(join="-1"), "is invalid for input"),
        (multi_head(project=False), "also where n_heads * d_v is not d_model"),
        (
            multi_head(masked=False),
            "9 of 12 properties hold. The first that does not: the mask hides",
        ),
        (multi_head(masked="inverted"), "the mask hides"),
        (lambda *a, mask=None: a[0], "must return (output, weights), but it returned a Tensor"),
        (lambda x, q, k, v, o, h: (x, x), "takes no argument mask="),
        (in_place, "changed its input x in place"),
        (multi_head(hidden=-20), "the mask hides: its weights are 0 where it is False"),
        (multi_head(hidden=-50), "the mask hides: its weights are 0 where it is False"),
        (multi_head(split="fixed"), "shape '[3, 5, 2, -1]' is invalid"),
        (always_two_heads, "The first that does not: equal to PyTorch"),
        (always_causal, "the mask hides"),
        (swapped, "the output has the shape of x"),
    ],
    "contradictions": [
        (refute("shape", "equal"), "at least three checks must speak against the print"),
        (refute("shape", "equal", "never"), "full of ones; 2 of your 3 do"),
        (refute("shape", "equal", "always"), "check 3 also speaks against what a right block"),
        (
            refute("length of the last", "number of axes", "equal"),
            "2 different reasons: checks that look at the shapes alone are one of them",
        ),
        (refute("shape", "axes", "length of the last"), "1 different reason: checks that look"),
        (refute("fixed", "equal", "same"), "speaks against what a right block gives"),
        (refute("positive", "shape", "same"), "check 1 also speaks against what a right block"),
        (refute("equal", "spread", "same"), "checks 1 and 2 find the same thing"),
        (refute("shape", "equal", "not said"), "each check must be one True or False"),
        (reasons_found, "return the same checks every time"),
        (refute("shape", "equal", "not one"), "each check must be one True or False"),
        (lambda c, o, t, d: True, "return a dictionary of at least three checks"),
    ],
    "copy_weights": [
        (copy_over(transpose=True), "the weight of the query is transposed"),
        (copy_over(order=("key", "query", "value")), "must be ours.query.weight"),
        (copy_over(bias=False), "the bias of the query is missing"),
        (copy_over(out=False), "out_proj is not ours.out"),
        (copy_over(out_bias=False), "out_proj is not ours.out"),
        (no_copy, "must be ours.query.weight"),
        (new_out, "theirs has a new parameter out.bias; write into those it has"),
        (copy_back, "ours was changed"),
        (copy_over(out="transposed"), "the weight of out_proj is transposed"),
        (one_third, "theirs.in_proj_weight is now (8, 8), torch.float32; it must stay (24, 8)"),
    ],
    "runs_when": [
        (lambda *a: True, "right for 76 of 3750 configurations"),
        (lambda n, h, k, v, m: n == h == k, "the encoder does not run"),
        (lambda n, h, k, v, m: n == h == k and m == h * v, "the encoder runs"),
        (lambda n, h, k, v, m: False, "right for 3674 of 3750 configurations"),
        (lambda *a: "yes", "must return True or False, but for n = 1, n_heads = 1, d_k = 1"),
    ],
}
