"""The states of the window that pictures are taken of: every page, empty and filled, what lies over them, and the dialogs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.pictures import answers, beyond, canvas

if TYPE_CHECKING:
    from tools.pictures.studio import Studio
    from tools.pictures.world import World

PAGES = ("design", "code", "data", "train", "runs", "generate", "queue", "sweep")
Show = Callable[["Studio", Any], Any]
"""Brings a window into a state, and returns the dialog to take a picture of; None stands for the window."""


class State(NamedTuple):
    """One picture: what shows it, which parts differ by machine, and whether later changes are compared with it.

    `modes` are the themes in which it is compared, in addition to light; `wide` says that it is compared at 1920x1080 too.
    """

    show: Show
    masks: tuple[str, ...] = ()
    compared: bool = True
    modes: tuple[str, ...] = ()
    wide: bool = False


def groups(world: World) -> dict[str, tuple[Path | None, dict[str, State]]]:
    """Return the states by the design that they need, in the order in which one window goes through them."""
    return {
        "nothing": (None, _nothing()),
        "archetype": (world.archetype, _archetype(world)),
        "attention": (world.attention, {"attention-design": State(_select("decoder"), modes=("dark",), wide=True)}),
        "translator": (
            world.translator,
            {"translator-design": State(_select("decoder")), "translator-encoder": State(_select("encoder"))},
        ),
        "bare": (
            world.bare,
            {f"{page}-bare": State(_page(page), compared=page == "generate") for page in ("data", "train", "runs", "generate")},
        ),
        "unbound": (world.unbound, _unbound(world)),
        "molecules": (world.molecules, _molecules(world)),
        "roman": (world.roman, _roman(world)),
    }


def calm(studio: Studio, window: Any) -> None:
    """Leave every state again."""
    from PyQt5.QtWidgets import QApplication, QDialog

    from seqdec_gui.gui.dialogs.command_palette import CommandPalette
    from seqdec_gui.gui.dialogs.guide import GuideWindow
    from seqdec_gui.gui.window.first_minute import FirstMinute

    for tour in window.findChildren(FirstMinute):
        tour.end()
    for kind, closing in ((QDialog, "reject"), (GuideWindow, "close"), (CommandPalette, "close")):
        for found in {*window.findChildren(kind), *(top for top in QApplication.topLevelWidgets() if isinstance(top, kind))}:
            if found.isVisible():
                getattr(found, closing)()
    if window.document.design.blocks:
        canvas.calm(window)
    studio.settle(0.05)


# -- without a design
def _nothing() -> dict[str, State]:
    return {
        "welcome": State(_nothing_more, modes=("dark", "dark_contrast")),
        "first-minute": State(_first_minute),
        "palette": State(_palette(""), compared=False),
        "palette-search": State(_palette("zo"), modes=("dark",)),
        "palette-nothing": State(_palette("xyzzy"), compared=False),
        "settings": State(_dialog("settings"), modes=("dark",)),
        "hosts": State(beyond.hosts, modes=("dark",)),
        "shortcuts": State(_dialog("shortcuts")),
        "about": State(_dialog("about"), compared=False),
        "guide": State(_guide("")),
        "guide-search": State(_guide("temperature"), modes=("dark",)),
        "guide-nothing": State(_guide("xyzzy"), compared=False),
        "message": State(_message),
        "failure": State(_failure, compared=False),
        "crash": State(_crash, compared=False),
        "design-empty": State(_new_design),
        **{f"{page}-empty": State(_page(page), compared=page in ("code", "data", "sweep")) for page in PAGES[1:]},
    }


def _nothing_more(_studio: Studio, _window: Any) -> None:
    """The window as it is."""


def _page(name: str) -> Show:
    def show(studio: Studio, window: Any) -> None:
        window.pages.show_page(name)
        studio.settle()

    return show


def _first_minute(studio: Studio, window: Any) -> None:
    from PyQt5.QtWidgets import QLabel

    window.show_first_minute()
    studio.wait(lambda: any(label.isVisible() for label in window.findChildren(QLabel, "help_bubble_text")))


def _palette(words: str) -> Show:
    def show(studio: Studio, window: Any) -> None:
        from PyQt5.QtWidgets import QLineEdit

        window.actions_by_name["palette"].trigger()
        studio.settle()
        for field in window.findChildren(QLineEdit, "command_search"):
            field.setText(words)

    return show


def _dialog(action: str) -> Show:
    def show(studio: Studio, window: Any) -> Any:
        window.actions_by_name[action].trigger()
        studio.settle()
        return _top()

    return show


def _top() -> Any:
    """Return the dialog or the guide that is open."""
    from PyQt5.QtWidgets import QApplication, QDialog

    from seqdec_gui.gui.dialogs.guide import GuideWindow

    shown = [top for top in QApplication.topLevelWidgets() if isinstance(top, QDialog | GuideWindow) and top.isVisible()]
    return shown[-1]


def _guide(words: str) -> Show:
    def show(studio: Studio, window: Any) -> Any:
        window.actions_by_name["guide"].trigger()
        guide = _top()
        guide.resize(1000, 720)
        guide.search.setText(words)
        studio.settle()
        return guide

    return show


def _message(_studio: Studio, window: Any) -> Any:
    from seqdec_gui.gui.tasks import notify

    return notify.ask(
        window,
        "Save the changes to roman?",
        "The design has changes that are not in its file. They are lost if they are not saved.",
        lambda _answer: None,
        accept="Save",
        discard="Discard",
    )


def _failure(_studio: Studio, window: Any) -> Any:
    from seqdec_gui.domain.problems import SeqdecError
    from seqdec_gui.gui.tasks import notify

    error = SeqdecError("line 14, column 3 of roman.seqdec: expected an object, got a list. Take the file from a backup.")
    return notify.failure(window, error, "The design cannot be opened")


def _crash(_studio: Studio, window: Any) -> Any:
    from seqdec_gui.gui.dialogs.crash_report import CrashReport

    report = CrashReport(
        "Traceback (most recent call last):\n  ...\nValueError: an example", [Path("roman.recovered.seqdec")], window
    )
    report.show()
    return report


def _new_design(studio: Studio, window: Any) -> None:
    window.actions_by_name["new"].trigger()
    studio.settle()


# -- the canvas
def _archetype(world: World) -> dict[str, State]:
    return {
        "design": State(_nothing_more, modes=("dark", "light_contrast"), wide=True),
        "design-decoder": State(_select("model_2")),
        "design-several": State(_select("latent", "model_1"), compared=False),
        "design-problems": State(_problems),
        "design-no-panels": State(_panels(False)),
        "design-panels": State(_panels(True), compared=False),
        "refused": State(_refused),
        "connect": State(_connect, compared=False),
        **{
            f"canvas-{name}": State(_canvas(show), modes=("dark",) if name == "annotated" else ())
            for name, show in canvas.CANVAS_STATES.items()
        },
        "tabs": State(_tabs(world)),
    }


def _canvas(show: Callable[[Any], None]) -> Show:
    return lambda _studio, window: show(window)


def _select(*blocks: str) -> Show:
    def show(_studio: Studio, window: Any) -> None:
        window.document.select(list(blocks))

    return show


def _problems(studio: Studio, window: Any) -> None:
    window.shell.show_panel("bottom")
    window.bottom.setCurrentWidget(window.problems)
    studio.settle()


def _panels(on: bool) -> Show:
    def show(studio: Studio, window: Any) -> None:
        window.shell.show_panel("bottom", False)
        for part in ("left", "right"):
            window.shell.show_panel(part, on)
        studio.settle()
        window.design_view.fit()

    return show


def _refused(studio: Studio, window: Any) -> None:
    """Draw a wire that cannot be: the vector onto the decoder's states."""
    view = window.design_view
    canvas.drag(window, view.port_point("latent", "output"), view.port_point("model_2", "initial_states"))
    studio.settle()


def _connect(studio: Studio, window: Any) -> Any:
    from seqdec_gui.gui.dialogs.connect import ConnectDialog, starts_of
    from seqdec_gui.gui.tasks import notify

    window.design_view.overlays.hide_offer()
    dialog = ConnectDialog(window.document, "Connect latent", starts_of(window.document, "latent"), window)
    notify.present(dialog)
    studio.settle()
    return dialog


def _tabs(world: World) -> Show:
    def show(studio: Studio, window: Any) -> None:
        for path in (world.molecules, world.roman, world.bare):
            window.files.open(path, window._on_design_opened)
            studio.settle()
        window.designs.show_tab(1)

    return show


# -- data
def _unbound(world: World) -> dict[str, State]:
    def propose(studio: Studio, window: Any) -> None:
        window.pages.show_page("data")
        window.take_file(world.folder / "data" / "molecules.npz")
        _checked(studio, window)

    return {"data-proposals": State(propose)}


def _checked(studio: Studio, window: Any) -> None:
    studio.settle(0.8)
    studio.wait(lambda: not window.workspace.checking.busy)
    studio.settle()


def _molecules(world: World) -> dict[str, State]:
    def data(studio: Studio, window: Any) -> None:
        window.pages.show_page("data")
        _checked(studio, window)

    def painted(studio: Studio, window: Any) -> None:
        window.pages.show_page("generate")
        studio.settle(0.3)

    return {
        "molecules-design": State(_page("design"), compared=False),
        "molecules-code": State(_page("code")),
        "molecules-data": State(data, modes=("dark",)),
        "data-split": State(_data_tab(1)),
        "data-sample": State(_data_tab(2), modes=("dark",)),
        "molecules-generate": State(painted),
    }


def _data_tab(place: int) -> Show:
    def show(studio: Studio, window: Any) -> None:
        from PyQt5.QtWidgets import QTabWidget

        window.pages.show_page("data")
        window.findChild(QTabWidget, "data_tabs").setCurrentIndex(place)
        _checked(studio, window)

    return show


# -- runs
def _roman(world: World) -> dict[str, State]:
    def data(studio: Studio, window: Any) -> None:
        window.pages.show_page("data")
        _checked(studio, window)

    def trained(studio: Studio, window: Any) -> None:
        window.pages.show_page("train")
        window.workspace.run_requested.emit(world.first.path)
        studio.settle(0.6)

    def still_training(_studio: Studio, window: Any) -> None:
        from seqdec_gui.gui.workspace.workspace import Notice

        text = "first is still training."
        window.workspace.notice.emit(Notice("still_training", text, {"show": ("Show", lambda: None)}))

    def by_epoch_in_logarithms(studio: Studio, window: Any) -> None:
        from PyQt5.QtWidgets import QAbstractButton

        window.workspace.notice.emit(_no_notice("still_training"))
        window.findChild(QAbstractButton, "log_scale").setChecked(True)
        window.findChild(QAbstractButton, "axis_epoch").click()
        studio.settle(0.3)

    def overlaid(studio: Studio, window: Any) -> None:
        from PyQt5.QtWidgets import QAbstractButton

        from seqdec_gui.gui.workspace.training_session import session_of

        window.findChild(QAbstractButton, "log_scale").setChecked(False)
        for run in (world.slower, world.stopped):
            session_of(window.workspace).overlay(run.path, run.path.name)
        studio.settle(0.6)

    def log(studio: Studio, window: Any) -> None:
        window.shell.show_panel("bottom")
        studio.settle(0.3)

    def samples(studio: Studio, window: Any) -> None:
        from seqdec_gui.gui.workspace.training_session import session_of

        window.shell.show_panel("bottom", False)
        session_of(window.workspace).clear_overlays()
        window.workspace.run_requested.emit(world.sampled.path)
        studio.settle(0.6)

    def runs(studio: Studio, window: Any) -> None:
        window.shell.show_panel("bottom", False)
        window.pages.show_page("runs")
        studio.settle(0.4)

    def compared(studio: Studio, window: Any) -> None:
        from PyQt5.QtCore import QItemSelectionModel

        table = window.findChild(object, "runs_table")
        table.clearSelection()
        for row in (1, 2):
            table.selectionModel().select(table.model().index(row, 0), QItemSelectionModel.Select | QItemSelectionModel.Rows)
        studio.settle(0.3)

    def all_runs(studio: Studio, window: Any) -> None:
        from seqdec_gui.runs import known

        known.remember_designs([(path, "") for path in (world.roman, world.molecules)])
        for run in (world.first, world.slower, world.stopped, world.drawn):
            known.remember_run(run.path)
        window.actions_by_name["all_runs"].trigger()
        studio.settle(0.6)

    return {
        "roman-design": State(_page("design"), compared=False),
        "roman-data": State(data),
        "train": State(trained, modes=("dark",), wide=True),
        "train-again": State(still_training),
        "train-logarithms": State(by_epoch_in_logarithms),
        "train-overlays": State(overlaid),
        "train-log": State(log, compared=False),
        "train-samples": State(samples, modes=("dark",)),
        "runs": State(runs),
        "runs-compared": State(compared, modes=("dark",)),
        "runs-all": State(all_runs, wide=True),
        "queue": State(beyond.queue(world), modes=("dark",), wide=True),
        "sweep": State(beyond.sweep(world), modes=("dark",), wide=True),
        "generate": State(_typed("1987\n44"), compared=False),
        "generate-refused": State(_typed("19x7\n44"), modes=("dark",)),
        "generate-results": State(answers.results, modes=("dark",)),
        "generate-steps": State(answers.steps, modes=("dark",)),
        "generate-scores": State(answers.scores, modes=("dark",)),
        "generate-codes": State(answers.codes, modes=("dark",)),
        "errors": State(answers.errors(world.first), modes=("dark",)),
        **{f"export-{name}": State(_export(name), compared=name in ("h5", "onnx")) for name in _formats()},
        "export-all": State(beyond.all_formats, modes=("dark",)),
    }


def _no_notice(topic: str) -> Any:
    from seqdec_gui.gui.workspace.workspace import Notice

    return Notice(topic)


def _typed(words: str) -> Show:
    def show(studio: Studio, window: Any) -> None:
        from PyQt5.QtWidgets import QPlainTextEdit

        window.pages.show_page("generate")
        studio.settle(0.4)
        window.findChild(QPlainTextEdit, "input_number").setPlainText(words)
        studio.settle()

    return show


def _formats() -> list[str]:
    from seqdec_gui.runs.export_formats import EXPORT_FORMATS

    return list(EXPORT_FORMATS)


def _export(name: str) -> Show:
    def show(studio: Studio, window: Any) -> Any:
        from PyQt5.QtWidgets import QLineEdit

        from seqdec_gui.gui.dialogs.export import open_export

        dialog = open_export(window.workspace, name)
        studio.settle(0.3)
        path = dialog.findChild(QLineEdit, "export_path")
        path.setText(f"/home/me/models/{Path(path.text()).name}")
        path.setCursorPosition(0)
        return dialog

    return show
