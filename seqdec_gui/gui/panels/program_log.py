"""The log messages of the program, shown in the bottom panel."""

from __future__ import annotations

import logging
from weakref import WeakSet

from PyQt5 import sip
from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QTextCursor
from PyQt5.QtWidgets import QPlainTextEdit, QWidget

from seqdec_gui.gui.look import theme

MAX_LINES = 5000
"""The number of lines that the view keeps."""
LOGGER = "seqdec_gui"
"""The name of the logger of this program."""


_views: WeakSet[LogView] = WeakSet()
"""The views of the log, one for each open design."""


class _Relay(QObject):
    """Carries log lines from any thread to the window's thread, with a signal."""

    logged = pyqtSignal(str)


class _Handler(logging.Handler):
    """A logging handler that passes lines to a `_Relay`."""

    def __init__(self, relay: _Relay) -> None:
        super().__init__(logging.INFO)
        self._relay = relay
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        if not sip.isdeleted(self._relay):
            self._relay.logged.emit(self.format(record))


class LogView(QPlainTextEdit):
    """Shows the messages of the logger `seqdec_gui` as long as the view exists, the last MAX_LINES lines.

    Object name `log_view`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log_view")
        self.setAccessibleName("Log")
        self.setReadOnly(True)
        self.setProperty("kind", "plain")
        self.setMaximumBlockCount(MAX_LINES)
        self.setPlaceholderText("Nothing has been logged yet.")
        self.setFont(theme.font("small", monospace=True))
        for other in _views:
            if not sip.isdeleted(other):
                self.setPlainText(other.toPlainText())
                break
        _views.add(self)
        relay = _Relay(self)
        relay.logged.connect(self._on_relay_logged)
        handler = _Handler(relay)
        logger = logging.getLogger(LOGGER)
        logger.addHandler(handler)
        if logger.getEffectiveLevel() > logging.INFO:
            logger.setLevel(logging.INFO)
        self.destroyed.connect(lambda: logger.removeHandler(handler))

    @pyqtSlot(str)
    def _on_relay_logged(self, line: str) -> None:
        at_end = self.verticalScrollBar().value() >= self.verticalScrollBar().maximum() - 2
        self.appendPlainText(line)
        if at_end:
            self.moveCursor(QTextCursor.End)
