"""Milliseconds of CPU that the canvas needs with many blocks: `python -m tests.gui.bench_design_view [BLOCKS]`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.design import DesignView
from seqdec_gui.gui.workspace.document import DesignDocument
from tests.gui.test_design_view_layout import tangle


def milliseconds(function: Callable[[], object], repeats: int = 1, best_of: int = 3) -> float:
    """CPU time of one call, the best of several rounds."""
    best = float("inf")
    for _ in range(best_of):
        begun = time.process_time()
        for _ in range(repeats):
            function()
        best = min(best, time.process_time() - begun)
    return 1e3 * best / repeats


def measure(blocks: int) -> dict[str, float]:
    """Figures by what was done; needs a QApplication."""
    design = tangle(blocks, 1)
    found: dict[str, float] = {}
    document = DesignDocument(Design())
    view = DesignView(document)
    view.resize(1600, 1000)
    view.show()
    QTest.qWaitForWindowExposed(view)
    found["open"] = milliseconds(lambda: document.new(design), best_of=1)
    found["automatic layout"] = milliseconds(view.editor.auto_layout, best_of=1)
    found["all routes, turn by turn"] = milliseconds(view.design_scene.finish_routes, best_of=1)
    document.undo_stack.clear()
    viewport = view.viewport()
    view.show_all()
    found["repaint, zoomed to fit"] = milliseconds(viewport.repaint, 3)
    middle = f"b{blocks // 2 + (blocks // 2) % 3 % 2}"
    found["repaint, below text"] = _at_zoom(view, middle, 0.15)
    found["repaint at 50 %"] = _at_zoom(view, middle, 0.5)
    found["repaint at 100 %"] = _at_zoom(view, middle, 1.0)
    found["frame while dragging a block"] = _drag_frames(view, middle, steps=40)
    view.show_all()
    found["frame while dragging a block, zoomed to fit"] = _drag_frames(view, middle, steps=40)
    found["drop a block"] = _drop(view, middle)
    found["begin a wire"], found["frame while drawing a wire"] = _wire(view, middle)
    found["edit a parameter"] = _edit(document)
    view.design_scene.finish_routes()
    found["nudge"] = milliseconds(lambda: view.editor.move_blocks([middle], QPointF(10, 0)), best_of=3)
    found["undo"] = milliseconds(document.undo_stack.undo, best_of=1)
    view.close()
    view.deleteLater()
    return found


def _at_zoom(view: DesignView, block_id: str, zoom: float) -> float:
    view.zoom_by(zoom / view.zoom)
    view.reveal(block_id)
    view.viewport().repaint()
    return milliseconds(view.viewport().repaint, 3)


def _drag_frames(view: DesignView, block_id: str, steps: int) -> float:
    """Mouse events through the window and the repaint that each causes."""
    window = view.windowHandle()
    start = view.viewport().mapTo(view, view.block_rect(block_id).center())
    QTest.mousePress(window, Qt.LeftButton, Qt.NoModifier, start)
    begun = time.process_time()
    for i in range(1, steps + 1):
        QTest.mouseMove(window, start + QPoint(6 * i, 3 * i))
        view.viewport().repaint(view.viewport().rect() & view.block_rect(block_id).adjusted(-200, -200, 200, 200))
    took = 1e3 * (time.process_time() - begun) / steps
    QTest.keyClick(view, Qt.Key_Escape)
    QTest.mouseRelease(window, Qt.LeftButton, Qt.NoModifier, start)
    return took


def _drop(view: DesignView, block_id: str) -> float:
    view.editor.document.select([block_id])
    view.design_scene.drag_blocks([block_id], QPointF(200, 100))
    return milliseconds(lambda: view.editor.move_blocks([block_id], QPointF(200, 100)), best_of=1)


def _wire(view: DesignView, block_id: str) -> tuple[float, float]:
    from seqdec_gui.gui.pages.design.draw_wire import DrawWire

    at = view.port_point(block_id, "output")
    gesture = DrawWire(view, view.editor, at, End(Port(block_id, "output"), True), view.overlays.verdict_tip)
    begin = milliseconds(lambda: gesture.move(at + QPoint(20, 20), Qt.NoModifier), best_of=1)
    step = milliseconds(lambda: gesture.move(at + QPoint(40, 20), Qt.NoModifier), 10)
    gesture.cancel()
    return begin, step


def _edit(document: DesignDocument) -> float:
    best = float("inf")
    first = next(block.id for block in document.design.blocks)
    for width in (5, 6, 7):
        kind = document.design.block(first).parameters
        new = document.design.with_parameters(first, type(kind)(width=width))
        best = min(best, milliseconds(lambda new=new: document.edit(new, "Set width"), best_of=1))
    return best


def main() -> None:
    application = QApplication(sys.argv[:1])
    theme.install(application)
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{blocks} blocks, ms of CPU:")
    for what, value in measure(blocks).items():
        print(f"  {what:45} {value:7.1f}")


if __name__ == "__main__":
    main()
