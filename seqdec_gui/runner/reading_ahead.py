"""Does something in a thread while the process goes on, and hands over its result or what it raised."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SWITCH_S = 0.0005
"""Seconds after which a thread that computes in Python lets others go on while the call runs; Python's own is ten times that.

The call often returns from libraries, and waits for the interpreter each time while the other thread imports modules.
"""

_USUAL_SWITCH_S = sys.getswitchinterval()

LOOK_S = 0.02
"""Seconds between two looks at whether either of two threads has ended."""


class Ahead(Generic[T]):
    """A call in a thread. The thread is no reason for the process to stay."""

    def __init__(self, call: Callable[[], T], name: str) -> None:
        self._call = call
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        sys.setswitchinterval(SWITCH_S)
        try:
            self._result.append(self._call())
        except BaseException as error:  # handed over to the thread that waits
            self._error = error
        finally:
            sys.setswitchinterval(_USUAL_SWITCH_S)

    def fail_early(self, other: threading.Thread) -> None:
        """Wait until `other` has ended; raises at once what the call raises until then."""
        while other.is_alive():
            other.join(LOOK_S if self.thread.is_alive() else None)
            self._fail()
        self._fail()

    def result(self) -> T:
        """Wait for the call, and return what it returned. Raises what it raised."""
        self.thread.join()
        self._fail()
        return self._result[0]

    def _fail(self) -> None:
        if self._error is not None:
            raise self._error
