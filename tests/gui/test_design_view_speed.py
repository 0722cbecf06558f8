"""The canvas with 200 blocks: a frame while dragging within 16 ms, a repaint of all of them within 50 ms; thrice that on a busy
machine.
"""

from __future__ import annotations

import pytest
from PyQt5.QtWidgets import QApplication

from tests.gui.bench_design_view import measure


@pytest.mark.timing
def test_200_blocks_stay_smooth(qapp: QApplication, capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(200)
    with capsys.disabled():
        print("\n200 blocks, ms of CPU: " + ", ".join(f"{what} {value:.1f}" for what, value in found.items()))
    for what in ("frame while dragging a block", "frame while dragging a block, zoomed to fit", "frame while drawing a wire"):
        assert found[what] <= 3 * 16
    for what in ("repaint, zoomed to fit", "repaint, below text", "repaint at 50 %", "repaint at 100 %", "begin a wire"):
        assert found[what] <= 3 * 50
    assert found["open"] <= 600  # it was 680 before wires found their ways turn by turn
