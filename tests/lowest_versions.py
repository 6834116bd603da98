"""Print the lower bounds of pyproject.toml as constraints for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def lowest_versions() -> list[str]:
    """Return ``name==version`` for each dependency, those of the extras included."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"].values()
    dependencies = [*project["dependencies"], *(name for extra in extras for name in extra)]
    without_extras = (re.sub(r"\[.*\]", "", dependency) for dependency in dependencies)  # constraints have none
    return [re.sub(r">=([^,]+).*", r"==\1", dependency) for dependency in without_extras]


if __name__ == "__main__":
    print("\n".join(lowest_versions()))
