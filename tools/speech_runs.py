"""Train and measure every listener of notebook 14, and write runs.json and data/NAME.npz.

python tools/speech_runs.py              all, about half an hour on one core
python tools/speech_runs.py tones count  one kind; the other runs stay as they are
python tools/speech_runs.py words few 0  one seed of a kind
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from attention_lab.labs.speech import runs
from attention_lab.models.kept import as_text

ROOM = Path(runs.__file__).parent
PATH = ROOM / "runs.json"


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    seeds = [int(word) for word in sys.argv[1:] if word.isdigit()]
    asked = [pair for pair in runs.RUNS if all(word in pair for word in words)]
    for sound, kind in asked:
        for seed in seeds or runs.RUNS[sound, kind]:
            model, row = runs.run(sound, kind, seed)
            print(sound, kind, seed, row["exact"], row["inside"], flush=True)
            if seed == 0 and (sound, kind) in runs.KEPT:
                path = ROOM / "data" / f"{runs.KEPT[sound, kind]}.npz"
                state = {k: v.numpy().astype(np.float16) for k, v in model.state_dict().items()}
                np.savez_compressed(path, **state)
            keep(row)


def keep(row: dict) -> None:
    """Put a run into the file, in the place of the one before."""
    rows = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else []
    by_key = {(each["sound"], each["kind"], each["seed"]): each for each in (*rows, row)}
    PATH.write_text(as_text([by_key[key] for key in sorted(by_key)]), encoding="utf-8")


if __name__ == "__main__":
    main()
