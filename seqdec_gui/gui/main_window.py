"""The way to open the window from a script: `open_window(path)` returns a `MainWindow`.

The window itself is in `gui.window`.
"""

from __future__ import annotations

from seqdec_gui.gui.window.main_window import MainWindow, open_window

__all__ = ["MainWindow", "open_window"]
