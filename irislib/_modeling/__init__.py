"""From a description to a trained model, to disk and back; many rows at once."""
