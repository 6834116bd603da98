"""The Dask cluster that work is done on: one of this machine, or one whose scheduler is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from irislib._common.messages.scoring import TEXTS
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["connect"]

ANSWER_SECONDS = 15.0  # for a scheduler, and then for its first worker
COMPARED = ("distributed", "irislib", "numpy", "pandas", "sklearn")


@contextmanager
def connect(scheduler: str | None = None, workers: int | None = None) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine, which ends with the context.

    Parameters
    ----------
    scheduler : str, optional
        Its address, such as ``tcp://10.0.0.5:8786``. TLS is set as Dask's configuration has it.
    workers : int, optional
        Processes of a cluster on this machine, which calculate in one thread each; one for each core if left out.

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
    try:
        client = distributed.Client(scheduler, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # ValueError: an address that cannot be one
        text = TEXTS["unreachable"].format(address=scheduler, seconds=ANSWER_SECONDS, error=_first_line(error))
        raise IrislibError(text) from None
    with client:
        _require_workers(client, scheduler)
        yield client


@contextmanager
def _local_cluster(workers: int | None) -> Iterator[Any]:
    dask: Any
    distributed: Any
    import dask
    import distributed

    # a worker that is too slow to answer on a busy machine is not lost, and needs no line in the log
    quiet = {"distributed.comm.timeouts.connect": "60s", "distributed.admin.tick.limit": "1h"}
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(
            n_workers=workers or dask.system.CPU_COUNT,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise IrislibError(TEXTS["no_workers"].format(address=scheduler)) from None
    versions = client.get_versions(packages=list(COMPARED))
    here = _compared(versions["client"])
    of_workers = [_compared(worker) for worker in versions["workers"].values()]
    differing = {name: {worker[name] for worker in of_workers} - {here[name]} for name in here}
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


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
