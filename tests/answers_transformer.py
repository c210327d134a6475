"""Right and wrong answers to the exercises of notebooks 07 to 09, for test_exercises."""

import math

import numpy as np
import torch
import torch.nn.functional as F

# --- 07 ----------------------------------------------------------------------------------------


def multi_head(
    axis=-1, scale=None, split="right", join="right", masked=True, loop=False, project=True
):
    """Build an answer to 7.2, right or with a fault."""

    def answer(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
        B, n, d_model = x.shape

        def heads(t):
            if split == "reshape":
                return t.reshape(B, n_heads, n, -1)
            return t.reshape(B, n, n_heads, -1).transpose(1, 2)

        q, k, v = heads(x @ w_query), heads(x @ w_key), heads(x @ w_value)
        scores = q @ k.transpose(-2, -1)
        scores = scores / (scale(q.shape[-1], d_model) if scale else math.sqrt(q.shape[-1]))
        if mask is not None and masked:
            scores = scores.masked_fill(~mask if masked is True else mask, -math.inf)
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
        "shape": lambda c, o, t, d: c.shape != (3, 3, d),
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


def copy_back(ours, theirs):
    with torch.no_grad():
        ours.query.weight.copy_(theirs.in_proj_weight[: ours.query.weight.shape[0]])


def in_place(x, w_query, w_key, w_value, w_out, n_heads, mask=None):
    x += 1
    return x, x


# --- 08 ----------------------------------------------------------------------------------------


def sines(order="alternate", base=10_000.0, first=0, exponent=1.0, swap=False, every=False):
    """Build an answer to 8.1, right or with a fault."""

    def answer(n, d_model):
        p = torch.arange(first, first + n).double()[:, None]
        features = torch.arange(d_model) if every else torch.arange(0, d_model, 2)
        angles = p * base ** (-exponent * features.double() / d_model)
        if every:
            even = torch.arange(d_model) % 2 == 0
            return torch.where(even, angles.sin(), angles.cos())
        pair = (angles.cos(), angles.sin()) if swap else (angles.sin(), angles.cos())
        if order == "halves":
            return torch.cat(pair, dim=1)
        return torch.stack(pair, dim=-1).flatten(1)

    return answer


def sines_by_loop(n, d_model):
    rows = [
        [
            (math.sin if j % 2 == 0 else math.cos)(p / 10_000 ** ((j - j % 2) / d_model))
            for j in range(d_model)
        ]
        for p in range(n)
    ]
    return torch.tensor(rows)


def rotation(sign=1, scale=1.0, same=False):
    def answer(k, d_model):
        matrix = torch.eye(d_model, dtype=torch.float64)
        for i in range(0, d_model, 2):
            b = k * 10_000.0 ** (-(0 if same else i) / d_model) * scale
            matrix[i, i] = matrix[i + 1, i + 1] = math.cos(b)
            matrix[i, i + 1], matrix[i + 1, i] = sign * math.sin(b), -sign * math.sin(b)
        return matrix

    return answer


def rotation_by_least_squares(k, d_model):
    table = sines()(300 + k, d_model)
    return torch.linalg.lstsq(table[:300], table[k:]).solution.T


def turn(sign=1, halves=False, shift=0, stretch=1.0):
    """Build an answer to 8.3, right or with a fault."""

    def answer(x, places):
        d = x.shape[1]
        angle = 10_000.0 ** (-torch.arange(0, d, 2).double() / d) * (places[:, None] + shift)
        u, v = (x[:, : d // 2], x[:, d // 2 :]) if halves else (x[:, 0::2], x[:, 1::2])
        a = u * angle.cos() - sign * v * angle.sin()
        b = sign * u * angle.sin() + v * angle.cos()
        if halves:
            return stretch * torch.cat([a, b], dim=1)
        return stretch * torch.stack([a, b], dim=-1).flatten(1)

    return answer


def turn_by_complex_numbers(x, places):
    d = x.shape[1]
    theta = 10_000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    arrows = torch.view_as_complex(x.double().reshape(len(x), -1, 2).contiguous())
    turned = arrows * torch.polar(torch.ones_like(theta), places[:, None] * theta)
    return torch.view_as_real(turned).flatten(1)


def alibi_by_loop(slopes, n):
    return torch.tensor(
        [
            [[-m * (i - j) if j <= i else -math.inf for j in range(n)] for i in range(n)]
            for m in slopes.tolist()
        ]
    )


def alibi_of_the_hint(slopes, n):
    i = torch.arange(n)
    return -slopes[:, None, None] * (i[:, None] - i)


def alibi(sign=-1.0, hide=True, turned=False):
    def answer(slopes, n):
        distance = (torch.arange(n)[:, None] - torch.arange(n)).float()
        bias = sign * slopes[:, None, None] * distance.abs()
        if hide:
            bias = bias.masked_fill(distance < 0, -math.inf)
        return bias.mT if turned else bias

    return answer


# --- 09 ----------------------------------------------------------------------------------------


def parameters(out=True, bias=True, norms=(2, 3), attentions=(1, 2), norm_size=2, feed=True):
    """Build an answer to 9.1, right or with a fault."""

    def answer(d, d_ff):
        maps = 4 if out else 3
        attention = maps * (d * d + (d if bias else 0))
        feeds = (2 * d * d_ff + (d_ff + d if bias else 0)) if feed else 0
        return tuple(
            a * attention + feeds + n * norm_size * d
            for a, n in zip(attentions, norms, strict=True)
        )

    return answer


def PAIRS(d, d_ff):  # noqa: N802
    return enumerate(parameters()(d, d_ff), 1)


LAYERS = (torch.nn.TransformerEncoderLayer, torch.nn.TransformerDecoderLayer)


def parameters_by_torch(d_model, d_ff):
    return [sum(p.numel() for p in kind(d_model, 1, d_ff).parameters()) for kind in LAYERS]


def by_loop(x, memory, own, cross, feed, norms):
    for part, norm in zip((own, lambda y: cross(y, memory), feed), norms, strict=True):
        x = norm(torch.stack([x, part(x)]).sum(0))
    return x


def decoder_by(
    norms=(0, 1, 2), sums=(1, 1, 1), order=(0, 1, 2), pre=False, end=False, inside=False
):
    """Build an answer to 9.2 with a fault."""

    def answer(x, memory, own, cross, feed, given):
        parts = (own, lambda y: cross(y, memory), feed)
        for part, norm, add in zip(order, norms, sums, strict=False):
            normed = given[norm] if norm is not None else lambda y: y
            if pre:
                x = x + parts[part](normed(x))
            elif inside:
                x = x + normed(parts[part](x))
            else:
                x = normed(add * x + parts[part](x))
        return given[2](x) if end else x

    return answer


def decoded(
    pad=True,
    keep_start=False,
    stop=all,
    most_of=lambda most: most,
    end=True,
    result=lambda written: written,
    feed=lambda written: written,
    choose=lambda logits: logits.argmax(dim=-1),
    rows=lambda count: count,
):
    """Build an answer to 9.4, right or with a fault."""

    def answer(next_logits, count, most):
        written = torch.full((rows(count), 1), 1)
        done = torch.zeros(rows(count), dtype=torch.bool)
        while written.shape[1] <= most_of(most) and not stop(done.tolist()):
            word = choose(next_logits(feed(written)))
            if pad:
                word = torch.where(done, 0, word)
            done |= word == 2
            written = torch.cat([written, word[:, None]], dim=1)
        if not end:
            written = torch.where(written == 2, 0, written)
        return result(written if keep_start else written[:, 1:])

    return answer


def decoded_row_by_row(next_logits, count, most):
    written = [[1] for _ in range(count)]
    for _ in range(most):
        logits = next_logits(torch.tensor(written, dtype=torch.int32))
        for row, own in enumerate(written):
            own.append(0 if 2 in own else int(logits[row].argmax()))
        if all(2 in own for own in written):
            break
    return torch.tensor(written)[:, 1:]


def decoded_and_padded_after(next_logits, count, most):
    written = torch.ones(count, 1, dtype=torch.long)
    for _ in range(most):
        written = torch.cat([written, next_logits(written).argmax(-1, keepdim=True)], 1)
        if (written == 2).any(1).all():
            break
    behind = (written == 2).cumsum(1).cumsum(1) > 1
    return written.masked_fill(behind, 0)[:, 1:]


def never_grows(next_logits, count, most):
    while True:
        if (next_logits(torch.ones(count, 1).long()).argmax(-1) == 2).all():
            return None


def decoded_into_place(next_logits, count, most):
    out = torch.zeros(count, most + 1, dtype=torch.long)
    out[:, 0], n = 1, 0
    while n < most and not (out == 2).any(1).all():
        word = next_logits(out[:, : n + 1].clone()).max(-1).indices
        out[:, n + 1] = word * ~(out == 2).any(1)
        n += 1
    return out[:, 1 : n + 1]


def teaching_leaks(
    first=1,
    last=99,
    all_at_once=False,
    tolerance=0.0,
    shift=0,
    change=lambda word, n_words: (word + n_words - 1) % n_words,
    cut=False,
    row=lambda logits: logits,
):
    """Build an answer to 9.5, right or with a fault: words first to last behind a place move."""

    def answer(predict, target, n_words):
        before, found = predict(target), []
        for place in range(len(target) - 1):
            late = range(place + first, min(place + last + 1, len(target)))
            moved = [late] if all_at_once else [[word] for word in late]
            for group in moved:
                changed = target.clone()
                for word in group:
                    changed[word] = change(changed[word], n_words)
                if cut:
                    changed = changed[:-1]
                difference = predict(changed)[place] - before[place]
                if row(difference).abs().max() > tolerance:
                    found.append(place + shift)
                    break
        return found

    return answer


RIGHT = {
    "parameter_count": [
        parameters(),
        parameters_by_torch,
        lambda d, f: torch.tensor(parameters()(d, f)),
        lambda d, f: [sum(p.numel() for p in layer(d, 8, f).parameters()) for layer in LAYERS],
    ],
    "post_norm_decoder": [
        lambda x, m, o, c, f, n: n[2]((y := n[1]((y := n[0](x + o(x))) + c(y, m))) + f(y)),
        by_loop,
    ],
    "missing_piece": [
        {"A": "places", "B": "causal", "C": "nothing", "D": "residual"},
        {"D": "Residual", "C": "nothing ", "B": "causal", "A": "places"},
    ],
    "batch_decoding": [
        decoded(),
        decoded_into_place,
        decoded_row_by_row,
        decoded_and_padded_after,
        decoded(result=lambda written: written.int()),
    ],
    "teaching_leak": [
        teaching_leaks(),
        teaching_leaks(all_at_once=True),
        lambda p, t, n: set(teaching_leaks()(p, t, n)),
        lambda p, t, n: torch.tensor(teaching_leaks()(p, t, n), dtype=torch.long),
    ],
    "sines_and_cosines": [sines(), sines_by_loop],
    "rotation_of_sines": [rotation(), rotation_by_least_squares],
    "rotary": [turn(), turn_by_complex_numbers],
    "alibi": [alibi(), alibi_by_loop],
    "needs_places": ["bde", ["B", "D", "E"], "B, D and E"],
    "place_from_mean": [
        lambda y: (1 / y - 1).round(),
        lambda y: [1 / x - 1 for x in y.tolist()],
        lambda y: (1 - y) / y,
        lambda y: (1 / y).round().long() - 1,
    ],
    "predict_outcomes": ["acefdbgb", ["A", "C", "E", "F", "D", "B", "G", "B"], "A C E F D B G B"],
    "repaired": [multi_head(), multi_head_by_loop, multi_head_by_sdpa, multi_head_masked_late],
    "contradictions": [
        refute("shape", "equal", "same"),
        refute("axes", "spread", "same", "no gradient"),
        refute("length of the last", "number of axes", "equal"),
        refute("shape", "spread", "whole"),
        refute("shape", "equal", "not the tokens"),
        lambda c, o, t, d: [c.shape[-1] != d, torch.allclose(c, o), bool((o == o.mean()).all())],
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
    "parameter_count": [
        (parameters(bias=False), "all biases of the linear maps are missing"),
        (lambda d, f: [x - 4 * d * k for k, x in PAIRS(d, f)], "the biases of the attention"),
        (lambda d, f: [x - (f + d) for _, x in PAIRS(d, f)], "the biases of the feed-forward"),
        (parameters(out=False), "W_O of the attention is missing"),
        (parameters(norms=(0, 0)), "the norms are missing"),
        (parameters(norms=(1, 2)), "one norm is missing"),
        (parameters(norms=(3, 4)), "the norm at the end belongs to the stack"),
        (parameters(norm_size=1), "a norm has a weight and a bias"),
        (parameters(attentions=(1, 1)), "one of the two attentions is missing"),
        (parameters(feed=False), "the feed-forward part is missing"),
        (lambda d, f: parameters()(d, f)[::-1], "in the wrong order"),
        (lambda d, f: parameters()(d, 4 * d), "d_ff is not always 4 d_model"),
        (lambda d, f: [x + 0.5 for x in parameters()(d, f)], "and you count 4480.5"),
        (lambda d, f: 12 * d * d + 13 * d, "must return two numbers"),
        (lambda d, f: (..., 3), "but it returned (Ellipsis, 3)"),
    ],
    "post_norm_decoder": [
        (decoder_by(pre=True), "that is pre-norm"),
        (decoder_by(pre=True, end=True), "pre-norm, with a norm at the end"),
        (decoder_by(sums=(0, 1, 1)), "the first residual sum is missing"),
        (decoder_by(sums=(1, 0, 1)), "the second residual sum is missing"),
        (decoder_by(sums=(1, 1, 0)), "the third residual sum is missing"),
        (decoder_by(sums=(0, 0, 0)), "all residual sums are missing"),
        (decoder_by(norms=(None, 1, 2)), "the first norm is missing"),
        (decoder_by(norms=(0, None, 2)), "the second norm is missing"),
        (decoder_by(norms=(0, 1, None)), "the last norm is missing"),
        (decoder_by(norms=(None, None, None)), "all norms are missing"),
        (decoder_by(norms=(0, 0, 0)), "all three norms are norms[0]"),
        (decoder_by(norms=(2, 1, 0)), "the norms are in the wrong order"),
        (decoder_by(order=(1, 0, 2)), "cross-attention comes after self-attention"),
        (decoder_by(order=(0, 2, 1)), "the feed-forward part comes last"),
        (decoder_by(order=(0, 1), norms=(0, 1)), "the feed-forward part is missing"),
        (decoder_by(order=(1, 2), norms=(1, 2)), "self-attention is missing"),
        (decoder_by(order=(0, 2), norms=(0, 2)), "cross-attention is missing"),
        (decoder_by(inside=True), "not around the layer"),
        (lambda x, m, o, c, f, n: x + m, "raised RuntimeError"),
        (lambda x, m, o, c, f, n: n[0](x) + o(x), "the tokens differ first"),
        (lambda x, o, c, f, n: x, "is called with 6 arguments"),
    ],
    "missing_piece": [
        ({"A": "residual", "B": "causal", "C": "nothing", "D": "places"}, "Look at A again"),
        ({"A": "places", "B": "nothing", "C": "causal", "D": "residual"}, "Look at B again"),
        ({"A": "places", "B": "causal", "C": "nothing", "D": "causal"}, "Look at D again"),
        ({"A": "places", "B": "mask", "C": "nothing", "D": "norm"}, "'mask' is none of the four"),
        ({"A": ["places"], "B": "mask", "C": "nothing", "D": "norm"}, "['places'] is none of the"),
        ({"A": "places"}, "the keys A, B, C and D"),
        ("places", "the keys A, B, C and D"),
    ],
    "batch_decoding": [
        (decoded(pad=False), "sentence 0 ended before, and has 3 after its END; write PAD"),
        (decoded(keep_start=True), "START does not belong to the result"),
        (decoded(stop=lambda done: False), "every sentence has its END, and you go on"),
        (decoded(stop=any), "when 1 of 3 sentences had their END: go on until all have"),
        (decoded(most_of=lambda most: 50), "at most 4 words were asked for"),
        (decoded(most_of=lambda most: most - 1), "counts the words without START"),
        (decoded(end=False), "END belongs to the result"),
        (decoded(result=lambda written: written.tolist()), "a tensor of whole numbers"),
        (decoded(result=lambda written: written.double()), "a tensor of whole numbers"),
        (decoded(result=lambda written: written.T), "a tensor of whole numbers, (3, n)"),
        (decoded(feed=lambda written: torch.ones_like(written)), "reads 1 as its word 0, but"),
        (decoded(feed=lambda written: written.flip(0)), "sentence 0 reads 8 as its word 0"),
        (decoded(feed=lambda written: written.double()), "takes whole numbers, but it got"),
        (decoded(feed=lambda written: written[:, -1:]), "must be START"),
        (decoded(feed=lambda written: written[0]), "here (3, n), but it got shape (1,)"),
        (decoded(feed=lambda written: written.tolist()), "here (3, n), but it got a list"),
        (
            decoded(feed=lambda w: torch.cat([w, torch.zeros(len(w), 2).long()], 1)),
            "pass only the columns written so far",
        ),
        (decoded(choose=lambda logits: logits.abs().argmax(-1)), "the model wrote"),
        (decoded(rows=lambda count: 3), "here (2, n), but it got shape (3, 1)"),
        (decoded(result=lambda w: torch.cat([w, 0 * w], 1)), "columns, but the longest sentence"),
        (never_grows, "always with the same words"),
        (lambda n, c, m: torch.zeros(c, 2).long(), "word 0 of sentence 0 is 0"),
        (lambda n, c, m: print("written"), "returned None"),
    ],
    "teaching_leak": [
        (lambda p, t, n: [], "the word it must predict: the leak at place 0 was not found"),
        (teaching_leaks(first=2), "the word it must predict: the leak at place 0 was not found"),
        (teaching_leaks(last=1), "must not depend on word 1"),
        (teaching_leaks(first=0), "an honest decoder: there is no leak at place 0"),
        (teaching_leaks(last=2), "first place sees the last word: the leak at place 0"),
        (teaching_leaks(tolerance=1e-5), "leaks a millionth: the leak at place"),
        (teaching_leaks(row=lambda x: x[:1]), "into one logit: the leak at place"),
        (teaching_leaks(change=lambda word, n: 0), "reads the word it must predict: the leak"),
        (teaching_leaks(change=lambda word, n: word + 1), "the words are 0 to 6"),
        (lambda p, t, n: [False] * (len(t) - 1), "not one True or False for each"),
        (lambda p, t, n: torch.zeros(len(t) - 1).bool(), "not one True or False for each"),
        (lambda p, t, n: [-1], "there is no place -1; the places here are 0 to 5"),
        (
            teaching_leaks(shift=1),
            "there is no place 6; the places here are 0 to 5: place i is the row",
        ),
        (teaching_leaks(change=lambda word, n: (word + 1) % 13), "the words are 0 to 6"),
        (teaching_leaks(cut=True), "predict takes a whole target"),
        (lambda p, t, n: True, "return a list of places"),
        (lambda p, t, n: ["all"], "return a list of places"),
        (lambda p, t, n: print("found"), "returned None"),
    ],
    "sines_and_cosines": [
        (sines(order="halves"), "all sines stand before all cosines"),
        (sines(swap=True), "sine and cosine are the wrong way round"),
        (sines(first=1), "places count from 0"),
        (sines(exponent=2.0), "doubled once more"),
        (sines(every=True), "the exponent changes with every pair"),
        (sines(base=1000.0), "the numbers differ first at [1, 2]"),
        (lambda n, d_model: sines()(d_model, n), "(5, 8) is right"),
    ],
    "rotation_of_sines": [
        (rotation(sign=-1), "R turns the wrong way"),
        (rotation(same=True), "Each pair of features turns by its own angle"),
        (rotation(scale=0.5), "is off positions(p + k)"),
        (lambda k, d: torch.eye(d), "is off positions(p + k)"),
        (lambda k, d: torch.eye(d - 1), "(8, 8) is right"),
    ],
    "rotary": [
        (turn(sign=-1), "the other way round"),
        (turn(halves=True), "you paired feature i with feature i + d / 2"),
        (turn(shift=1), "at place 0 nothing turns"),
        (lambda x, p: torch.cat([turn()(x, p)[:, i::2] for i in (0, 1)], 1), "in another order"),
        (lambda x, p: turn()(x, p) * math.nan, "nan"),
        (lambda x, p: turn()(x, torch.arange(len(x))), "places are given; yours always begin at 0"),
        (turn(stretch=2.0), "a turn changes no length"),
        (lambda x, places: x, "the numbers differ first"),
    ],
    "alibi": [
        (alibi(sign=1.0), "a key far away must be pushed down"),
        (alibi(hide=False), "later keys are not hidden, they only count as far away"),
        (alibi_of_the_hint, "later keys are not hidden: -inf"),
        (
            lambda slopes, n: alibi()(
                2.0 ** (-8 * torch.arange(1, len(slopes) + 1) / len(slopes)), n
            ),
            "the slopes are given, and others were used",
        ),
        (alibi(turned=True), "the other way round"),
        (lambda slopes, n: alibi()(slopes, n)[0], "(8, 4, 4) is right"),
        (lambda slopes, n: alibi()(slopes**2, n), "the biases differ first"),
    ],
    "needs_places": [
        ("ABDE", "A needs no places"),
        ("BCDE", "C needs no places"),
        ("BD", "1 more of the six"),
        ("G", "G is no statement here"),
    ],
    "place_from_mean": [
        (lambda y: 1 / y, "places count from 0"),
        (lambda y: y, "it is that of place"),
        (lambda y: torch.arange(64), "it is that of place"),
        (lambda y: y.argsort(descending=True), "it is that of place"),
        (lambda y: 1 / y.mean(), "shape (64)"),
    ],
    "predict_outcomes": [
        ("AAAAAAAA", "1 of 8 are right. Look at configuration 2 again: not even line 1 runs"),
        ("ACEFDAGB", "7 of 8 are right. Look at configuration 6 again: it reaches query (1, 3, 9)"),
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
        (always_two_heads, "The first that does not: equal to PyTorch"),
        (always_causal, "the mask hides"),
        (swapped, "the output has the shape of x"),
    ],
    "contradictions": [
        (refute("shape", "equal"), "at least three checks are asked for, and you gave 2"),
        (refute("shape", "equal", "never"), "check 3 does not speak against the print"),
        (refute("shape", "equal", "always"), "check 3 also speaks against what a right block"),
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
        (copy_back, "ours was changed"),
        (copy_over(out="transposed"), "the weight of out_proj is transposed"),
        (one_third, "theirs.in_proj_weight is now (8, 8), torch.float32; it must stay (24, 8)"),
    ],
    "runs_when": [
        (lambda *a: True, "right for 76 of 3750 configurations"),
        (lambda n, h, k, v, m: n == h == k, "the encoder does not run"),
        (lambda n, h, k, v, m: n == h == k and m == h * v, "the encoder runs"),
        (lambda n, h, k, v, m: False, "right for 3674 of 3750 configurations"),
        (lambda *a: "yes", "must return True or False, but it returned a str"),
    ],
}
