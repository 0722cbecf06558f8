"""The line of the inspector about the weights that a block begins with, and the buttons that change them or split the block."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from seqdec_gui.domain.design import Block
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.panels.inspector.facts import LABEL_WIDTH, MARGIN
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.workspace.workspace import Workspace


class WeightsRow(QWidget):
    """Object names: `fact_begins_with`, `block_weights`, `block_split`."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._block_id = ""
        label = QLabel("Begins with")
        label.setProperty("role", "dim")
        label.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        self._words = ElidedLabel("fact_begins_with")
        self._weights = QPushButton("Weights…", objectName="block_weights")
        self._weights.setToolTip("Choose the weights of a file or of another run, and see first what goes where")
        self._weights.clicked.connect(self._on_weights_clicked)
        self._split = QPushButton("Split…", objectName="block_split")
        self._split.setToolTip(
            "Divide the model into its submodels: editable where a block kind makes the same, closed elsewhere"
        )
        self._split.clicked.connect(self._on_split_clicked)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * theme.SPACE)
        buttons.addWidget(self._weights)
        buttons.addWidget(self._split)
        buttons.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(MARGIN, 0, MARGIN, 3 * theme.SPACE)
        grid.setHorizontalSpacing(2 * theme.SPACE)
        grid.setVerticalSpacing(2 * theme.SPACE)
        grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self._words, 0, 1)
        grid.addLayout(buttons, 1, 1)
        self.hide()

    def show_block(self, block: Block | None, has_weights: bool) -> None:
        """Show the weights of a block; nothing for one without weights, or for None."""
        self.setVisible(block is not None and has_weights)
        if block is None or not has_weights:
            self._block_id = ""
            return
        self._block_id = block.id
        imported = block.parameters.imported is not None
        weights = block.weights
        words = "those of the file" if imported else "new weights"
        if weights is not None:
            words = weights.source or f"{Path(weights.file).name}, {weights.part}"
        self._words.setText(words)
        tip = f"In {weights.file}" if weights is not None else "What a run of this design begins with"
        self._words.setToolTip(f"{words}\n{tip}")
        self._split.setVisible(imported)

    @pyqtSlot()
    def _on_weights_clicked(self) -> None:
        from seqdec_gui.gui.dialogs.block_weights import choose_weights

        choose_weights(self._workspace, self._block_id)

    @pyqtSlot()
    def _on_split_clicked(self) -> None:
        from seqdec_gui.gui.dialogs.split_model import split_model

        split_model(self._workspace, self._block_id)
