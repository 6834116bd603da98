"""The rows that were added to a model's data, kept in the store: ``<name>/data/<digest>.json.gz``, never changed."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._modeling import store
from irislib._modeling.model_record import frame_to_json
from irislib._store.files import files_of
from irislib.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._store.entries import Entry
    from irislib._store.files import Root

__all__ = ["DataParts", "parts_of", "read_part", "write_part"]


@dataclass(frozen=True)
class DataParts:
    """The data of a version.

    Attributes
    ----------
    loads : bool
        Whether what ``load_data`` returns belongs to them.
    parts : tuple of str
        Names of the files with the other rows, in their order.
    """

    loads: bool = True
    parts: tuple[str, ...] = ()

    def to_details(self) -> dict[str, Any]:
        """Return them as an entry in the store has them."""
        return {"loads": self.loads, "parts": list(self.parts)}


def parts_of(name: str, root: Root, entry: Entry) -> DataParts:
    """Return the data of the version of an entry, by the refresh that made its file."""
    made = (other for other in store.entries(name, root) if other.file == entry.file and other.kind == "refresh")
    details = next(made, entry).details.get("data")
    return DataParts(bool(details["loads"]), tuple(details["parts"])) if details else DataParts()


def write_part(name: str, root: Root, features: pd.DataFrame, target: np.ndarray) -> str:
    """Write checked rows into the store unless they are there, and return the name of their file."""
    record = {"features": frame_to_json(features), "target": target.tolist()}
    text = json.dumps(record).encode()
    file = f"{hashlib.sha256(text).hexdigest()[:16]}.json.gz"
    try:
        files_of(root).create(_path(name, file), gzip.compress(text, 6, mtime=0))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"The rows cannot be stored in {root}: {error.strerror or error}.") from error
    return file


def read_part(spec: ModelSpec, root: Root, file: str) -> tuple[pd.DataFrame, list[Any]]:
    """Return the features and the target of rows in the store.

    Raises
    ------
    StoreError
        If they cannot be read, or do not fit the description any more.
    """
    import pandas as pd

    try:
        record = json.loads(gzip.decompress(files_of(root).read(_path(spec.name, file))))
        return spec.validate(pd.DataFrame(record["features"])), record["target"]
    except Exception as error:  # what is damaged fails in its own way
        raise StoreError(f"The rows {file} of {spec.name} cannot be read from {root}: {error}") from error


def _path(name: str, file: str) -> str:
    return f"{name}/data/{file}"
