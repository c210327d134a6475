"""Notebook 08: how attention is told the order."""
