"""Notebook 12: what attention costs."""
