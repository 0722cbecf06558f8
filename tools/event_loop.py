"""Turning Qt's event loop in a measurement: how late a timer comes, and what kept it waiting."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

TICK_MS = 5
SUSPECT_S = 0.02


class Beat:
    """A 5 ms timer, how late each of its calls came, and what was running meanwhile.

    An alarm that each call puts off asks for the latter: its handler runs in the window's thread, between two steps of Python,
    so it names what calls Qt, and nothing where Qt is at work alone.
    """

    def __init__(self) -> None:
        from PyQt5.QtCore import Qt, QTimer

        self.delays: list[tuple[float, float]] = []  # (seconds late, when the call before it came)
        self._seen: list[tuple[float, str]] = []
        self._last = 0.0
        self._timer = QTimer(interval=TICK_MS, timerType=Qt.PreciseTimer)
        self._timer.timeout.connect(self._on_timer_timeout)

    def __enter__(self) -> Beat:
        signal.signal(signal.SIGALRM, lambda _number, frame: self._seen.append((time.perf_counter(), _where(frame))))
        self._last = time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_timer_timeout(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, SUSPECT_S, SUSPECT_S / 2)
        now = time.perf_counter()
        self.delays.append((max(0.0, now - self._last - TICK_MS / 1000), self._last))
        self._last = now

    @property
    def longest_ms(self) -> float:
        return 1000 * max((late for late, _ in self.delays), default=0.0)

    def percentile_ms(self, share: float) -> float:
        ranked = sorted(late for late, _ in self.delays)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]

    def culprit(self) -> str:
        """What was running most of the time in the longest delay."""
        late, begun = max(self.delays)
        seen = Counter(where for when, where in self._seen if begun <= when <= begun + late + TICK_MS / 1000 and where)
        return seen.most_common(1)[0][0] if seen else ""


def _where(frame: FrameType | None) -> str:
    """The product's own innermost calls of a stack, the innermost last, and what they called."""
    own: list[str] = []
    called = ""
    while frame is not None and len(own) < 3:
        code = frame.f_code
        if "seqdec_gui/" in code.co_filename:
            own.append(f"{Path(code.co_filename).stem}.{code.co_name}:{frame.f_lineno}")
        elif not own and not called:
            called = f" > {Path(code.co_filename).stem}.{code.co_name}"
        frame = frame.f_back
    return " > ".join(reversed(own)) + called if own else ""


def listen(seconds: float, action: Callable[[], object] = lambda: None) -> Beat:
    """Turn the event loop for so long, with an action at its beginning."""
    from PyQt5.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    with Beat() as beat:
        QTimer.singleShot(100, action)
        QTimer.singleShot(100 + int(1000 * seconds), loop.quit)
        loop.exec_()
    return beat


def settle(until: Callable[[], bool], longest_s: float = 60.0) -> None:
    """Turn the event loop until something holds."""
    from PyQt5.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    timer = QTimer(interval=20)
    timer.timeout.connect(lambda: until() and loop.quit())
    timer.start()
    QTimer.singleShot(int(1000 * longest_s), loop.quit)
    loop.exec_()
    if not until():
        raise TimeoutError("the window did not get there")
