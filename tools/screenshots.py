"""Make the pictures of the user guide from the real window: offscreen, from the bundled examples and two real short runs.

python tools/screenshots.py                     docs/guide/images/*.png
python tools/screenshots.py --check FOLDER      every tab, light and dark, 1280x800 and 1920x1080, to look at
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "guide" / "images"
EXAMPLES = ROOT / "resources" / "examples"
SIZES = ((1280, 800), (1920, 1080))
TABS = ("design", "code", "data", "train", "runs", "generate")
SETTLE_S, LONGEST_S = 0.6, 180.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="take every tab in both themes and sizes instead")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the designs and runs here, and use those that are there"
    )
    arguments = parser.parse_args()
    work = arguments.keep or Path(tempfile.mkdtemp(prefix="screenshots-"))
    work.mkdir(parents=True, exist_ok=True)
    _prepare_environment(work)
    try:
        design = _trained(work)
        shutil.copy(EXAMPLES / "molecules.seqdec", work)
        studio = Studio()
        if arguments.check:
            arguments.check.mkdir(parents=True, exist_ok=True)
            take_everything(studio, work / "molecules.seqdec", design, arguments.check)
            take_canvas(studio, arguments.check)
        else:
            IMAGES.mkdir(parents=True, exist_ok=True)
            take_guide(studio, work / "molecules.seqdec", design, IMAGES)
            print(f"{sum(path.stat().st_size for path in IMAGES.glob('*.png')) / 1e6:.2f} MB")
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)


def _prepare_environment(work: Path) -> None:
    """No screen, a home of its own, one pixel a point: the same picture everywhere that has the same fonts."""
    os.environ |= {"QT_QPA_PLATFORM": "offscreen", "QT_FONT_DPI": "96", "QT_LOGGING_RULES": "*.debug=false"}
    home = tempfile.mkdtemp(prefix="home-", dir=work)
    os.environ["XDG_RUNTIME_DIR"] = home
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = home
    os.environ["PYTHONPATH"] = str(ROOT)
    sys.path.insert(0, str(ROOT))


def _trained(work: Path) -> Path:
    """A copy of the Roman numerals with two finished runs."""
    design = work / "roman.seqdec"
    shutil.copytree(EXAMPLES / "data", work / "data", dirs_exist_ok=True)
    shutil.copy(EXAMPLES / "roman.seqdec", design)
    slower = ("--set", "training.learning_rate=0.001", "--epochs", "12", "--devices", "cpu:2")
    for name, extra in (("small-steps", slower), ("first", ("--devices", "cpu"))):
        run = work / "runs" / name
        if not run.exists():
            command = [sys.executable, "-m", "seqdec_gui", "train", str(design), "--run", str(run), *extra]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=work)
    return design


class Studio:
    """Opens windows and keeps pictures of them."""

    def __init__(self) -> None:
        from seqdec_gui.gui.app import create_application

        self.application = create_application()

    def open(self, path: Path | None, size: tuple[int, int] = SIZES[0]):  # type: ignore[no-untyped-def]
        """A window of this size in light colours, with a design or the welcome page."""
        from seqdec_gui.gui.look import preferences, theme
        from seqdec_gui.gui.window.main_window import open_window

        theme.set_mode("light")
        preferences.set_reopens_designs(False)
        window = open_window(path)
        window.resize(*size)
        self.wait(lambda: window.workspace.devices.known)
        self.settle()
        return window

    def close(self, window) -> None:  # type: ignore[no-untyped-def]
        for tab in window.designs.tabs:
            tab.workspace.close_guards.clear()
            tab.document.undo_stack.setClean()
        window.close()
        window.deleteLater()
        self.settle()

    def settle(self, seconds: float = SETTLE_S) -> None:
        """Let everything finish that was asked for."""
        from seqdec_gui.gui.tasks import background

        until = time.monotonic() + seconds
        while time.monotonic() < until or background.busy():
            self.application.processEvents()
            time.sleep(0.005)

    def wait(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + LONGEST_S
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError("the window did not get there")
            self.application.processEvents()
            time.sleep(0.005)

    def keep_both(self, widget, path: Path) -> None:  # type: ignore[no-untyped-def]
        """Keep what a widget looks like in light and, under the name with `-dark`, in dark."""
        from seqdec_gui.gui.look import theme

        self.keep(widget, path)
        theme.set_mode("dark")
        self.keep(widget, path.with_name(f"{path.stem}-dark{path.suffix}"))
        theme.set_mode("light")
        self.settle()

    def keep(self, widget, path: Path) -> None:  # type: ignore[no-untyped-def]
        """Write what a widget looks like now, in 256 colours: nobody sees it, and the file is small."""
        import numpy as np
        from PyQt5.QtCore import Qt
        from PyQt5.QtGui import QImage

        self.settle()
        picture = widget.grab().toImage().convertToFormat(QImage.Format_RGB32)
        pixels = np.frombuffer(picture.constBits().asstring(picture.byteCount()), np.uint32)
        colours, counts = np.unique(pixels, return_counts=True)
        ranked = [int(colour) for colour in colours[np.argsort(-counts, kind="stable")]]
        near: dict[int, int] = {}  # the first of all that are alike, so that the colours of small icons stay
        for colour in ranked[128:]:
            near.setdefault(colour & 0xE0E0E0, colour)
        table = [*ranked[:128], *list(near.values())[:128]]
        picture.convertToFormat(QImage.Format_Indexed8, table, Qt.AvoidDither | Qt.ThresholdDither).save(str(path), "PNG", 0)
        print(f"{path.name}: {picture.width()} x {picture.height()}, {path.stat().st_size // 1024} KiB")


def take_everything(studio: Studio, molecules: Path, roman: Path, folder: Path) -> None:
    """Every tab of both designs, in both themes and sizes."""
    from seqdec_gui.gui.look import theme

    for size in SIZES:
        for path in (None, molecules, roman):
            window = studio.open(path, size)
            stem = path.stem if path else "welcome"
            for tab in TABS if path else ("design",):
                window.pages.show_page(tab)
                studio.settle()
                if path == roman and tab == "train":
                    window.workspace.run_requested.emit(roman.parent / "runs" / "first")
                if path == roman and tab == "design":
                    window.document.select(["decoder"])
                for mode in ("light", "dark"):
                    theme.set_mode(mode)
                    studio.keep(window, folder / f"{stem}-{tab}-{size[0]}-{mode}.png")
            studio.close(window)


def take_canvas(studio: Studio, folder: Path) -> None:
    """The states of the canvas, in both themes and sizes."""
    from seqdec_gui.gui.look import theme
    from tools.canvas_states import CANVAS_STATES, calm

    for size in SIZES:
        window = studio.open(None, size)
        window.files.new_from(ROOT / "resources" / "templates" / "latent-to-sequence.seqdec", window._on_design_opened)
        studio.settle()
        for name, show in CANVAS_STATES.items():
            show(window)
            for mode in ("light", "dark"):
                theme.set_mode(mode)
                studio.keep(window, folder / f"canvas-{name}-{size[0]}-{mode}.png")
            calm(window)
        studio.close(window)


def take_guide(studio: Studio, molecules: Path, roman: Path, folder: Path) -> None:
    """The pictures of docs/guide/index.md."""
    from PyQt5.QtCore import Qt
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import QDialog, QLineEdit, QPlainTextEdit, QPushButton

    from seqdec_gui.gui.dialogs.settings import SettingsDialog
    from seqdec_gui.gui.look import theme
    from seqdec_gui.gui.tasks import notify
    from seqdec_gui.gui.window.first_minute import FirstMinute
    from tools.canvas_states import annotate, drop_wire

    window = studio.open(None)
    for tour in window.findChildren(FirstMinute):
        tour.end()
    studio.keep_both(window, folder / "welcome.png")
    window.files.new_from(ROOT / "resources" / "templates" / "latent-to-sequence.seqdec", window._on_design_opened)
    studio.settle()
    window.document.select(["model_2"])
    studio.keep_both(window, folder / "design.png")
    window.files.open(molecules, window._on_design_opened)
    window.actions_by_name["palette"].trigger()
    QTest.keyClicks(window.focusWidget(), "zo")
    studio.keep_both(window, folder / "palette.png")
    QTest.keyClick(window.focusWidget(), Qt.Key_Escape)
    window.designs.show_tab(0)
    refuse(studio, window)
    studio.keep_both(window.design_view, folder / "refused.png")
    window.design_view.overlays.hide_offer()
    annotate(window)
    drop_wire(window)
    studio.keep_both(window.design_view, folder / "canvas.png")
    studio.close(window)

    window = studio.open(molecules)
    window.pages.show_page("data")
    studio.settle(1.5)
    studio.keep_both(window, folder / "data.png")
    window.pages.show_page("code")
    studio.keep_both(window, folder / "code.png")
    window.pages.show_page("design")
    window.document.select(["model_2"])
    theme.set_mode("dark")
    studio.keep(window, folder / "window.png")
    studio.close(window)

    window = studio.open(roman)
    window.pages.show_page("train")
    studio.settle()
    window.workspace.run_requested.emit(roman.parent / "runs" / "first")
    studio.settle(1.5)
    studio.keep_both(window, folder / "train.png")
    certify(studio, window, roman.parent / "runs" / "small-steps", folder / "certificate.png")
    window.pages.show_page("runs")
    studio.settle()
    window.findChild(object, "runs_table").selectAll()
    studio.keep_both(window, folder / "runs.png")
    measure(studio, window, folder / "advisor.png")
    window.pages.show_page("generate")
    studio.settle(1.5)
    window.findChild(QPlainTextEdit, "input_number").setPlainText("1987\n2026\n49")
    button = window.findChild(QPushButton, "generate_button")
    studio.wait(button.isEnabled)
    button.click()
    studio.wait(lambda: window.findChild(QPushButton, "save_results_button").isEnabled())
    studio.keep_both(window, folder / "generate.png")
    window.actions_by_name["export_h5"].trigger()
    dialog = window.findChild(QDialog, "export_dialog")
    export = dialog.findChild(QPushButton, "export_button")
    studio.wait(export.isEnabled)
    dialog.findChild(QLineEdit, "export_path").setText(str(Path(os.environ["HOME"]) / "roman.h5"))
    export.click()
    studio.wait(lambda: not dialog.task.running)
    studio.settle()
    dialog.findChild(QLineEdit, "export_path").setText("/home/me/models/roman.h5")
    _name(dialog, "export_result", os.environ["HOME"], "/home/me/models")
    studio.keep_both(dialog, folder / "export.png")
    dialog.reject()
    settings = SettingsDialog(window.workspace, window)
    notify.present(settings)
    studio.keep_both(settings, folder / "settings.png")
    settings.reject()
    studio.close(window)


def certify(studio: Studio, window, run: Path, target: Path) -> None:  # type: ignore[no-untyped-def]
    """Compare the two devices of a run with one of them."""
    from seqdec_gui.gui.dialogs.certificate.dialog import open_certificate

    dialog = open_certificate(window.workspace, run)
    studio.wait(dialog.certify_button.isEnabled)
    dialog.certify()
    studio.wait(lambda: not dialog.job.running)
    studio.keep_both(dialog, target)
    dialog.reject()


def measure(studio: Studio, window, target: Path) -> None:  # type: ignore[no-untyped-def]
    """Measure one and two virtual devices."""
    from seqdec_gui.runs.spec import DeviceChoice

    before = window.workspace.devices.choice
    window.workspace.devices.choose(DeviceChoice("cpu", count=2))
    window.actions_by_name["measure"].trigger()
    panel = window.pages.page("train").advisor
    studio.settle()
    if panel.advisor.advice is None:
        panel.advisor.measure()
        studio.wait(lambda: not panel.advisor.running)
    panel.table.selectRow(1)
    studio.keep_both(window, target)
    panel.closed.emit()
    window.workspace.devices.choose(before)


def _name(dialog, label: str, folder: str, shown: str) -> None:  # type: ignore[no-untyped-def]
    """Show another folder than the one of this machine."""
    from PyQt5.QtWidgets import QLabel

    words = dialog.findChild(QLabel, label)
    words.setText(words.text().replace(folder, shown))


def refuse(studio: Studio, window) -> None:  # type: ignore[no-untyped-def]
    """Draw a wire that cannot be: the vector onto the decoder's states."""
    from PyQt5.QtCore import QEvent, Qt
    from PyQt5.QtGui import QMouseEvent
    from PyQt5.QtTest import QTest

    view, handle = window.design_view, window.windowHandle()
    start, end = (
        view.viewport().mapTo(window, view.port_point(*name)) for name in (("latent", "output"), ("model_2", "initial_states"))
    )
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
    for part in range(1, 9):
        at = start + (end - start) * part / 8
        moved = QMouseEvent(QEvent.MouseMove, at, handle.mapToGlobal(at), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        studio.application.sendEvent(handle, moved)
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)
    studio.settle()


if __name__ == "__main__":
    main()
