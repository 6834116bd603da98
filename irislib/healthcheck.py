"""``python -m irislib.healthcheck``: is the server of this container alive?

Once every model and page is there, the server writes to ``$IRISLIB_HEALTH_FILE`` where it listens, so that the check
follows whatever address, port and path it was given.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request
from pathlib import Path

from irislib._common.settings import SETTINGS

__all__ = ["main"]


def main() -> str | int:
    """Return 0 where it is, else what is wrong."""
    try:
        address = Path(os.environ[SETTINGS["health_file"].variable]).read_text(encoding="utf-8")
        # what our server wrote; its certificate is of another name than that of this machine
        anyone = ssl._create_unverified_context() if address.startswith("https") else None  # noqa: S323
        with urllib.request.urlopen(address, timeout=5, context=anyone) as response:  # noqa: S310
            return 0 if response.status == 200 else f"{address} answered {response.status}"
    except (KeyError, OSError) as error:
        return f"not healthy: {error!r}"


if __name__ == "__main__":
    sys.exit(main())
