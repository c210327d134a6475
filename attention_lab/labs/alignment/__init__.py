"""Notebook 05: translation with attention, and what its map says."""
