"""Pictures of the structures of generated SMILES beside the table, drawn in a thread as far as they are seen."""

from __future__ import annotations

from collections import OrderedDict

from PyQt5.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QImage, QPainter, QPixmap
from PyQt5.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from seqdec_gui.data.molecule_pictures import structure_png
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.results_table import TEXT_COLUMN, ResultsTable
from seqdec_gui.gui.tasks import background

SIZE = QSize(184, 128)
"""The size of a picture, in pixels."""
MOST_PICTURES = 2000
"""The number of pictures that are kept."""
AT_ONCE = 12
"""The number of pictures that are drawn before the first is shown."""


class Structures(QListView):
    """The structures of the results in the table, in its order, and the same rows selected. Object name `structures`."""

    def __init__(self, table: ResultsTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("structures")
        self.setAccessibleName("Structures")
        self.setModel(table.model())
        self.setModelColumn(TEXT_COLUMN)
        self.setSelectionModel(table.selectionModel())
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFixedWidth(SIZE.width() + 4 * theme.SPACE + self.verticalScrollBar().sizeHint().width())
        self.setItemDelegate(_Painter(self))
        self._pictures: OrderedDict[tuple[str, bool], QPixmap | None] = OrderedDict()
        self._wanted: list[tuple[str, bool]] = []
        self._drawing = False
        theme.notifier.changed.connect(self._on_theme_changed)

    def picture(self, text: str) -> QPixmap | None:
        """Return the picture of a structure; None if it is not drawn yet, or is no structure. It is drawn then."""
        key = (text, theme.current().dark)
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        if key not in self._wanted:
            self._wanted.append(key)
            self._draw()
        return None

    def is_no_structure(self, text: str) -> bool:
        """Return whether a text was found to be no structure."""
        key = (text, theme.current().dark)
        return key in self._pictures and self._pictures[key] is None

    def _draw(self) -> None:
        if self._drawing or not self._wanted:
            return
        self._drawing = True
        batch, self._wanted = self._wanted[-AT_ONCE:], self._wanted[:-AT_ONCE][-4 * AT_ONCE :]  # what is seen now comes first
        scale = self.devicePixelRatio()
        width, height = SIZE.width() * scale, SIZE.height() * scale

        def draw() -> list[bytes]:
            return [structure_png(text, width, height, dark) for text, dark in batch]

        def done(pictures: list[bytes]) -> None:
            self._drawing = False
            for key, content in zip(batch, pictures, strict=True):
                pixmap = QPixmap.fromImage(QImage.fromData(content)) if content else None
                if pixmap is not None:
                    pixmap.setDevicePixelRatio(scale)
                self._pictures[key] = pixmap
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
            self.viewport().update()
            self._draw()

        background.run(draw, done, self._on_failed, self)

    def _on_failed(self, _error: Exception) -> None:
        """Go on without pictures: rdkit is broken, or was removed."""
        self._drawing = False
        self._wanted.clear()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.viewport().update()


class _Painter(QStyledItemDelegate):
    """Paints a structure with its SMILES below it."""

    def __init__(self, view: Structures) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:
        return QSize(SIZE.width(), SIZE.height() + self._view.fontMetrics().height() + 3 * theme.SPACE)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        assert painter is not None
        look = theme.current()
        rect = QRect(option.rect).adjusted(theme.SPACE, 1, -theme.SPACE, -1)
        painter.save()
        if option.state & QStyle.State_Selected:
            painter.fillRect(rect, theme.color(look.selection))
        text = str(index.data(Qt.UserRole) or "")
        picture = self._view.picture(text)
        if picture is not None:
            painter.drawPixmap(rect.center().x() - SIZE.width() // 2, rect.top() + theme.SPACE, picture)
        elif self._view.is_no_structure(text):
            painter.setPen(theme.color(look.text_dim))
            painter.drawText(rect.adjusted(0, 0, 0, -24), Qt.AlignCenter, "no structure" if text else "–")
        painter.setPen(theme.color(look.text))
        words = rect.adjusted(2 * theme.SPACE, SIZE.height() + theme.SPACE, -2 * theme.SPACE, 0)
        painter.drawText(words, Qt.AlignCenter, option.fontMetrics.elidedText(text, Qt.ElideMiddle, words.width()))
        painter.setPen(theme.color(look.border))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()
