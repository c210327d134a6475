"""Attention Lab: the attention mechanism, to look at, to change and to check.

`attention` and the steps it returns are all that is imported here: pictures, widgets and
exercises are imported by name, so that ``import attention_lab`` costs no more than torch.
"""

from attention_lab.core.attention import AttentionSteps, attention, masked_softmax

__all__ = ["AttentionSteps", "attention", "figures", "masked_softmax"]
__version__ = "0.1.0"


def __getattr__(name: str):
    if name == "figures":  # matplotlib is loaded when a notebook asks for it
        from attention_lab.pictures import figures

        return figures
    raise AttributeError(f"module 'attention_lab' has no attribute {name!r}")
