"""Exit 0 when Qt finds what it needs from the system; else print what is missing as the last line and exit 1."""

import ctypes
import os
import sys
from pathlib import Path


def missing() -> str | None:
    """What keeps Qt from opening a window here (a screen aside), or None."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        import PyQt5
        from PyQt5.QtGui import QFontDatabase
        from PyQt5.QtWidgets import QApplication

        # The plugin that opens windows is loaded only on a screen; loading it here finds what it is linked to.
        plugins = Path(PyQt5.__file__).parent / "Qt5" / "plugins" / "platforms"
        if sys.platform == "linux" and (plugins / "libqxcb.so").exists():
            ctypes.CDLL(str(plugins / "libqxcb.so"))
    except (ImportError, OSError) as error:
        return str(error)
    application = QApplication(["check_qt"])
    fonts = QFontDatabase().families()
    application.quit()
    return None if fonts else "no fonts"


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(reason)
    sys.exit(1 if reason else 0)
