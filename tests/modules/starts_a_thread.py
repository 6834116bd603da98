"""Imported by a template, which cannot fork while it has a thread."""

import threading
import time

threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
