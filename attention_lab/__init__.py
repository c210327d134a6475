"""Attention Lab: the attention mechanism, to look at, to change and to check.

`attention` and the steps it returns are all that is imported here: pictures, widgets and
exercises are imported by name, so that ``import attention_lab`` costs no more than torch.
"""

from attention_lab.attention import AttentionSteps, attention, masked_softmax

__all__ = ["AttentionSteps", "attention", "masked_softmax"]
__version__ = "0.1.0"
