"""Notebook 16: attention at work, and a project of your own."""
