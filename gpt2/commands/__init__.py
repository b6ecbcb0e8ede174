"""The terminal: click, options, and what is printed where."""
