"""Projects of people's own: ``irislib new`` makes one from a table, ``irislib update`` improves it later."""
