"""Train every kind of translator at its best learning rate, and write learning.json.

python tools/learning.py       about twelve minutes on one core
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from attention_lab.labs.alignment import learning
from attention_lab.models.kept import as_text

PATH = Path(learning.__file__).with_name("learning.json")


def main() -> None:
    runs: list[learning.Run] = []
    for kind, lengths in learning.TRAINED.items():
        for steps in lengths:
            tried = [learning.train_run(kind, steps=steps, lr=lr) for lr in learning.RATES]
            rates = {max(tried, key=lambda run: run.validation).lr}
            if kind in learning.SIDE_BY_SIDE and steps == 300:
                rates.add(learning.SAME_RATE)
            others = [
                learning.train_run(kind, steps=steps, lr=lr, seed=seed)
                for lr in sorted(rates)
                for seed in learning.SEEDS[1:]
            ]
            for run in (*tried, *others):
                print(*run.key, f"exactly right {run.exact:.3f}", flush=True)
            runs += [*tried, *others]
    PATH.write_text(as_text(list(map(asdict, runs))), encoding="utf-8")


if __name__ == "__main__":
    main()
