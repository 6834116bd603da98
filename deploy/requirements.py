"""Print what irislib needs, or only what some of its extras need: python3 deploy/requirements.py [limits,stores]."""

import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
if len(sys.argv) == 1:
    print(*PROJECT["dependencies"], sep="\n")
else:
    for extra in filter(None, sys.argv[1].split(",")):
        print(*PROJECT["optional-dependencies"][extra], sep="\n")
