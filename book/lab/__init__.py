"""Records data for the decoding lab and the attention page."""
