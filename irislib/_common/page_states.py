"""The states of models and pages of a server, as `/readyz` has them."""

from __future__ import annotations

__all__ = ["FAILED", "LOADING", "NOT_READY", "PAGE_STATES", "PER_VISIT", "STARTING", "TRAINING", "UNOPENED",
           "UNREADABLE", "WAITING", "WARM"]  # fmt: skip

TRAINING, LOADING, FAILED = "training", "loading", "failed"  # of a model that is not served, and of its page
STARTING = "starting"  # of a page that is being prepared
WARM, PER_VISIT, UNREADABLE = "warm", "per visit", "unreadable"
WAITING = (TRAINING, LOADING)
NOT_READY = (*WAITING, STARTING)  # a visitor of the page has to wait
UNOPENED = (*NOT_READY, FAILED)  # the page cannot be opened
PAGE_STATES = (WARM, PER_VISIT, STARTING, *WAITING, FAILED, UNREADABLE)
