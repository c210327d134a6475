"""Notebook 06: who may see whom."""
