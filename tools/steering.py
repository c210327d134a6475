"""Read one text with SmolLM2 under some modes, and write steered.json.

python tools/steering.py       about ten seconds on one core
"""

from __future__ import annotations

from pathlib import Path

import torch

from attention_lab.labs.programmable_rules import steering
from attention_lab.labs.programmable_rules.on_model import ModeOnModel

PATH = Path(steering.__file__).with_name("steered.json")


def main() -> None:
    torch.set_num_threads(1)
    widget = ModeOnModel()
    bars = steering.opening_bars(widget.lm)
    PATH.write_text(steering.as_text(widget.compared(), bars), encoding="utf-8")


if __name__ == "__main__":
    main()
