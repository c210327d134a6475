"""Notebook 04: what dividing by the root of d_k is for."""
