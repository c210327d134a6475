"""The mechanism itself, with torch alone: attention, its scores, normalisers, masks, positions."""
