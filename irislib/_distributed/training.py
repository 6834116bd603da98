"""Training on a Dask cluster: what scikit-learn has joblib do in parts is done by the workers.

joblib has a backend for Dask of its own, by which the parts of a part are spread, too; tables are lost with the worker
that has them, and workers need the user's modules.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

import cloudpickle
import joblib
from joblib.parallel import AutoBatchingMixin, ParallelBackendBase, SequentialBackend

from irislib._common.messages.scoring import TEXTS
from irislib._distributed.cluster import connect
from irislib._distributed.fits import own_code, pack_call, result_of, run_call, unpack
from irislib.errors import IrislibError

__all__ = ["train_on"]


@contextmanager
def train_on(scheduler: str) -> Iterator[None]:
    """Let a cluster do what joblib would do in processes and threads of this machine.

    Parameters
    ----------
    scheduler : str
        See :func:`irislib._distributed.cluster.connect`.

    Raises
    ------
    IrislibError
        If the cluster cannot be used, or is lost.
    """
    dask: Any
    with connect(scheduler) as client, own_code() as own:
        import dask

        # the tables are sent as tasks, for a scheduler repeats these when it loses the worker that has one
        with (
            dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}),
            joblib.parallel_config(ClusterBackend(client, scheduler, own), n_jobs=-1),
        ):
            yield


class ClusterBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """A backend of joblib, which sends calls to the workers of a cluster.

    Parameters
    ----------
    client : Client
    address : str
    own : frozenset of str
        The packages of the user, whose code is sent.
    """

    supports_retrieve_callback = True
    supports_sharedmem = False
    default_n_jobs = -1
    MIN_IDEAL_BATCH_DURATION, MAX_IDEAL_BATCH_DURATION = 0.2, 1.0

    def __init__(self, client: Any, address: str, own: frozenset[str]):
        super().__init__(nesting_level=0)
        self.client, self.address, self.own = client, address, own
        self.tables: dict[int, tuple[Any, str, Any]] = {}  # by id: the table, its name and its future
        self.futures: set[Any] = set()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return the number of calls that all workers can do at once, whatever was asked for."""
        cores: int = sum(self.client.nthreads().values())
        return max(cores, 2)  # by 1, joblib would do all in this process

    def get_nested_backend(self) -> tuple[Any, None]:
        """Return what a part of a part is done by: the worker itself, in order."""
        return SequentialBackend(nesting_level=1), None

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], Any]) -> Any:
        """Send a call to a worker."""
        content, names = pack_call(func, self._share)
        tables = {name: future for _, name, future in self.tables.values() if name in names}
        key = f"irislib-fit-{secrets.token_hex(8)}"
        future = self.client.submit(run_call, content, self.own, tables, key=key, pure=False)
        self.futures.add(future)
        future.add_done_callback(callback)
        return future

    apply_async = submit  # its name until joblib 1.5

    def _share(self, table: Any) -> str:
        """Send a table, unless it was sent already, and return its name."""
        if id(table) not in self.tables:
            name = f"irislib-table-{secrets.token_hex(8)}"
            future = self.client.submit(unpack, cloudpickle.dumps(table), key=name, pure=False)
            self.tables[id(table)] = table, name, future
        return self.tables[id(table)][1]

    def retrieve_result_callback(self, future: Any) -> Any:
        """Return the result of a call."""
        distributed: Any
        import distributed

        self.futures.discard(future)
        try:
            content = future.result()
        except distributed.KilledWorker:
            raise IrislibError(TEXTS["fit_killed"].format(address=self.address)) from None
        except (CancelledError, OSError) as error:
            raise IrislibError(TEXTS["lost"].format(address=self.address, error=error)) from None
        return result_of(content)

    def stop_call(self) -> None:
        """Forget the tables."""
        self.tables.clear()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Cancel what workers have not begun; what they are doing ends by itself."""
        with suppress(OSError, TimeoutError):
            self.client.cancel([*self.futures], force=True)
        self.futures.clear()
        self.tables.clear()
