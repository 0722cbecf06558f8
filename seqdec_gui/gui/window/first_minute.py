"""The first minute: a bubble that points at the next thing to do, from the first example to a generated text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5 import sip
from PyQt5.QtCore import QEvent, QObject, QRect, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QApplication, QPlainTextEdit, QWidget

from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.widgets.bubble import Bubble
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.window.train_button import TrainButton
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import RunFolder

TICK_MS = 150
"""The time between two looks at what has been done, in milliseconds."""
EXAMPLE = "roman"
"""The example of the first minute."""
INPUT = "number"
"""The input of the example, into which a number is typed."""
NUMBER = "1987"
"""The number to type."""


class Step(msgspec.Struct, frozen=True):
    """One thing to do: the sentence, what it points at (None while that is not there), and whether it is done."""

    text: str
    target: Callable[[], QRect | None]
    done: Callable[[], bool]


class FirstMinute(QObject):
    """Shows one step after the other until the last is done, Skip is clicked or Escape pressed.

    It only looks: nothing is clicked, chosen or kept back for the user, and a step that was done without it is left out.
    """

    ended = pyqtSignal()

    def __init__(self, window: QWidget, designs: DesignTabs, train_button: TrainButton) -> None:
        super().__init__(window)
        self._window = window
        self._designs = designs
        self._train_button = train_button
        self._bubble = Bubble(window)
        self._bubble.dismissed.connect(self.end)
        self._steps = self._plan()
        self._at = 0
        self._workspace: Workspace | None = None
        self._trained = False
        self._running = True
        self._handle = window.windowHandle()
        if self._handle is not None:
            self._handle.installEventFilter(self)
        self._timer = QTimer(self, interval=TICK_MS, timeout=self._look)
        self._timer.start()
        preferences.set_first_minute_seen()

    @property
    def text(self) -> str:
        """Return the sentence that is shown; empty if there is none now."""
        return self._bubble.text if self._bubble.isVisible() else ""

    @pyqtSlot()
    def end(self) -> None:
        """End the tour; it does not come again by itself."""
        if not self._running:
            return
        self._running = False
        self._timer.stop()
        if self._handle is not None and not sip.isdeleted(self._handle):
            self._handle.removeEventFilter(self)
        self._bubble.remove()
        self.deleteLater()
        self.ended.emit()

    # -- the steps
    def _plan(self) -> tuple[Step, ...]:
        designs = self._designs
        return (
            Step("Begin here: an example that trains in a minute on this computer.", self._card, self._example_is_open),
            Step(
                "Everything is set: the data is bound and each shape fits. Click Train.",
                lambda: self._rect(self._train_button),
                lambda: self._trained or designs.current.workspace.training.running,
            ),
            Step("Watch the loss fall here. It takes about a minute.", self._page_tab(PageName.TRAIN), lambda: self._trained),
            Step(
                "It is trained. Let it write: open Generate.",
                self._page_tab(PageName.GENERATE),
                lambda: designs.current.pages.current == PageName.GENERATE,
            ),
            Step(f"Type a number, for example {NUMBER}.", lambda: self._named(f"input_{INPUT}"), self._number_is_typed),
            Step("Now click Generate.", lambda: self._named("generate_button"), self._has_generated),
            Step(
                "That was the whole way: a design, a trained model, and what it writes. The guide (F1) has the rest.",
                lambda: self._named("results_table"),
                lambda: designs.current.pages.current != PageName.GENERATE,
            ),
        )

    def _example_is_open(self) -> bool:
        """Return whether the example is open, and follow its workspace from then on."""
        if not self._designs.current.document.design.has(INPUT):
            return False
        self._workspace = self._designs.current.workspace
        self._workspace.run_ended.connect(self._on_workspace_run_ended)
        return True

    @pyqtSlot(Path)
    def _on_workspace_run_ended(self, run: Path) -> None:
        """Go on if the run left weights to generate with; a run that failed says why on its page."""
        if RunFolder(run).status().state in ("finished", "stopped"):
            self._trained = True
        else:
            self.end()

    def _number_is_typed(self) -> bool:
        field = self._find(f"input_{INPUT}")
        return isinstance(field, QPlainTextEdit) and any(line.strip().isdigit() for line in field.toPlainText().split())

    def _has_generated(self) -> bool:
        button = self._find("save_results_button")
        return button is not None and button.isEnabled()

    # -- the places
    def _card(self) -> QRect | None:
        return self._named(f"example_{EXAMPLE}") if self._designs.current.welcome.isVisible() else None

    def _page_tab(self, name: str) -> Callable[[], QRect | None]:
        def target() -> QRect:
            bar = self._designs.current.pages.bar
            index = next(index for index, page in enumerate(self._designs.current.pages.rows) if page.name == name)
            rect = bar.tabRect(index)
            return QRect(bar.mapTo(self._window, rect.topLeft()), rect.size())

        return target

    def _find(self, name: str) -> QWidget | None:
        found = self._designs.current.findChild(QWidget, name)
        return found if isinstance(found, QWidget) else None

    def _named(self, name: str) -> QRect | None:
        widget = self._find(name)
        return self._rect(widget) if widget is not None else None

    def _rect(self, widget: QWidget) -> QRect | None:
        if not widget.isVisible():
            return None
        seen = widget.visibleRegion().boundingRect()
        return QRect(widget.mapTo(self._window, seen.topLeft()), seen.size()) if not seen.isEmpty() else None

    # -- looking
    @pyqtSlot()
    def _look(self) -> None:
        """Go on to the first step that is not done, and point at its place."""
        while self._at < len(self._steps) and self._steps[self._at].done():
            self._at += 1
        if self._at == len(self._steps) or self._left():
            self.end()
            return
        step = self._steps[self._at]
        target = None if self._elsewhere() else step.target()
        if target is None:
            self._bubble.conceal()
        else:
            self._bubble.point_at(target, step.text, "Close" if self._at == len(self._steps) - 1 else "Skip")

    def _elsewhere(self) -> bool:
        """Return whether a dialog or another design is in front."""
        other = self._workspace is not None and self._workspace is not self._designs.current.workspace
        return other or QApplication.activeModalWidget() is not None

    def _left(self) -> bool:
        """Return whether the user went another way: another design is open instead of the example."""
        workspace = self._designs.current.workspace if self._workspace is None else self._workspace
        if sip.isdeleted(workspace):
            return True
        design = workspace.document.design
        return bool(design.blocks) and not design.has(INPUT)

    def eventFilter(self, _watched: QObject | None, event: QEvent) -> bool:
        """End the tour with Escape, which does whatever else it does."""
        if event.type() == QEvent.KeyPress and event.key() == Qt.Key_Escape:
            self.end()
        return False
