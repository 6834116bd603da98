"""A model as the bytes of its file, which each process of a cluster reads once."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["PackedModel", "pack"]

_models: dict[str, Model] = {}  # of this process


class PackedModel:
    """The file of a model; the model itself is read where it is asked for.

    Parameters
    ----------
    content : bytes
    """

    def __init__(self, content: bytes):
        self.content, self.digest = content, hashlib.sha256(content).hexdigest()

    def __dask_tokenize__(self) -> str:
        return self.digest

    def load(self) -> Model:
        """Return the model.

        Raises
        ------
        StoreError
            If it cannot be read here.
        """
        if self.digest not in _models:
            from irislib._modeling.model_file import SUFFIX, read_model

            with tempfile.TemporaryDirectory(prefix="irislib-model-") as folder:
                path = Path(folder, f"model{SUFFIX}")
                path.write_bytes(self.content)
                _models[self.digest] = read_model(path)
        return _models[self.digest]


def pack(model: Model) -> PackedModel:
    """Return a model as the bytes of its file, without its tabs, which need no file to score.

    Raises
    ------
    StoreError
        If it cannot be kept in a file.
    """
    from irislib._modeling.model_file import SUFFIX, write_model

    lean: Any = replace(model, spec=replace(model.spec, tabs={}))
    with tempfile.TemporaryDirectory(prefix="irislib-model-") as folder:
        return PackedModel(write_model(lean, Path(folder, f"model{SUFFIX}")).read_bytes())
