"""Imports and builds pages soon after a design was opened, in steps too short to notice, so that each shows at once."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from importlib import import_module

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QApplication

from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.page_stack import Pages
from seqdec_gui.gui.workspace.workspace import PageName

BEGIN_MS = 700
"""The time from the start of the window to the first import, in milliseconds."""
STEP_MS = 40
"""The time between two steps, in milliseconds, in which the window handles events."""
LIBRARIES = (
    *("numpy", "numpy.typing", "pyarrow", "pyarrow.compute", "pyarrow.csv", "multiprocessing.connection", "cProfile"),
    *(f"seqdec_gui.{name}" for name in ("data.dataset", "data.statistics", "runs.certificate", "runs.advice")),
)
"""The modules that are imported in a thread, one at a time: those that load large shared libraries.

None of them may import Qt: PyQt crashes when a module of it is first imported in one thread while another thread is inside Qt.
"""
MODULES = (
    "PyQt5.QtSvg",
    "PyQt5.QtTest",
    "PyQt5.uic",
    "pyqtgraph",
    "seqdec_gui.gui.workspace.training_session",
    *(f"seqdec_gui.gui.pages.train.{name}" for name in ("plots", "header", "board", "page")),
    *(f"seqdec_gui.gui.pages.data.{name}" for name in ("column_details", "port_row", "sample_panel", "page")),
    *(f"seqdec_gui.gui.pages.generate.{name}" for name in ("fields", "page")),
    *(f"seqdec_gui.gui.pages.runs.{name}" for name in ("details", "page")),
)
"""The modules that are imported in the window's thread, one per step, in the order of their dependencies.

Those of PyQt5 are imported by pyqtgraph. tests/gui/test_preload.py checks that all of them exist.
"""
PAGES = (PageName.TRAIN, PageName.DATA, PageName.RUNS, PageName.GENERATE)
"""The pages that take longest to build, which are built in advance."""


class Preload(QObject):
    """Imports the modules of all pages and builds the pages in `PAGES`. Waits while a mouse button is pressed."""

    ended = pyqtSignal()

    def __init__(self, pages: Pages) -> None:
        super().__init__(pages)
        missing = [name for name in MODULES if name not in sys.modules]  # an earlier design of the window has imported them
        self._steps: deque[Callable[[], object]] = deque(partial(import_module, name) for name in missing)
        self._steps.extend(partial(step, name) for name in PAGES for step in (pages.prepare, pages.page))
        self._timer = QTimer(self, interval=BEGIN_MS, singleShot=True, timeout=self._on_timer_timeout)
        self._timer.start()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        self._timer.timeout.disconnect()
        self._timer.timeout.connect(self._take_step)
        self._timer.setInterval(STEP_MS)
        background.run(_import_libraries, lambda _none: self._timer.start(), owner=self)

    @pyqtSlot()
    def _take_step(self) -> None:
        if not self._steps:
            self.ended.emit()
            return
        if QApplication.mouseButtons() == Qt.NoButton:
            self._steps.popleft()()
        self._timer.start()


def _import_libraries() -> None:
    for name in LIBRARIES:
        import_module(name)
