"""What pyproject.toml cannot say: the files that go beside the package, where Jupyter looks for them."""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def beside(source: str, target: str) -> list[tuple[str, list[str]]]:
    """Every folder of files below ``source``, to be installed below ``target``."""
    found: dict[str, list[str]] = {}
    for path in sorted((HERE / source).rglob("*")):
        if path.is_file() and ".ipynb_checkpoints" not in path.parts:
            place = Path(target) / path.parent.relative_to(HERE / source)
            found.setdefault(place.as_posix(), []).append(path.relative_to(HERE).as_posix())
    return list(found.items())


setup(data_files=[*beside("notebooks", "share/irislib/notebooks"), *beside("share/jupyter", "share/jupyter")])
