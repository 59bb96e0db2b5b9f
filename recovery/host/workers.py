"""Do many small tasks in processes of this machine, or on other machines by Dask's scheduler.

How
    A few tasks are under way at once; their results come in the order of the tasks, so that many workers write what one
    writes. A task changes nothing but its result: one whose worker died is done again, and at last here. Where the
    scheduler cannot be reached, this machine works alone.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from recovery.host.child_process import asked_beside

Result = TypeVar("Result")

log = logging.getLogger(__name__)

TRIES = 3
LONGEST = 3600.0
"""Seconds that a task is waited for. Its own waits for nodes end long before."""
SCHEDULER_SECONDS = 10
NOT_INSTALLED = "[workers] scheduler needs Dask: `pip install -r requirements-network.txt`. This machine works alone"


def worked_off(
    tasks: Iterable[Callable[[], Result]], at_once: int, scheduler: str = ""
) -> Generator[Result, None, None]:
    """Yield the results in the order of the tasks, `at_once` of them under way. Both are pickled.

    Raises what a task raises.
    """
    if at_once < 2:
        for task in tasks:
            yield task()
        return
    left = iter(tasks)
    with _executor(at_once, scheduler) as (executor, lost):
        running = deque((task, executor.submit(task)) for task in islice(left, at_once))
        try:
            while running:
                task, future = running.popleft()
                try:
                    result = future.result(LONGEST)
                except lost as error:
                    log.warning("a worker was lost (%s), and its task is done here", type(error).__name__)
                    result = task()
                running.extend((task, executor.submit(task)) for task in islice(left, 1))
                yield result
        finally:
            for _, future in running:
                future.cancel()


@contextmanager
def _executor(at_once: int, scheduler: str) -> Iterator[tuple[Any, tuple[type[BaseException], ...]]]:
    """What takes tasks, and how it says that a worker was lost."""
    client = _client(scheduler) if scheduler else None
    if client is None:
        with ThreadPoolExecutor(at_once) as pool:
            yield _Beside(pool), (ChildProcessError,)
        return
    from distributed.scheduler import KilledWorker

    with client, client.get_executor(pure=False) as executor:
        yield executor, (KilledWorker, CancelledError, OSError)  # a time-out is an OSError


def _client(scheduler: str) -> Any:
    """None where there is none."""
    try:
        from distributed import Client
    except ImportError:
        log.warning(NOT_INSTALLED)
        return None
    try:
        client: Any = Client(scheduler, timeout=SCHEDULER_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        client.wait_for_workers(1, timeout=SCHEDULER_SECONDS)
    except OSError as error:
        log.warning("[workers] scheduler %s cannot be reached, or has no workers: this machine works alone (%s)",
                    scheduler, type(error).__name__)  # fmt: skip
        return None
    return client


class _Beside:
    """Each task in a process of its own, which a thread waits for."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def submit(self, task: Callable[[], Result]) -> Any:
        return self._pool.submit(partial(_beside, task))


def _beside(task: Callable[[], Result]) -> Result:
    for _ in range(TRIES - 1):
        try:
            with asked_beside(task) as answer:
                return answer()
        except ChildProcessError:
            log.warning("a process died, and its task is done again")
    with asked_beside(task) as answer:
        return answer()
