"""Keep the weights of the browser's examples, for those who have no model.

    python tools/kept_heads.py

Writes ``attention_lab/labs/interpretation/kept_heads.json``: 8 bits for each weight.
"""

from __future__ import annotations

from pathlib import Path

import torch

from attention_lab.labs.interpretation.found import EXAMPLES, FILE, packed, weights_of
from attention_lab.models.kept import as_text
from attention_lab.models.pretrained import smollm2

KEPT = Path(__file__).parents[1] / "attention_lab/labs/interpretation" / FILE


def main() -> None:
    torch.set_num_threads(1)
    lm = smollm2()
    found = {
        text: {"pieces": lm.pieces(text), "weights": packed(weights_of(lm, text).layers)}
        for text, _ in EXAMPLES.values()
    }
    KEPT.write_text(as_text(found), encoding="utf-8")


if __name__ == "__main__":
    main()
