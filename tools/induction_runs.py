"""Train attention-only models with every learning rate and seed, and write induction.json.

python tools/induction_runs.py       about four minutes on one core
"""

from __future__ import annotations

from pathlib import Path

import torch

from attention_lab.labs.programmable_weights import induction

PATH = Path(induction.__file__).with_name("induction.json")


def main() -> None:
    torch.set_num_threads(1)
    kept: dict[str, induction.Run] = {}

    def keep(n_layers: int, lr: float, seed: int, steps: int, turned: bool) -> None:
        key = induction.key_of(n_layers, lr, seed, steps, turned=turned)
        kept[key] = induction.measured(n_layers, lr, seed, steps, turned=turned)
        print(f"{key:50} {kept[key].accuracy}", flush=True)

    for turned in (True, False):
        for n_layers in induction.HEADS:
            for lr in induction.RATES:
                for seed in induction.SEEDS:
                    keep(n_layers, lr, seed, induction.STEPS, turned)
    for lr in induction.RATES[1:3]:
        for seed in induction.SEEDS:
            keep(1, lr, seed, induction.LONGER, True)
    PATH.write_text(induction.as_text(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
