"""Train the comparisons of notebook 16, and write what came of them into its room.

python tools/applications.py          all of trials.json: eight minutes on one core
python tools/applications.py shop     one task; the others stay as they are
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

from attention_lab.labs.applications import trials
from attention_lab.models.kept import as_text

FILE = Path(trials.__file__).parent / "trials.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[*trials.TASKS, []], default=[])
    tasks = parser.parse_args().tasks or list(trials.TASKS)
    rows = json.loads(FILE.read_text()) if FILE.exists() else {}
    for task in tasks:
        for kind, lr, seed in itertools.product(
            trials.TASKS[task], trials.RATES[task], trials.SEEDS
        ):
            key = trials.key_of(task, kind, lr, seed)
            rows[key] = trials.run_trial(task, kind, lr, seed)
            print(key, rows[key].test, flush=True)
        FILE.write_text(as_text(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
