"""Print what extras of irislib need, without its other dependencies: python3 deploy/extras.py limits,stores."""

import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for extra in filter(None, sys.argv[1].split(",")):
    print(*PROJECT["optional-dependencies"][extra], sep="\n")
