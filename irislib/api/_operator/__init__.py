"""The operator's page of a model: its versions, their comparison, refreshes, drift."""
