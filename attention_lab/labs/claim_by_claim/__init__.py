"""Notebook 17: the article, claim by claim."""
