"""Notebook 14: sounds, a model that writes the digits, and attention as alignment."""
