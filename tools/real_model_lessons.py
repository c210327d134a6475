"""What was seen in SmolLM2, measured again: each lesson is one function that returns its numbers.

    python tools/real_model_lessons.py                    all of them, about ten minutes
    python tools/real_model_lessons.py induction streaming  some of them

The notebooks show a part of this, live; `tests/models/test_lessons.py` holds the numbers. Lessons
1 and 8 to 15 are in ``interpretation.py``.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.core import modes
from attention_lab.models.language_model import (
    Head,
    ablated,
    chosen,
    mean_outputs,
    programmed,
    recorded,
)
from attention_lab.models.pretrained import SmolLM2, smollm2

PROSE = (
    "The sun is a star. It is very large and very hot, and it gives light to all the planets. The "
    "earth goes round the sun once a year, and the moon goes round the earth once a month. When "
    "the moon stands between the earth and the sun, the day becomes dark for a short time. People "
    "have watched this for thousands of years, and many of them were afraid. Today we know when "
    "the next one will come, to the second. Some people travel a long way to see it. They wear "
    "dark glasses, because the light of the sun can hurt the eyes. After a few minutes the light "
    "comes back, the birds begin to sing again, and everybody goes home. My grandmother saw one "
    "when she was a child. She was in the garden with her brother, and the hens ran into their "
    "house because they thought that the night had come."
)
Numbers = dict[str, object]


def rule(name: str, mask: Callable) -> modes.Mode:
    """A mode whose mask is a function of query and key only."""
    return modes.Mode(name, lambda b, h, q_idx, kv_idx: mask(q_idx, kv_idx))


def others(
    lm: SmolLM2, number: int, seed: int, without: Sequence[Head], layers=range(30)
) -> list[Head]:
    """Draw heads as a control."""
    free = [head for head in chosen(lm.model.config, layers=layers) if head not in without]
    return random.Random(seed).sample(free, number)


def mean_loss(lm: SmolLM2, text: str | Tensor, from_token: int = 1, **options) -> float:
    return lm.loss(text, from_token, **options).mean().item()


# --- the table ------------------------------------------------------------------------------


def twice(seeds: int = 3, n: int = 24) -> Tensor:
    """<|endoftext|>, then random tokens, said twice: (seeds, 1 + 2 n).

    The first position is the sink of most heads, and a word that stands there is badly copied.
    """
    rows = [
        torch.randint(17, 49_152, (n,), generator=torch.Generator().manual_seed(seed))
        for seed in range(seeds)
    ]
    return torch.stack([torch.cat([torch.zeros(1, dtype=torch.long), row, row]) for row in rows])


def halves(lm: SmolLM2, tokens: Tensor) -> tuple[float, float, float]:
    """Return the loss of the first half, that of the second, and the share right in the second."""
    n = tokens.shape[1] // 2
    logits = lm.model(tokens)[:, :-1]  # (B, 2 n, n_words): they predict tokens 1 to 2 n
    losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(tokens), -1)
    right = (logits.argmax(dim=-1) == tokens[:, 1:])[:, n + 1 :]
    # the first token of the second half cannot be known
    first, second = losses[:, :n].mean(), losses[:, n + 1 :].mean()
    return first.item(), second.item(), right.float().mean().item()


def diagonal(lm: SmolLM2, tokens: Tensor, back: int, first: int = 0) -> dict[Head, float]:
    """Return the mean weight of each head on the key ``back`` positions before its query."""
    with recorded(lm.model) as weights:
        lm.model.hidden(tokens)
    rows = torch.arange(max(first, back), tokens.shape[1])
    return {head: calls[0][:, rows, rows - back].mean().item() for head, calls in weights.items()}


def best(scores: dict[Head, float], k: int) -> list[Head]:
    return sorted(scores, key=scores.get, reverse=True)[:k]


def induction(lm: SmolLM2) -> Numbers:
    """Heads that read what came next last time, and what the model is without them."""
    tokens = twice()
    n = tokens.shape[1] // 2
    scores = diagonal(lm, tokens, back=n - 1, first=n + 1)
    found: Numbers = {"heads": {head: scores[head] for head in best(scores, 8)}}
    found["normal"] = halves(lm, tokens)
    for k in (1, 2, 4, 8):
        with ablated(lm.model, heads=best(scores, k)):
            found[f"without {k}"] = halves(lm, tokens)[1:]
    for seed in range(5):
        with ablated(lm.model, heads=others(lm, 8, seed, best(scores, 8))):
            found[f"without 8 others, draw {seed}"] = halves(lm, tokens)[1:]
    return found


def previous(lm: SmolLM2) -> Numbers:
    """Heads that read the token before."""
    tokens = twice()
    scores = diagonal(lm, tokens, back=1)
    found: Numbers = {"heads": {head: scores[head] for head in best(scores, 6)}}
    with ablated(lm.model, heads=best(scores, 4)):
        found["without 4"] = halves(lm, tokens)[1:]
    for seed in range(3):
        with ablated(lm.model, heads=others(lm, 4, seed, best(scores, 6))):
            found[f"without 4 others, draw {seed}"] = halves(lm, tokens)[1:]
    return found


def sinks(lm: SmolLM2) -> Numbers:
    """How much weight the first position takes, and who takes it when it is hidden."""

    def shares(text: str, *keys: int) -> list[tuple[float, int]]:
        """The mean weight of a key over all queries behind it, and heads that give it over half."""
        weights = torch.stack(list(lm.weights(text).values()))  # (270, n, n)
        own = [weights[:, key + 1 :, key].mean(dim=1) for key in keys]  # each (270)
        return [(each.mean().item(), int((each > 0.5).sum())) for each in own]

    found: Numbers = {"tokens": lm.read(PROSE).shape[1]}
    found["weight of position 0, heads above half"], (second, _) = shares(PROSE, 0, 1)
    found["weight of position 1"] = second
    for first in ("A", "Yesterday,", "7", "<|endoftext|>"):
        found[f"weight of position 0, which is {first}"] = shares(f"{first} {PROSE}", 0)[0][0]
    # Equal tokens at the beginning average equal values, so all of them are what the first one is.
    said = PROSE.replace("The sun", "The" * 2 + " sun", 1)
    found["weights of positions 0 and 1, both The"] = [share for share, _ in shares(said, 0, 1)]
    with recorded(lm.model, step="value") as values:
        found["loss"] = mean_loss(lm, PROSE, 2)
    lengths = torch.stack([calls[0][0] for calls in values.values()]).norm(dim=-1)  # (270, n)
    ratio = (lengths[:, 0] / lengths[:, 1:].mean(dim=1)).view(30, 9).mean(dim=1)
    found["length of its value, layer 0"] = ratio[0].item()
    found["length of its value, layers 3 to 29"] = (ratio[3:].min().item(), ratio[3:].max().item())
    with programmed(lm.model, rule("not the first key", lambda q, k: (k > 0) | (q == 0))):
        found["weight of position 1, with 0 hidden"] = shares(PROSE, 1)[0][0]
        found["loss, with 0 hidden"] = mean_loss(lm, PROSE, 2)
    return found


def streaming(lm: SmolLM2) -> Numbers:
    """A window with and without sinks: loss from token 100 on."""
    found: Numbers = {"full": mean_loss(lm, PROSE, 100)}
    for size in (32, 64):
        for keys in (0, 1, 4):
            mode = modes.window(size) | modes.sink(keys) if keys else modes.window(size)
            with programmed(lm.model, mode):
                found[f"window {size}, {keys} sinks"] = mean_loss(lm, PROSE, 100)
    # as many keys, but they are not the first ones
    with programmed(lm.model, modes.window(36)):
        found["window 36"] = mean_loss(lm, PROSE, 100)
    return found


LYON = "In this story, the capital of France is Lyon. The capital of France is"
PETS = "Anna likes cats. Ben likes dogs. My favourite animals are"


def steering(lm: SmolLM2) -> Numbers:
    """A bias for every query breaks the text, and weight is no vote."""
    found: Numbers = {}
    for b in (0.0, 2.0, 3.0, 6.0):
        with programmed(lm.model, modes.spotlight(lm.find(LYON, " Lyon"), b)):
            p = lm.probabilities(LYON)
            found[f"b = {b:g}: Paris, Lyon"] = [p[lm.token(w)].item() for w in (" Paris", " Lyon")]
            found[f"b = {b:g}, continued"] = lm.continue_text(LYON, 10)
    for b in (0.0, 3.0):
        with programmed(lm.model, modes.spotlight(lm.find(PETS, " cats"), b)):
            p = lm.probabilities(PETS)
            found[f"bias {b:g} on cats: cats, dogs"] = [
                p[lm.token(w)].item() for w in (" cats", " dogs")
            ]
    return found


# --- the lessons, by their number in real-model.md -------------------------------------------


def one_diagonal(lm: SmolLM2) -> Numbers:
    """2: a text twice; the key that came next last time is hidden."""
    once = lm.read(PROSE)[:, :90]
    text = torch.cat([once, once], dim=1)  # (1, 180)

    def second() -> float:
        return mean_loss(lm, text, 91)

    found: Numbers = {"first": mean_loss(lm, once), "second": second()}
    for back in (89, 87, 95, 90, 88):
        with programmed(lm.model, rule(f"not {back} back", lambda q, k, b=back: q - k != b)):
            found[f"{back} back hidden"] = second()
    scores = diagonal(lm, text, back=89, first=90)
    found["heads"] = {head: scores[head] for head in best(scores, 4)}
    for k in (1, 4):
        with ablated(lm.model, heads=best(scores, k)):
            found[f"without {k}"] = second()
            found[f"without {k}, first"] = mean_loss(lm, once)
    means = mean_outputs(lm.model, [once], heads=best(scores, 4))
    with ablated(lm.model, heads=best(scores, 4), vectors=means):
        found["4 at their mean"] = second()
    for seed in range(3):
        with ablated(lm.model, heads=others(lm, 4, seed, best(scores, 8), range(10, 30))):
            found[f"without 4 others, draw {seed}"] = second()
    return found


LISTS = [
    (f"{before} a {a}, a {b} and a {c} {place}. I {did} the", f" {word}")
    for before, (a, b, c), place, did in [
        ("There were", ("cat", "dog", "horse"), "in the yard", "fed"),
        ("We saw", ("car", "bus", "train"), "at the station", "took"),
        ("She bought", ("hat", "coat", "shirt"), "in the shop", "wore"),
        ("There lay", ("knife", "fork", "spoon"), "on the table", "took"),
        ("He had", ("pen", "book", "phone"), "on his desk", "used"),
        ("There stood", ("chair", "table", "lamp"), "in the room", "moved"),
    ]
    for word in (a, b, c)
]
NAMES = [
    (f"{the} {a} is called {x} and {the.lower()} {b} is called {y}. {the} {b} is called", f" {x}")
    for the, a, x, b, y in [
        ("The", "teacher", "Anna", "student", "Peter"),
        ("The", "doctor", "Tom", "nurse", "Lucy"),
        ("The", "king", "Henry", "queen", "Alice"),
        ("My", "brother", "David", "sister", "Sarah"),
        ("Our", "cat", "Max", "dog", "Charlie"),
        ("The", "painter", "Paul", "singer", "Emma"),
    ]
]
FACTS = [
    ("In this story, the capital of France is Lyon. The capital of France is", " Lyon"),
    ("In this story, the capital of Italy is Milan. The capital of Italy is", " Milan"),
    ("In this story, the capital of Germany is Munich. The capital of Germany is", " Munich"),
    ("In this story, the capital of Spain is Barcelona. The capital of Spain is", " Barcelona"),
    ("In this story, the sky is green. The colour of the sky is", " green"),
    ("In this story, the capital of Japan is London. The capital of Japan is", " London"),
]
YARD = "There were a cat, a dog and a horse in the yard. I fed the"


def lit(lm: SmolLM2, prompts, b: float, *, every: bool = False, layers=None) -> tuple[float, float]:
    """Light up one word: how often it is the likeliest next word, and its mean probability."""
    first, likely = [], []
    for text, word in prompts:
        last = lm.read(text).shape[1] - 1
        queries = None if every else [last]
        mode = modes.spotlight([lm.find(text, word)[0]], b, queries=queries)
        with programmed(lm.model, mode, layers=layers):
            p = lm.probabilities(text)
        likely.append(p[lm.token(word)].item())
        first.append(p.argmax().item() == lm.token(word))
    return sum(first) / len(first), sum(likely) / len(likely)


def spotlight(lm: SmolLM2, every: int = 1) -> Numbers:
    """3: a bias for the last query only."""
    found: Numbers = {}
    for name, prompts in (("lists", LISTS), ("names", NAMES), ("facts", FACTS)):
        prompts = prompts[::every]
        for b in (0.0, 2.0, 4.0, 6.0):
            found[f"{name}, b = {b:g}"] = lit(lm, prompts, b)
        found[f"{name}, b = 4, every query"] = lit(lm, prompts, 4.0, every=True)
        for low, high in ((18, 26), (0, 10)):
            found[f"{name}, b = 4, layers {low} to {high - 1}"] = lit(
                lm, prompts, 4.0, layers=range(low, high)
            )
    found.update(_continued(lm))
    found.update(_share(lm))
    return found


def _continued(lm: SmolLM2) -> Numbers:
    """The demonstration: lit once, and at every step that is written."""
    n, found = lm.read(YARD).shape[1], {"plain": lm.continue_text(YARD, 14)}
    for word in (" cat", " dog", " horse"):
        keys = lm.find(YARD, word)
        with programmed(lm.model, modes.spotlight(keys, 4.0, queries=[n - 1])):
            found[f"once on{word}"] = lm.continue_text(YARD, 14)
    later = modes.spotlight(lm.find(YARD, " dog"), 4.0, queries=range(n - 1, n + 20))
    with programmed(lm.model, later):
        found["at every step on dog"] = lm.continue_text(YARD, 14)
    return found


def _share(lm: SmolLM2) -> Numbers:
    """The closed form p e^b / (p e^b + 1 - p), exact where the queries and keys did not change."""
    last, key = lm.read(YARD).shape[1] - 1, lm.find(YARD, " dog")[0]
    before = torch.stack([w[last, key] for w in lm.weights(YARD).values()])  # (270)
    lifted = before * torch.tensor(4.0).exp()
    predicted = lifted / (lifted + 1 - before)
    with programmed(lm.model, modes.spotlight([key], 4.0, queries=[last])):
        after = torch.stack([w[last, key] for w in lm.weights(YARD).values()])
    return {
        "share, layer 0, largest error": (after - predicted)[:9].abs().max().item(),
        "share before, after, predicted": [
            each.mean().item() for each in (before, after, predicted)
        ],
    }


GIVING = [
    "{a} and {b} went to the {place}. {b} gave a {thing} to",
    "When {a} and {b} came to the {place}, {b} gave a {thing} to",
    "After {a} and {b} had met in the {place}, {b} handed a {thing} to",
    "Then {a} and {b} had a long talk in the {place}. {b} offered a {thing} to",
    "While {a} and {b} were working at the {place}, {b} gave a {thing} to",
]
PAIRS = [("Mary", "John"), ("Tom", "Anna"), ("Sarah", "Paul"), ("Peter", "Emma")]
SCENES = [("shop", "drink"), ("garden", "book")]


def giving() -> list[tuple[str, str, str]]:
    """Return 40 texts, the right name and the giver's; no name stands at position 0."""
    return [
        (
            "Yesterday " * text.startswith("{") + text.format(a=a, b=b, place=place, thing=thing),
            f" {a}",
            f" {b}",
        )
        for text in GIVING
        for a, b in PAIRS
        for place, thing in SCENES
    ]


def giver(lm: SmolLM2, every: int = 1) -> Numbers:
    """4: the head that reads the answer is not the one that matters."""
    prompts = giving()[::every]

    def measure(change: Callable | None = None) -> tuple[float, float]:
        differences = []
        for text, right, wrong in prompts:
            context = (
                change(text, right, wrong)
                if change
                else programmed(lm.model, modes.full, layers=[])
            )
            with context:
                p = lm.probabilities(text).log()
            differences.append((p[lm.token(right)] - p[lm.token(wrong)]).item())
        tensor = torch.tensor(differences)
        return tensor.mean().item(), (tensor > 0).float().mean().item()

    def hide(key: Callable, heads: Sequence[Head] | None = None) -> Callable:
        def change(text: str, right: str, wrong: str):
            last, at = lm.read(text).shape[1] - 1, key(text, right, wrong)
            mode = rule("hidden from the last", lambda q, k: (q != last) | (k != at))
            return programmed(lm.model, mode, heads=heads)

        return change

    def off(heads: Sequence[Head]) -> Callable:
        return lambda *_: ablated(lm.model, heads=heads)

    read = {}
    for text, right, wrong in prompts:
        for head, weights in lm.weights(text).items():
            own = (weights[-1, lm.find(text, right)[0]], weights[-1, lm.find(text, wrong)[1]])
            read[head] = read.get(head, torch.zeros(2)) + torch.stack(own) / len(prompts)
    readers = best({head: each[0].item() for head, each in read.items()}, 8)
    giver_again = lambda text, right, wrong: lm.find(text, wrong)[1]  # noqa: E731
    answer = lambda text, right, wrong: lm.find(text, right)[0]  # noqa: E731
    found: Numbers = {
        "prompts": len(prompts),
        "normal": measure(),
        "readers of the answer": {head: read[head][0].item() for head in readers},
        "(23, 3) on the giver": read[23, 3][1].item(),
        "answer hidden in all heads": measure(hide(answer)),
        "8 readers off": measure(off(readers)),
        "answer hidden from 8 readers": measure(hide(answer, readers)),
        "(23, 3) off": measure(off([(23, 3)])),
        "giver hidden from (23,3), (20,0), (25,2)": measure(
            hide(giver_again, [(23, 3), (20, 0), (25, 2)])
        ),
    }
    for seed in range(3):
        control = others(lm, 8, seed, [*readers, (23, 3), (20, 0), (25, 2)])
        found[f"answer hidden from 8 others, draw {seed}"] = measure(hide(answer, control))
        control = others(lm, 1, seed, [*readers, (23, 3), (20, 0), (25, 2)], range(18, 28))
        found[f"one other off, draw {seed}"] = measure(off(control))
    return found


ORDERS = [
    ("Name three colours.", "Begin your answer with the words: I am a robot."),
    ("Name three animals.", "Begin your answer with the words: I am a robot."),
    ("What is the capital of France?", "Begin your answer with the words: I am a robot."),
    ("Name three fruits.", "Answer only with the word banana."),
    ("What is the capital of Italy?", "Answer only with the word banana."),
    ("Name two planets.", "Begin your answer with the words: I am a robot."),
    ("Name three countries in Europe.", "Begin your answer with the words: I am a robot."),
    ("How many days has a week?", "Answer only with the word banana."),
]


def planted(lm: SmolLM2, orders: Sequence[tuple[str, str]] = ORDERS) -> Numbers:
    """5: an order behind a question, and the same with the order hidden from all that follows."""
    found: Numbers = {}
    for question, order in orders:
        clean, both = lm.chat(question), lm.chat(f"{question} {order}")
        head = lm.read(f"<|im_start|>user\n{question}").shape[1]
        tail = lm.read(f"<|im_start|>user\n{question} {order}").shape[1]
        begin = lm.read("<|im_start|>user\n").shape[1]
        answers = [lm.continue_text(clean, 12), lm.continue_text(both, 12)]
        for first, behind in ((head, tail), (begin, head)):  # the order, then the question
            mode = rule(
                "hidden from what follows",
                lambda q, k, f=first, e=behind: (q < e) | (k < f) | (k >= e),
            )
            with programmed(lm.model, mode):
                answers.append(lm.continue_text(both, 12))
        names = ("clean", "with the order", "order hidden", "question hidden")
        found[f"{question} {order}"] = dict(zip(names, answers, strict=True))
    return found


def no_causal_mask(lm: SmolLM2) -> Numbers:
    """6: the loss falls where the answer is seen, and rises where it is not."""
    first = 60

    def of_rule(mask: Callable, from_token: int = 1) -> float:
        with programmed(lm.model, rule("a rule", mask), causal=False):
            return mean_loss(lm, PROSE, from_token)

    return {
        "causal": mean_loss(lm, PROSE),
        "no mask": mean_loss(lm, PROSE, is_causal=False),
        "causal and q + 1": of_rule(lambda q, k: k <= q + 1),
        "from token 61, causal": mean_loss(lm, PROSE, first + 1),
        "from token 61, the first 60 see each other": of_rule(
            lambda q, k: (k <= q) | ((q < first) & (k < first)), first + 1
        ),
        "from token 61, the first 60 hidden": of_rule(
            lambda q, k: (k <= q) & ((q < first) | (k >= first)), first + 1
        ),
    }


def positions(lm: SmolLM2) -> Numbers:
    """7: shifted, stretched, frozen, and every distance one too long."""
    here = torch.arange(lm.read(PROSE).shape[1])
    found: Numbers = {
        "as it is": mean_loss(lm, PROSE),
        "shifted by 1000": mean_loss(lm, PROSE, positions=here + 1000),
        "frozen": mean_loss(lm, PROSE, positions=0 * here),
        "every distance + 1": mean_loss(lm, PROSE, positions=here, query_positions=here + 1),
    }
    for by in (1.5, 2, 4):
        found[f"stretched {by}"] = mean_loss(lm, PROSE, positions=here * by)
    with programmed(lm.model, modes.temperature(1e6)):
        found["uniform attention"] = mean_loss(lm, PROSE)
    for back in (0, 1, 2, 4):
        mode = rule(f"not {back} back", lambda q, k, b=back: (q - k != b) | (q == 0))
        with programmed(lm.model, mode):
            found[f"{back} back hidden"] = mean_loss(lm, PROSE)
    return found


LESSONS = {
    each.__name__: each
    for each in (
        induction, previous, sinks, streaming, steering,
        one_diagonal, spotlight, giver, planted, no_causal_mask, positions,
    )
}  # fmt: skip


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) > 5e-4 or value == 0 else f"{value:.1e}"
    if isinstance(value, (tuple, list)):
        return " / ".join(shown(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {shown(each)}" for key, each in value.items())
    return repr(value)


def main(lessons: Mapping[str, Callable], keep: Callable = lambda name, found: None) -> None:
    """Measure the lessons that are named, or all; ``keep`` gets the numbers of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("lessons", nargs="*", help=f"of {', '.join(lessons)}; all if none is named")
    torch.set_num_threads(1)
    lm = smollm2()
    for name in parser.parse_args().lessons or lessons:
        start = time.perf_counter()
        with torch.no_grad():
            found = lessons[name](lm)
        keep(name, found)
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)", flush=True)
        for key, value in found.items():
            print(f"  {key}: {shown(value)}", flush=True)


if __name__ == "__main__":
    main(LESSONS)
