"""The decoding lab and the attention page: what is recorded for them."""
