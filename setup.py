"""What pyproject.toml cannot say: the files beside the package for Jupyter, and a reproducible source archive."""

import gzip
import os
import tarfile
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent


def beside(source: str, target: str) -> list[tuple[str, list[str]]]:
    """Every folder of files below ``source``, to be installed below ``target``."""
    found: dict[str, list[str]] = {}
    for path in sorted((HERE / source).rglob("*")):
        if path.is_file() and ".ipynb_checkpoints" not in path.parts:
            place = Path(target) / path.parent.relative_to(HERE / source)
            found.setdefault(place.as_posix(), []).append(path.relative_to(HERE).as_posix())
    return list(found.items())


class ReproducibleArchive(sdist):  # type: ignore[misc]
    """A source archive with the same bytes on every machine, if SOURCE_DATE_EPOCH is set."""

    def make_archive(self, base_name: str, format: str, *args: Any, base_dir: str | None = None, **owner: Any) -> str:
        """Write the archive of ``base_dir``."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or format != "gztar" or base_dir is None:
            return str(super().make_archive(base_name, format, *args, base_dir=base_dir, **owner))

        def same_everywhere(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = int(epoch)
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            return entry

        path = f"{base_name}.tar.gz"
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=int(epoch)) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for source in sorted(Path(base_dir).rglob("*")):
                if not source.is_dir():
                    archive.add(source, recursive=False, filter=same_everywhere)
        return path


setup(
    data_files=[*beside("notebooks", "share/irislib/notebooks"), *beside("share/jupyter", "share/jupyter")],
    cmdclass={"sdist": ReproducibleArchive},
)
