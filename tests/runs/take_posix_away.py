"""Runs code as on a system that is no POSIX: `python take_posix_away.py CODE [ARGUMENT ...]`.

What Linux has and Windows has not is removed before anything of the program is imported. `msvcrt` is stood in for by
locks of this system, which exclude each other as those of Windows do.
"""

from __future__ import annotations

import errno
import fcntl as _fcntl
import importlib
import os
import signal
import sys
import types

MODULES = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog")
OF_OS = (
    "setsid", "getpgid", "killpg", "fork", "waitid", "pread", "pwrite", "register_at_fork", "sched_getaffinity", "getloadavg",
    "getuid", "geteuid", "getpriority", "setpriority", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "sysconf", "mkfifo",
    "P_PID", "WEXITED", "WNOWAIT", "fchmod",
)  # fmt: skip
OF_SIGNAL = ("SIGKILL", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGALRM", "SIGCHLD", "SIGPIPE")


def _locking(file: int, mode: int, size: int) -> None:
    try:
        _fcntl.flock(file, _fcntl.LOCK_EX | _fcntl.LOCK_NB if mode else _fcntl.LOCK_UN)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None  # what Windows says


def take_away() -> None:
    import platform
    import shutil
    import tempfile
    import uuid

    libraries = [
        platform,
        shutil,
        tempfile,
        uuid,
        *map(importlib.import_module, ("numpy", "pyarrow", "h5py", "asyncio", "platformdirs")),
    ]
    assert all(libraries)  # what is not ours looks at the system while it is imported
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in OF_OS:
        if hasattr(os, name):
            delattr(os, name)
    for name in OF_SIGNAL:
        if hasattr(signal, name):
            delattr(signal, name)
    stand_in = types.ModuleType("msvcrt")
    stand_in.locking, stand_in.LK_NBLCK, stand_in.LK_UNLCK = _locking, 2, 0  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = stand_in


if __name__ == "__main__":
    take_away()
    code = sys.argv[1]
    sys.argv = ["-c", *sys.argv[2:]]
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    exec(code, {"__name__": "__main__"})
