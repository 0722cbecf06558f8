"""The Code page: the script that is generated from the design, which a run trains and which "export script" saves."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QRect, QSize, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent, QTextOption
from PyQt5.QtWidgets import QApplication, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from seqdec_gui.domain.codegen import generate
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.code.highlighter import PythonHighlighter
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.files import write_atomically

DELAY_MS = 200
"""The time from an edit of the design to the new script, in milliseconds."""
GUTTER_GAP = 3 * theme.SPACE
"""The space between the line numbers and the code, in pixels."""


class CodePage(QWidget):
    """Shows the script in an editor `code_view`, with buttons `code_copy` and `code_save`.

    The editor is empty while the design has errors. The script is generated while the page is seen.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._design: Design | None = None
        self.editor = CodeEditor()
        self.editor.setObjectName("code_view")
        self._where = QLabel("model.py")
        self._where.setProperty("role", "value")
        self._size = QLabel()
        self._size.setProperty("role", "dim")
        self._copy = QPushButton("Copy", objectName="code_copy")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._save = QPushButton("Save…", objectName="code_save")
        self._save.clicked.connect(self._on_save_clicked)
        bar = QHBoxLayout()
        bar.setContentsMargins(4 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE)
        bar.setSpacing(2 * theme.SPACE)
        for widget in (self._where, self._size):
            bar.addWidget(widget)
        bar.addStretch(1)
        for widget in (self._copy, self._save):
            bar.addWidget(widget)
        script = QWidget()
        column = QVBoxLayout(script)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.editor, 1)
        self._empty = EmptyState("code-tags", "No script yet", "", "Show the design")
        self._empty.button.clicked.connect(lambda: workspace.page_requested.emit(PageName.DESIGN))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(script)
        self._stack.addWidget(self._empty)
        self.setFocusProxy(self.editor)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.refresh)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self.isVisible():
            self._timer.start()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.refresh()

    @pyqtSlot()
    def refresh(self) -> None:
        """Generate the script of the present design and show it at the same scroll position."""
        design = self._workspace.document.design
        if design is self._design:
            return
        self._design = design
        try:
            text = generate(
                design, verify=False
            )  # shown, not run; and parsing disturbs threads that read data (`domain.source`)
        except InvalidInput as error:
            self._show_problem(error, design)
            return
        if text != self.editor.toPlainText():
            bar = self.editor.verticalScrollBar()
            place = bar.value()
            self.editor.setPlainText(text)
            bar.setValue(place)
        self._size.setText(f"{text.count(chr(10)):,} lines")
        self._stack.setCurrentIndex(0)

    def _show_problem(self, error: InvalidInput, design: Design) -> None:
        self.editor.setPlainText("")
        if not design.blocks:
            words = "The script appears here as soon as the design has blocks."
        else:
            count = len(error.problems)
            words = f"The design has {counted(count, 'error')}: {error.problems[0].sentence()}"
        self._empty.words.setText(words)
        self._stack.setCurrentIndex(1)

    @pyqtSlot()
    def _on_copy_clicked(self) -> None:
        QApplication.clipboard().setText(self.editor.toPlainText())
        self._workspace.status_message.emit("The script is on the clipboard.")

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        start = self._workspace.proposed_file("model.py")
        notify.choose_target(self, "Save script", ["Python (*.py)"], "py", self._save_to, start)

    def _save_to(self, path: Path) -> None:
        try:
            write_atomically(path, self.editor.toPlainText().encode())
        except OSError as error:
            notify.failure(self, error, "The script was not saved")
        else:
            self._workspace.status_message.emit(f"The script was saved as {path}.")

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._copy.setIcon(icon("content-copy"))
        self._save.setIcon(icon("content-save-outline"))
        self.editor.highlighter.recolour()
        self.editor.setFont(theme.font(monospace=True))


class CodeEditor(QPlainTextEdit):
    """A read-only view of Python code with line numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setProperty("kind", "plain")
        self.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
        self.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.setWordWrapMode(QTextOption.NoWrap)
        self.setAccessibleName("Generated script")
        self.highlighter = PythonHighlighter(self.document())
        self._gutter = _Gutter(self)
        self.blockCountChanged.connect(self._on_block_count_changed)
        self.updateRequest.connect(self._on_update_request)
        self._on_block_count_changed(1)

    def gutter_width(self) -> int:
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + 2 * GUTTER_GAP

    @pyqtSlot(int)
    def _on_block_count_changed(self, _count: int) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)

    @pyqtSlot(QRect, int)
    def _on_update_request(self, rect: QRect, scrolled: int) -> None:
        if scrolled:
            self._gutter.scroll(0, scrolled)
        else:
            self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        lines = self.viewport().geometry()
        self._gutter.setGeometry(lines.left() - self.gutter_width(), lines.top(), self.gutter_width(), lines.height())

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Paint the numbers of the visible lines."""
        painter = QPainter(self._gutter)
        look = theme.current()
        painter.fillRect(event.rect(), theme.color(look.surface))
        painter.setPen(theme.color(look.text_disabled))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            place = QRect(0, int(top), self._gutter.width() - GUTTER_GAP, int(height))
            painter.drawText(place, Qt.AlignRight | Qt.AlignVCenter, str(block.blockNumber() + 1))
            top, block = top + height, block.next()
        painter.end()


class _Gutter(QWidget):
    """The column with the line numbers, at the left of a CodeEditor."""

    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        self._editor.paint_gutter(event)
