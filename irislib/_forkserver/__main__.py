import irislib._common.quick_imports  # noqa: F401 - before all that imports nbformat
from irislib._forkserver.server import main

main()
