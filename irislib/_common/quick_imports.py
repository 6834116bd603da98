"""Import nbformat without the parser that makes a server start more than a second later.

nbformat imports jsonschema, which imports rfc3987_syntax where it is installed, as with jupyter_server, and goes on
without it elsewhere (`suppress(ImportError)`). That package builds its grammar of internationalised addresses whenever
it is imported; nothing of Jupyter checks such an address when it reads notebooks. A program that wants the package can
import it afterwards as usual:
https://github.com/python-jsonschema/jsonschema/blob/v4.25.0/jsonschema/_format.py
"""

from __future__ import annotations

import contextlib
import sys

PARSER = "rfc3987_syntax"

if PARSER not in sys.modules:
    sys.modules[PARSER] = None  # type: ignore[assignment]
    try:
        # without this way out in jsonschema, nbformat is imported later, the parser included
        with contextlib.suppress(ImportError):
            import nbformat  # noqa: F401
    finally:
        del sys.modules[PARSER]
