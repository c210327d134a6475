"""Train the comparisons of notebook 16, and write what came of them into its room.

python tools/applications.py          all of trials.json: 40 minutes on one core
python tools/applications.py shop     one task; the others stay as they are
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from attention_lab.labs.applications import trials
from attention_lab.models.kept import as_text

FILE = Path(trials.__file__).parent / "trials.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[*trials.TASKS, []], default=[])
    tasks = parser.parse_args().tasks or list(trials.TASKS)
    made = {}
    for task, kind, lr, seed, long in trials.every():
        if task in tasks:
            key = trials.key_of(task, kind, lr, seed, long=long)
            made[key] = trials.run_trial(task, kind, lr, seed, long=long)
            print(key, made[key].test, flush=True)
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    rows = {key: row for key, row in kept.items() if key.split(",")[0] not in tasks} | made
    FILE.write_text(as_text(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
