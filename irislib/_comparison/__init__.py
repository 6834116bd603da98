"""The comparison of two versions of a model, and the gate that a new version has to pass."""
