"""Draw, move or cover a digit; see what a network reads, where it looks, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets
import torch
from torch import Tensor

from attention_lab.grading.feedback import Problem
from attention_lab.labs.vision.images import SIDE, of_patches, shifted, splits
from attention_lab.labs.vision.maps import attention_map, covered, occlusion_map, rank_correlation
from attention_lab.labs.vision.networks import ViT
from attention_lab.labs.vision.trained import NETWORKS, load
from attention_lab.pictures.style import HATCH, format_number, palette, shade
from attention_lab.pictures.tables import bars_table, matrix_table, side_by_side
from attention_lab.ui.base import LiveView
from attention_lab.ui.fields import choice, row, watch
from attention_lab.ui.keys import ARROWS

__all__ = ["VisionExplorer"]

DARKEST = 16  # levels of ink
NEXT = {0: 8, 8: 16, 16: 0}  # what a click makes of a level; others become 0
PATCH = 2
EDGES = ["0, 1", "2, 3", "4, 5", "6, 7"]  # rows or columns of pixels in a patch
LARGEST_LOOK, LARGEST_NEED = 0.5, 8.0  # fixed ends of the colour scales
EMPTY = "an empty sheet"
DRAW, COVER = "draws: 0, 8, 16", "covers its patch"
MOVES = {"↑": (-1, 0), "↓": (1, 0), "←": (0, -1), "→": (0, 1)}
SAID = {"↑": "move up", "↓": "move down", "←": "move left", "→": "move right"}


def _sheet() -> str:
    """Return the style of the pixels, a class for each level, and of the two maps."""
    shades = palette(weights=True)
    levels = "".join(
        f".alab-pixels button.alab-ink{level}{{background:{back};color:{front}}}"
        for level in range(DARKEST + 1)
        for back, front in [shades[shade(level, 0, DARKEST)]]
    )
    return f"""<style>{levels}
.alab-pixels button.alab-cover{{background:{HATCH};color:#000000}}
.alab-pixels button{{width:27px!important;height:27px!important;min-width:0;margin:0!important;
padding:0!important;font-size:12px;line-height:27px;border:1px solid #c3ccd5}}
.alab-vision .alab td,.alab-vision .alab th{{padding:1px 3px;line-height:1.35}}
.alab-vision .alab-maps tbody td{{width:3.8em;min-width:3.8em!important;height:38px;
text-align:center}}
.alab-vision .alab table td.alab-bar{{min-width:212px}}
.alab-vision .alab-status{{height:3.3em}}
</style>"""


STYLE = _sheet()


class VisionExplorer(LiveView):
    """Click pixels of a digit; see the classes, the weights of CLS and the occlusion map follow.

    Parameters
    ----------
    networks : mapping of name to ViT or CNN, optional
        Trained ones, from images (B, 8, 8) to logits (B, 10). If not given, a ViT and a CNN that
        are kept with the package.
    start : int
        Which digit to begin with.

    Attributes
    ----------
    image : Tensor, shape (8, 8)
        What the network gets: from 0 to 1, and 0 where a patch is covered.
    """

    def __init__(
        self, networks: Mapping[str, torch.nn.Module] | None = None, *, start: int = 3
    ) -> None:
        super().__init__()
        self.networks = dict(networks) if networks else {name: load(name) for name in NETWORKS}
        test = splits()["test"]
        first = {digit: int((test.labels == digit).nonzero()[0]) for digit in range(10)}
        self._examples = {f"a {digit}": test.images[at] for digit, at in first.items()}
        self._examples[EMPTY] = torch.zeros(SIDE, SIDE)
        self.example = choice("image", list(self._examples), width="170px", value=f"a {start}")
        self.network = choice("network", list(self.networks), width="190px")
        self.click = choice("a click", [DRAW, COVER], width="210px")
        self.moves = {arrow: self._button(arrow, SAID[arrow]) for arrow in MOVES}
        self.again = self._button("as it was", "the image as it was", width="90px")
        self._levels = torch.zeros(SIDE, SIDE, dtype=torch.long)
        self._covered = torch.zeros((SIDE // PATCH) ** 2, dtype=torch.bool)
        self.pixels = self._pixels()
        self._lay_out()
        self._load()
        self._watch()

    def _button(self, said: str, tooltip: str, width: str = "34px") -> ipywidgets.Button:
        return ipywidgets.Button(description=said, tooltip=tooltip, layout={"width": width})

    def _pixels(self) -> dict[tuple[int, int], ipywidgets.Button]:
        layout = ipywidgets.Layout(width="27px", height="27px")
        return {
            (i, j): ipywidgets.Button(
                description="0", tooltip=f"ink of row {i}, column {j}", layout=layout
            )
            for i in range(SIDE)
            for j in range(SIDE)
        }

    def _lay_out(self) -> None:
        grid = ipywidgets.GridBox(
            list(self.pixels.values()),
            layout={"grid_template_columns": f"repeat({SIDE}, 27px)", "width": "max-content"},
        )
        grid.add_class("alab-cells")
        grid.add_class("alab-pixels")
        left = ipywidgets.VBox(
            [ipywidgets.HTML("<b>image</b> (8 × 8), 0 to 16"), grid],
            layout={"width": "max-content", "flex": "none"},
        )
        # the picture takes the width that is left, and wraps inside of it
        self.picture.layout.flex, self.picture.layout.min_width = "1 1 300px", "0"
        beside = ipywidgets.HBox([left, self.picture], layout={"flex_flow": "row wrap"})
        beside.layout.grid_gap = "4px 12px"
        self.children = [
            row(self.example, self.network, self.click),
            row(*self.moves.values(), self.again),
            self.status,
            beside,
            ipywidgets.HTML(STYLE + ARROWS, layout={"display": "none"}),
        ]
        self.add_class("alab-vision")
        self.add_class("alab-arrows")

    def _watch(self) -> None:
        for (i, j), pixel in self.pixels.items():
            pixel.on_click(partial(self._clicked, i, j))
        for arrow, button in self.moves.items():
            button.on_click(partial(self._move, *MOVES[arrow]))
        self.again.on_click(self._load)
        watch(self._load, self.example)
        watch(self.redraw, self.network)

    # --- the image -------------------------------------------------------------------------------

    @property
    def image(self) -> Tensor:
        return covered(self._levels[None] / DARKEST, self._covered[None], PATCH)[0]

    def set_image(self, image: Tensor) -> None:
        """Show another image (8, 8), from 0 to 1.

        Raises
        ------
        Problem
            It has another shape, or numbers outside of 0 to 1.
        """
        if image.shape != (SIDE, SIDE):
            raise Problem(f"an image has the shape (8, 8), not {tuple(image.shape)}")
        if not ((image >= 0) & (image <= 1)).all():
            raise Problem("the ink of an image is between 0 and 1")
        self._show((image * DARKEST).round().long(), torch.zeros_like(self._covered))

    def _load(self, _change: object = None) -> None:
        self.set_image(self._examples[self.example.value])

    def _move(self, down: int, right: int, _button: object) -> None:
        self._show(shifted(self._levels, down, right), self._covered)

    def _clicked(self, i: int, j: int, _button: object) -> None:
        if self.click.value == COVER:
            hidden = self._covered.clone()
            hidden[i // PATCH * (SIDE // PATCH) + j // PATCH] ^= True
            self._show(self._levels, hidden)
        else:
            levels = self._levels.clone()
            levels[i, j] = NEXT.get(int(levels[i, j]), 0)
            self._show(levels, self._covered)

    def _show(self, levels: Tensor, hidden: Tensor) -> None:
        """Send what differs to the pixels, and draw once."""
        self._levels, self._covered = levels, hidden
        lies = of_patches(hidden[None, :, None].expand(-1, -1, PATCH**2), PATCH, SIDE)[0]
        for (i, j), pixel in self.pixels.items():
            level = int(levels[i, j])
            said, kind = str(level), "alab-cover" if lies[i, j] else f"alab-ink{level}"
            if (pixel.description, pixel._dom_classes) != (said, (kind,)):
                with pixel.hold_sync():
                    pixel.description, pixel._dom_classes = said, (kind,)
        self.redraw()

    # --- what is made of it ----------------------------------------------------------------------

    def draw(self) -> tuple[str, str]:
        network, images = self.networks[self.network.value], self.image[None]
        with torch.no_grad():
            shares = network(images).softmax(dim=-1)[0]
        needs = occlusion_map(network, images, PATCH)[0]
        looks = attention_map(network, images)[0] if isinstance(network, ViT) else None
        self.shares, self.looks, self.needs = shares, looks, needs
        return _drawn(shares, looks, needs), _said(shares, looks, needs)

    def twin_html(self) -> str:
        ink = matrix_table(
            self.image * DARKEST,
            caption="image",
            formula="0 to 16",
            rows=[str(i) for i in range(SIDE)],
            columns=[str(j) for j in range(SIDE)],
            largest=DARKEST,
        )
        pictures = super().twin_html()
        return f'{STYLE}<div class="alab-vision">{side_by_side(ink)}{pictures}</div>'

    def twin_text(self) -> str:
        return f"VisionExplorer, {self.example.value}, {self.network.value}: {self.note}"


def _map(
    numbers: Tensor,
    caption: str,
    formula: str,
    largest: float,
    why: Callable[[str], str],
    hidden: Tensor | None = None,
) -> str:
    side = SIDE // PATCH
    square = numbers.view(side, side)
    return matrix_table(
        square,
        caption=caption,
        formula=formula,
        rows=EDGES,
        columns=EDGES,
        largest=largest,
        hidden=hidden,
        part="alab-maps",
        why=lambda i, j: (
            f"rows {EDGES[i]}, columns {EDGES[j]}: {why(format_number(square[i, j].item()))}"
        ),
    )


def _drawn(shares: Tensor, looks: Tensor | None, needs: Tensor) -> str:
    """Draw two maps of one size, and ten bars; a network without attention leaves one empty."""
    formula, hidden = "on the patches: they sum to 1", None
    if looks is None:
        formula, looks = "this network has none", torch.zeros_like(needs)
        hidden = torch.ones(4, 4, dtype=torch.bool)
    return side_by_side(
        _map(
            looks, "weights of CLS", formula, LARGEST_LOOK,
            lambda said: f"{said} of what CLS gives to patches", hidden,
        ),
        _map(
            needs, "occlusion map", "what covering a patch costs", LARGEST_NEED,
            lambda said: f"covered, the log-probability of the class falls by {said}",
        ),
        bars_table(
            [str(digit) for digit in range(10)], shares.double(), caption="reads",
            heads=("digit", "probability"),
        ),
    )  # fmt: skip


def _said(shares: Tensor, looks: Tensor | None, needs: Tensor) -> str:
    digit = int(shares.argmax())
    said = f"It reads a {digit} ({format_number(shares[digit].item())}). "
    if not needs.any():
        return f"{said}Nothing is written: covering paper with paper costs nothing."
    most = _place(needs)
    if looks is None:
        return f"{said}It needs the patch at {most} most. It has no attention."
    same = rank_correlation(looks[None], needs[None]).item()
    return (
        f"{said}It looks most at {_place(looks)}, and needs {most} most. Rank correlation of the "
        f"two maps: {format_number(same)}."
    )


def _place(numbers: Tensor) -> str:
    at = int(numbers.argmax())
    return f"rows {EDGES[at // 4]}, columns {EDGES[at % 4]}"
