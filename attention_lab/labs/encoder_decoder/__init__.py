"""Notebook 09: a whole Transformer, and what each part is for."""
