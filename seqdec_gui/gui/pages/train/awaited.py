"""What stands in a plot without curves: which values are awaited, or that there are none."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.training_session import FollowedRun

_FIRST = {"devices": "Appears once the devices were measured"}
"""When the values of a plot come that do not come with the first report, by the plot's name."""


def awaited_words(plot: str, followed: FollowedRun | None) -> str:
    """Return what a plot without curves waits for, or that its run has no such values; empty without a run."""
    if followed is None:
        return ""
    if not followed.alive or followed.silent is not None:
        return "This run has no such values"
    if not followed.begun_now and followed.history.started is not None:
        return "Reading the curves"
    return _FIRST.get(plot, "Appears with the first report")


class AwaitedLabel(WrappedLabel):
    """A sentence in the middle of a plot, which lets every mouse event through."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__("", name, parent)
        self.setProperty("role", "small")
        self.setAlignment(Qt.AlignCenter)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.hide()

    def fill(self) -> None:
        """Take the whole room of the plot, but a margin."""
        room = self.parentWidget().rect()
        self.setGeometry(room.adjusted(theme.SPACE, 0, -theme.SPACE, 0))
