"""What a model and its inputs are: features and their kinds, the spec, the checks of input."""
