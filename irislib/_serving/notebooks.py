"""The notebooks of the apps: those of a folder, and those that are generated for models."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_server.services.contents.largefilemanager import LargeFileManager

from irislib._common.messages import TEXTS
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpecManager

    from irislib._serving.app_entries import AppEntry

__all__ = [
    "AppContents",
    "NotebookError",
    "choose_kernel",
    "file_signature",
    "generated_notebook",
    "notebook_path",
    "read_notebook",
]

MAX_NOTEBOOK_BYTES = 100_000_000
SECTIONS = ("kernelspec", "language_info", "voila", "irislib")  # of a notebook's metadata that are read here
CELL_TYPES = ("code", "markdown", "raw")


class NotebookError(IrislibError):
    """A notebook that cannot be opened; the message is the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Reading:
    """A notebook file as it was read.

    Attributes
    ----------
    signature : tuple or None
        That of the file when it was read.
    notebook : NotebookNode or None
        The notebook; if the file cannot be read, the one that it was before, if any.
    problem : str
        Why the file cannot be read.
    """

    signature: tuple[int, ...] | None
    notebook: Any
    problem: str = ""


class AppContents(LargeFileManager):  # type: ignore[misc]
    """The notebooks of a folder, and those generated for models that have none.

    A file is read again when it has changed. While it cannot be read, as when an editor is writing it, the notebook
    stays as it was.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.readings: dict[str, Reading] = {}

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        """Do nothing: stored outputs are never displayed, and signatures would be written to the home folder."""

    def get(self, path: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the content model of a notebook or file by its path.

        Raises
        ------
        NotebookError
        """
        path = path.strip("/")
        if (generated := self.parent.generated.get(path)) is not None:
            return {"type": "notebook", "path": path, "content": nbformat.from_dict(generated)}
        if path.endswith(".ipynb"):
            reading = self.read(path)
            if reading.notebook is None:
                raise NotebookError(reading.problem)
            notebook = copy.deepcopy(reading.notebook)
            mapping = self.parent.voila_configuration.language_kernel_mapping
            choose_kernel(notebook, self.parent.kernel_spec_manager, mapping)
            return {"type": "notebook", "path": path, "content": notebook}
        return super().get(path, *args, **kwargs)  # type: ignore[no-any-return]

    def read(self, path: str) -> Reading:
        """Return the reading of a notebook file, which is a new one if the file has changed."""
        file, known = Path(self.root_dir, path), self.readings.get(path)
        signature = file_signature(file)
        if known and known.signature == signature:
            return known
        try:
            reading = Reading(signature, read_notebook(file))
        except NotebookError as error:
            reading = Reading(signature, known.notebook if known else None, str(error))
            if reading.notebook is not None:
                problem = TEXTS["notebook_unopened"].format(name=path, reason=error)
                self.log.warning("%s Its page stays as it was.", problem)
        self.readings[path] = reading
        return reading

    def is_outdated(self, path: str) -> bool:
        """Return True if a notebook is that of an earlier file, since the present one cannot be read."""
        reading = self.readings.get(path)
        return bool(path not in self.parent.generated and reading and reading.notebook and reading.problem)

    def forget(self, paths: Iterable[str]) -> None:
        """Forget notebooks whose files were removed."""
        for path in paths:
            self.readings.pop(path, None)

    def file_exists(self, path: str = "") -> bool:
        """Return True if a file exists that a page may contain, such as a picture: no source, nothing hidden."""
        return bool(self.parent.file_rules.is_public(path))


def choose_kernel(notebook: Any, specs: KernelSpecManager, mapping: Mapping[str, str] | None = None) -> None:
    """Set the kernelspec of a notebook to one that there is: its own, else one for its language.

    Parameters
    ----------
    notebook : NotebookNode
    specs : KernelSpecManager
    mapping : mapping of str to str, optional
        The kernels to prefer, by their languages.

    Raises
    ------
    NotebookError
        If there is none for its language.
    """
    metadata = notebook.metadata
    kernelspec = metadata.get("kernelspec", {})
    name = kernelspec.get("name")
    if name not in specs.find_kernel_specs():
        language = str(kernelspec.get("language") or metadata.get("language_info", {}).get("name") or "python").lower()
        languages = {key: str(entry["spec"]["language"]).lower() for key, entry in specs.get_all_specs().items()}
        others = sorted(key for key, other in languages.items() if other == language)
        if language != "python" and not others:
            raise NotebookError(TEXTS["notebook_language"].format(language=language))
        preferred = (mapping or {}).get(language)
        name = preferred if preferred in languages else "python3" if language == "python" else others[0]
    spec = specs.get_kernel_spec(name)
    metadata["kernelspec"] = nbformat.from_dict(
        {"name": name, "display_name": spec.display_name, "language": spec.language}
    )


def file_signature(path: Path) -> tuple[int, ...] | None:
    """Return what changes whenever a file does; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def read_notebook(path: Path) -> Any:
    """Read a notebook of any version of the format, without its outputs.

    Raises
    ------
    NotebookError
        If it cannot be read, or is no notebook.
    """
    text = _read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        if any(line.startswith("<<<<<<< ") for line in text.splitlines()):
            raise NotebookError(TEXTS["notebook_conflict"]) from None
        raise NotebookError(TEXTS["notebook_no_json"]) from error
    if not isinstance(content, dict) or "nbformat" not in content:
        raise NotebookError(TEXTS["notebook_no_notebook"])
    try:
        _clean_cells(content)
        content["metadata"] = _clean_metadata(content.get("metadata"))
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        _check_cells(notebook)
        nbformat.validate({**notebook, "metadata": {}}, relax_add_props=True)  # as nbconvert does for each page
    except Exception as error:  # nbformat's conversions raise anything for what is no notebook
        raise NotebookError(TEXTS["notebook_no_notebook"]) from error
    return notebook


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe or a device would block whoever opens it
            raise NotebookError(TEXTS["notebook_no_file"] if path.exists() else TEXTS["notebook_gone"])
        if path.stat().st_size > MAX_NOTEBOOK_BYTES:
            raise NotebookError(TEXTS["notebook_too_big"].format(limit=MAX_NOTEBOOK_BYTES // 10**6))
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NotebookError(TEXTS["notebook_unreadable"].format(reason=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise NotebookError(TEXTS["notebook_not_utf8"]) from error
    if not text.strip():
        raise NotebookError(TEXTS["notebook_empty"])
    return text


def _clean_cells(content: dict[str, Any]) -> None:
    """Drop the stored outputs, which may be large and are never displayed, and add what other programs leave out."""
    has_ids = content["nbformat"] == 4 and content.get("nbformat_minor", 0) >= 5
    for sheet in [content, *content.get("worksheets", ())]:  # of format 3 and older
        for number, cell in enumerate(sheet.get("cells", ())):
            if "outputs" in cell:
                cell["outputs"] = []
            if not isinstance(cell.get("metadata"), dict):
                cell["metadata"] = {}
            if not isinstance(cell["metadata"].get("tags", []), list):
                del cell["metadata"]["tags"]
            if has_ids:
                cell.setdefault("id", f"cell-{number}")


def _check_cells(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type not in CELL_TYPES:
            raise ValueError(f"a cell of type {cell.cell_type!r}")
        cell.source.encode()  # fails for lone surrogates, which no page can contain
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def _clean_metadata(metadata: Any) -> dict[str, Any]:
    """Return a notebook's metadata without those that are not of the type that their readers expect."""
    if not isinstance(metadata, dict):
        return {}
    for section in SECTIONS:
        if section in metadata and not isinstance(metadata[section], dict):
            del metadata[section]
    for section in ("kernelspec", "language_info"):
        texts = {name: value for name, value in metadata.get(section, {}).items() if value is not None}
        if section in metadata:
            metadata[section] = texts
    if not isinstance(metadata.get("title", ""), str):
        del metadata["title"]
    return metadata


def notebook_path(app: AppEntry) -> str:
    """Return the path of an app's notebook, relative to the folder of notebooks."""
    return app.notebook.name if app.notebook else f"{app.name}.ipynb"


def generated_notebook(app: AppEntry) -> dict[str, Any]:
    """Generate the notebook of a model that has none of its own."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(f'import irislib\n\nirislib.app(irislib.load("{app.name}"))')],
        metadata={
            "title": app.title,
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        },
    )
    return dict(notebook)
