"""Programs that some tests run and that `pip` does not install."""

from __future__ import annotations

import os
import shutil

import pytest

# By the name of the program, the package that has it on Debian.
PACKAGES = {"podman": "podman", "caddy": "caddy", "kubectl": "kubernetes-client", "promtool": "prometheus"}
# Those that no package has, and the command that installs them.
COMMANDS = {"configurable-http-proxy": "npm install --global configurable-http-proxy@5.3.0"}


def program(name: str) -> str:
    """Return the path of a program; skip the test if there is none, except in CI."""
    if path := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"):
        return path
    command = COMMANDS.get(name, f"on Debian, apt-get install {PACKAGES.get(name, name)}")
    message = f"{name} is not installed: {command}."
    pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
