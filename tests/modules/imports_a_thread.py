"""Its import starts a thread, by way of another module."""

import json

import starts_a_thread

__all__ = ["json", "starts_a_thread"]
