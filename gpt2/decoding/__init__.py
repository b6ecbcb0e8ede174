"""From logits to text: settings, the loop, beams, measures."""
