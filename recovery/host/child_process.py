"""Do something in a process beside this one, for threads share one interpreter: ask a node, draw half of the charts.

A forked child asks and sends back what it got, or the error that it met. Where there is no fork, and in such a child
itself, the question is asked here, when its answer is wanted.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from recovery.host import system

Answer = TypeVar("Answer")

LONGEST = 6 * 3600.0
"""Seconds that an answer is waited for: an archive that answers slowly may take an hour for one question."""


@contextmanager
def asked_beside(ask: Callable[[], Answer]) -> Iterator[Callable[[], Answer]]:
    """Start `ask`; yields a function that waits for its answer, and raises what `ask` raised.

    What `ask` changes stays in the child: it has to be part of the answer. Both answer and errors are pickled.
    """
    is_itself_beside = multiprocessing.current_process().daemon
    context = system.forks()
    if is_itself_beside or context is None:
        yield ask
        return
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(ask, sender, receiver), daemon=True)

    def answer() -> Answer:
        if not receiver.poll(LONGEST):
            raise ChildProcessError("the process that asked beside this one does not end")
        try:
            result, error = receiver.recv()
        except EOFError as gone:
            raise ChildProcessError("the process that asked beside this one died") from gone
        if error is not None:
            raise error
        answered: Answer = result
        return answered

    try:
        with system.no_stop():
            child.start()
        sender.close()
        yield answer
    finally:
        if child.pid is not None:
            child.kill()  # it has no state to save
            child.join()
        receiver.close()


def _answer(ask: Callable[[], Answer], sender: Connection, receiver: Connection) -> None:
    system.let_stop()
    receiver.close()
    threading.Thread(target=_end_with_parent, args=(sender.fileno(),), daemon=True).start()
    try:
        sender.send((ask(), None))
    except Exception as error:  # noqa: BLE001  it is raised on the other side
        sender.send((None, error))


def _end_with_parent(descriptor: int) -> None:
    """End this process as soon as nobody can read what it writes: a killed parent must leave nothing behind that goes
    on asking, for as long as a node lets it wait."""
    system.wait_for_hang_up(descriptor)
    os._exit(1)
