"""Train all 64 combinations of parts on both tasks, and write attention_lab/data/ablations.json.

python tools/ablations.py       about seven minutes on one core
"""

from __future__ import annotations

import itertools
from pathlib import Path

from attention_lab.labs.encoder_decoder.ablation import PARTS, TASKS, as_text, key_of, train_without

PATH = Path(__file__).parent.parent / "attention_lab" / "data" / "ablations.json"


def main() -> None:
    runs = {}
    for task in TASKS:
        for count in range(len(PARTS) + 1):
            for without in itertools.combinations(PARTS, count):
                key = key_of(without, task)
                runs[key] = train_without(without, task)
                print(f"{key:60} exact {runs[key].exact:.3f}", flush=True)
    PATH.write_text(as_text(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
