"""Attention puzzles: rules, biases and heads to be written in a few lines."""
