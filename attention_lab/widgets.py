"""Live pictures: edit a number, see every step follow.

Core ipywidgets only, the same in 7.7.1 (Colab) and 8.1. Each widget carries its picture as
plain HTML in the same output (its static twin), for a notebook that is opened but not run.

A façade: each widget lives in the room of its notebook, or in `attention_lab.ui`, and is loaded
when it is first asked for.
"""

from importlib import import_module

ROOMS = {
    "AlignmentExplorer": "labs.alignment.widget",
    "AttentionExplorer": "labs.qkv_worked_example.widget",
    "BlockExplorer": "labs.encoder_decoder.blocks",
    "CostExplorer": "labs.cost.widget",
    "DecodingExplorer": "labs.encoder_decoder.decoding",
    "DialExplorer": "labs.speech.widget",
    "ModeOnModel": "labs.programmable_rules.on_model",
    "MaskEditor": "ui.mask_editor",
    "MaskExplorer": "labs.masks.widget",
    "MatrixEditor": "ui.matrix_editor",
    "ModeStudio": "labs.programmable_rules.studio",
    "PositionExplorer": "labs.position.widget",
    "ScaleExplorer": "labs.scale_and_temperature.widget",
    "SelectConsole": "labs.programmable_weights.widget",
    "ShapeExplorer": "labs.transformer_code.widget",
    "TrainingBar": "ui.training_bar",
    "TrainingPlayer": "ui.training_player",
    "VisionExplorer": "labs.vision.widget",
    "WeightedSumExplorer": "labs.weighted_sum.widget",
    "WeightsExplorer": "labs.attention_weights.widget",
    "WordLines": "ui.word_lines",
}
__all__ = list(ROOMS)


def __getattr__(name: str):
    if name not in ROOMS:
        raise AttributeError(f"there is no widget {name!r}; there are {', '.join(ROOMS)}")
    return getattr(import_module(f"attention_lab.{ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return list(ROOMS)
