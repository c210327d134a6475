"""Notebook 15: is attention an explanation? And the heads of a real model."""
