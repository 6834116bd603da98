"""A preprocessor of a user's own, for nbconvert."""

from typing import Any

import nbformat
from nbconvert.preprocessors import Preprocessor


class Stamp(Preprocessor):
    """Adds a cell to notebooks with a cell that is tagged `stamp`."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        if any("stamp" in cell.metadata.get("tags", ()) for cell in nb.cells):
            nb.cells.append(nbformat.v4.new_code_cell("print('stamped by' ' a preprocessor')"))
        return nb, resources
