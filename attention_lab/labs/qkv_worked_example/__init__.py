"""Notebook 03: every number of one example."""
