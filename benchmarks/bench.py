"""Measure side by side, in one run: imports, attention, models, pictures, widgets,
and the trainings of a notebook.

    python benchmarks/bench.py                  all of it, about six minutes
    python benchmarks/bench.py pictures attention  some of it

Nothing here is a test: the numbers are of this machine and this moment. What counts is a ratio
within one run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT)]


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; the first column to the left, numbers to the right."""
    texts = [[x if isinstance(x, str) else f"{x:.3g}" for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    print(f"\n{title}")
    for row in (heads, *texts):
        first, *others = zip(row, widths, strict=True)
        print("  " + first[0].ljust(first[1]), *(text.rjust(width) for text, width in others))


def taking_turns(calls: Sequence[Callable[[], object]], *, seconds: float = 0.6) -> list[float]:
    """Return the median time of each call in milliseconds; they take turns."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    end = time.perf_counter() + seconds * len(calls)
    while len(times[0]) < 5 or time.perf_counter() < end:
        for call, own in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            own.append(time.perf_counter() - start)
    return [1000 * statistics.median(each) for each in times]


def median_ms(call: Callable[[], object]) -> float:
    """Return the median time of a call in milliseconds."""
    return taking_turns([call], seconds=0.4)[0]


# --- imports --------------------------------------------------------------------------------


def imports() -> None:
    """`import attention_lab` against `import torch`, each in a new Python."""
    modules = [
        "sys",
        "torch",
        "attention_lab",
        "attention_lab.widgets",
        "attention_lab.pictures.figures",
    ]
    times: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(7):
        for module in modules:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True, cwd=ROOT)
            times[module].append(time.perf_counter() - start)
    torch = statistics.median(times["torch"])
    table(
        "a new Python with one import, median of 7",
        ("import", "s", "of torch"),
        [(m, statistics.median(t), statistics.median(t) / torch) for m, t in times.items()],
    )


# --- the mechanism --------------------------------------------------------------------------

HEADS, D_K = 4, 64


def attention() -> None:
    """Our attention, which keeps every step, against PyTorch's, which keeps the output."""
    rows = []
    for n in (64, 128, 256, 512, 1024, 2048):
        ours, theirs = (median_ms(_attention_call(which, n)) for which in ("ours", "sdpa"))
        mib = [_peak_mib(which, n) for which in ("ours", "sdpa")]
        rows.append((str(n), ours, theirs, ours / theirs, *mib))
    table(
        f"attention(...) and F.scaled_dot_product_attention, (1, {HEADS}, n, {D_K}), float32",
        ("n", "ours ms", "SDPA ms", "ratio", "ours MiB", "SDPA MiB"),
        rows,
    )


def tiled() -> None:
    """Tiled attention against the naive way: time, and what the operating system says of memory."""
    ways = ("naive", "tiled", "sdpa")
    rows = []
    for n in (1024, 2048, 4096, 8192):
        took = taking_turns([_attention_call(way, n, heads=1) for way in ways], seconds=0.4)
        mib = [_peak_mib(way, n, heads=1) for way in ways]
        rows.append((str(n), *took, took[0] / took[1], *mib, mib[0] / max(mib[1], 0.1)))
    table(
        f"softmax(QK^T)V in three lines, tiled_attention, SDPA; (1, 1, n, {D_K}), float32",
        ("n", "naive ms", "tiled ms", "SDPA ms", "naive / tiled",
         "naive MiB", "tiled MiB", "SDPA MiB", "naive / tiled"),
        rows,
    )  # fmt: skip


def _attention_call(which: str, n: int, heads: int = HEADS) -> Callable[[], object]:
    import torch

    from attention_lab import attention
    from attention_lab.core.tiled import tiled_attention

    def naive(query, key, value):
        return (query @ key.mT / D_K**0.5).softmax(dim=-1) @ value

    inputs = [torch.randn(1, heads, n, D_K) for _ in range(3)]
    function = {
        "ours": attention,
        "sdpa": torch.nn.functional.scaled_dot_product_attention,
        "naive": naive,
        "tiled": tiled_attention,
    }[which]
    return lambda: function(*inputs)


def _peak_mib(which: str, n: int, heads: int = HEADS) -> float:
    """Return how much the largest resident size of a new Python grows by one call."""
    code = f"import bench; print(bench.growth({which!r}, {n}, {heads}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=True, cwd=ROOT / "benchmarks", capture_output=True, text=True
    )
    return float(done.stdout)


def growth(which: str, n: int, heads: int) -> float:
    """Return the growth of this process by one call, in MiB; a small call goes before it. Linux."""
    _attention_call(which, 8, heads)()
    call = _attention_call(which, n, heads)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _high_water()
    call()
    return (_high_water() - before) / 1024


def _high_water() -> int:
    # not getrusage: its peak includes that of the process that started this one
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


# --- the Transformer ------------------------------------------------------------------------


def transformer() -> None:
    """Our layers against PyTorch's, a training step, and decoding with the cache and without."""
    import torch

    torch.set_num_threads(1)
    _layers()
    _training_step()
    _decoding()


def _layers() -> None:
    import torch
    from torch import nn

    from attention_lab.models import transformer as lab

    def both_ways(layer, *inputs, **options) -> Callable[[], None]:
        def call() -> None:
            output = layer(*inputs, **options)
            (output[0] if isinstance(output, tuple) else output).sum().backward()

        return call

    rows = []
    options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
    for d in (64, 128, 256, 512):
        for n in (16, 64, 512):
            heads, x = d // 16, torch.randn(1 if d * n > 2**14 else 8, n, d)
            blocked = torch.ones(n, n, dtype=torch.bool).triu(1)
            pairs = (
                (
                    both_ways(lab.MultiHeadAttention(d, heads), x, x, x),
                    both_ways(
                        nn.MultiheadAttention(d, heads, batch_first=True), x, x, x,
                        need_weights=False,
                    ),
                ),
                (
                    both_ways(lab.EncoderLayer(d, heads, 4 * d), x),
                    both_ways(nn.TransformerEncoderLayer(d, heads, 4 * d, **options), x),
                ),
                (
                    both_ways(lab.DecoderLayer(d, heads, 4 * d), x, x),
                    both_ways(
                        nn.TransformerDecoderLayer(d, heads, 4 * d, **options), x, x,
                        tgt_mask=blocked, tgt_is_causal=True,
                    ),
                ),
            )  # fmt: skip
            times = [taking_turns(pair) for pair in pairs]
            ratios = [ours / theirs for ours, theirs in times]
            rows.append((f"{d}", n, len(x), times[1][0], times[1][1], *ratios))
    table(
        "forward and backward, ours / PyTorch's, one thread, no weights asked for",
        ("d_model", "n", "batch", "encoder ms", "PyTorch's", "attention", "encoder", "decoder"),
        rows,
    )


def _training_step() -> None:
    import torch
    from torch import nn

    from attention_lab.models.transformer import Transformer

    class Theirs(nn.Module):
        """`nn.Transformer` between the embeddings and the read-out of ours."""

        def __init__(self, d: int) -> None:
            super().__init__()
            own = Transformer(100, 100, d_model=d, n_layers=2)
            self.source, self.target, self.readout = own.source, own.target, own.readout
            with warnings.catch_warnings():  # it says that pre-norm has no nested tensors
                warnings.simplefilter("ignore", UserWarning)
                self.core = nn.Transformer(
                    d, 4, 2, 2, 4 * d, dropout=0.0, batch_first=True, norm_first=True
                )

        def loss(self, source, target):
            n = target.shape[1] - 1
            blocked = torch.ones(n, n, dtype=torch.bool).triu(1)
            padding = source == 0
            output = self.core(
                self.source(source), self.target(target[:, :-1]), tgt_mask=blocked,
                tgt_is_causal=True, src_key_padding_mask=padding, memory_key_padding_mask=padding,
            )  # fmt: skip
            logits = self.readout(output)
            return nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())

    def step(model) -> Callable[[], None]:
        optimiser = torch.optim.Adam(model.parameters())
        source, target = torch.randint(3, 100, (2, 16, n))

        def call() -> None:
            optimiser.zero_grad()
            model.loss(source, target).backward()
            optimiser.step()

        return call

    rows = []
    for d, n in ((32, 10), (64, 10), (128, 32), (256, 64)):
        ours, theirs = taking_turns(
            [step(Transformer(100, 100, d_model=d, n_layers=2)), step(Theirs(d))]
        )
        rows.append((f"{d}", n, ours, theirs, ours / theirs))
    table(
        "a training step, 2 + 2 layers, 16 sentences, one thread",
        ("d_model", "n", "ours ms", "nn.Transformer ms", "ratio"),
        rows,
    )


def _decoding() -> None:
    import torch

    from attention_lab.models.transformer import Transformer

    rows = []
    for d in (64, 256):
        model = Transformer(100, 100, d_model=d, n_layers=2).eval()
        with torch.no_grad():
            model.readout.bias[2] = -1e9  # no <end>: all 128 words are written
        source = torch.randint(3, 100, (1, 16))
        calls = [lambda c=c, m=model, s=source: m.decode(s, 128, cached=c) for c in (True, False)]
        with_cache, without = taking_turns(calls)
        rows.append((f"{d}", with_cache, without, without / with_cache))
    table(
        "128 words written, 2 layers, one sentence, one thread",
        ("d_model", "with cache ms", "without ms", "times faster"),
        rows,
    )


# --- the real model -------------------------------------------------------------------------


def model() -> None:
    """SmolLM2 by our code and by transformers, from the same file: reading it, running it."""
    import importlib.util
    import logging

    import torch

    from attention_lab.models.pretrained import INSTALL, is_installed

    if not (is_installed() and importlib.util.find_spec("transformers")):
        print(f"\nmodel: install SmolLM2 ({INSTALL}) and transformers")
        return
    logging.getLogger("transformers").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    _loading()
    ours, theirs = _our_model(), _their_model()
    rows = []
    with torch.no_grad():
        for n in (16, 64, 256):
            tokens = torch.randint(17, 49_152, (1, n))
            rows.append((f"{n} tokens, all weights", *_reading(ours, theirs, tokens)))
            rows.append((f"a token after {n}, cached", *_one_more(ours, theirs, tokens)))
    table(
        "SmolLM2, one thread, ours / transformers (eager)",
        ("", "ours ms", "transformers ms", "ratio"),
        [(name, mine, its, mine / its) for name, mine, its in rows],
    )


def _our_model():
    from attention_lab.models.pretrained import smollm2

    return smollm2().model


def _their_model():
    import importlib.util

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from attention_lab.models.pretrained import FILE, PACKAGE

    folder = Path(importlib.util.find_spec(PACKAGE).origin).parent
    options = {"gguf_file": FILE, "local_files_only": True}
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bars
        AutoTokenizer.from_pretrained(folder, **options)
        return AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32, **options
        ).eval()


def _loading() -> None:
    """Model and tokenizer in a new Python each, imports left out of the seconds."""
    rows = []
    for name, call, needs in (
        ("ours", "_our_model", "attention_lab.models.pretrained, gguf, tokenizers"),
        ("transformers", "_their_model", "transformers, gguf"),
    ):
        code = (
            f"import time, torch, bench, {needs}; torch.set_num_threads(1); "
            f"start = time.perf_counter(); bench.{call}(); "
            "print(time.perf_counter() - start, bench._high_water() / 1024)"
        )
        done = [
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True,
                text=True, cwd=ROOT / "benchmarks",
            ).stdout.split()[-2:]
            for _ in range(3)
        ]  # fmt: skip
        rows.append((name, *(statistics.median(float(each[i]) for each in done) for i in (0, 1))))
    rows.append(
        ("ratio", *(mine / its for mine, its in zip(rows[0][1:], rows[1][1:], strict=True)))
    )
    table("reading SmolLM2 from its file, median of 3", ("", "s", "peak of the process MiB"), rows)


def _reading(ours, theirs, tokens) -> list[float]:
    from attention_lab.models.language_model import recorded

    def mine() -> object:
        with recorded(ours) as weights:
            return ours(tokens), weights

    return taking_turns(
        [mine, lambda: theirs(tokens, output_attentions=True, use_cache=False)], seconds=2
    )


def _one_more(ours, theirs, tokens) -> list[float]:
    """One token more in a cache of n tokens; it grows by a few while it is measured."""
    caches, one = ours.new_caches(), tokens[:, :1]
    ours(tokens, caches=caches)
    kept = theirs(tokens, use_cache=True).past_key_values

    def its() -> object:
        with warnings.catch_warnings():  # past_key_values has another name in version 5.40
            warnings.simplefilter("ignore")
            return theirs(one, past_key_values=kept, use_cache=True)

    return taking_turns([lambda: ours(one, caches=caches), its], seconds=1)


# --- trainings of the labs ------------------------------------------------------------------


def speech() -> None:
    """A step of training for each listener of notebook 14, and writing 200 numbers with it."""
    import torch

    from attention_lab.labs.speech import training, words
    from attention_lab.labs.speech.listener import KINDS, Listener

    torch.set_num_threads(1)
    rows = []
    for sound, bands, stride, make in (
        ("tones", 7, 2, training.tone_batch),
        ("words", words.BANDS, 3, words.word_batch),
    ):
        random = torch.Generator().manual_seed(0)
        named = training.numbers(training.BATCH, 5, 5, random)
        drawing = median_ms(lambda m=make, n=named, r=random: m(n, r))
        batch = make(named, random)
        for kind in KINDS:
            model = Listener(bands, kind, stride=stride)
            step, writing = taking_turns(
                [
                    lambda m=model, b=batch: training.loss_of(m, b).backward(),
                    lambda m=model, b=batch: m.write(b.features, b.lengths, most=6),
                ]
            )
            rows.append((f"{sound} {kind}", drawing, step, writing))
    table(
        "32 numbers of five digits, one thread",
        ("", "draw the batch ms", "forward and backward ms", "write ms"),
        rows,
    )


# --- pictures -------------------------------------------------------------------------------


def pictures() -> None:
    """Five steps as HTML: tables up to 16 tokens, pictures past them."""
    import torch

    from attention_lab import attention
    from attention_lab.labs.qkv_worked_example.pictures import steps_tables
    from attention_lab.pictures.tables import matrix_picture, matrix_table

    rows = []
    for n in (8, 16, 17, 32, 64, 128):
        steps = attention(*(torch.randn(n, 4) for _ in range(3)))
        options = {"rows": [""] * n, "columns": [""] * n, "caption": ""}
        html = steps_tables(steps)
        rows.append(
            (
                str(n),
                median_ms(lambda steps=steps: steps_tables(steps)),
                len(html) / 1024,
                median_ms(lambda s=steps, o=options: matrix_table(s.weights, **o)),
                median_ms(lambda s=steps: matrix_picture(s.weights, caption="")),
            )
        )
    table(
        "building the HTML of n queries and n keys",
        ("n", "five steps ms", "KiB", "one table ms", "one picture ms"),
        rows,
    )


# --- in the browser -------------------------------------------------------------------------

EXPLORER = """\
import torch
from attention_lab.widgets import AttentionExplorer
random = torch.Generator().manual_seed(0)
n, d = {n}, {d}
AttentionExplorer(*(torch.randn(n, d, generator=random) for _ in range(3)))
"""
INTERACT = """\
%matplotlib inline
import ipywidgets, torch
import matplotlib.pyplot as plt
random = torch.Generator().manual_seed(0)
n, d = {n}, {d}
Q, K, V = (torch.randn(n, d, generator=random) for _ in range(3))

def draw(q00=1.0):
    Q[0, 0] = q00
    scores = Q @ K.T
    scaled = scores / d**0.5
    weights = scaled.softmax(dim=-1)
    steps = dict(scores=scores, scaled=scaled, masked=scaled, weights=weights, output=weights @ V)
    figure, axes = plt.subplots(1, 5, figsize=(15, 3), layout="constrained")
    for ax, (name, step) in zip(axes, steps.items()):
        ax.imshow(step, cmap="cividis")
        ax.set_title(name)
        for (i, j), number in zip(torch.cartesian_prod(torch.arange(len(step)),
                                  torch.arange(step.shape[1])).tolist(), step.flatten().tolist()):
            ax.text(j, i, f"{{number:.2f}}", ha="center", va="center", fontsize=7)
    plt.show()

ipywidgets.interact(draw, q00=ipywidgets.FloatText(1.0));
"""
BARE = """\
import ipywidgets
field = ipywidgets.Text(continuous_update=False)
label = ipywidgets.Label("0")
field.observe(lambda change: setattr(label, "value", change["new"]), "value")
ipywidgets.VBox([field, label])
"""
BARE_ALONE, BARE_BESIDE = "Text and Label, alone", "Text and Label, below a 6x4 explorer"
INTERACTED = "interact + matplotlib 6x4"
TABLES = ".widget-html:has(table caption), .widget-html:has(.alab-row)"
ROUNDS = 60

# From the event in the field to the frame that shows another picture.
MEASURE = """async ([field, picture, text]) => {
  const root = [...document.querySelectorAll('.jp-OutputArea-output:has(.jupyter-widgets)')].pop();
  const input = root.querySelector(field);
  const shown = () => root.querySelector(picture);
  const before = shown().src;
  const changed = new Promise(done => {
    // The content of a picture is not compared: to write 1000 cells out would be measured, too.
    const stop = () => { seen.disconnect(); clearInterval(timer); done(); };
    const seen = new MutationObserver(changes => {
      if (changes.some(each => shown()?.contains(each.target) && !shown().src)) stop();
    });
    const timer = before && setInterval(() => {  // an image is complete without a mutation
      const now = shown(); if (now?.src !== before && now?.complete) stop();
    }, 2);
    seen.observe(root, {childList: true, subtree: true, characterData: true});
  });
  input.value = text;
  const start = performance.now();
  input.dispatchEvent(new Event('input', {bubbles: true}));
  input.dispatchEvent(new Event('change', {bubbles: true}));
  await changed;
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start;
}"""


def widgets() -> None:
    """Edit to changed picture in JupyterLab and Chromium, the cases taking turns."""
    import nbformat
    from playwright.sync_api import sync_playwright

    import browser
    from notebooks import KERNEL

    if browser.CHROMIUM is None:
        print("\nwidgets: no Chromium found; install it, or name it in the variable CHROMIUM")
        return
    first, one = (
        ".alab-cells .widget-text input",
        ".alab-editor .widget-text:not(:has([min])) input",
    )
    label = ".widget-label:not(:has(+ input))"
    # what is typed into and what changes are in the last output of the page
    cases = {
        BARE_ALONE: ([BARE], "input", label),
        BARE_BESIDE: ([EXPLORER.format(n=6, d=4), BARE], "input", label),
    }
    for n, d in ((3, 1), (6, 4), (16, 16), (32, 32)):
        field = first if n * d <= 48 else one
        cases[f"AttentionExplorer {n}x{d}"] = ([EXPLORER.format(n=n, d=d)], field, TABLES)
    cases[INTERACTED] = ([INTERACT.format(n=6, d=4)], "input", "img")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        home, paths = Path(folder), []
        for index, (sources, _, _) in enumerate(cases.values()):
            paths.append(home / f"case{index}.ipynb")
            cells = [nbformat.v4.new_code_cell(source) for source in sources]
            notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
            nbformat.write(notebook, paths[-1])
        with browser.serve(home, paths) as address:
            chromium = started.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
            pages = [browser.open_notebook(chromium, address, path.name) for path in paths]
            times: dict[str, list[float]] = {name: [] for name in cases}
            for turn in range(ROUNDS + 3):
                for page, (name, (_, field, picture)) in zip(pages, cases.items(), strict=True):
                    page.bring_to_front()
                    page.wait_for_timeout(50)
                    took = page.evaluate(MEASURE, [field, picture, f"{turn % 7 - 2.5}"])
                    if turn >= 3:  # the first ones are slower, everywhere
                        times[name].append(took)
            chromium.close()
    middle = {name: statistics.median(t) for name, t in times.items()}
    table(
        f"edit to changed picture, {ROUNDS} edits each, taking turns",
        ("", "median ms", "p95 ms", "of bare alone", "of bare beside", "interact: times slower"),
        [
            (
                name,
                middle[name],
                statistics.quantiles(each, n=20)[-1],
                middle[name] / middle[BARE_ALONE],
                middle[name] / middle[BARE_BESIDE],
                middle[INTERACTED] / middle[name],
            )
            for name, each in times.items()
        ],
    )


# --- the trainings of notebook 13 -----------------------------------------------------------


def vision() -> None:
    """What a live training of notebook 13 takes, and what comes of it, on one thread."""
    import torch

    from attention_lab.labs.vision import runs, tasks
    from attention_lab.labs.vision.images import splits
    from attention_lab.labs.vision.networks import build, parameters

    torch.set_num_threads(1)
    data, rows = splits(), []
    for kind in ("MLP", "CNN", "CNN + SE", "CNN + CBAM", "CNN + non-local", "ViT"):
        network, start = build(kind), time.perf_counter()
        runs.fit(network, data["all"], lr=runs.best(kind)[0].lr)
        took = time.perf_counter() - start
        right = runs.classify(network, data["test"]).double().mean().item()
        rows.append((kind, parameters(network), took, right, runs.best(kind)[0].accuracy))
    table(
        "digits: 600 steps of 64 images",
        ("network", "parameters", "s", "accuracy", "kept"),
        rows,
    )
    rows = []
    for name, task in tasks.TASKS.items():
        kind = next(iter(task.kinds))
        network, start = task.kinds[kind](0), time.perf_counter()
        tasks.fit_task(name, network, lr=tasks.best(name, kind)[0].lr)
        rows.append((f"{name}, {kind}", task.steps, time.perf_counter() - start))
    table("small tasks", ("task", "steps", "s"), rows)


PARTS = {
    "imports": imports,
    "attention": attention,
    "tiled": tiled,
    "transformer": transformer,
    "model": model,
    "speech": speech,
    "pictures": pictures,
    "widgets": widgets,
    "vision": vision,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parts = parser.parse_args().parts or list(PARTS)
    for part in parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; the parts are {', '.join(PARTS)}")
    for part in parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
