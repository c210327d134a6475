"""Pictures as pure functions: tensors in, HTML, SVG or a matplotlib figure out."""
