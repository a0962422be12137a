"""Builds the tutorial as static pages, and looks at them."""
