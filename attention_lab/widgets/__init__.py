"""Live pictures: edit a number, see every step follow.

Core ipywidgets only, the same in 7.7.1 (Colab) and 8.1. Each widget carries its picture as
plain HTML in the same output (its static twin), for a notebook that is opened but not run.
"""

from attention_lab.widgets.alignment import AlignmentExplorer
from attention_lab.widgets.blocks import BlockExplorer
from attention_lab.widgets.decoding import DecodingExplorer
from attention_lab.widgets.explorer import AttentionExplorer
from attention_lab.widgets.mask_editor import MaskEditor
from attention_lab.widgets.masks import MaskExplorer
from attention_lab.widgets.matrix_editor import MatrixEditor
from attention_lab.widgets.positions import PositionExplorer
from attention_lab.widgets.scale import ScaleExplorer
from attention_lab.widgets.shapes import ShapeExplorer
from attention_lab.widgets.training_bar import TrainingBar
from attention_lab.widgets.weighted_sum import WeightedSumExplorer
from attention_lab.widgets.weights import WeightsExplorer

__all__ = [
    "AlignmentExplorer",
    "AttentionExplorer",
    "BlockExplorer",
    "DecodingExplorer",
    "MaskEditor",
    "MaskExplorer",
    "MatrixEditor",
    "PositionExplorer",
    "ScaleExplorer",
    "ShapeExplorer",
    "TrainingBar",
    "WeightedSumExplorer",
    "WeightsExplorer",
]
