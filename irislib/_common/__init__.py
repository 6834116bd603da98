"""Modules for every package: paths, formatting, the texts of the pages, colours."""
