"""Notebook 07: layers with a fault, and a first draft with its faults and repairs."""
