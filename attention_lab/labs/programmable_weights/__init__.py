"""Notebook 11: weights that run algorithms."""
