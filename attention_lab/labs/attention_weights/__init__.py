"""Notebook 01: where weights come from."""
