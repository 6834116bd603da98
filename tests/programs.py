"""Programs that some tests run and that `pip` does not install."""

from __future__ import annotations

import os
import shutil

import pytest

# By the name of the program, the package that has it on Debian.
PACKAGES = {"podman": "podman", "caddy": "caddy", "kubectl": "kubernetes-client", "promtool": "prometheus"}


def program(name: str) -> str:
    """Return the path of a program; skip the test if there is none, except in CI."""
    if path := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"):
        return path
    message = f"{name} is not installed: on Debian, apt-get install {PACKAGES.get(name, name)}."
    pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
