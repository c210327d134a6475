"""Train all 64 combinations of parts on both tasks, and write ablations.json.

python tools/ablations.py       about seven minutes on one core
"""

from __future__ import annotations

import itertools
from pathlib import Path

from attention_lab.labs.encoder_decoder import ablation

PATH = Path(ablation.__file__).with_name("ablations.json")


def main() -> None:
    runs = {}
    for task in ablation.TASKS:
        for count in range(len(ablation.PARTS) + 1):
            for without in itertools.combinations(ablation.PARTS, count):
                key = ablation.key_of(without, task)
                runs[key] = ablation.train_without(without, task)
                print(f"{key:60} exact match {runs[key].exact_match:.3f}", flush=True)
    PATH.write_text(ablation.as_text(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
