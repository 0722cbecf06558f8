"""Garbage collection in the thread of the window alone, between two events."""

from __future__ import annotations

import gc

from PyQt5.QtCore import QObject, QTimerEvent

INTERVAL_MS = 1000
"""The time between two looks at how much has been allocated, in milliseconds."""


class Collector(QObject):
    """Collects as often as Python would by its thresholds, but only here.

    Python collects wherever something is allocated: in a thread that reads runs, or inside a call of Qt. Among what it then
    destroys may be the widgets of a closed design, which only the thread of the window may destroy, and not while Qt walks over
    them: the program crashes otherwise.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self.startTimer(INTERVAL_MS)

    def timerEvent(self, event: QTimerEvent | None) -> None:
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
            if count <= threshold:
                break
            gc.collect(generation)


def begin(application: QObject) -> None:
    """Collect in this thread from now on, as long as the application lives. Does nothing the second time."""
    if application.findChild(Collector) is None:
        Collector(application)
