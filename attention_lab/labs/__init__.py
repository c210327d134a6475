"""A room for each notebook: its widget, exercises, pictures, and what only it needs."""
