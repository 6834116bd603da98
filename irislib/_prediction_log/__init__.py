"""The prediction log: what models were asked and have answered, in files of JSON lines; feedback; drift."""
