"""Models that attend, what they read, and the loop that trains them."""
