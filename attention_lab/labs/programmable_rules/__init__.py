"""Notebook 10: modes, and a real language model that obeys them."""
