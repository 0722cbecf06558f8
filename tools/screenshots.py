"""Make pictures of the real window, offscreen.

python tools/screenshots.py                      docs/guide/images/*.png, from the bundled examples and two real short runs
python tools/screenshots.py --every FOLDER       every state, light and dark, 1280x800 and 1920x1080, to look at
python tools/screenshots.py --compare FOLDER     compare with the accepted pictures; what changed goes to FOLDER
python tools/screenshots.py --accept             accept the pictures as they are now
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.pictures.studio import ROOT, Studio, leave, prepare_environment

IMAGES = ROOT / "docs" / "guide" / "images"
EXAMPLES = ROOT / "resources" / "examples"
GUIDE = ("design", "data", "training", "generate")
"""The parts of the pictures of the guide."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--every", type=Path, metavar="FOLDER", help="take every state in both themes and sizes")
    what.add_argument("--compare", type=Path, metavar="FOLDER", help="compare with the accepted pictures; changes go here")
    what.add_argument("--accept", action="store_true", help="accept the pictures as they are now")
    parser.add_argument(
        "--only", default="", metavar="PART", help="only the states, or parts of the guide, with this in their name"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the guide's designs and runs, and use those here")
    arguments = parser.parse_args()
    states = arguments.every or arguments.compare or arguments.accept
    if not states and not any(arguments.only in part for part in GUIDE):
        parser.error(f"--only {arguments.only}: the guide has the parts {', '.join(GUIDE)}")
    work = arguments.keep or Path(tempfile.mkdtemp(prefix="screenshots-"))
    work.mkdir(parents=True, exist_ok=True)
    prepare_environment(work)
    try:
        if states:
            return _states(work, arguments.every, arguments.compare, arguments.only)
        design = _trained(work)
        shutil.copy(EXAMPLES / "molecules.seqdec", work)
        IMAGES.mkdir(parents=True, exist_ok=True)
        take_guide(Studio(), work / "molecules.seqdec", design, IMAGES, arguments.only)
        print(f"{sum(path.stat().st_size for path in IMAGES.glob('*.png')) / 1e6:.2f} MB")
        return 0
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)


def _states(work: Path, every: Path | None, comparing: Path | None, only: str) -> int:
    """Take the pictures of the states; return the exit status, 1 if some are not as accepted."""
    from tools.pictures import album
    from tools.pictures.world import World

    (work / "designs").mkdir()
    begun, world, studio = time.monotonic(), World(work / "designs"), Studio()
    if every:
        every.mkdir(parents=True, exist_ok=True)
        count = 0
        for name, picture in album.pictures(studio, world, album.every, only):
            count += 1
            if not picture.save(str(every / f"{name}.png")):
                raise OSError(f"{every / name}.png cannot be written")
        print(f"{count} pictures, {time.monotonic() - begun:.0f} s")
        return 0 if count else _none(only)
    elif comparing:
        count, found = album.compare(studio, world, comparing, only)
        for name, changed in found.items():
            print(f"{name}: {'; '.join(map(str, changed[:4]))}")
            print(f"    see {comparing / name}-difference.png")
        print(f"{count} pictures, {len(found)} not as accepted, {time.monotonic() - begun:.0f} s")
        return 1 if found else 0 if count else _none(only)
    count = album.accept(studio, world, only)
    print(f"{count} pictures accepted, {time.monotonic() - begun:.0f} s")
    return 0 if count else _none(only)


def _none(only: str) -> int:
    """Say that there is no such state, and return the exit status of that."""
    print(f"No state has {only!r} in its name.", file=sys.stderr)
    return 2


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


def take_guide(studio: Studio, molecules: Path, roman: Path, folder: Path, only: str = "") -> None:
    """The pictures of docs/guide/index.md, in parts: design, data, training, generate."""
    if only in "design":
        take_design(studio, molecules, folder)
    if only in "data":
        take_data(studio, molecules, folder)
    if only in "training":
        take_training(studio, roman, folder)
    if only in "generate":
        take_generate(studio, roman, folder)


def take_design(studio: Studio, molecules: Path, folder: Path) -> None:
    """The welcome page and the canvas."""
    from PyQt5.QtCore import Qt
    from PyQt5.QtTest import QTest

    from tools.pictures.canvas import annotate, drag, drop_wire

    window = studio.open(None)
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
    view = window.design_view
    drag(window, view.port_point("latent", "output"), view.port_point("model_2", "initial_states"))
    studio.keep_both(window.design_view, folder / "refused.png")
    window.design_view.overlays.hide_offer()
    annotate(window)
    drop_wire(window)
    studio.keep_both(window.design_view, folder / "canvas.png")
    studio.close(window)


def take_data(studio: Studio, molecules: Path, folder: Path) -> None:
    """The Data and the Code page, and the window as the README shows it."""
    from seqdec_gui.gui.look import theme

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


def take_training(studio: Studio, roman: Path, folder: Path) -> None:
    """The Train and the Runs page, the certificate and the advisor."""
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
    studio.close(window)


def take_generate(studio: Studio, roman: Path, folder: Path) -> None:
    """The Generate page, the export dialog and the settings."""
    from PyQt5.QtWidgets import QDialog, QLineEdit, QPlainTextEdit, QPushButton

    from seqdec_gui.gui.dialogs.settings import SettingsDialog
    from seqdec_gui.gui.tasks import notify

    window = studio.open(roman)
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


if __name__ == "__main__":
    try:
        ended = main()
    except Exception:
        traceback.print_exc()
        ended = 1
    leave(ended)
