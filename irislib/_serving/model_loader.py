"""The models of ``irislib serve``: loaded, trained and renewed in a thread, while the server says what it waits for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from irislib._common.messages.api import TEXTS
from irislib._common.page_states import FAILED, LOADING, TRAINING, WAITING
from irislib._modeling import registry
from irislib._modeling.following import Follower, find_followers
from irislib._modeling.user_errors import explain
from irislib._serving.startup import find_model, train_model
from irislib.errors import new_reference, without_exit

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model

__all__ = ["Failure", "ModelLoader"]

log = logging.getLogger(__name__)

END_SECONDS = 1.0  # seconds that the end of the server waits for its thread
RETRY_SECONDS = 5  # seconds after which a program is to ask again


@dataclass(frozen=True)
class Failure:
    """The error for which a model is not served.

    Attributes
    ----------
    spec : ModelSpec
    error : Exception
    reference : str
        What visitors report, and the log has beside the error.
    """

    spec: ModelSpec
    error: Exception
    reference: str

    @property
    def advice(self) -> str:
        """The error as a sentence, with the author's line and what to do about it."""
        return explain(self.error, self.spec)


class ModelLoader:
    """Load the models of a server in a thread: those that are stored, then train the others, then follow the store.

    Parameters
    ----------
    specs : iterable of ModelSpec
    is_stored : bool
        Read them from the store, and store what is trained; else each is trained.
    on_ready : callable
        Called with each model, in the thread, before it is served.
    on_change : callable
        Called in the thread after the state of a model has changed.
    on_replace : callable
        Called with a model that takes the place of another version, before it is served.
    references : iterable of str
        Of the models, as of :func:`irislib._modeling.references.list_references`.
    seconds : float
        Between two looks at the store for a version that has become current; 0 for none.

    Attributes
    ----------
    names : set of str
        Names of all models.
    states : dict of str to str
        The state of each model that is not served: `LOADING`, `TRAINING` or `FAILED`, by its name.
    models : dict of str to Model
        The models that are served; it is replaced, never updated, for other threads read it.
    failures : dict of str to Failure
    replaced : frozenset of str
        Names of the models that were replaced since they were first served.
    followers : dict of str to Follower
        What follows the store, by the models' names, once all models were loaded or trained.
    """

    def __init__(
        self,
        specs: Iterable[ModelSpec],
        is_stored: bool,
        on_ready: Callable[[Model], None],
        on_change: Callable[[], None],
        on_replace: Callable[[Model], None],
        references: Iterable[str] = (),
        seconds: float = 0.0,
    ):
        self.specs = list(specs)
        self.names = {spec.name for spec in self.specs}
        self.is_stored, self.on_ready, self.on_change, self.on_replace = is_stored, on_ready, on_change, on_replace
        self.states: dict[str, str] = {spec.name: LOADING for spec in self.specs}
        self.models: dict[str, Model] = {}
        self.failures: dict[str, Failure] = {}
        self.replaced: frozenset[str] = frozenset()
        self.references, self.seconds = list(references), seconds
        self.followers: dict[str, Follower] = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, name="models", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def refusal(self, name: str) -> HTTPException | None:
        """Return how the endpoint refuses a model that it does not have; None if it has it, or there is none."""
        state = self.states.get(name)
        if state in WAITING:
            return ServiceUnavailable(TEXTS[f"model.{state}"].format(name=name), retry_after=RETRY_SECONDS)
        if failure := self.failures.get(name):
            return InternalServerError(TEXTS["model.failed"].format(name=name, reference=failure.reference))
        return None

    @property
    def is_working(self) -> bool:
        """True while models are loaded or trained."""
        return any(state in WAITING for state in list(self.states.values()))

    def replace(self, model: Model) -> None:
        """Serve another version of a model from now on; called in any thread.

        Raises
        ------
        Exception
            If it cannot be served; the one before stays.
        """
        _ = model.fast_form  # may fail, before anything has changed
        self.on_replace(model)
        registry.use(model)
        self.replaced |= {model.spec.name}
        self.models = {**self.models, model.spec.name: model}
        self.states.pop(model.spec.name, None)  # it may have failed before
        self.failures.pop(model.spec.name, None)
        self.on_change()

    def run(self) -> None:
        """Load what is stored, train the rest, and follow the store."""
        for spec in self.specs:
            self.load(spec)
        for spec in self.specs:
            if self.states.get(spec.name) == TRAINING:
                self.attempt(spec, train_model)
                self.on_change()
        if self.seconds and not self.ended.is_set():
            self.followers = find_followers(self.references)
        while self.followers and not self.ended.wait(self.seconds):
            for follower in self.followers.values():
                self.follow(follower)

    def follow(self, follower: Follower) -> None:
        """Serve the version of a model that has become current in the store, if there is one and it can be served."""
        try:
            with without_exit():
                if (model := follower.take()) is None or model.entry is None:
                    return
                try:
                    self.replace(model)
                except Exception as error:
                    follower.refuse(model.entry, str(error) or type(error).__name__)
                else:
                    follower.serve(model.entry)
        except Exception:
            log.exception("%s: the store could not be followed.", follower.name)

    def following(self) -> dict[str, dict[str, Any]]:
        """Return the state of what follows the store, by the models' names."""
        return {name: follower.status() for name, follower in self.followers.items()}

    def end(self) -> None:
        """End the thread, unless it is loading or training a model."""
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join(END_SECONDS)

    def load(self, spec: ModelSpec) -> None:
        """Load a model that need not be trained, or note that it has to be."""
        self.attempt(spec, find_model)
        if self.states.get(spec.name) == LOADING:
            self.states[spec.name] = TRAINING
        self.on_change()

    def attempt(self, spec: ModelSpec, work: Callable[[ModelSpec, bool], Model | None]) -> None:
        """Serve the model that a function returns, if it returns one; note why it fails."""
        try:
            with without_exit():
                model = work(spec, self.is_stored)
                if model is not None:
                    registry.use(model)
                    self.on_ready(model)
                    self.models = {**self.models, spec.name: model}
                    del self.states[spec.name]
        except Exception as error:
            self.failures[spec.name] = Failure(spec, error, new_reference())
            self.states[spec.name] = FAILED
