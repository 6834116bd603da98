"""Images built and run without a registry or an engine that serves: by buildah and podman, as root."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

from conftest import ROOT
from programs import program

BASE = "localhost/python-of-debian:latest"
# Python as the official image has it: at /usr/local, with its pip.
DEBIAN = ["--variant=minbase", "--include=python3,python3-venv,ca-certificates,netbase,tzdata"]
PATHS = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# For a machine without systemd, with the older cgroups, where limits cannot be raised.
SETTINGS = """
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""


class Engine:
    """Podman and buildah, with settings of their own in a folder."""

    def __init__(self, folder: Path):
        for name in ("podman", "buildah", "runc"):
            program(name)
        self.folder = folder
        settings = folder / "containers.conf"
        settings.write_text(SETTINGS)
        self.environment = {**os.environ, "CONTAINERS_CONF": str(settings)}

    def run(self, *command: str, is_checked: bool = True) -> str:
        """Run a command, and return what it prints."""
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert not is_checked or result.returncode == 0, (
            f"{' '.join(command)}\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
        )
        return result.stdout.strip()

    def podman(self, *args: str, is_checked: bool = True) -> str:
        """Run podman."""
        return self.run("podman", *args, is_checked=is_checked)

    def require_base(self) -> None:
        """Make an image of this Debian with its Python, if there is none."""
        if subprocess.run(["podman", "image", "exists", BASE], env=self.environment).returncode == 0:
            return
        archive, suite = self.folder / "base.tar", _debian()
        hook = '--customize-hook=chroot "$1" python3 -m venv /usr/local'
        self.run(program("mmdebstrap"), "--quiet", *DEBIAN, hook, suite, str(archive))
        self.podman("import", "--quiet", "--change", f"ENV PATH={PATHS}", str(archive), BASE)
        archive.unlink()

    def build(self, target: str, *args: str) -> str:
        """Build a target of the Dockerfile, and return the image's name."""
        self.require_base()
        name = f"localhost/irislib-test-{target}"
        paths = ssl.get_default_verify_paths()
        certificates = os.environ.get("PIP_CERT") or paths.cafile or paths.openssl_cafile
        self.run(
            "buildah", "build", "--isolation=chroot", "--pull-never", "--format=docker", "--layers",
            "--target", target, "--build-arg", f"BASE_IMAGE={BASE}", *args,
            "--volume", f"{certificates}:/etc/ssl/certs/ca-certificates.crt:ro", "--tag", name, str(ROOT),
        )  # fmt: skip
        return name


def _debian() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))
