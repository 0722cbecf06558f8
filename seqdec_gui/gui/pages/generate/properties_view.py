"""The properties of generated molecules against those that were wanted, as a plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from seqdec_gui.data.generated_results import GENERATED, WANTED, Result
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.comparison_plot import ComparisonPlot
from seqdec_gui.runs.quality.properties import agreement

NOTHING_YET = "Generate again: the properties of these sequences were not computed."
"""What the view says beside results without properties."""


class PropertiesView(QWidget):
    """A plot of one property: wanted to the right, generated upwards. `chosen` is emitted with the place of a result.

    Object names: `properties_plot`, `property_shown` (which property), `property_words` (how well they agree).
    """

    chosen = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results: Sequence[Result] = ()
        self._names = QComboBox(objectName="property_shown")
        self._names.setAccessibleName("Property")
        self._names.currentTextChanged.connect(self._on_name_changed)
        self._words = QLabel(NOTHING_YET, objectName="property_words", wordWrap=True)
        self._words.setProperty("role", "small")
        self.plot = ComparisonPlot("properties_plot", "Generated against wanted property", "Wanted", "Generated")
        self.plot.chosen.connect(self.chosen)
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._names)
        row.addWidget(self._words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * theme.SPACE, theme.SPACE, 3 * theme.SPACE, theme.SPACE)
        layout.setSpacing(theme.SPACE)
        layout.addLayout(row)
        layout.addWidget(self.plot, 1)

    def show_results(self, results: Sequence[Result]) -> None:
        """Show the properties that stand beside these results."""
        self._results = results
        columns = [name for name, _ in results[0].kept] if results else []
        names = [name.removeprefix(WANTED) for name in columns if name.startswith(WANTED)]
        before = self._names.currentText()
        self._names.blockSignals(True)
        self._names.clear()
        self._names.addItems([name for name in names if GENERATED + name in columns])
        self._names.setCurrentText(before)
        self._names.blockSignals(False)
        self._names.setVisible(bool(names))
        self._on_name_changed(self._names.currentText())

    @pyqtSlot(str)
    def _on_name_changed(self, name: str) -> None:
        wanted, made = (self._numbers(start + name) for start in (WANTED, GENERATED))
        self.plot.say(f"Wanted {name}".strip(), f"Generated {name}".strip())
        self.plot.show_points(wanted, made)
        found = agreement(name, np.array(wanted, float), np.array(made, float)) if name else None
        self._words.setText(str(found) if found is not None else "None of them is a molecule." if name else NOTHING_YET)

    def _numbers(self, column: str) -> list[float]:
        cells = (dict(result.kept).get(column, "") for result in self._results)
        return [float(cell) if cell else np.nan for cell in cells]
