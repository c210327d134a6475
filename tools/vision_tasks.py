"""Train the networks of the four small tasks of notebook 13, and write tasks.json.

python tools/vision_tasks.py           about six minutes on one core
python tools/vision_tasks.py clips     one of them; the others stay
"""

from __future__ import annotations

import json
import sys
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


def main(names: tuple[str, ...]) -> None:
    for name in names:
        made: list[tasks.Found] = []
        for kind in tasks.TASKS[name].kinds:
            made += of_kind(name, kind)
        for found in made:
            print(*found.key, found.validation, found.test, flush=True)
        before = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []
        rows = [row for row in before if row["task"] != name] + list(map(asdict, made))
        rows.sort(key=lambda row: (list(tasks.TASKS).index(row["task"]), row["kind"]))
        PATH.write_text(as_text(rows), encoding="utf-8")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or tuple(tasks.TASKS))
