"""Imported where workers are forked: they leave Ctrl-C, which a terminal sends to all, to the command."""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
