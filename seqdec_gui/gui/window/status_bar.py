"""The status bar: recent messages, and parameters and memory of the whole design."""

from __future__ import annotations

from PyQt5.QtCore import Qt, QTimer, pyqtSlot
from PyQt5.QtWidgets import QStatusBar, QWidget

from seqdec_gui.domain.cost import activation_bytes
from seqdec_gui.domain.wording import format_bytes
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.window.subscriptions import Subscriptions
from seqdec_gui.gui.workspace.workspace import Workspace

MESSAGE_MS = 6000
"""The time that a message stays in the status bar, in milliseconds."""


class Totals(ElidedLabel):
    """Shows the size of the design: `232,214 parameters · 231,702 trainable · about 21 MiB at batch 64`.

    Object name `totals`.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__("totals", Qt.ElideRight, fills=False, parent=parent)
        self.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        self._subscriptions = Subscriptions()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        self.follow(workspace)

    def follow(self, workspace: Workspace) -> None:
        """Show the size of another design from now on."""
        self._workspace = workspace
        self._subscriptions.drop()
        self._subscriptions.add(workspace.document.design_changed, lambda _old, _new: self._timer.start(0))
        self.refresh()

    @pyqtSlot()
    def refresh(self) -> None:
        document = self._workspace.document
        inference, batch = document.report.inference, document.design.training.batch_size
        if not document.design.blocks:
            self.setText("")
            return
        words = [f"{inference.parameters:,} parameters"]
        if inference.trainable != inference.parameters:
            words.append(f"{inference.trainable:,} trainable")
        words.append(f"about {format_bytes(activation_bytes(inference, batch))} to train at batch {batch:,}")
        self.setText("   ·   ".join(words))
        if (bar := self.parentWidget()) is not None and bar.layout() is not None:
            bar.layout().activate()  # so that it is never painted with the room that the former text had
        estimate = "Weights, gradients, optimizer and activations of one batch in float32: an estimate."
        self.setToolTip(f"{self.full_text()}\n{estimate}")


class StatusBar(QStatusBar):
    """Shows a message for some seconds at the left, or why training cannot start (`train_reason`), and totals at the right."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reason = ElidedLabel("train_reason", Qt.ElideRight)
        self.reason.setContentsMargins(2 * theme.SPACE, 0, 4 * theme.SPACE, 0)
        self._totals = Totals(workspace)
        self.addWidget(self.reason, 1)
        self.addPermanentWidget(self._totals)
        self.setSizeGripEnabled(False)

    def follow(self, workspace: Workspace) -> None:
        """Show the totals of another design from now on."""
        self._totals.follow(workspace)

    @pyqtSlot(str)
    def tell(self, sentence: str) -> None:
        """Show a sentence. If there is no room it ends in dots, and does not cover the totals."""
        room = self._totals.x() - 6 * theme.SPACE
        self.showMessage(self.fontMetrics().elidedText(sentence, Qt.ElideRight, room), MESSAGE_MS)
