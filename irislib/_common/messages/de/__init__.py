"""German. Its tables have the keys of the English ones, and the same names in braces.

``{count:Zeile|Zeilen}`` is the form of a word for one, and for any other number.
"""
