"""Notebook 07: a first draft, its faults and repairs."""
