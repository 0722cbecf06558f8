"""Opens windows offscreen, waits until they are still, and keeps pictures of them."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = ((1280, 800), (1920, 1080))
"""The sizes of window that pictures are taken of: a laptop and a desk."""
STILL_S, LONGEST_STILL_S, LONGEST_S = 0.12, 20.0, 180.0
"""How long a picture stays the same before it counts as still; how long that is waited for, and anything else."""
LONGEST_TIMER_MS = 2000
"""The longest time after which what a timer does belongs to the picture: curves are drawn, scripts written, pages made."""


def prepare_environment(work: Path) -> None:
    """No screen, a home of its own, one pixel a point, no time zone: the same picture everywhere that has the same fonts."""
    os.environ |= {
        "QT_QPA_PLATFORM": "offscreen",
        "QT_FONT_DPI": "96",
        "QT_LOGGING_RULES": "*.debug=false;qt.qpa.*=false",
        "TZ": "UTC",
    }
    time.tzset()
    home = tempfile.mkdtemp(prefix="home-", dir=work)
    os.environ["XDG_RUNTIME_DIR"] = home
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = home
    os.environ["PYTHONPATH"] = str(ROOT)
    sys.path.insert(0, str(ROOT))


class Studio:
    """The application, and the windows in it."""

    def __init__(self) -> None:
        from PyQt5.QtCore import qInstallMessageHandler

        from seqdec_gui.gui.app import create_application

        qInstallMessageHandler(_pass_on)
        self.application = create_application()
        self.application.setCursorFlashTime(0)  # a cursor that blinks is a picture that changes

    def open(self, path: Path | None, size: tuple[int, int] = SIZES[0]) -> Any:
        """A window of this size in light colours, with a design or the welcome page."""
        from PyQt5.QtWidgets import QSplitter

        from seqdec_gui.gui.look import preferences, theme
        from seqdec_gui.gui.window.main_window import open_window
        from seqdec_gui.gui.window.shell import LEFT_WIDTH, RIGHT_WIDTH

        theme.set_mode("light")
        preferences.set_reopens_designs(False)
        preferences.set_first_minute_seen()
        window = open_window(path)
        window.resize(*size)
        self.settle(0.1)
        for columns in window.findChildren(
            QSplitter, "columns"
        ):  # as if it had opened in this size; the screen here is smaller
            columns.setSizes([LEFT_WIDTH, size[0] - LEFT_WIDTH - RIGHT_WIDTH, RIGHT_WIDTH])
        self.activate(window)
        self.wait(lambda: window.workspace.devices.known)
        self.settle(0.3)
        return window

    def close(self, window: Any) -> None:
        """Close a window without questions."""
        for tab in window.designs.tabs:
            tab.workspace.close_guards.clear()
            tab.document.undo_stack.setClean()
        window.close()
        window.deleteLater()
        self.settle(0.1)
        self.delete()

    def delete(self) -> None:
        """Delete what is to be deleted later. Without a running event loop Qt keeps it, and each theme styles it again."""
        from PyQt5.QtCore import QCoreApplication, QEvent

        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)

    def settle(self, seconds: float = 0.2) -> None:
        """Let everything finish that was asked for."""
        from seqdec_gui.gui.tasks import background

        until = time.monotonic() + seconds
        while time.monotonic() < until or background.busy():
            self.application.processEvents()
            time.sleep(0.005)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + LONGEST_S
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError("the window did not get there")
            self.application.processEvents()
            time.sleep(0.005)

    def activate(self, window: Any) -> None:
        """Give a window the keyboard: what has the focus is drawn otherwise, and closing a dialog may leave it to none."""
        self.application.setActiveWindow(window)
        self.wait(lambda: self.application.activeWindow() is window)

    def still(self, widget: Any) -> Any:
        """Return what a widget looks like once that does not change any more, as a QImage.

        Nothing may be waiting either: on a busy machine a picture stays the same for long while curves wait for their turn.
        And its window has the keyboard: Qt may take that away some time after a dialog or a list was closed.
        """
        self.activate(widget.window())
        self.settle(STILL_S)
        picture = widget.grab().toImage()
        until = time.monotonic() + LONGEST_STILL_S
        while time.monotonic() < until:
            self.settle(STILL_S)
            before, picture = picture, widget.grab().toImage()
            if self.application.activeWindow() is not widget.window():
                self.activate(widget.window())
            elif picture == before and not self._waiting():
                break
        return picture

    def _waiting(self) -> bool:
        """Return whether a timer of a window is about to do something once."""
        from PyQt5.QtCore import QTimer

        return any(
            timer.isActive() and timer.isSingleShot() and timer.interval() <= LONGEST_TIMER_MS
            for window in self.application.topLevelWidgets()
            if window.isVisible()
            for timer in window.findChildren(QTimer)
        )

    def masked(self, widget: Any, names: Iterable[str]) -> Any:
        """Return what a widget looks like, with the parts of these names hidden: what differs by machine."""
        from PyQt5.QtCore import QPoint, QRect
        from PyQt5.QtGui import QColor, QPainter
        from PyQt5.QtWidgets import QWidget

        picture = self.still(widget)
        painter = QPainter(picture)
        for name in names:
            for part in widget.findChildren(QWidget, name):
                if part.isVisible():
                    painter.fillRect(QRect(part.mapTo(widget, QPoint()), part.size()), QColor(128, 128, 128))
        painter.end()
        return picture

    def keep_both(self, widget: Any, path: Path) -> None:
        """Keep what a widget looks like in light and, under the name with `-dark`, in dark."""
        from seqdec_gui.gui.look import theme

        self.keep(widget, path)
        theme.set_mode("dark")
        self.keep(widget, path.with_name(f"{path.stem}-dark{path.suffix}"))
        theme.set_mode("light")
        self.settle()

    def keep(self, widget: Any, path: Path) -> None:
        """Write what a widget looks like now, in 256 colours: nobody sees it, and the file is small."""
        from tools.pictures.compare import few_colours

        picture = self.still(widget)
        few_colours(picture, 128, 128).save(str(path), "PNG", 0)
        print(f"{path.name}: {picture.width()} x {picture.height()}, {path.stat().st_size // 1024} KiB")


def leave(status: int) -> NoReturn:
    """End the process at once, without the shutdown of the interpreter: windows and threads that are still there crash it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _pass_on(_kind: Any, _context: Any, text: str) -> None:
    """Print what Qt says, except that a window without a screen cannot be told its size."""
    if "does not support" not in text:
        print(text, file=sys.stderr)


def font_words() -> str:
    """Return the font of the pictures, and how wide it writes: what differs between machines with different fonts."""
    from PyQt5.QtGui import QFontInfo, QFontMetrics
    from PyQt5.QtWidgets import QApplication

    font = QApplication.font()
    width = QFontMetrics(font).horizontalAdvance("The quick brown fox jumps over the lazy dog, 0123456789")
    return f"{QFontInfo(font).family()}, {width} pixels"
