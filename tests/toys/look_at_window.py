"""Run in the copy of the program: `look_at_window.py DESIGN DATA` prints what the window offers, as JSON."""

import json
import os
import sys
from pathlib import Path

from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent
from PyQt5.QtWidgets import QAction, QComboBox, QWidget

from seqdec_gui.gui.app import create_application
from seqdec_gui.gui.pages.data.page import EMPTY
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.window.main_window import open_window

design, data = map(Path, sys.argv[1:])
application = create_application()
window = open_window(design)
window.document.select(["loss"])
window.inspector.complete()  # a small screen does not show it
loss = window.findChild(QComboBox, "field_loss")
window.findChild(QAction, "action_export").trigger()
dialog = window.findChild(QWidget, "export_dialog")
formats = dialog.findChild(QComboBox, "export_format")
mime = QMimeData()
mime.setUrls([QUrl.fromLocalFile(str(data))])
drag = QDragEnterEvent(QPoint(), Qt.CopyAction, mime, Qt.LeftButton, Qt.NoModifier)
drag.setAccepted(False)
window.dragEnterEvent(drag)
offered = {
    "loss": {loss.itemData(i): loss.itemText(i) for i in range(loss.count())},
    "chosen loss": loss.currentText(),
    "formats": {formats.itemData(i): formats.itemText(i) for i in range(formats.count())},
    "filter": notify.data_filter(),
    "dropped": drag.isAccepted(),
    "empty": EMPTY,
}
print(json.dumps(offered), flush=True)
os._exit(0)  # nothing of the window is needed any more
