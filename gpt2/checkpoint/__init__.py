"""Files to sizes, weights and tokenizer."""
