"""Models and their inputs: features and their kinds, the spec, the checks of input."""
