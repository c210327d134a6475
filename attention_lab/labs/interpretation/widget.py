"""HeadBrowser: all heads of a model on one text at a glance, and one of them in lines."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import ipywidgets

from attention_lab.grading.feedback import Problem
from attention_lab.labs.interpretation.found import EXAMPLES, FOUND, kept, weights_of
from attention_lab.labs.interpretation.given import Given, read
from attention_lab.labs.interpretation.lines import COLUMNS_CSS, columns
from attention_lab.labs.interpretation.overview import (
    habits,
    map_image,
    patterns,
    side_of,
    thumbnails,
)
from attention_lab.models.language_model import Head
from attention_lab.models.pretrained import MISSING, SmolLM2, is_installed, smollm2
from attention_lab.pictures.flow import FLOW_CSS, arcs, widths_of
from attention_lab.ui.base import Guard, LiveView
from attention_lab.ui.fields import box, choice, count_field, row, text_field

__all__ = ["HeadBrowser", "heads"]

MOST_TOKENS = 512
WIDEST = 980  # pixels of a sentence that is drawn with arcs; a longer one has columns
OWN = "your own text"
SAID = 2  # things that the line says of a head
STYLE = """<style>
.alab-heads{max-width:900px}
.alab-heads .alab-lines{height:330px;overflow:auto;order:4}
.alab-heads .alab-status{order:3}
.alab-heads .widget-toggle-buttons{order:2;display:block!important;height:auto!important;
width:100%;margin:4px 2px;overflow:visible}
.alab-heads .widget-toggle-buttons>.widget-label{display:block!important;width:auto!important;
text-align:left!important;max-width:none!important;white-space:normal}
.alab-heads .widget-toggle-buttons>div{display:grid!important;gap:0;background-color:#ffffff;
background-repeat:no-repeat;background-size:100% 100%;max-width:100%}
.alab-heads .widget-toggle-button{width:auto!important;height:auto!important;margin:0!important;
padding:0!important;border:none!important;min-width:0;box-shadow:none!important;
background:transparent!important;font-size:0!important;color:transparent!important}
.alab-heads .widget-toggle-button:hover{outline:1px solid #d55e00;outline-offset:-1px}
.alab-heads .widget-toggle-button.mod-active{outline:3px solid #d55e00;outline-offset:-1px;
z-index:1}
</style>"""


class HeadBrowser(LiveView):
    """All heads at a glance; a click on one, or its numbers, shows it as words joined by lines.

    Parameters
    ----------
    text : str, optional
        To begin with; else that of the first example.
    lm : SmolLM2, optional
        The installed one, if not given. Without it the examples are shown as they were kept.
    given : Given, optional
        The weights of another model: then no text is asked for. See `heads`.

    Attributes
    ----------
    head : (int, int)
        The chosen layer and head.
    """

    sheets = FLOW_CSS + COLUMNS_CSS

    def __init__(
        self, text: str | None = None, *, lm: SmolLM2 | None = None, given: Given | None = None
    ) -> None:
        super().__init__()
        if given is None:
            lm = lm or (smollm2() if is_installed() else None)
        first = next(iter(EXAMPLES.values()))
        self.lm, self._writing = lm, Guard()
        self._shown: tuple[Any, Given] | None = None if given is None else ("given", given)
        self._png = b""  # all heads of what is shown; nothing until it is drawn
        self.is_own = given is not None
        self.text = text_field("text", text or first.text, width="auto")
        self.text.layout.flex = "1 1 480px"
        self.text.add_class("alab-long")
        self.example = choice("example", [*EXAMPLES, OWN], width="180px")
        if self.is_own:
            n_layers, n_heads = len(given.layers), given.n_heads
            start: Head = (0, 0)
        else:
            config = lm.model.config if lm else None
            n_layers, n_heads = (config.n_layers, config.n_heads) if config else (30, 9)
            start = first.head if first.head < (n_layers, 0) else (0, 0)
        self._build(n_layers, n_heads, start)
        self.redraw()

    def _build(self, n_layers: int, n_heads: int, start: Head) -> None:
        """Make the fields, and let them follow one another."""
        self.head = start
        self.layer_field = count_field("layer", start[0], n_layers - 1, least=0, width="110px")
        self.head_field = count_field("head", start[1], n_heads - 1, least=0, width="110px")
        self.go = choice("go to", [("…", None)], width="300px")
        self.no_first = box("no lines to token 0", False)
        names = [f"layer {layer}, head {h}" for h in range(n_heads) for layer in range(n_layers)]
        self.grid = ipywidgets.ToggleButtons(
            options=names,
            description=f"{n_layers} layers (columns), {n_heads} heads (rows): choose one",
            tooltips=names,
            style={"description_width": "initial"},
        )
        self.picture.add_class("alab-lines")
        # of this widget alone: another one on the page has another map
        self.mark = f"alab-map-{self.model_id}"
        self.grid.add_class(self.mark)
        side = side_of(n_layers)
        self.frame = (
            f".{self.mark}>div{{width:{n_layers * side}px;aspect-ratio:{n_layers}/{n_heads};"
            f"grid-template-columns:repeat({n_layers},1fr);grid-auto-rows:1fr}}"
        )
        self.map = ipywidgets.HTML(layout={"display": "none"})  # the picture behind the grid
        self.add_class("alab-heads")
        asks = []
        if not self.is_own:
            self.text.disabled = self.lm is None
            self.example.observe(self._show_example, names="value")
            self.text.observe(self._wrote, names="value")
            self._name_text()
            asks = [row(self.example, self.text)]
        for field in (self.layer_field, self.head_field):
            field.observe(self._typed, names="value")
        self.grid.observe(self._clicked, names="index")
        self.go.observe(self._went, names="value")
        self.no_first.observe(self.redraw, names="value")
        self.children = [
            ipywidgets.HTML(STYLE, layout={"display": "none"}),
            self.map,
            *asks,
            row(self.layer_field, self.head_field, self.go, self.no_first),
            self.status,
            self.picture,
            self.grid,  # last for Tab, above the lines for the eye
        ]

    # --- which head ---

    def choose(self, head: Head) -> None:
        """Show another head, (layer, head); every field follows.

        Raises
        ------
        ValueError
            There is no such head.
        """
        if self._writing:
            return
        most = self.layer_field.max, self.head_field.max
        if not all(0 <= each <= last for each, last in zip(head, most, strict=True)):
            raise ValueError(f"there is no head {head}; the last one is {most}")
        self.head = tuple(head)
        with self.one_redraw():
            pass

    def _follow(self) -> None:
        """Bring the fields to the chosen head."""
        layer, head = self.head
        with self._writing:
            self.layer_field.value, self.head_field.value = layer, head
            self.grid.index = head * (self.layer_field.max + 1) + layer
            named = [value for _, value in self.go.options]
            self.go.value = self.head if self.head in named else None

    def _typed(self, _change: Any) -> None:
        self.choose((self.layer_field.value, self.head_field.value))

    def _clicked(self, change: Any) -> None:
        if change["new"] is not None:
            head, layer = divmod(change["new"], self.layer_field.max + 1)
            self.choose((layer, head))

    def _went(self, change: Any) -> None:
        if change["new"] is not None:
            self.choose(change["new"])

    def _name_text(self) -> None:
        """Let the list of examples say whose text this is, so that each can be chosen again."""
        names = {each.text: name for name, each in EXAMPLES.items()}
        with self._writing:
            self.example.value = names.get(self.text.value, OWN)

    def _wrote(self, _change: Any) -> None:
        self._name_text()
        self.redraw()

    def _show_example(self, _change: Any) -> None:
        if self._writing or self.example.value == OWN:
            return
        chosen = EXAMPLES[self.example.value]
        with self.one_redraw():
            self.text.value = chosen.text
            if chosen.head[0] <= self.layer_field.max and chosen.head[1] <= self.head_field.max:
                self.head = chosen.head

    # --- what is shown ---

    def given(self) -> Given:
        """Return the weights on the present text; the map follows where it is another one."""
        asked = "given" if self.is_own else self.text.value
        if self._shown is None or self._shown[0] != asked:
            self._shown, self._png = (asked, self._weights(asked)), b""
        found = self._shown[1]
        if not self._png:
            self._png = thumbnails(found)
            data = base64.b64encode(self._png).decode()
            self.map.value = (
                f"<style>{self.frame}.{self.mark}>div{{background-image:"
                f"url(data:image/png;base64,{data})}}</style>"
            )
            self._name_heads(found)
        return found

    def _weights(self, text: str) -> Given:
        if self.lm is None:
            if text not in [each.text for each in EXAMPLES.values()]:
                raise Problem(f"text: without the model only the examples can be shown. {MISSING}")
            return kept(text)
        if not text.strip():
            raise Problem("text: write some words")
        n = self.lm.read(text).shape[1]
        if n > MOST_TOKENS:
            raise Problem(f"text: at most {MOST_TOKENS} tokens are read here, and this has {n}")
        return weights_of(self.lm, text)

    def _name_heads(self, found: Given) -> None:
        """Write the list of heads to go to: those with a name, and the best on this text."""
        options: list[tuple[str, Head | None]] = [("a head …", None)]
        if not self.is_own:
            options += [(f"{name} ({a}, {b})", (a, b)) for (a, b), name in FOUND.items()]
        options += [
            (f"here most on {name}: ({a}, {b}) {score:.2f}", (a, b))
            for name, ((a, b), score) in patterns(found).items()
        ]
        limit = self.layer_field.max, self.head_field.max
        fitting = [
            (name, head)
            for name, head in options
            if head is None or (head[0] <= limit[0] and head[1] <= limit[1])
        ]
        with self._writing:
            self.go.options = fitting

    def draw(self) -> tuple[str, str]:
        found = self.given()
        self._follow()
        return self._lines(found, live=True), self._said(found)

    def _lines(self, found: Given, *, live: bool) -> str:
        weights = found.head(*self.head)
        if self.no_first.value:
            weights = weights.clone()
            weights[:, 0] = 0
        if found.is_self and widths_of(found.queries) <= WIDEST:
            return arcs(weights, found.queries, live=live)
        return columns(weights, found.queries, found.keys, live=live)

    def _said(self, found: Given) -> str:
        layer, head = self.head
        name = "" if self.is_own else FOUND.get(self.head, "")
        done = sorted(habits(found, self.head).items(), key=lambda each: -each[1])[:SAID]
        on = "; ".join(f"{share:.2f} on {what}" for what, share in done)
        size = f"{len(found.queries)} tokens"
        missing = f" {MISSING}" if self.lm is None and not self.is_own else ""
        return (
            f"Layer {layer}, head {head}{f' (“{name}”)' if name else ''}, {size}"
            f"{f'. Mean weight: {on}' if on else ''}.{missing}"
        )

    def twin_html(self) -> str:
        try:
            found = self.given()
        except Problem:  # the line says which; the last good picture stays
            return super().twin_html()
        return (
            f"{map_image(found, self._png)}{self.status.value}"
            f'<div style="max-height:330px;overflow:auto">{self._lines(found, live=False)}</div>'
        )

    def twin_text(self) -> str:
        return f"HeadBrowser: {self.note}"[:230]


def heads(attentions: Any, tokens: Sequence[str], keys: Sequence[str] | None = None) -> HeadBrowser:
    """Browse the heads of any model: weights as transformers gives them, and their tokens.

    Parameters
    ----------
    attentions : tuple of Tensor, or Tensor
        ``model(**inputs, output_attentions=True).attentions``: for each layer
        (1, n_heads, n_q, n_k). In any precision, on any device; nothing is copied.
    tokens : sequence of str
        ``tokenizer.convert_ids_to_tokens(ids)``.
    keys : sequence of str, optional
        Only for cross-attention: the tokens that are attended to.

    Raises
    ------
    ValueError
        It is something else; the text says what came and how to get what is wanted.

    Examples
    --------
    >>> import torch
    >>> browser = heads(tuple(torch.full((1, 2, 3, 3), 1 / 3) for _ in range(4)), ["a", "b", "c"])
    >>> browser.choose((3, 1))
    >>> browser.note[:24]
    'Layer 3, head 1, 3 token'
    """
    try:
        given = read(attentions, tokens, keys)
    except Problem as problem:
        raise ValueError(str(problem)) from None
    return HeadBrowser(given=given)
