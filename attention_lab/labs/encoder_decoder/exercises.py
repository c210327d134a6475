"""Notebook 09: a full encoder-decoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attention_lab.grading.base import exercise
from attention_lab.grading.cases import judge, normal
from attention_lab.grading.compare import agree, same
from attention_lab.grading.feedback import Problem, call, name_of, returned, run
from attention_lab.labs.encoder_decoder.ablation import TASKS, Run, committed, key_of
from attention_lab.models.training import seeded
from attention_lab.models.transformer import DecoderLayer, EncoderLayer
from attention_lab.models.vocabulary import END, PAD, START

__all__ = [
    "PATIENTS",
    "batch_decoding",
    "kv_cache",
    "missing_piece",
    "parameter_count",
    "post_norm_decoder",
    "reports",
    "teaching_leak",
]


@exercise
def parameter_count(answer: Callable[..., Any]) -> str:
    """``parameters(d_model, d_ff)``: of an encoder layer and of a decoder layer."""
    sizes, given, right = ((24, 40), (16, 24), (512, 2048)), [], []
    for d, d_ff in sizes:
        with torch.device("meta"):
            layers = (EncoderLayer(d, 1, d_ff), DecoderLayer(d, 1, d_ff))
        right.append([sum(p.numel() for p in layer.parameters()) for layer in layers])
        given.append(_two_numbers(answer, call(answer, {"d_model": d, "d_ff": d_ff})))
    if given == right:
        return "With d_ff = 4 d: 12 d² + 13 d and 16 d² + 19 d; for d = 512, 3152384 and 4204032."
    if given == [counts[::-1] for counts in right]:
        raise Problem("the two are in the wrong order: first the encoder layer, then decoder")
    for k, which in enumerate(("encoder", "decoder")):
        own = [(size, mine[k], own[k]) for size, mine, own in zip(sizes, given, right, strict=True)]
        if all(mine == counted for _, mine, counted in own):
            continue
        # a reason counts only if it explains the number of every size
        tables = [dict(_miscounts(*size, k)) for size in sizes]
        reasons = [
            text
            for text in tables[0]
            if all(table[text] == mine for table, (_, mine, _) in zip(tables, own, strict=True))
        ]
        (d, d_ff), mine, counted = next(each for each in own if each[1] != each[2])
        raise Problem(
            f"for d_model = {d} and d_ff = {d_ff} the {which} layer has {counted} parameters, and "
            f"you count {mine:.12g}{': ' if reasons else ''}{', or '.join(reasons)}"
        )
    raise AssertionError("unreachable: some number is wrong")


def _two_numbers(answer: Callable[..., Any], result: Any) -> list[float]:
    if hasattr(result, "tolist"):  # a tensor or an array
        result = result.tolist()
    try:
        first, second = result
        return [float(first), float(second)]
    except (TypeError, ValueError, OverflowError):
        raise Problem(
            f"{name_of(answer)} must return two numbers, (encoder, decoder), but it returned "
            f"{repr(result)[:60]}"
        ) from None


def _miscounts(d: int, d_ff: int, decoder: int) -> list[tuple[str, int]]:
    """Return what is often forgotten, and what is counted then."""
    attentions, norms = 1 + decoder, 2 + decoder
    attention, attention_bias, norm = 4 * d * d, 4 * d, 2 * d
    feed, feed_bias = 2 * d * d_ff, d_ff + d
    right = attentions * (attention + attention_bias) + feed + feed_bias + norms * norm
    both = "both attentions" if decoder else "the attention"
    return [
        (
            "all biases of the linear maps are missing",
            right - attentions * attention_bias - feed_bias,
        ),
        (f"the biases of {both} are missing", right - attentions * attention_bias),
        ("the biases of the feed-forward part are missing", right - feed_bias),
        (
            "all biases are missing, those of the norms, too",
            attentions * attention + feed + norms * d,
        ),
        (
            "the norms are missing, each has a weight and a bias of d_model",
            right - norms * norm,
        ),
        ("one norm is missing", right - norm),
        ("a norm has a weight and a bias", right - norms * d),
        ("one norm too many (that at the end belongs to the stack, not to a layer)", right + norm),
        ("the bias after the second map of the feed-forward part is missing", right - d),
        ("the bias after the first map of the feed-forward part is missing", right - d_ff),
        ("two biases of an attention are missing", right - 2 * d),
        (
            "the biases of the feed-forward part and the norms are missing",
            right - feed_bias - norms * norm,
        ),
        (f"W_O of {both} is missing", right - attentions * (d * d + d)),
        (f"the bias of W_O of {both} is missing", right - attentions * d),
        (f"the matrix W_O of {both} is missing", right - attentions * d * d),
        ("the feed-forward part is missing", right - feed - feed_bias),
        (f"{both} missing", right - attentions * (attention + attention_bias)),
        *([("one of the two attentions is missing", right - attention - attention_bias)] * decoder),
        (
            "d_ff is not always 4 d_model",
            right - feed - feed_bias + 8 * d * d + 5 * d,
        ),
    ]


def _post_norm(batch: int, n: int, n_memory: int, d_model: int) -> dict[str, Any]:
    """Return what an answer to 9.2 gets, and PyTorch's tokens for it under "right"."""
    with seeded(6):
        layer = nn.TransformerDecoderLayer(d_model, 2, 16, dropout=0.0, batch_first=True)
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) / 5)
        x, memory = torch.randn(batch, n, d_model), torch.randn(batch, n_memory, d_model)
    hidden = torch.ones(n, n, dtype=torch.bool).triu(1)  # True = hidden, for these layers

    def own(y: Tensor) -> Tensor:
        return layer.self_attn(y, y, y, attn_mask=hidden, need_weights=False)[0]

    def cross(y: Tensor, memory: Tensor) -> Tensor:
        return layer.multihead_attn(y, memory, memory, need_weights=False)[0]

    def feed(y: Tensor) -> Tensor:
        return layer.linear2(layer.linear1(y).relu())

    return {
        "x": x, "memory": memory, "own": own, "cross": cross, "feed": feed,
        "norms": [layer.norm1, layer.norm2, layer.norm3],
        "right": layer(x, memory, tgt_mask=hidden),
    }  # fmt: skip


def _decoder(
    order: str = "ocf",
    use: tuple[int | None, ...] = (0, 1, 2),
    sums: str = "xxx",
    norm: str = "post",
) -> Callable[..., Tensor]:
    """Return a decoder layer with other parts, other norms, without a sum, or with norms before."""

    def layer(x: Tensor, memory: Tensor, own: Any, cross: Any, feed: Any, norms: list) -> Tensor:
        parts = {"o": own, "c": lambda y: cross(y, memory), "f": feed}
        for name, k, add in zip(order, use, sums, strict=False):
            part, normed = parts[name], norms[k] if k is not None else lambda y: y
            rest = x if add == "x" else 0
            if norm == "pre":
                x = rest + part(normed(x))
            elif norm == "inside":
                x = rest + normed(part(x))
            else:
                x = normed(rest + part(x))
        return x

    return layer


def _pre_norm_with_end(x: Tensor, *parts: Any) -> Tensor:
    return parts[-1][2](_decoder(norm="pre")(x, *parts))


DECODER_MISTAKES = {
    "that is pre-norm: the norm before each layer. Post-norm: layer, add, then norm": (
        _decoder(norm="pre")
    ),
    "pre-norm, with a norm at the end: post-norm is layer, add, norm, three times": (
        _pre_norm_with_end
    ),
    "the norm belongs around the sum, norm(x + layer(x)), not around the layer": (
        _decoder(norm="inside")
    ),
    "the first residual sum is missing": _decoder(sums="-xx"),
    "the second residual sum is missing": _decoder(sums="x-x"),
    "the third residual sum is missing": _decoder(sums="xx-"),
    "all residual sums are missing": _decoder(sums="---"),
    "the first norm is missing": _decoder(use=(None, 1, 2)),
    "the second norm is missing": _decoder(use=(0, None, 2)),
    "the last norm is missing": _decoder(use=(0, 1, None)),
    "all norms are missing": _decoder(use=(None, None, None)),
    "all three norms are norms[0]; each sub-layer has its own": _decoder(use=(0, 0, 0)),
    "the norms are in the wrong order": _decoder(use=(2, 1, 0)),
    "cross-attention comes after self-attention, not before it": _decoder("cof"),
    "the feed-forward part comes last": _decoder("ofc"),
    "self-attention is missing": _decoder("cf", use=(1, 2)),
    "cross-attention is missing": _decoder("of", use=(0, 2)),
    "the feed-forward part is missing": _decoder("oc"),
}


@exercise
def post_norm_decoder(answer: Callable[..., Tensor]) -> str:
    """``layer(x, memory, own, cross, feed, norms)``: the parts of nn.TransformerDecoderLayer."""
    with torch.no_grad():
        cases = [_post_norm(2, 4, 6, 8), _post_norm(3, 7, 2, 12)]
        right = {case["x"].shape: case.pop("right") for case in cases}
        judge(answer, cases, lambda x, *_: right[x.shape], "the tokens", DECODER_MISTAKES)
    return "Equal to nn.TransformerDecoderLayer (post-norm, its default), with the same parameters."


# letter: what is missing beside the norms (nothing for one of them)
PATIENTS = {"A": ("position",), "B": ("causal",), "C": (), "D": ("residual",)}


def reports() -> dict[str, dict[str, Run]]:
    """Return what is known of each patient: its kept runs by task."""
    return {
        letter: {task: committed()[key_of((*without, "norm"), task)] for task in TASKS}
        for letter, without in PATIENTS.items()
    }


@exercise
def missing_piece(answer: Any) -> str:
    """A dictionary: for each model the part that it lacks, or "nothing"."""
    if not isinstance(answer, Mapping) or set(answer) != set(PATIENTS):
        raise Problem("write a dictionary with the keys A, B, C and D")
    words = ("residual", "position", "causal", "nothing")
    answer = {
        k: said.strip().lower() if isinstance(said, str) else said for k, said in answer.items()
    }
    for said in answer.values():
        if said not in words:
            raise Problem(f"{said!r} is none of the four words: {', '.join(words)}")
    wrong = [k for k, without in PATIENTS.items() if answer[k] != (without or ("nothing",))[0]]
    if wrong:
        # Which, is not said: to name it would give the answer away.
        raise Problem(
            f"{4 - len(wrong)} of 4 are right. Ask of each: what does sorting not need (notebook "
            "08)? Which part does every task need? And what has a model seen that guesses every "
            "digit when the right ones stand before it, and writes nothing right?"
        )
    return "All four: no positions, no causal mask, nothing, no residual sums."


# what a model writes, row by row; the last one would never end
TEXTS = (
    [[5, 6, 7, END], [4, END], [8, 9, 5, 6, 7, 4, END]],
    [[7, 4, 8, END], [9, 5, 6, 9, 5, 6, 9, 5, 6, 9]],
    [[6, 5, 4, 7, 8, END], [9, 4, 4, END], [5, END]],  # the last one ends first
    [[4, PAD, 6, END], [PAD, 7, END]],  # a model may write padding of its own
    [[END]],
)


@exercise
def batch_decoding(answer: Callable[..., Tensor]) -> str:
    """``decode(next_logits, count, max_new_tokens)``: greedy, a batch, padded after the end."""
    tried = [(TEXTS[0], 10), (TEXTS[0], 4), (TEXTS[1], 6), (TEXTS[1], 1)]
    for texts, most in (*tried, *((texts, 12) for texts in TEXTS[2:])):
        model = _Writer(texts, most)
        inputs = {"next_logits": model, "count": len(texts), "max_new_tokens": most}
        try:
            result = returned(answer, inputs)
        except Problem as problem:
            raise (model.problem or problem) from None
        if model.problem:
            raise model.problem
        _judge_words(name_of(answer), result, texts, most, model.calls)
    return "Five batches: each sentence up to its END or to the limit, and padding after it."


def _is_whole(numbers: Any) -> bool:
    """Tell whether this is a tensor of whole numbers."""
    return isinstance(numbers, Tensor) and not (
        numbers.is_floating_point() or numbers.is_complex() or numbers.dtype == torch.bool
    )


class _Writer:
    """A model that writes given texts, and says what is wrong with how it is asked."""

    def __init__(self, texts: list[list[int]], most: int) -> None:
        self.texts, self.most, self.calls = texts, most, 0
        self.problem: Problem | None = None
        random = torch.Generator().manual_seed(9)
        self.base = -1 - torch.rand(len(texts), 10, generator=random)

    def __call__(self, written: Tensor) -> Tensor:
        self.calls += 1
        if problem := self._wrong(written):
            self.problem = self.problem or Problem(problem)
            raise self.problem
        logits, n = self.base.clone(), written.shape[1] - 1
        for row, text in enumerate(self.texts):
            # after its end a model goes on with anything
            logits[row, text[n] if n < len(text) else 3] = -0.5
        return logits

    def _wrong(self, written: Any) -> str:
        count = len(self.texts)
        if not isinstance(written, Tensor) or written.ndim != 2 or len(written) != count:
            shape = getattr(written, "shape", None)
            came = f"shape {tuple(shape)}" if shape is not None else f"a {type(written).__name__}"
            return f"next_logits takes a tensor (count, n), here ({count}, n), but it got {came}"
        if not _is_whole(written):
            return f"next_logits takes whole numbers, but it got {written.dtype}"
        n = written.shape[1] - 1
        if n < 0 or (written[:, 0] != START).any():
            return "the first column of what next_logits reads must be START (1)"
        if self.calls > 3 * self.most:
            return f"next_logits was called {self.calls} times, always with the same words"
        for row, (text, own) in enumerate(zip(self.texts, written[:, 1:].tolist(), strict=True)):
            for column, (word, said) in enumerate(zip(own, text, strict=False)):
                if word != said:
                    return (
                        f"sentence {row} reads {word} as its word {column}, but {said} was the "
                        "likeliest there (and only what was written is passed, without padding "
                        "for what is still to come)"
                    )
        if n >= self.most:
            return f"at most {self.most} words were asked for, and you go on after them"
        if all(END in row for row in written.tolist()):
            return "every sentence has its END, and you go on: stop there"
        return ""


def _judge_words(name: str, result: Any, texts: list[list[int]], most: int, calls: int) -> None:
    if not _is_whole(result) or result.ndim != 2 or len(result) != len(texts):
        came = (
            f"{result.dtype} of shape {tuple(result.shape)}"
            if isinstance(result, Tensor)
            else f"a {type(result).__name__}"
        )
        raise Problem(
            f"{name} must return a tensor of whole numbers, ({len(texts)}, n), but it returned "
            f"{came}"
        )
    longest = min(max(map(len, texts)), most)
    right = torch.tensor([(text[:longest] + [PAD] * longest)[:longest] for text in texts])
    if torch.equal(result, right.to(result.dtype)):
        return
    if result.shape[1] and (result[:, 0] == START).all():
        raise Problem("START does not belong to the result: leave the first column out")
    n = min(result.shape[1], longest)
    for row, text in enumerate(texts):
        for column in range(n):
            came, wanted = result[row, column].item(), right[row, column].item()
            if came == wanted:
                continue
            if wanted == END:
                raise Problem("END belongs to the result, as the last word of a sentence")
            if column >= len(text):
                raise Problem(
                    f"sentence {row} ended before, and has {came} after its END; write PAD (0) "
                    "there, whatever the model says"
                )
            raise Problem(
                f"word {column} of sentence {row} is {came}; the model's likeliest is {wanted}"
            )
    if result.shape[1] > longest:
        raise Problem(
            f"the result has {result.shape[1]} columns, but the longest sentence has {longest}"
        )
    if calls >= longest:
        raise Problem(
            f"the model was asked for {longest} words, and the result has {result.shape[1]} "
            "columns: return all of them but START"
        )
    if longest == most:
        raise Problem(
            f"`max_new_tokens` = {most} counts the words without START, and you stopped after "
            f"{calls}"
        )
    ended = sum(END in row for row in result.tolist())
    raise Problem(
        f"you stopped after {calls} words, when {ended} of {len(texts)} sentences had their END: "
        "go on until all have"
    )


def _hidden_from_a_shift(target: Tensor, n_words: int) -> tuple[Callable[[Tensor], Tensor], ...]:
    """Return two numbers for each position that stay if all later words move by one."""

    def apart(words: Tensor) -> Tensor:  # the two words after each position
        return torch.cat([(words[2:] - words[1:-1]) % n_words, torch.tensor([0])])

    def asks(words: Tensor) -> Tensor:  # one word, two further than the right one
        return (words[1:] - target[1:]) % n_words == 2

    return apart, asks


def _decoders(target: Tensor, n_words: int) -> dict[str, tuple[Callable[..., Tensor], set[int]]]:
    """Return decoders, and the positions at which each knows what it must not."""
    n = len(target)
    random = torch.Generator().manual_seed(8)
    table = torch.randn(n, n_words, n - 1, n_words, generator=random, dtype=torch.float64)

    def decoder(
        reads: Callable[[int, int], bool],
        only: Tensor | float = 1.0,
        cancels: bool = False,
        also: Callable[[Tensor], Tensor] = lambda words: words[1:] * 0,
    ) -> Any:
        """What is read at position i: word j wherever ``reads(i, j)``; ``only``: of later words.

        ``also`` gives a number for each position that is added to its first logit.
        """

        def predict(words: Tensor) -> Tensor:
            if words.shape != target.shape:
                raise ValueError(
                    f"predict takes a whole target, from START on: shape ({n},), not "
                    f"{tuple(words.shape)}"
                )
            if words.min() < 0 or words.max() >= n_words:
                raise ValueError(f"the words are 0 to {n_words - 1}")
            each = table[range(n), words]  # (n, n - 1, n_words)
            rows = [
                sum((only if j > i else 1.0) * each[j, i] for j in range(n) if reads(i, j))
                for i in range(n - 1)
            ]
            said = torch.stack(rows).tanh()
            if cancels:  # what leaks adds nothing to the sum of a row
                said[:, 0] += words[1:] / 8
                said[:, 1] -= words[1:] / 8
            said[:, 0] += also(words)
            return said

        return predict

    every, one_logit = set(range(n - 1)), torch.zeros(n_words, dtype=torch.float64)
    one_logit[n_words // 2] = 1.0
    return {
        **{what: (decoder(reads), leaks) for what, (reads, leaks) in _readers(n).items()},
        "a decoder that leaks into one logit": (decoder(lambda i, j: j <= i + 1, one_logit), every),
        "a decoder that leaks a millionth": (decoder(lambda i, j: j <= i + 1, 1e-6), every),
        "a decoder that leaks very little": (decoder(lambda i, j: j <= i + 1, 1e-12), every),
        "a decoder whose leak cancels in the sum": (
            decoder(lambda i, j: j <= i, cancels=True),
            every,
        ),
        # one word more or less moves neither of these two, if all later words move alike
        "a decoder that sees how far apart the next two words are": (
            decoder(lambda i, j: j <= i, also=_hidden_from_a_shift(target, n_words)[0]),
            every - {n - 2},
        ),
        "a decoder that asks whether the next word is a certain one": (
            decoder(lambda i, j: j <= i, also=_hidden_from_a_shift(target, n_words)[1]),
            every,
        ),
    }


def _readers(n: int) -> dict[str, tuple[Callable[[int, int], bool], set[int]]]:
    """Return which words j position i of a decoder reads, and where that is a leak."""
    every = set(range(n - 1))
    return {
        "an honest decoder": (lambda i, j: j <= i, set()),
        "a decoder that reads the word it must predict": (lambda i, j: j <= i + 1, every),
        "a decoder without a causal mask": (lambda i, j: j < n - 1, every - {n - 2}),
        "a decoder that sees the word after the next": (
            lambda i, j: j <= i or j == i + 2,
            every - {n - 2},
        ),
        "a decoder whose first position sees the last word": (
            lambda i, j: j <= i or (i, j) == (0, n - 1),
            {0},
        ),
        "a decoder with one hole in its mask": (lambda i, j: j <= i or (i, j) == (2, 4), {2}),
        "a decoder whose last position reads what it predicts": (
            lambda i, j: j <= i or i + 1 == j == n - 1,
            {n - 2},
        ),
        "a decoder that reads START only": (lambda i, j: j == 0, set()),
    }


@exercise
def teaching_leak(answer: Callable[..., Any]) -> str:
    """``leaks(predict, target, n_words)``: the positions that know what they must predict."""
    targets = (
        ([START, 5, 6, 3, 6, 4, END], 7),
        ([START, 8, 4, END, PAD, PAD], 9),
        ([START, 3, 4, 3, 4, END], 5),
    )
    for words, n_words in targets:
        target = torch.tensor(words)
        for what, (predict, right) in _decoders(target, n_words).items():
            inputs = {"predict": predict, "target": target, "n_words": n_words}
            found = _positions_in(returned(answer, inputs), len(words) - 1)
            if found == right:
                continue
            if extra := sorted(found - right):
                raise Problem(
                    f"{what}: there is no leak at position {extra[0]}. It may use the words 0 to "
                    f"{extra[0]}; move only those that come after"
                )
            missing = sorted(right - found)
            raise Problem(
                f"{what}: the leak at position {missing[0]} was not found. It must not depend on "
                f"word {missing[0] + 1}, which it predicts, nor on any later one, to "
                "whatever word it is changed; compare its whole row, exactly"
            )
    return "Fourteen decoders, three targets: each leak is found, and none where there is none."


def _positions_in(result: Any, count: int) -> set[int]:
    if hasattr(result, "tolist"):
        result = result.tolist()
    try:
        found = list(result)
        if any(isinstance(position, bool) for position in found):
            raise Problem("return the numbers of the positions, not one True or False for each")
        positions = {int(position) for position in found}
    except (TypeError, ValueError, OverflowError):
        raise Problem("return a list of positions, as [0, 2], or [] if there is none") from None
    if strange := sorted(positions - set(range(count))):
        raise Problem(
            f"there is no position {strange[0]}; the positions here are 0 to {count - 1}: "
            "position i is the row that predicts word i + 1"
        )
    return positions


# (B, d_k, d_v), how many words come in each call, and how many a word sees
CHUNKS = (
    ((1, 4, 6), (1, 1, 1), 2),
    ((2, 5, 3), (3, 1, 2, 1), 3),
    ((3, 8, 2), (2, 4), 9),
    ((2, 3, 4), (1, 5, 3), 4),
)


def _of_new(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    start: int,
    window: int,
    *,
    hides: str = "",
    scale: bool = True,
    longer: int = 0,
) -> Tensor:
    """Attend from the words that are new, ``start`` of them known before; all keys are given."""
    scores = q @ k.transpose(-2, -1) / (math.sqrt(q.shape[-1]) if scale else 1.0)
    back = start + torch.arange(q.shape[1])[:, None] - torch.arange(k.shape[1])  # (n_new, n)
    kept = back <= start + torch.arange(q.shape[1])[:, None] - max(start - window + 1, 0)
    sees = {
        "": (back >= 0) & (back < window + longer),
        "old": (back >= 0) & (back < window) & (torch.arange(k.shape[1]) >= start),
        "no later": kept,
        "no window": back >= 0,
        "no window in the mask": (back >= 0) & kept,
    }[hides]
    return scores.masked_fill(~sees, -math.inf).softmax(dim=-1) @ v


CACHE_MISTAKES: dict[str, Callable[..., Tensor]] = {
    "the new words see the new keys only; the keys in the cache came before them, and count too": (
        partial(_of_new, hides="old")
    ),
    "nothing is hidden: where several words come at once, each must see those up to itself only": (
        partial(_of_new, hides="no later")
    ),
    "every word sees all words before it; a window of 3 is the word itself and the 2 before it": (
        partial(_of_new, hides="no window")
    ),
    "the cache is cut, but where several words come at once the mask must cut, too: the first of "
    "them sees further back than the last": partial(_of_new, hides="no window in the mask"),
    "each word sees one word too many: a window of 3 is the word itself and the 2 before it": (
        partial(_of_new, longer=1)
    ),
    "each word sees one word too few: a window of 3 is the word itself and the 2 before it": (
        partial(_of_new, longer=-1)
    ),
    "the scores are not divided by √d_k": partial(_of_new, scale=False),
}


@exercise
def kv_cache(answer: Callable[..., Tensor]) -> str:
    """``attend_new(q, k, v, cache, window)``: attention of new words, in a window."""
    sentences = [_Sentence(*each, seed) for seed, each in enumerate(CHUNKS)]
    # the sentences take turns: what belongs to one must not lie where another finds it
    for turn in range(max(len(each.chunks) for each in sentences)):
        for sentence in sentences:
            if turn < len(sentence.chunks):
                sentence.read(answer)
    came = [pair for each in sentences for pair in each.came]
    if not all(same(result, _of_new(*given)) for result, given in came):
        for message, mistake in CACHE_MISTAKES.items():
            if all(same(result, mistake(*given)) for result, given in came):
                raise Problem(message)
        raise sentences[0].first_wrong(sentences)
    for sentence in sentences:
        if sentence.misses:
            raise Problem(sentence.misses)
    return (
        "Equal to attention over the whole sentence. With a window of 3 the cache never holds "
        "more than 2 keys, however long the sentence grows."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class _Sentence:
    """A batch of sentences that comes in chunks, with the cache that belongs to it."""

    def __init__(
        self, shape: tuple[int, int, int], chunks: tuple[int, ...], window: int, seed: int
    ) -> None:
        batch, d_k, d_v = shape
        n = sum(chunks)
        self.q, self.k = normal(batch, n, d_k, seed=seed), normal(batch, n, d_k, seed=seed + 50)
        self.v = normal(batch, n, d_v, seed=seed + 90)
        self.chunks, self.window, self.start, self.misses = chunks, window, 0, ""
        self.cache: dict[str, Any] = {}
        self.came: list[tuple[Tensor, tuple[Tensor, Tensor, Tensor, int, int]]] = []

    def read(self, answer: Callable[..., Tensor]) -> None:
        """Give the next chunk to an answer, and look into the cache."""
        count, start = self.chunks[len(self.came)], self.start
        q, k, v = (each[:, start : start + count] for each in (self.q, self.k, self.v))
        end = self.start = start + count
        inputs = {"q": q, "k": k, "v": v, "cache": self.cache, "window": self.window}
        try:
            result = run(answer, inputs, (*q.shape[:2], v.shape[-1]))
        except Problem as problem:
            raise Problem(f"after {_count(start, 'word')}: {problem}") from None
        self.came.append((result, (q, self.k[:, :end], self.v[:, :end], start, self.window)))
        self.misses = self.misses or self._missing(end)

    def _missing(self, end: int) -> str:
        first = max(end - self.window + 1, 0)  # what a later word can still see
        for name, right in (("k", self.k[:, first:end]), ("v", self.v[:, first:end])):
            kept = self.cache.get(name)
            if not isinstance(kept, Tensor):
                return f'the output is right, but cache["{name}"] is not there after a call'
            if kept.shape != right.shape:
                return (
                    f"the output is right, but with a window of {self.window} and after {end} "
                    f'words cache["{name}"] has shape {tuple(kept.shape)}; {tuple(right.shape)} is '
                    "right: keep what a later word can still see, and no more"
                )
            if not same(kept, right):
                return (
                    f'the output is right, but cache["{name}"] does not hold the words in their '
                    "order: new ones stand behind the old ones"
                )
        return ""

    @staticmethod
    def first_wrong(sentences: list[_Sentence]) -> Problem:
        """Say which call was the first whose output is wrong."""
        for sentence in sentences:
            for number, (result, given) in enumerate(sentence.came):
                wanted = _of_new(*given)
                if same(result, wanted):
                    continue
                index = (~agree(result, wanted)).nonzero()[0].tolist()
                said = f"{result[tuple(index)].item():.4g} instead of "
                said += f"{wanted[tuple(index)].item():.4g}"
                before = f"; before that {_count(number, 'call')} right" if number else ""
                held, new = _count(given[3], "word"), _count(given[0].shape[1], "new word")
                return Problem(
                    f"after {held}, with {new} and a window of {given[4]}, the output differs "
                    f"first at {index}: {said}{before}"
                )
        raise AssertionError("unreachable: some output is wrong")
