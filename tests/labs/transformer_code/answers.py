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
                return t.reshape(B, 5, -1, n_heads).permute(0, 3, 1, 2)
            if split == "neighbours":
                return t.reshape(B, n, n_heads, -1).transpose(1, 2)
            return t.reshape(B, n, -1, n_heads).permute(0, 3, 1, 2)

        q, k, v = heads(x @ w_query), heads(x @ w_key), heads(x @ w_value)
        scores = q @ k.transpose(-2, -1)
        scores = scores / (scale(q.shape[-1], d_model) if scale else math.sqrt(q.shape[-1]))
        if mask is not None and masked:
            scores = scores.masked_fill(~mask if masked is True else mask, hidden)
        weights = scores.softmax(dim=axis)
        if join == "reshape":
            joined = (weights @ v).reshape(B, n, -1)
        elif join == "-1":
            joined = (weights @ v).permute(0, 2, 3, 1).reshape(B, -1, d_model)
        elif join == "neighbours":
            joined = (weights @ v).transpose(1, 2).reshape(B, n, -1)
        else:
            joined = (weights @ v).permute(0, 2, 3, 1).reshape(B, n, -1)
        return (joined @ w_out if project else joined), weights

    return answer


def multi_head_by_loop(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    output, weights = 0, []
    for head in range(n_heads):
        w_q, w_k, w_v = (w[:, head::n_heads] for w in (w_query, w_key, w_value))
        bias = torch.zeros(x.shape[1], x.shape[1], dtype=x.dtype)
        if mask is not None:
            bias[~mask] = -math.inf
        scores = torch.einsum("bqd,bkd->bqk", x @ w_q, x @ w_k) * w_q.shape[1] ** -0.5
        weights.append(torch.softmax(scores + bias, dim=2))
        output = output + weights[-1] @ (x @ w_v) @ w_out[head::n_heads]
    return output, torch.stack(weights, dim=1)


def multi_head_by_sdpa(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    q, k, v = ((x @ w).unflatten(-1, (-1, n_heads)).movedim(3, 1) for w in
               (w_query, w_key, w_value))  # fmt: skip
    eye = torch.eye(x.shape[1], dtype=x.dtype)
    weights = F.scaled_dot_product_attention(q, k, eye.expand(*k.shape[:-1], -1), attn_mask=mask)
    return (weights @ v).movedim(1, 3).flatten(2) @ w_out, weights


def multi_head_masked_late(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    """The mask after the softmax, and the rows divided by their sums again: it is the same."""
    heads = [(x @ w).unflatten(-1, (-1, n_heads)).movedim(3, 1) for w in (w_query, w_key, w_value)]
    q, k, v = heads
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is not None:
        weights = weights * mask
        weights = weights / weights.sum(-1, keepdim=True)
    return [(weights @ v).movedim(1, 3).flatten(2) @ w_out, weights]


def always_two_heads(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    return multi_head()(x, w_query, w_key, w_value, w_out, 2, mask)


def always_causal(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    if mask is not None:
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    return multi_head()(x, w_query, w_key, w_value, w_out, n_heads, mask)


def swapped(*given, mask=None):
    return multi_head()(*given, mask)[::-1]


FOUND = {
    "A": "no scale",
    "B": "heads joined by one reshape",
    "C": "none",
    "D": "mask after the softmax",
    "E": "positions on the batch axis",
    "F": "scale √d_model",
}


def in_groups(share=lambda t, groups: t.repeat_interleave(groups, dim=1), axis=-1, d=None):
    """Build an answer to 7.3, right or with a fault."""

    def answer(query, key, value):
        groups = query.shape[1] // key.shape[1]
        key, value = share(key, groups), share(value, groups)
        scores = query @ key.transpose(-2, -1) / math.sqrt(d or query.shape[-1])
        return scores.softmax(dim=axis) @ value

    return answer


def in_groups_by_loop(query, key, value):
    groups = query.shape[1] // key.shape[1]
    return torch.stack(
        [
            F.scaled_dot_product_attention(query[:, i], key[:, i // groups], value[:, i // groups])
            for i in range(query.shape[1])
        ],
        dim=1,
    )


def in_groups_by_an_axis(query, key, value):
    b, _, n, d = query.shape
    query = query.view(b, key.shape[1], -1, n, d)  # (B, h_k, group, n_q, d_k)
    scores = torch.einsum("bkgqd,bksd->bkgqs", query, key) * d**-0.5
    return torch.einsum("bkgqs,bksv->bkgqv", scores.softmax(-1), value).flatten(1, 2)


def in_groups_by_pytorch(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, enable_gqa=True)


def one_key_for_all(query, key, value):
    return in_groups()(query, key.mean(1, keepdim=True), value.mean(1, keepdim=True))


def values_only(query, key, value):
    groups = query.shape[1] // key.shape[1]
    value = value.mean(dim=2, keepdim=True).repeat_interleave(groups, dim=1)
    return value.expand(-1, -1, query.shape[2], -1)


def keys_round_values_not(query, key, value):
    groups = query.shape[1] // key.shape[1]
    return in_groups()(query, key.repeat(1, groups, 1, 1), value.repeat_interleave(groups, 1))


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
    "find_faults": [FOUND, dict(reversed(FOUND.items()))],
    "repaired": [multi_head(), multi_head_by_loop, multi_head_by_sdpa, multi_head_masked_late],
    "grouped_query": [in_groups_by_loop, in_groups_by_an_axis, in_groups_by_pytorch],
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
    "find_faults": [
        (FOUND | {"C": "no scale"}, "5 of 6 are right. C fails none of the tests; a layer with"),
        (FOUND | {"D": "mask inverted"}, "D fails the tests sum 1, no leak; a layer with your "),
        (FOUND | {"D": "mask inverted"}, "(mask inverted) fails the tests sum 1, no leak, alone, "),
        (
            FOUND | {"B": "none"},
            "B fails the test no leak; a layer with your answer (none)",
        ),
        (FOUND | {"A": "scale √d_model"}, "fail the same tests. By how much are the weights off?"),
        (dict.fromkeys("ABCDEF", "none"), "1 of 6 are right. A fails the test by hand"),
        (FOUND | {"A": "bug"}, "A: the fault must be one of: none, mask inverted"),
        (FOUND | {"G": "none"}, "the letters must be A, B, C, D, E, F"),
        (list(FOUND.values()), "write a dictionary of 6 letters"),
    ],
    "repaired": [
        (multi_head(axis=2), "The first that does not: the weights of a query sum to 1"),
        (multi_head(axis=2), "(the softmax runs over the queries)"),
        (multi_head(scale=lambda d_k, d: 1), "not divided by √d_k"),
        (multi_head(scale=lambda d_k, d: math.sqrt(d)), "divided by √d_model, not by √d_k"),
        (multi_head(scale=lambda d_k, d: d_k), "divided by d_k, not by its root"),
        (multi_head(split="reshape"), "(the heads are split by one reshape"),
        (multi_head(split="neighbours"), "(head 0 gets the first columns, as in section 2"),
        (multi_head(split="neighbours", join="neighbours"), "as in section 2; here column c"),
        (multi_head(join="neighbours"), "(the heads are joined one behind the other"),
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
        (multi_head(split="fixed"), "shape '[3, 5, -1, 2]' is invalid"),
        (always_two_heads, "The first that does not: equal to PyTorch"),
        (always_causal, "the mask hides"),
        (swapped, "the output has the shape of x"),
    ],
    "grouped_query": [
        (in_groups(lambda t, groups: t.repeat(1, groups, 1, 1)), "the key heads go round"),
        (in_groups(d=1), "the scores are not divided by √d_k"),
        (lambda q, k, v: in_groups(d=q.shape[-1] ** 2)(q, k, v), "divided by d_k, not by its root"),
        (in_groups(lambda t, groups: t[:, :1]), "every query head reads key head 0"),
        (in_groups(axis=-2), "for query of shape (1, 6, 2, 4), key of shape (1, 2, 3, 4)"),
        (in_groups(lambda t, groups: t), "raised RuntimeError"),
        (in_groups(lambda t, groups: t.repeat_interleave(3, dim=1)), "right for other inputs, but"),
        (one_key_for_all, "the outputs differ first at"),
        (values_only, "the outputs differ first at"),
        (keys_round_values_not, "the outputs differ first at"),
        (lambda q, k, v: in_groups()(q, k, v)[:, :1], "(1, 6, 2, 5) is right"),
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
