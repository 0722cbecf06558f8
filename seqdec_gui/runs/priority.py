"""How much of the cores a child gets beside others that want them."""

from __future__ import annotations

import contextlib
import os

LEAST = 19


def lower(pid: int, nice: int) -> None:
    """Have a child, and what it starts from now on, yield to this process and others by so much; 0 leaves it as it is."""
    if nice:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, pid, min(LEAST, own + nice))
