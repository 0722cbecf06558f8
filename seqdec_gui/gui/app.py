"""The application: set-up before the first window, and the event loop."""

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
CLOSING_MS = 5000
"""How long a closed window's process waits for functions that still run in threads, a file that is being read for example."""


def main(design: Path | str | None = None) -> int:
    """Open the window, with a design if one is named, and give the exit status when the last one closes."""
    application = create_application()
    from seqdec_gui.gui.dialogs import crash_report
    from seqdec_gui.gui.window.main_window import open_window

    crash_report.install()
    window = open_window(design)
    spare_collector(window)
    QTimer.singleShot(0, theme.follow_system)
    _obey_terminal(application)
    status = int(application.exec_())
    window.deleteLater()
    _end_threads(status)
    return status


def _end_threads(status: int) -> None:
    """Wait for the threads of the pool, or end the process with this status: a thread that comes back to an interpreter
    that is being taken down crashes it.
    """
    pool = QThreadPool.globalInstance()
    pool.clear()
    if not pool.waitForDone(CLOSING_MS):
        sys.stdout.flush()
        os._exit(status)


def spare_collector(window: MainWindow) -> None:
    """Keep the program itself out of the garbage collector's rounds, each of which would stop the window for 50 ms."""
    gc.freeze()
    window.preload.ended.connect(gc.freeze)


def create_application() -> QApplication:
    """The one QApplication, sharp on high-density screens."""
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


def _obey_terminal(application: QApplication) -> None:
    """Let Ctrl+C end the program: Python sees signals only when it runs, so a timer lets it run now and then."""
    signal.signal(signal.SIGINT, lambda *_: application.closeAllWindows())
    timer = QTimer(application)
    timer.timeout.connect(lambda: None)
    timer.start(SIGNAL_MS)
