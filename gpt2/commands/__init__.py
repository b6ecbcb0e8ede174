"""The terminal: commands, options and output."""
