"""What single heads of SmolLM2 do: lessons 1 and 8 to 11. `interpretation.py` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attention_lab.core import modes
from attention_lab.models.language_model import (
    Head,
    ablated,
    chosen,
    mean_outputs,
    programmed,
    recorded,
)
from attention_lab.models.pretrained import SmolLM2
from real_model_lessons import PROSE, Numbers, best, others, rule

BREAD = (
    "Bread needs flour, water, salt and time. Mix the flour with the water in the evening, cover "
    "the bowl with a cloth, and leave it in a warm place. In the morning the dough is twice as "
    "high and full of small holes. Add the salt, fold the dough a few times, and let it rest for "
    "an hour. Then heat the oven until it is very hot. The bread is baked for forty minutes, and "
    "it is ready when it sounds hollow. Do not cut it while it is hot, even if everybody in the "
    "house is hungry, because the inside is still wet. My uncle, who was a baker all his life, "
    "used to say that the best part of the work is the smell."
)
TRAIN = (
    "The last train left the small station at ten in the evening. There were only four people in "
    "it: a doctor who came from the hospital, two students with heavy bags, and an old man who "
    "had fallen asleep. Outside it began to snow. After an hour the train stopped between two "
    "villages, and the lights went out. The doctor stood up and asked whether anybody had a lamp. "
    "One of the students found a candle in her bag, and the other one lit it. They sat together "
    "around the little light and told each other where they were going. When the train moved on "
    "at last, nobody wanted to go back to the old seat."
)
LIBRARY = (
    "A library is more than a room full of books. In many towns it is the only place where you "
    "can sit all day without buying anything. Children do their homework there, people who look "
    "for work write their letters, and in winter it is warm. The first public libraries were paid "
    "for by rich men, and only some of the books could be taken home. Today most of them belong "
    "to the city. You can borrow films, music and even tools. Some people said that the computer "
    "would be the end of the library, but the number of visitors has grown every year. What they "
    "come for has changed: fewer of them ask for a book, and more of them ask for help."
)
LATE = range(12, 30)  # 162 heads: what is said at the end is decided late


class Batch:
    """Texts that are read together once; above a changed layer they are read again.

    They are padded behind, where a causal model does not look. Only for `ablated`: what a mode
    shows and adds is kept with the first reading.
    """

    def __init__(self, lm: SmolLM2, texts: Iterable[str | Tensor]) -> None:
        self.lm, rows = lm, [lm.read(text)[0] for text in texts]
        self.ends = torch.tensor([len(row) - 1 for row in rows])
        self.tokens = pad_sequence(rows, batch_first=True)  # (B, n)
        inputs: list[tuple] = []
        hooks = [
            layer.register_forward_pre_hook(lambda _, given: inputs.append(given[:2]))
            for layer in lm.model.layers
        ]
        lm.model.hidden(self.tokens)
        for hook in hooks:
            hook.remove()
        self.inputs = inputs  # of each layer: (B, n, d_model), and the view

    def hidden(self, first: int = 0) -> Tensor:
        """Read again from layer ``first`` on: (B, n, d_model)."""
        x, view = self.inputs[first]
        for layer in self.lm.model.layers[first:]:
            x = layer(x, view)
        return self.lm.model.norm(x)

    def last(self, first: int = 0) -> Tensor:
        """Return the vector at the end of each text: (B, d_model)."""
        return self.hidden(first)[range(len(self.ends)), self.ends]

    def loss(self, first: int = 0) -> float:
        """Return the mean loss of all tokens but the first; no text may be padded."""
        logits = self.lm.model.readout(self.hidden(first)[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), self.tokens[:, 1:].flatten()).item()

    def weights(self, heads: Sequence[Head] | None = None) -> dict[Head, Tensor]:
        """Return (B, n, n) for each head."""
        with recorded(self.lm.model, heads=heads) as found:
            self.lm.model.hidden(self.tokens)
        return {head: calls[0] for head, calls in found.items()}

    def means(self, heads: Sequence[Head] | None = None) -> dict[Head, Tensor]:
        """Return what each head says at each place, on average over the texts: (n, d_head)."""
        with recorded(self.lm.model, heads=heads, step="output") as found:
            self.lm.model.hidden(self.tokens)
        return {head: calls[0].mean(dim=0) for head, calls in found.items()}


def scan(
    lm: SmolLM2, measure: Callable[[int], float], heads: Sequence[Head], means=None
) -> dict[Head, float]:
    """Measure with each head off alone; ``measure`` gets its layer."""
    found = {}
    for head in heads:
        with ablated(lm.model, heads=[head], vectors=means):
            found[head] = measure(head[0])
    return found


# --- 1: one head keeps the number ------------------------------------------------------------

THINGS = ["key", "book", "picture", "letter", "chair", "ticket"]
PEOPLE = [
    ("man", "men", "left"), ("woman", "women", "found"), ("boy", "boys", "liked"),
    ("girl", "girls", "bought"),
]  # fmt: skip
SUBJECT, DISTRACTOR = 1, 4  # where they stand in a prompt of 6 tokens
SWAPPED = [(26, 0), (27, 8), (28, 7), (27, 0)]


def numbers_of() -> tuple[list[str], Tensor]:
    """Return 48 prompts, and +1 where the subject is plural: "The keys that the man left"."""
    texts, signs = [], []
    for thing, (one, many, did) in product(THINGS, PEOPLE):
        texts += [f"The {thing}s that the {one} {did}", f"The {thing} that the {many} {did}"]
        signs += [1.0, -1.0]
    return texts, torch.tensor(signs)


def verb(lm: SmolLM2, last: Tensor) -> Tensor:
    """Return how much likelier "are" or "were" is than "is" or "was", in logits: (B,)."""
    many, one = ([lm.token(word) for word in pair] for pair in ((" are", " were"), (" is", " was")))
    logits = last @ lm.model.words.weight[many + one].T  # (B, 4)
    return logits[:, :2].logsumexp(dim=-1) - logits[:, 2:].logsumexp(dim=-1)


def judged(difference: Tensor, signs: Tensor) -> dict[str, float]:
    """Return the mean signed difference, the share right, and the drift to the plural."""
    signed = difference * signs
    return {
        "difference": signed.mean().item(),
        "right": (signed > 0).float().mean().item(),
        "drift": difference.mean().item(),  # as many prompts are singular as plural
    }


def swap(masked: Tensor) -> Tensor:
    """Swap the scores of subject and distractor in the last row: a normaliser."""
    masked = masked.clone()
    masked[..., -1, [SUBJECT, DISTRACTOR]] = masked[..., -1, [DISTRACTOR, SUBJECT]]
    return masked.softmax(dim=-1)


def number(lm: SmolLM2, every: int = 1, heads: Sequence[Head] | None = None) -> Numbers:
    """1: a verb agrees with its subject, and one late head brings the number to it."""
    texts, signs = numbers_of()
    texts, signs = texts[:: 2 * every] + texts[1 :: 2 * every], signs[:: 2 * every].repeat(2)
    signs = signs * torch.tensor([1.0, -1.0]).repeat_interleave(len(signs) // 2)
    batch = Batch(lm, texts)

    def measure(first: int = 0) -> dict[str, float]:
        return judged(verb(lm, batch.last(first)), signs)

    def obeyed(mode: modes.Mode, heads: Sequence[Head] | None = None) -> dict[str, float]:
        with programmed(lm.model, mode, heads=heads):
            last = lm.model.hidden(batch.tokens)[:, -1]
        return judged(verb(lm, last), signs)

    found: Numbers = {"prompts": len(texts), "normal": measure()}
    means = batch.means()
    for name, vectors in (("off", None), ("at its mean", means)):
        with ablated(lm.model, heads=[(26, 0)], vectors=vectors):
            found[f"(26, 0) {name}"] = measure()
    swapping = modes.Mode("swap", normalizer=swap)
    found["swapped in four"] = obeyed(swapping, SWAPPED)
    found["swapped in (26, 0)"] = obeyed(swapping, [(26, 0)])
    for seed in range(4):
        control = others(lm, 4, seed, SWAPPED, range(18, 30))
        found[f"swapped in 4 others, draw {seed}"] = obeyed(swapping, control)
        for name, vectors in (("off", None), ("at their mean", means)):
            with ablated(lm.model, heads=control, vectors=vectors):
                found[f"4 others {name}, draw {seed}"] = measure()
    found["bias 3 on the distractor"] = obeyed(modes.spotlight([DISTRACTOR], 3.0))
    heads = chosen(lm.model.config, layers=LATE) if heads is None else heads
    for name, vectors in (("off", None), ("at its mean", means)):
        changes = scan(lm, lambda layer: measure(layer)["difference"], heads, vectors)
        normal = found["normal"]["difference"]
        found[f"change with each {name}"] = {h: changes[h] - normal for h in heads}
    return found


# --- 8: zero is not neutral ------------------------------------------------------------------

TRIO = [(1, 3), (1, 4), (1, 5)]


def cropped(lm: SmolLM2, texts: Sequence[str], n: int) -> Batch:
    return Batch(lm, [lm.read(text)[:, :n] for text in texts])


def zero(lm: SmolLM2, n: int = 80, layers: Sequence[int] = range(30)) -> Numbers:
    """8: three heads that share keys and values, at zero, at their mean, and uniform."""
    batch = cropped(lm, (PROSE, BREAD), n)
    found: Numbers = {"tokens": 2 * n, "normal": batch.loss()}
    means = mean_outputs(lm.model, [batch.tokens], heads=TRIO)
    for name, vectors in (("zero", None), ("mean", means)):
        with ablated(lm.model, heads=TRIO, vectors=vectors):
            found[f"trio {name}"] = batch.loss()
    uniform = modes.temperature(1e6)
    with programmed(lm.model, uniform, heads=TRIO):
        found["trio uniform"] = lm_loss(lm, batch)
    for seed in range(3):
        with ablated(lm.model, heads=others(lm, 3, seed, TRIO)):
            found[f"3 others zero, draw {seed}"] = batch.loss()
    changes = []
    for layer in layers:
        with programmed(lm.model, uniform, layers=layer):
            changes.append(lm_loss(lm, batch) - found["normal"])
    return found | {"layers": list(layers), "change with a layer uniform": changes}


def idle(lm: SmolLM2, n: int = 80) -> Numbers:
    """8: each head off alone, and those together that matter least, on texts not seen."""
    batch = cropped(lm, (PROSE, BREAD), n)
    held = {"train": cropped(lm, (TRAIN,), n), "library": cropped(lm, (LIBRARY,), n)}
    means = mean_outputs(lm.model, [batch.tokens])
    normal = batch.loss()
    found: Numbers = {"tokens": 2 * n, "normal": normal}
    for name, vectors in (("zero", None), ("mean", means)):
        losses = scan(lm, batch.loss, chosen(lm.model.config), vectors)
        changes = {head: loss - normal for head, loss in losses.items()}
        found[f"change at {name}"] = changes
        least = sorted(changes, key=lambda head: abs(changes[head]))[:40]
        sets = {"none": [], "40 least": least}
        sets |= {f"40 others, draw {seed}": others(lm, 40, seed, least) for seed in range(3)}
        for (text, other), (what, some) in product(held.items(), sets.items()):
            with ablated(lm.model, heads=some, vectors=vectors):
                found[f"{text}, {what} at {name}"] = other.loss()
    return found


def lm_loss(lm: SmolLM2, batch: Batch) -> float:
    """Return the mean loss while a mode acts."""
    logits = lm.model(batch.tokens)[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), batch.tokens[:, 1:].flatten()).item()


# --- 9, 10, 11: what is read, and what it does -----------------------------------------------

BRACKETS = [
    "My brother lives in a small town (not far from Berlin",
    "We saw the old bridge (it was built in 1890",
    "She bought a new coat (the old one was too small",
    "The river is very long (more than two thousand miles",
    "He met the king of Spain (who was still a child",
    "They sold the house (and the garden behind it",
    "I read the letter (it came from my sister",
    "The soup was too hot (as it always is",
    "Our teacher (a friend of my father",
    "Take two cups of flour (about 250 grams",
    "The animals in the zoo (lions, tigers and bears",
    "The train to Paris (the last one of the day",
]


def bracket(lm: SmolLM2, texts: Sequence[str] = BRACKETS) -> Numbers:
    """9: a head that reads the open bracket, and idles."""
    batch = Batch(lm, texts)
    closing = [i for word, i in lm.tokenizer.get_vocab().items() if word.startswith(")")]
    opened = [lm.find(text, " (")[0] for text in texts]
    rows = range(len(texts))

    def closed(last: Tensor) -> float:
        return lm.model.readout(last).softmax(dim=-1)[:, closing].sum(dim=-1).mean().item()

    def hidden(every: bool) -> float:
        total = 0.0
        for text, key in zip(texts, opened, strict=True):
            last = lm.read(text).shape[1] - 1
            mode = rule(
                "hidden",
                lambda q, k, at=key, end=last: (k != at) | (q == at) | (not every and q != end),
            )
            with programmed(lm.model, mode):
                total += lm.probabilities(text)[closing].sum().item()
        return total / len(texts)

    read = {h: w[rows, batch.ends, opened].mean().item() for h, w in batch.weights().items()}
    readers = best(read, 8)
    found: Numbers = {"prompts": len(texts), "weight": {head: read[head] for head in readers}}
    found["weight"][26, 6] = read[26, 6]
    found["normal"] = closed(batch.last())
    means = batch.means()
    for name, heads in (("(26, 6)", [(26, 6)]), ("the 8 that read it most", readers)):
        for how, vectors in (("off", None), ("at the mean", means)):
            with ablated(lm.model, heads=heads, vectors=vectors):
                found[f"{name} {how}"] = closed(batch.last())
    for seed in range(4):
        for size in (1, 8):
            with ablated(lm.model, heads=others(lm, size, seed, [*readers, (26, 6)], LATE)):
                found[f"{size} other off, draw {seed}"] = closed(batch.last())
    found["hidden from the last word"] = hidden(every=False)
    found["hidden from everybody"] = hidden(every=True)
    return found


WOMEN, MEN = ["Mary", "Anna", "Sarah", "Emily"], ["John", "Peter", "Tom", "Paul"]
MEETINGS = [
    "met {b} at the station, because", "called {b} in the evening, because",
    "saw {b} in the garden, because", "wrote to {b} from Paris, because",
    "visited {b} in the hospital, because",
]  # fmt: skip


def couples() -> list[tuple[str, str, str]]:
    """Return 80 beginnings with the name that the pronoun means, and the other one."""
    found = []
    for i, (meeting, woman) in enumerate(product(MEETINGS, WOMEN)):
        man = MEN[(i + i // 4) % 4]
        for a, b in ((woman, man), (man, woman)):
            for pronoun, right in (("she", woman), ("he", man)):
                other = man if right == woman else woman
                found.append((f"{a} {meeting.format(b=b)} {pronoun}", right, other))
    return found


def pronoun(lm: SmolLM2) -> Numbers:
    """10: right nearly always, and no effect shown."""
    found: Numbers = {}
    for name, begin in (("Last summer", "Last summer "), ("bare", "")):
        cases = [(begin + text, right, other) for text, right, other in couples()]
        weights = Batch(lm, [text for text, _, _ in cases]).weights()
        pieces = [[each.strip() for each in lm.pieces(text)] for text, _, _ in cases]
        rows, ends = range(len(cases)), [len(each) - 1 for each in pieces]
        right = [said.index(case[1]) for said, case in zip(pieces, cases, strict=True)]
        other = [said.index(case[2]) for said, case in zip(pieces, cases, strict=True)]
        first = [min(pair) for pair in zip(right, other, strict=True)]
        second = [max(pair) for pair in zip(right, other, strict=True)]
        margin = {h: w[rows, ends, right] - w[rows, ends, other] for h, w in weights.items()}
        share = {h: (m > 0).float().mean().item() for h, m in margin.items()}
        own = weights[9, 2]
        found[f"{name}: weight of (9, 2), right and other"] = [
            own[rows, ends, keys].mean().item() for keys in (right, other)
        ]
        found[f"{name}: (9, 2) right"] = share[9, 2]
        found[f"{name}: right most often"] = {h: share[h] for h in best(share, 6)}
        # the best of all 270 heads where the names say nothing: each label is drawn
        draws = torch.randint(2, (20, len(cases)), generator=torch.Generator().manual_seed(0))
        places = torch.stack(
            [w[rows, ends, first] - w[rows, ends, second] for w in weights.values()]
        )
        hits = ((places > 0)[None] == (draws[:, None] > 0)).float().mean(dim=-1)  # (20, 270)
        found[f"{name}: drawn labels, best head, mean of 20"] = hits.amax(dim=1).mean().item()
    read = margins(lm)
    alike = [head for head in best(read, 4) if head != (9, 2)][:3]
    found["three like it"] = {head: read[head] for head in alike}
    found.update(_asked(lm, [(9, 2), *alike]))
    return found


def margins(lm: SmolLM2, every: int = 1) -> dict[Head, float]:
    """Return the mean weight that each head gives from the pronoun to the right name, less that
    to the other one."""
    cases = [("Last summer " + text, right, other) for text, right, other in couples()[::every]]
    batch = Batch(lm, [text for text, _, _ in cases])
    keys = [[lm.find(text, f" {name}")[0] for name in pair] for text, *pair in cases]
    right, other = zip(*keys, strict=True)
    rows = range(len(cases))
    return {
        h: (w[rows, batch.ends, right] - w[rows, batch.ends, other]).mean().item()
        for h, w in batch.weights().items()
    }


def _asked(lm: SmolLM2, heads: list[Head]) -> Numbers:
    """Ask whom the pronoun meant, with heads off."""
    cases = [
        (f"Last summer {text} was ill. The person who was ill was", right, other)
        for text, right, other in couples()
    ]
    batch = Batch(lm, [text for text, _, _ in cases])
    names = [[lm.token(f" {name}") for _, *pair in cases for name in pair]]
    pairs = torch.tensor(names).view(-1, 2)  # (B, 2)

    def difference() -> dict[str, float]:
        logits = lm.model.readout(batch.last()).gather(1, pairs)
        signed = logits[:, 0] - logits[:, 1]
        return {"difference": signed.mean().item(), "right": (signed > 0).float().mean().item()}

    found: Numbers = {"asked": difference()}
    means = batch.means()
    for name, some in (("(9, 2)", heads[:1]), ("four", heads)):
        for how, vectors in (("off", None), ("at the mean", means)):
            with ablated(lm.model, heads=some, vectors=vectors):
                found[f"asked, {name} {how}"] = difference()
    for seed in range(3):
        with ablated(lm.model, heads=others(lm, 4, seed, heads, range(5, 20))):
            found[f"asked, 4 others off, draw {seed}"] = difference()
    return found


GENDERED = [
    "Last summer {} was ill. The doctor, who lived next door, came every day to see",
    "Yesterday {} lost the keys. The neighbours heard about it, and they wanted to help",
    "In May {} won the race. The teacher, who had watched it, went over to thank",
    "Last week {} moved to a new house. On Sunday we all took the bus to visit",
    "Then {} fell from the wall. The children, who were playing there, ran to help",
    "At school {} was often alone. The other pupils, it seemed, did not like",
]


def gender(lm: SmolLM2, heads: Sequence[Head] | None = None, every: int = 1) -> Numbers:
    """11: her or him. The heads are found on half of the prompts, and tested on the others."""
    cases = [(text.format(name), sign) for text in GENDERED
             for names, sign in ((WOMEN, 1.0), (MEN, -1.0)) for name in names[::every]]  # fmt: skip
    half = {"found on": cases[: len(cases) // 2], "tested on": cases[len(cases) // 2 :]}
    ids = [lm.token(" her"), lm.token(" him")]
    batches = {name: Batch(lm, [text for text, _ in own]) for name, own in half.items()}
    signs = {name: torch.tensor([sign for _, sign in own]) for name, own in half.items()}

    def measure(name: str, first: int = 0) -> float:
        logits = batches[name].last(first) @ lm.model.words.weight[ids].T
        return ((logits[:, 0] - logits[:, 1]) * signs[name]).mean().item()

    found: Numbers = {name: measure(name) for name in half}
    heads = chosen(lm.model.config, layers=LATE) if heads is None else heads
    losses = scan(lm, lambda layer: measure("found on", layer), heads)
    changes = {head: loss - found["found on"] for head, loss in losses.items()}
    top = sorted(changes, key=changes.get)[:8]
    found["changes"] = {head: changes[head] for head in top}
    test = batches["tested on"]
    means = test.means()
    for some, name in (([(26, 2)], "(26, 2)"), (top[:1], "the first"), (top, "eight")):
        for how, vectors in (("off", None), ("at the mean", means)):
            with ablated(lm.model, heads=some, vectors=vectors):
                found[f"{name} {how}"] = measure("tested on")
    for seed in range(3):
        with ablated(lm.model, heads=others(lm, 8, seed, [*top, (26, 2)], LATE)):
            found[f"8 others off, draw {seed}"] = measure("tested on")
    for head in dict.fromkeys([(26, 2), top[0]]):
        rows = test.weights([head])[head][range(len(test.ends)), test.ends]  # (B, n)
        found[f"{head} reads"] = _read(lm, half["tested on"], rows)
    return found


def _read(lm: SmolLM2, cases: Sequence[tuple[str, float]], rows: Tensor) -> dict[str, float]:
    """Return the mean weight on the name, on punctuation, on the first position, on the rest."""
    total = dict.fromkeys(("name", "punctuation", "first", "itself", "rest"), 0.0)
    for (text, _), row in zip(cases, rows, strict=True):
        pieces = [each.strip() for each in lm.pieces(text)]
        for i, piece in enumerate(pieces):
            kind = (
                "first" if i == 0 else "name" if piece in WOMEN + MEN
                else "punctuation" if piece in {".", ","}
                else "itself" if i == len(pieces) - 1 else "rest"
            )  # fmt: skip
            total[kind] += row[i].item() / len(cases)
    return total
