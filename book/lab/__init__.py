"""Records data for the interactive pages."""
