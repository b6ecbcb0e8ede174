"""From tokens to logits: the compiled model and its cache."""
