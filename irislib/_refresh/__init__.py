"""Refreshing a model: trained again on new data, and served if the gate accepts it."""
