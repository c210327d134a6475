"""Train three ViTs and three CNNs of notebook 13; write maps.json and weights.json.

python tools/vision_maps.py       about two minutes on one core, after vision_runs.py
"""

from __future__ import annotations

import json
from pathlib import Path

from attention_lab.labs.vision import images, networks, runs, trained
from attention_lab.models.kept import as_text

ROOM = Path(trained.__file__).parent


def main() -> None:
    data, found = images.splits(), []
    for seed in runs.SEEDS:
        made = {}
        for kind in trained.NETWORKS:
            made[kind] = networks.build(kind, seed)
            runs.fit(made[kind], data["all"], lr=runs.best(kind)[0].lr, seed=seed)
        found.append(trained.agreement(made["ViT"], made["CNN"], data["test"], seed))
        print(json.dumps(found[-1], indent=1), flush=True)
        if seed == 0:
            kept = {kind: trained.packed(network) for kind, network in made.items()}
            (ROOM / "weights.json").write_text(as_text(kept), encoding="utf-8")
    (ROOM / "maps.json").write_text(as_text(found), encoding="utf-8")


if __name__ == "__main__":
    main()
