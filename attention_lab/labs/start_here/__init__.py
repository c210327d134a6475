"""Notebook 00: how a notebook and its checks answer."""
