"""The start of the window: the set-up of the application, and its event loop."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QCoreApplication, Qt, QThreadPool, QTimer
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication

from seqdec_gui import __version__
from seqdec_gui.gui.look import theme

if TYPE_CHECKING:
    from seqdec_gui.gui.window.main_window import MainWindow

SIGNAL_MS = 250
"""The time between two moments at which Ctrl+C in the terminal is noticed, in milliseconds."""
QUEUE_MS = 3000
"""The time from the start of the window to the look whether somebody works on the queue, in milliseconds."""
CLOSING_MS = 5000
"""The time that the process of a closed window waits for functions in threads, such as the reading of a file, in milliseconds.
"""


def main(design: Path | str | None = None) -> int:
    """Open the window, with the design of a file if one is named. Return the exit status once the last window has closed."""
    application = create_application()
    from seqdec_gui.gui.dialogs import crash_report
    from seqdec_gui.gui.tasks import collection, warm_workers
    from seqdec_gui.gui.window.main_window import open_window
    from seqdec_gui.gui.workspace import queueing

    crash_report.install()
    collection.begin(application)
    warm_workers.begin()
    window = open_window(design)
    spare_collector(window)
    window.designs.spare.keep()
    QTimer.singleShot(0, theme.follow_system)
    QTimer.singleShot(QUEUE_MS, queueing.go_on_with_queue)
    _handle_ctrl_c(application)
    status = int(application.exec_())
    window.deleteLater()
    warm_workers.end()
    _end_threads(status)
    return status


def _end_threads(status: int) -> None:
    """Wait for the threads of the pool.

    If they take longer than CLOSING_MS, end the process with this status: a thread that returns to an interpreter during its
    shutdown crashes it.
    """
    pool = QThreadPool.globalInstance()
    pool.clear()
    if not pool.waitForDone(CLOSING_MS):
        sys.stdout.flush()
        os._exit(status)


def spare_collector(window: MainWindow) -> None:
    """Exclude everything made so far from garbage collection, which would stop the window for 50 ms each time."""
    gc.freeze()
    window.preload.ended.connect(gc.freeze)


def create_application() -> QApplication:
    """Return the one QApplication, set up for high-density screens."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    os.environ.setdefault("QT_API", "pyqt5")
    QCoreApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QCoreApplication.setApplicationName("seqdec-gui")
    QCoreApplication.setOrganizationName("seqdec-gui")
    QCoreApplication.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("seqdec-gui")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if sys.stderr is not None:
        faulthandler.enable()
    application = QApplication(sys.argv[:1] or ["seqdec-gui"])
    theme.install(application)
    return application


def _handle_ctrl_c(application: QApplication) -> None:
    """Let Ctrl+C end the program. Python handles signals only while it runs, so a timer runs it every SIGNAL_MS."""
    signal.signal(signal.SIGINT, lambda *_: application.closeAllWindows())
    timer = QTimer(application)
    timer.timeout.connect(lambda: None)
    timer.start(SIGNAL_MS)
