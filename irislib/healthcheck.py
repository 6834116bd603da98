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
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the server's certificate is of another name than this machine's
        context.verify_mode = ssl.CERT_NONE
        with urllib.request.urlopen(address, timeout=5, context=context) as response:  # noqa: S310 - what our server wrote
            return 0 if response.status == 200 else f"{address} answered {response.status}"
    except (KeyError, OSError) as error:
        return f"not healthy: {error!r}"


if __name__ == "__main__":
    sys.exit(main())
