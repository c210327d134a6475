"""Train with parts left out, and write what came of it into the room of notebook 09.

    python tools/ablations.py               all four files: 25 minutes on one core
    python tools/ablations.py starts.json   one of them

ablations.json: all 64 combinations of parts on both tasks, seven minutes. starts.json: some of
them from three more starts, four minutes. sums.json: running sums with and without feed-forward
parts, with two learning rates and three starts, eight minutes. translators.json: the translation
of notebook 05 from four starts, one minute.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from attention_lab.labs.encoder_decoder import ablation, sums, translators
from attention_lab.models.kept import as_text

ROOM = Path(ablation.__file__).parent


def ablations() -> dict[str, Any]:
    rows = {}
    for task in ablation.TASKS:
        for count in range(len(ablation.PARTS) + 1):
            for without in itertools.combinations(ablation.PARTS, count):
                run = ablation.train_without(without, task)
                _say(ablation.key_of(without, task), run.exact_match)
                rows[ablation.key_of(without, task)] = asdict(run)
    return rows


def starts() -> dict[str, Any]:
    rows = {}
    for without, task in itertools.product(ablation.REPEATED, ablation.TASKS):
        key = ablation.key_of(without, task)
        runs = [ablation.train_without(without, task, seed=seed) for seed in (1, 2, 3)]
        runs.insert(0, ablation.committed()[key])
        rows[key] = [each.exact_match for each in runs], [each.spread[-1] for each in runs]
        _say(key, rows[key])
    return rows


def running_sums() -> dict[str, Any]:
    rows = {}
    for setting, seed in itertools.product(sums.SETTINGS, sums.SEEDS):
        run = sums.train_sums(setting, seed)
        _say(sums.key_of(setting, seed), run.exact_match)
        rows[sums.key_of(setting, seed)] = run
    return rows


def translations() -> dict[str, Any]:
    rows = {}
    for model, start in itertools.product(translators.MODELS, translators.STARTS):
        key = f"{model} {start}"
        rows[key] = translators.measure(translators.train_translator(model, start))
        _say(key, rows[key]["exact_match"])
    return rows


def _say(key: str, result: Any) -> None:
    print(f"{key:60} exact match {result}", flush=True)


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "ablations.json": ablations,
    "starts.json": starts,
    "sums.json": running_sums,
    "translators.json": translations,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", choices=[[], *FILES], help="all if none is named")
    for name in parser.parse_args().files or FILES:
        (ROOM / name).write_text(as_text(FILES[name]()), encoding="utf-8")


if __name__ == "__main__":
    main()
