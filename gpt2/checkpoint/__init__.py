"""Reads sizes, weights and tokenizer from files."""
