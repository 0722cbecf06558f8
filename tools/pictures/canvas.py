"""States of the canvas to take pictures of: each function brings a window with the archetype into one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def drag(window: Any, start: Any, end: Any) -> None:
    """Press, move and release in the view, by events of the window."""
    from PyQt5.QtCore import Qt
    from PyQt5.QtTest import QTest

    viewport, handle = window.design_view.viewport(), window.windowHandle()
    first, last = viewport.mapTo(window, start), viewport.mapTo(window, end)
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, first)
    for part in range(1, 7):
        QTest.mouseMove(handle, first + (last - first) * (part / 6))
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, last)


def _write(view: Any, kind: Any, words: str) -> None:
    """Write into the field that is open over the canvas, and end it."""
    (field,) = view.viewport().findChildren(kind)
    field.selectAll()
    field.insert(words) if hasattr(field, "insert") else field.insertPlainText(words)
    field.accept()


def annotate(window: Any) -> None:
    """A frame round the encoder, and a note below."""
    from PyQt5.QtCore import QPointF

    from seqdec_gui.gui.pages.design.fields import NoteField, TitleField

    view = window.design_view
    window.document.select(["latent", "model_1"])
    frame = view.annotating.add_frame()
    _write(view, TitleField, "Encoder: latent to states")
    view.annotating.color([frame], "blue")
    bounds = view.design_scene.bounds()
    view.annotating.add_note(QPointF(bounds.left(), bounds.bottom() + 30))
    _write(view, NoteField, "Widths follow the paper: 128 units, two layers. Try a trunk of 256 before the states.")
    view.setFocus()
    view.editor.select_none()
    view.fit()


def drop_wire(window: Any) -> None:
    """The list of what fits a dropped wire."""
    from PyQt5.QtCore import QPoint

    start = window.design_view.port_point("model_1", "states")
    drag(window, start, start + QPoint(60, 150))


def search(window: Any) -> None:
    """The search of blocks."""
    window.design_view.adding.search()


def find(window: Any) -> None:
    """The find bar with a layer found."""
    bar = window.design_view.overlays.find_bar
    bar.open_bar()
    bar.text.setText("lstm")


def _hold_over_wire(window: Any, kind: str) -> None:
    view = window.design_view
    view.interaction.begin_placing(kind)
    view.interaction.move_placing(view.viewport().mapToGlobal(view.wire_point("latent.output", "model_1.inputs")))


def fitting(window: Any) -> None:
    """A block over a wire that takes it."""
    _hold_over_wire(window, "bottleneck")


def unfitting(window: Any) -> None:
    """A block over a wire that does not take it."""
    _hold_over_wire(window, "recurrent_encoder")


def calm(window: Any) -> None:
    """Leave every state again."""
    view = window.design_view
    view.interaction.cancel_placing()
    view.adding.close()
    view.overlays.find_bar.close_bar()
    view.editor.select_none()
    view.fit()


CANVAS_STATES: dict[str, Callable[[Any], None]] = {
    "annotated": annotate,
    "dropped-wire": drop_wire,
    "search": search,
    "find": find,
    "fits-wire": fitting,
    "fits-not": unfitting,
}
"""The states by the name of their pictures; `calm` ends each."""
