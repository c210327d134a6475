"""Notebook 13: images, patches, and what a map of attention shows."""
