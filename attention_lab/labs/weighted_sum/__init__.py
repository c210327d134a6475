"""Notebook 02: what the weights are for."""
