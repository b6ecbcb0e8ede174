"""Decoding, from logits to text: settings, generation, beam search, measures."""
