"""Right answers, and wrong ones with what must be said of them."""

import torch


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
    end_at=(2,),
):
    """Build an answer to 9.4, right or with a fault."""

    def answer(next_logits, count, most):
        written = torch.full((rows(count), 1), 1)
        done = torch.zeros(rows(count), dtype=torch.bool)
        while written.shape[1] <= most_of(most) and not stop(done.tolist()):
            word = choose(next_logits(feed(written)))
            if pad:
                word = torch.where(done, 0, word)
            done |= torch.isin(word, torch.tensor(end_at))
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


def section_five(p, t, n):
    """The test of section 5, at each position: all later words move by one."""
    before = p(t)
    return [
        i
        for i in range(len(before))
        if not torch.equal(p(torch.cat([t[: i + 1], (t[i + 1 :] + 1) % n]))[i], before[i])
    ]


def all_words_at_once(p, t, n):
    """Every word of the sentence that comes later is tried, for all positions in one pass."""
    before, found = p(t), set()
    for j in range(1, len(t)):
        for word in range(n):
            changed = t.clone()
            changed[j] = word
            found |= {i for i in range(j) if (p(changed) != before)[i].any()}
    return found


def teaching_leaks(
    first=1,
    last=99,
    all_at_once=False,
    tolerance=0.0,
    shift=0,
    change=lambda word, n_words: (word + n_words - 1) % n_words,
    cut=False,
    row=lambda logits: logits,
    by=None,
):
    """Build an answer to 9.5, right or with a fault: words first to last behind a position move."""

    def answer(predict, target, n_words):
        before, found = predict(target), []
        for position in range(len(target) - 1):
            late = range(position + first, min(position + last + 1, len(target)))
            moved = [late] if all_at_once else [[word] for word in late]
            each = by or range(1, n_words)
            for group, times in ((g, t) for g in moved for t in each):
                changed = target.clone()
                for word in group:
                    for _ in range(times):
                        changed[word] = change(changed[word], n_words)
                if cut:
                    changed = changed[:-1]
                difference = predict(changed)[position] - before[position]
                if row(difference).abs().max() > tolerance:
                    found.append(position + shift)
                    break
        return found

    return answer


def attended(
    first=torch.cat,
    mask="later",
    scale=True,
    keep=("k", "v"),
    behind=True,
    stored=lambda x: x,
    longer=0,
    cuts=True,
    kept=-1,
):
    """Build an answer to 9.6, right or with a fault."""

    def answer(q, k, v, cache, window):
        start = cache["k"].shape[1] if "k" in cache else 0
        new = {"k": k, "v": v}
        for name in new:
            pair = [cache[name], new[name]] if name in cache else [new[name]]
            whole = first(pair if behind else pair[::-1], dim=1)
            if name in keep:
                here = max(whole.shape[1] - (window + kept), 0) if cuts else 0
                cache[name] = stored(whole[:, here:])
            new[name] = whole
        n_k = new["k"].shape[1]
        back = start + torch.arange(q.shape[1])[:, None] - torch.arange(n_k)
        sees = {
            "later": (back >= 0) & (back < window + longer),
            "corner": (back >= start) & (back < window + start),
            "none": back > -n_k,
            "causal": back >= 0,
        }[mask]
        scores = q @ new["k"].mT / (q.shape[-1] ** 0.5 if scale else 1)
        return scores.masked_fill(~sees, float("-inf")).softmax(-1) @ new["v"]

    return answer


def attended_word_by_word(q, k, v, cache, window):
    rows = []
    for i in range(q.shape[1]):
        for name, new in (("k", k), ("v", v)):
            old = cache.get(name, new[:, :0])
            cache[name] = torch.cat([old, new[:, i : i + 1]], 1)[:, -window:]
        rows.append(
            torch.nn.functional.scaled_dot_product_attention(
                q[:, i : i + 1], cache["k"], cache["v"]
            )
        )
    for name in ("k", "v"):
        cache[name] = cache[name][:, -(window - 1) :]
    return torch.cat(rows, 1)


def attended_over_new(q, k, v, cache, window):
    return attended()(q, k, v, {}, window)


def attended_with(unpack, rename=str, pack=False):
    """Keep the right numbers in another way than the one that was asked for."""

    def answer(q, k, v, cache, window):
        own = unpack(dict(cache))
        result = attended()(q, k, v, own, window)
        kept = {name: each[None] for name, each in own.items()} if pack else unpack(own)
        cache.clear()
        cache.update({rename(name): each for name, each in kept.items()})
        return result

    return answer


KEPT = {}


def attended_in_one_cache(q, k, v, cache, window):
    return attended()(q, k, v, KEPT, window)


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
        {"A": "position", "B": "causal", "C": "nothing", "D": "residual"},
        {"D": "Residual", "C": "nothing ", "B": "causal", "A": "position"},
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
        all_words_at_once,
        lambda p, t, n: set(teaching_leaks()(p, t, n)),
        lambda p, t, n: torch.tensor(teaching_leaks()(p, t, n), dtype=torch.long),
    ],
    "kv_cache": [attended(), attended_word_by_word, attended(stored=lambda x: x.clone())],
}


WRONG = {
    "parameter_count": [
        (parameters(bias=False), "all biases of the linear maps are missing"),
        (lambda d, f: [x - 4 * d * k for k, x in PAIRS(d, f)], "the biases of the attention"),
        (lambda d, f: [x - (f + d) for _, x in PAIRS(d, f)], "the biases of the feed-forward"),
        (parameters(out=False), "W_O of the attention is missing"),
        (parameters(norms=(0, 0)), "the norms are missing"),
        (parameters(norms=(1, 2)), "one norm is missing"),
        (parameters(norms=(3, 4)), "one norm too many (that at the end belongs to the stack"),
        (lambda d, f: [x - d for x in parameters()(d, f)], "after the second map"),
        (lambda d, f: [x - f for x in parameters()(d, f)], "after the first map"),
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
        (
            {"A": "residual", "B": "causal", "C": "nothing", "D": "position"},
            "2 of 4 are right",
        ),
        (
            {"A": "position", "B": "nothing", "C": "causal", "D": "residual"},
            "2 of 4 are right",
        ),
        (
            {"A": "position", "B": "causal", "C": "nothing", "D": "causal"},
            "3 of 4 are right",
        ),
        ({"A": "position", "B": "mask", "C": "nothing", "D": "norm"}, "'mask' is none of the four"),
        (
            {"A": ["position"], "B": "mask", "C": "nothing", "D": "norm"},
            "['position'] is none of",
        ),
        ({"A": "position"}, "the keys A, B, C and D"),
        ("position", "the keys A, B, C and D"),
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
            "and only what was written is passed",
        ),
        (decoded(choose=lambda logits: logits.abs().argmax(-1)), "was the likeliest there"),
        (decoded(stop=lambda done: done[-1]), "when 1 of 3 sentences had their END"),
        (decoded(end_at=(0, 2)), "word 1 of sentence 1 is 0"),
        (
            decoded(choose=lambda logits: logits[:, 1:].argmax(-1) + 1),
            "sentence 1 reads 2 as its word 0, but 0",
        ),
        (decoded(result=lambda written: written[:, :-1]), "return all of them but START"),
        (decoded(rows=lambda count: 3), "here (2, n), but it got shape (3, 1)"),
        (decoded(result=lambda w: torch.cat([w, 0 * w], 1)), "columns, but the longest sentence"),
        (never_grows, "always with the same words"),
        (lambda n, c, m: torch.zeros(c, 2).long(), "word 0 of sentence 0 is 0"),
        (lambda n, c, m: print("written"), "returned None"),
    ],
    "teaching_leak": [
        (lambda p, t, n: [], "the word it must predict: the leak at position 0 was not found"),
        (section_five, "how far apart the next two words are: the leak at position 0"),
        (teaching_leaks(all_at_once=True), "how far apart the next two words are: the leak"),
        (teaching_leaks(by=[1]), "whether the next word is a certain one: the leak"),
        (teaching_leaks(first=2), "the word it must predict: the leak at position 0 was not found"),
        (teaching_leaks(last=1), "must not depend on word 1"),
        (teaching_leaks(first=0), "an honest decoder: there is no leak at position 0"),
        (teaching_leaks(last=2), "first position sees the last word: the leak at position 0"),
        (teaching_leaks(tolerance=1e-10), "leaks very little: the leak at position"),
        (teaching_leaks(row=lambda x: x.sum()), "cancels in the sum: the leak at position"),
        (teaching_leaks(change=lambda word, n: (word + 1) % 7), "the words are 0 to"),
        (teaching_leaks(tolerance=1e-5), "leaks a millionth: the leak at position"),
        (teaching_leaks(row=lambda x: x[:1]), "into one logit: the leak at position"),
        (teaching_leaks(change=lambda word, n: 0), "a certain one: the leak"),
        (teaching_leaks(change=lambda word, n: word + 1), "the words are 0 to 6"),
        (lambda p, t, n: [False] * (len(t) - 1), "not one True or False for each"),
        (lambda p, t, n: torch.zeros(len(t) - 1).bool(), "not one True or False for each"),
        (lambda p, t, n: [-1], "there is no position -1; the positions here are 0 to 5"),
        (
            teaching_leaks(shift=1),
            "there is no position 6; the positions here are 0 to 5: position i is the row",
        ),
        (teaching_leaks(change=lambda word, n: (word + 1) % 13), "the words are 0 to 6"),
        (teaching_leaks(cut=True), "predict takes a whole target"),
        (lambda p, t, n: True, "return a list of positions"),
        (lambda p, t, n: ["all"], "return a list of positions"),
        (lambda p, t, n: print("found"), "returned None"),
    ],
    "kv_cache": [
        (attended_over_new, "the new words see the new keys only"),
        (attended(mask="none"), "nothing is hidden: where several words come at once"),
        (attended(mask="corner"), "the output differs first at"),
        (attended(mask="causal"), "the cache is cut, but where several words come at once"),
        (attended(mask="causal", cuts=False), "every word sees all words before it"),
        (attended(longer=1, cuts=False), "one word too many"),
        (attended(longer=-1), "one word too few"),
        (attended(cuts=False), "has shape (1, 2, 4); (1, 1, 4) is right"),
        (attended(kept=0), "keep what a later word can still see, and no more"),
        (attended(kept=-2), "the output differs first at"),
        (attended(scale=False), "not divided by √d_k"),
        (attended(keep=("k",)), "after 1 word: answer raised"),
        (attended(keep=()), "the new words see the new keys only"),
        (
            attended(stored=lambda x: x[:, -2:]),
            "after 6 words, with 3 new words and a window of 4, the output differs",
        ),
        (attended(behind=False), "the output differs first at"),
        (attended(stored=lambda x: x.flip(0)), "the output differs first at"),
        (
            attended_with(lambda old: {n: x.flip(1) for n, x in old.items()}),
            "does not hold the words",
        ),
        (
            attended_with(lambda old: {n.lower(): x for n, x in old.items()}, str.upper),
            'cache["k"] is not there after a call',
        ),
        (
            attended_with(lambda old: {n: x[0] for n, x in old.items()}, pack=True),
            "has shape (1, 1, 1, 4)",
        ),
        (attended_in_one_cache, "raised RuntimeError"),
        (lambda q, k, v, cache, w: attended()(q, k, v, cache, w)[:, -1:], "shape (2, 1, 3)"),
        (lambda q, k, v, cache, window: cache, "must be a tensor, but it is a dict"),
        (lambda q, k, v: q, "is called with 5 arguments"),
        (lambda q, k, v, cache, window: print("kept"), "returned None"),
    ],
}
