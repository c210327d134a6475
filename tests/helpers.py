"""What the tests of pictures and widgets read back, and how they drive a widget."""

import io
import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import torch
from PIL import Image

from attention_lab.models.data.sequences import DIGITS
from attention_lab.models.training import History
from attention_lab.models.transformer import Transformer
from attention_lab.pictures.style import palette, shade
from attention_lab.widgets import DecodingExplorer, TrainingPlayer


def type_into(editor, row, column, text):
    editor.fields[row, column].value = text


def text_of(html):
    return re.sub(r"<[^>]*>", "", re.sub(r"<style>.*?</style>", "", html, flags=re.S))


def shown(explorer, step):
    """Read a step back from the picture."""
    parts = explorer.picture.value + getattr(explorer, "result", explorer.picture).value
    for caption, rows in tables(parts):
        if caption.startswith(step):
            return rows[1:]
    return None


def whys(html):
    """Read back what the cells say when they are pointed at: e^2 for a superscript."""
    said = re.findall('<span class="alab-why"[^>]*>(.*?)</span>', html)
    return [re.sub("<[^>]*>", "", each.replace("<sup>", "^")) for each in said]


def marked(html, kind):
    """Count the cells of a picture that are outlined: "chosen" or "related"."""
    return len(re.findall(rf'class="[^"]*\balab-{kind}\b', html))


def redraws_of(widget):
    counted = []
    draw = widget.draw
    widget.draw = lambda: counted.append(1) or draw()
    return counted


def all_inside(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_inside(child)


def tables(html):
    """Read back every table: caption and rows of cell texts."""
    found = []
    for text in re.findall(r"<table\b.*?</table>", html, flags=re.S):
        text = re.sub(r'<span class="alab-why"[^>]*>.*?</span>(?=</td>)', "", text)
        table = ET.fromstring(text.replace("<br>", " "))
        caption = "".join(table.find("caption").itertext())
        rows = [["".join(cell.itertext()) for cell in line] for line in table.iter("tr")]
        found.append((caption, rows))
    return found


def svg_of(html):
    data = re.search(r"base64,([^\"]+)", html)[1]
    return ET.fromstring(b64decode(data))


def pixels_of(html):
    """Read the picture back from the HTML: (rows, columns, 3), and its alternative text."""
    alternative, data = re.search(r'alt="([^"]*)".*?base64,([^"]*)"', html, re.S).groups()
    image = Image.open(io.BytesIO(b64decode(data)))
    return torch.tensor(np.array(image)).long(), alternative


def color_of(number, low, high, *, weights=False):
    text = palette(weights=weights)[shade(number, low, high)][0]
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def names_in(notebook, *cells):
    """Run some cells of a notebook, and return what they define."""
    namespace = {}
    for cell in nbformat.read(NOTEBOOKS / notebook, as_version=4).cells:
        if cell.id in cells:
            exec(cell.source, namespace)
    return namespace


def bars(widget):
    return tables(widget.picture.value)[0][1]


def digits_explorer(text="3 1 4"):
    torch.manual_seed(0)
    model = Transformer(len(DIGITS), len(DIGITS), d_model=16, n_layers=2)
    return DecodingExplorer(
        model,
        DIGITS,
        DIGITS,
        text=text,
        right=lambda words: words[::-1] if len(words) < 5 else None,
    )


def training_player(steps=8, every=2):
    """A player of a training that moves the weights to a diagonal."""
    maps = [(k, (k * torch.eye(2, 3)).softmax(dim=1)) for k in range(0, steps + 1, every)]
    losses = [4.0 / k for k in range(1, steps + 1)]
    return TrainingPlayer(
        History(losses, maps), ["le", "chat"], ["the", "cat", "<end>"], right=[(0, 0), (1, 1)]
    )
