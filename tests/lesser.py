"""A process on Linux that lacks what Windows lacks, in which the real commands and a page are run.

What is taken away
    `fcntl`, `resource`, `pwd`, `grp`, `termios`, `tty` and `select.poll` cannot be had; `os` has no fork, user, group,
    load or POSIX flag, `socket` no TCP_QUICKACK, `signal` no SIGALRM, SIGHUP or interval timer; a folder cannot be
    opened, `os.chmod` changes nothing, no file is replaced or removed while this process has it open, and a file that
    is opened without naming its encoding is an error. `recovery/host` is told that this is Windows, so that
    `system_windows.py` is what runs.

What is not
    The libraries are Linux's own and were imported before: filelock locks by `flock`, not by `LockFileEx`. They find
    `sys.platform` and `os.name` as they are; paths have slashes, threads, sockets and consoles are Linux's.
"""

from __future__ import annotations

import builtins
import errno
import importlib
import io
import json
import os
import select
import signal
import socket
import stat
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

LIBRARIES = (
    "apprise", "argon2", "filelock", "fontTools.subset", "fpdf", "multiprocessing.pool", "numpy", "openpyxl", "pandas",
    "PIL.Image", "pyarrow.parquet", "pydantic", "pydicom", "pynetdicom", "pyodbc", "schedule", "segno", "smtplib",
    "sqlite3", "streamlit.testing.v1", "streamlit.web.bootstrap", "tempfile", "tenacity", "tqdm", "uuid", "webbrowser",
)  # fmt: skip
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "_posixsubprocess")
NAMES = {
    os: ("fork", "register_at_fork", "getuid", "geteuid", "getgid", "getegid", "getloadavg", "chown", "fchmod",
         "mkfifo", "killpg", "setsid", "getpgid", "uname", "statvfs", "sysconf", "O_CLOEXEC", "O_NOFOLLOW",
         "O_DIRECTORY", "O_NONBLOCK", "O_SYNC", "WNOHANG"),
    socket: ("TCP_QUICKACK", "TCP_CORK"),
    select: ("poll", "epoll"),
    signal: ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGPIPE", "SIGQUIT", "SIGXFSZ", "alarm", "setitimer",
             "ITIMER_REAL", "pthread_sigmask", "pause"),
}  # fmt: skip


def become() -> None:
    """Take it all away, for good."""
    for library in LIBRARIES:
        importlib.import_module(library)
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for module, names in NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    os.chmod = lambda *_, **__: None  # type: ignore[assignment]
    os.open = _without_folders(os.open)
    os.replace, os.rename, os.unlink, os.remove = map(_not_while_open, (os.replace, os.rename, os.unlink, os.remove))
    builtins.open = io.open = _with_encoding(open)  # type: ignore[assignment]
    sys.platform, ours = "win32", sys.platform
    importlib.import_module("recovery.host")
    sys.platform = ours  # libraries ask as well, and would call Windows


def _without_folders(usual: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if isinstance(path, str | os.PathLike) and os.path.isdir(path) and not named:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return usual(path, flags, *more, **named)

    return opened


def _not_while_open(usual: Callable[..., None]) -> Callable[..., None]:
    """Windows refuses what is open anywhere; here only what this process has open is known."""

    def act(*paths: Any, **named: Any) -> None:
        if not named:  # `dir_fd`: rmtree's own way on Linux
            held = {stat_of(f"/proc/self/fd/{descriptor}") for descriptor in os.listdir("/proc/self/fd")} - {None}
            for path in paths:
                if stat_of(path) in held:
                    raise PermissionError(errno.EACCES, "in use by another process", str(path))
        usual(*paths, **named)

    return act


def stat_of(path: Any) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _with_encoding(usual: Callable[..., Any]) -> Callable[..., Any]:
    def opened(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        callers = (frame.filename for frame in traceback.extract_stack(limit=4)[:-1])
        is_named = "b" in mode or len(more) > 1 or named.get("encoding") not in {None, "locale"}
        if not is_named and any(caller.startswith(OURS) for caller in callers):
            raise AssertionError(f"{file} is opened in this computer's encoding")
        return usual(file, mode, *more, **named)

    return opened


def show(config: Path) -> dict[str, Any]:
    """The page On treatment, signed in: its errors, and what its table holds."""
    from streamlit.testing.v1 import AppTest

    from recovery.settings.config import load_config
    from tests.app import people

    people.enrol(load_config(config).accounts_path)
    os.environ["RBRDT_CONFIG"] = str(config)
    visit = people.sign_in(AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120).run())
    errors = [element.value for kind in (visit.exception, visit.error) for element in kind]
    return {"errors": errors, "shown": visit.dataframe[0].value.to_csv() if visit.dataframe else ""}


def main(config: Path) -> dict[str, Any]:
    """Run the whole walk; each command's exit status, and what the page shows."""
    import backup_jobs.__main__ as jobs
    import recovery.__main__ as by_hand
    from recovery.host import system

    told = ["--config", str(config)]
    with redirect_stdout(sys.stderr):
        return {
            "system": system.__name__,
            "cycle": jobs.main(["cycle", *told]),
            "second cycle": jobs.main(["cycle", *told]),
            "chart": by_hand.main(["chart", "--everybody", "-o", str(config.with_name("charts.pdf")), *told]),
            "page": show(config),
            "rebuild": by_hand.main(["rebuild", *told]),
            "verify": by_hand.main(["verify", *told]),
        }


PROJECT = Path(__file__).resolve().parent.parent
OURS = tuple(str(PROJECT / room) for room in ("app", "backup_jobs", "recovery", "demo"))

if __name__ == "__main__":
    become()
    print(json.dumps(main(Path(sys.argv[1]))), flush=True)
    os._exit(0)
