"""Train every network of notebook 13 at its best learning rate, and write runs.json.

python tools/vision_runs.py            all of them, about fifteen minutes on one core
python tools/vision_runs.py ViT MLP    those whose names begin so; the other runs stay
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from attention_lab.labs.vision import runs
from attention_lab.models.kept import as_text

PATH = Path(runs.__file__).with_name("runs.json")


def of_kind(kind: str, part: str) -> list[runs.Run]:
    """Try learning rates with seed 0 until the best lies between two; then train three seeds."""
    tuned = runs.TUNED.get(part, part)
    tried: list[runs.Run] = []
    rates = list(runs.FIRST_RATES)
    while rates:
        tried += [runs.train_run(kind, tuned, lr=lr) for lr in rates]
        rate = runs.best_rate(tried)
        rates = runs.neighbours([run.lr for run in tried], rate)
    known = {run.key for run in tried}
    seeds = [seed for seed in runs.SEEDS if (kind, part, rate, seed) not in known]
    return tried + [runs.train_run(kind, part, lr=rate, seed=seed) for seed in seeds]


def main(starts: tuple[str, ...]) -> None:
    kept = {key: run for key, run in _before().items() if not key[0].startswith(starts)}
    for part in runs.PARTS:
        for kind in filter(lambda kind: kind.startswith(starts), runs.TRAINED[part]):
            for run in of_kind(kind, part):
                kept[run.key] = run
                said = f"{run.validation:.3f} {run.accuracy:.3f} {run.shifted:.3f}"
                print(*run.key, said, flush=True)
            rows = [asdict(kept[key]) for key in sorted(kept)]
            PATH.write_text(as_text(rows), encoding="utf-8")


def _before() -> dict[tuple[str, str, float, int], runs.Run]:
    return dict(runs.committed()) if PATH.exists() else {}


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("",))
