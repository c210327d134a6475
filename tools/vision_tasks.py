"""Train the networks of the four small tasks of notebook 13, and write tasks.json.

python tools/vision_tasks.py       about six minutes on one core
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from attention_lab.labs.vision import runs, tasks
from attention_lab.models.kept import as_text

PATH = Path(tasks.__file__).with_name("tasks.json")


def of_kind(name: str, kind: str) -> list[tasks.Found]:
    """Try learning rates with seed 0 until the best lies between two; then the other seeds."""
    tried: list[tasks.Found] = []
    rates = list(tasks.FIRST_RATES)
    while rates:
        tried += [tasks.train_task(name, kind, lr=lr) for lr in rates]
        rate = tasks.best_rate(tried)
        rates = runs.neighbours([found.lr for found in tried], rate)
    return tried + [tasks.train_task(name, kind, lr=rate, seed=seed) for seed in runs.SEEDS[1:]]


def main() -> None:
    kept: list[tasks.Found] = []
    for name, task in tasks.TASKS.items():
        for kind in task.kinds:
            made = of_kind(name, kind)
            for found in made:
                print(*found.key, found.validation, found.test, flush=True)
            kept += made
            PATH.write_text(as_text(list(map(asdict, kept))), encoding="utf-8")


if __name__ == "__main__":
    main()
