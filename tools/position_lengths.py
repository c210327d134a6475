"""Train readers with every encoding, learning rate and seed, and write lengths.json.

python tools/position_lengths.py       about seven minutes on one core
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from statistics import mean

import torch

from attention_lab.labs.position import lengths
from attention_lab.models.kept import as_text
from attention_lab.models.transformer import POSITIONS

PATH = Path(lengths.__file__).with_name("lengths.json")
LONGER = (1200, (3e-3, 1e-2))  # steps and learning rates: does more training help "none"?


def main() -> None:
    torch.set_num_threads(1)
    kept: dict[str, lengths.Run] = {}

    def of_all_seeds(task: str, position: str, lr: float, steps: int = lengths.STEPS) -> float:
        """Train and keep; return the mean accuracy at the trained lengths 8 and 16."""
        found = []
        for seed in lengths.SEEDS:
            key = lengths.key_of(task, position, lr, seed, steps)
            kept[key] = lengths.measured(task, position, lr, seed, steps)
            print(f"{key:48} {kept[key].accuracy}", flush=True)
            found.append(mean(kept[key].accuracy[:2]))
        return mean(found)

    *rates, largest = lengths.RATES
    for task in lengths.TASKS:
        for position in POSITIONS:
            at = {lr: of_all_seeds(task, position, lr) for lr in rates}
            if max(at, key=at.get) == rates[-1]:  # the best is at the edge: look beyond it
                of_all_seeds(task, position, largest)
    steps, rates = LONGER
    for lr in rates:
        of_all_seeds("previous", "none", lr, steps)
    PATH.write_text(as_text({key: asdict(run) for key, run in kept.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
