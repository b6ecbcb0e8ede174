"""``course dev``: tools for those who work on the course itself."""
