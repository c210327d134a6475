"""Data that the package generates, with what is known about it."""
