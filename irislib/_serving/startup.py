"""The models of a server that starts: taken from the store, or trained and stored, while the terminal shows it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from irislib._common.formatting import shorten_list
from irislib._common.messages.store import TEXTS
from irislib._description.spec import ModelSpec
from irislib._modeling import data_files, registry, store
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model import Model
from irislib._modeling.training import train
from irislib._store.files import Root
from irislib.errors import StoreError

__all__ = ["find_model", "load_models", "train_model"]

log = logging.getLogger(__name__)


def load_models(specs: Iterable[ModelSpec], is_stored: bool = True) -> list[Model]:
    """Return the models of a server, and log where each comes from.

    Parameters
    ----------
    specs : iterable of ModelSpec
    is_stored : bool
        Read them from the store, and store what is trained; else each is trained.
    """
    models = []
    for spec in specs:
        model = find_model(spec, is_stored) or train_model(spec, is_stored)
        registry.use(model)
        models.append(model)
    return models


def find_model(spec: ModelSpec, is_stored: bool) -> Model | None:
    """Return a model that need not be trained, or None if it has to be."""
    if registry.is_loaded(spec) or isinstance(spec, FittedSpec):
        return registry.load(spec)
    stored = registry.load_stored(spec) if is_stored else None
    if stored is not None:
        log.info("%s", _describe(stored))
    return stored


def train_model(spec: ModelSpec, is_stored: bool) -> Model:
    """Train a model, and store it if that is wanted, unless another process is doing so."""
    return _train_once(spec, store.default_root()) if is_stored else _train(spec)


def _train_once(spec: ModelSpec, root: Root) -> Model:
    """Train a model and store it, unless another process is doing so."""
    before = _current(spec.name, root)
    wait = partial(log.info, "%s", TEXTS["waiting"].format(title=spec.title))
    with store.training_lock(spec.name, root, wait) as has_waited:
        is_new = has_waited or _current(spec.name, root) != before
        stored = registry.load_stored(spec) if is_new else None
        return stored or _train(spec, root)


def _current(name: str, root: Root) -> str | None:
    with suppress(OSError):  # a store that cannot be reached is reported when it is written
        return store.current(name, root)
    return None


def _train(spec: ModelSpec, root: Root | None = None) -> Model:
    """Train a model, and store it; one that cannot be stored is returned all the same."""
    start = time.monotonic()
    with _elapsed_time():
        model = train(spec)
    text = "trained_unstored"
    if root is not None:
        try:
            model = replace(model, entry=store.save(model, root, seconds=round(time.monotonic() - start, 3)))
            text = "trained"
        except StoreError as error:
            log.warning("%s", TEXTS["unstored"].format(error=error))
    log.info("%s", TEXTS[text].format(title=spec.title, seconds=time.monotonic() - start, root=root))
    return model


def _describe(model: Model) -> str:
    """Return when a stored model was trained, and which of its data were compared."""
    names = shorten_list(data_files.names_of(model.data_files))
    data = TEXTS["stored.files"].format(files=names) if names else TEXTS["stored.unknown"]
    if model.entry and not model.entry.compare_data:
        data = TEXTS["stored.not_compared"]
    when = model.trained_at[:16].replace("T", " ") + " UTC"
    return TEXTS["stored"].format(title=model.spec.title, when=when, data=data)


@contextmanager
def _elapsed_time() -> Iterator[None]:
    """Count the seconds in the last line of a terminal; in a file or a pipe nothing is written."""
    if not sys.stderr.isatty():
        yield
        return
    end = threading.Event()
    thread = threading.Thread(target=_count_seconds, args=(end,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()  # workers are forked later, and must find no other thread


def _count_seconds(end: threading.Event) -> None:
    start = time.monotonic()
    while not end.wait(1):
        print(f"\r  {time.monotonic() - start:.0f} s", end="", file=sys.stderr, flush=True)
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)
