"""The Dask cluster that work is done on: one of this machine, or one whose scheduler is named."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from irislib._common.messages.scoring import TEXTS
from irislib._forkserver.threads import single_threaded
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["connect"]

ANSWER_SECONDS = 15.0  # for a scheduler, and then for its first worker
PRELOADED = [
    "irislib._distributed.uninterrupted",
    "irislib._distributed.tasks",
    "irislib._modeling.model_file",
    "sklearn.ensemble",
    "skops.io",
]
COMPARED = ("distributed", "irislib", "numpy", "pandas", "scikit-learn")


@contextmanager
def connect(scheduler: str | None = None, workers: int | None = None) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine, which ends with the context.

    Parameters
    ----------
    scheduler : str, optional
        Its address, such as ``tcp://10.0.0.5:8786``. TLS is set as Dask's configuration has it.
    workers : int, optional
        Processes of a cluster on this machine, which calculate in one thread each; one for each core if left out. With
        0 a thread of this process calculates, which saves the start of others.

    Raises
    ------
    IrislibError
        If Dask is not installed, nobody answers, there is no worker, or the workers have other versions.
    """
    distributed: Any
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise IrislibError(TEXTS["dask_missing"].format(name=error.name)) from None
    if scheduler is None:
        with _local_cluster(workers) as cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client
        return
    with _client(scheduler) as client:
        _require_workers(client, scheduler)
        yield client


def _client(scheduler: str) -> Any:
    """Return a client of a scheduler."""
    distributed: Any
    import distributed

    try:
        with ThreadPoolExecutor(1) as thread:  # in this one there may be a loop that runs, as in a notebook
            thread.submit(asyncio.run, _try(scheduler)).result()
    except OSError as error:
        why = str(error.__cause__ or error).rpartition(">: ")[2] or type(error).__name__
        text = TEXTS["unreachable"].format(address=scheduler, seconds=ANSWER_SECONDS, error=why.rstrip("."))
        raise IrislibError(text) from None
    except ValueError as error:
        raise IrislibError(TEXTS["no_address"].format(address=scheduler, error=error)) from None
    except (TypeError, RuntimeError) as error:  # there is None in the place of a certificate
        raise IrislibError(TEXTS["no_certificate"].format(address=scheduler, error=error)) from None
    with warnings.catch_warnings():  # _require_workers says which versions matter
        warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
        return distributed.Client(scheduler, timeout=ANSWER_SECONDS, set_as_default=False)


async def _try(scheduler: str) -> None:
    """Connect to a scheduler, without a Client: one that cannot connect is waited for again when Python ends."""
    comm: Any
    security: Any
    from distributed import comm, security

    options = security.Security().get_connection_args("client")
    # what answers, but not as a scheduler does, would keep it waiting
    connecting = comm.connect(scheduler, timeout=ANSWER_SECONDS, **options)
    connection = await asyncio.wait_for(connecting, ANSWER_SECONDS + 1)
    await connection.close()


@contextmanager
def _local_cluster(workers: int | None) -> Iterator[Any]:
    dask: Any
    distributed: Any
    import dask
    import distributed

    environment = single_threaded({})  # the process that is forked must have one thread
    options: dict[str, Any] = {f"distributed.nanny.pre-spawn-environ.{name}": n for name, n in environment.items()}
    # a worker that is too slow to answer on a busy machine is not lost, and needs no line in the log
    options |= {"distributed.comm.timeouts.connect": "60s", "distributed.admin.tick.limit": "1h"}
    # nobody reads the pages of a cluster that ends with the command; one of them imports Jupyter
    options |= {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    # workers are forked from one process, which imports what all of them need
    options |= {"distributed.worker.multiprocessing-method": "forkserver"}
    with dask.config.set(options):
        distributed.utils.get_mp_context().set_forkserver_preload(PRELOADED)  # Dask has set its own, and does so once
        with distributed.LocalCluster(
            n_workers=1 if workers == 0 else workers or dask.system.CPU_COUNT,
            threads_per_worker=1,
            processes=workers != 0,
            host="127.0.0.1" if workers != 0 else None,
            # a thread has the memory of the command, and would wait without end where that is beyond a limit
            **({"memory_limit": 0} if workers == 0 else {}),
            # without a dashboard's address it is port 8787, and a warning if that is taken
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        ) as cluster:
            yield cluster


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise IrislibError(TEXTS["no_workers"].format(address=scheduler)) from None
    versions = client.get_versions(packages=list(COMPARED))
    here = _compared(versions["client"])
    of_others = [_compared(other) for other in (versions["scheduler"], *versions["workers"].values())]
    differing = {name: {other[name] for other in of_others} - {here[name]} for name in here}
    texts = [
        f"{name} {', '.join(sorted(map(str, others)))} there, {here[name]} here"
        for name, others in differing.items()
        if others
    ]
    if texts:
        raise IrislibError(TEXTS["other_versions"].format(address=scheduler, differences="; ".join(texts)))


def _compared(versions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the versions that have to be the same; those of Python up to the one after the first point."""
    packages = versions["packages"]
    python = ".".join(str(versions["host"]["python"]).split(".")[:2])
    return {"Python": python, **{name: packages.get(name) for name in COMPARED}}
