"""States of what goes on beside the window: the queue, a sweep with its trials, other machines, and an export in all formats.

Nothing of it runs: the queue is paused, the trials and results are written here, and no machine is asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.pictures.studio import Studio
    from tools.pictures.world import World

TRIALS = 24
"""The number of trials of the sweep, of which the last goes on."""


def queue(world: World) -> Any:
    """Return what shows the Queue page with a run on a host, two that wait and two that have ended."""

    def show(studio: Studio, window: Any) -> None:
        from seqdec_gui.runs.queue.job import Job, QueueState
        from seqdec_gui.runs.queue.store import Queue
        from seqdec_gui.runs.spec import DeviceChoice

        cpu, now = DeviceChoice("cpu"), 1_700_000_000.0
        jobs = (
            Job(run=str(world.sampled.path), id="a", place="lab", claimed=now, given=DeviceChoice("gpu", gpus=(0, 1))),
            Job(run=str(world.drawn.path), id="b", devices=cpu, priority=5),
            Job(run=str(world.slower.path), id="c", devices=cpu),
            Job(
                run=str(world.first.path), id="d", devices=cpu, claimed=now, outcome="finished", text="Finished in 2 min 55 s."
            ),
            Job(run=str(world.stopped.path), id="e", devices=cpu, claimed=now, outcome="stopped", text="Stopped in epoch 3."),
        )
        Queue().change(lambda _state: QueueState(jobs=jobs, paused=True))
        window.pages.show_page("queue")
        studio.wait(lambda: len(window.pages.page("queue").rows.jobs) == len(jobs))
        window.pages.page("queue").rows.choose("b")
        studio.settle(0.3)

    return show


def no_queue(studio: Studio, window: Any) -> None:
    """The Queue page without runs."""
    from seqdec_gui.runs.queue.job import QueueState
    from seqdec_gui.runs.queue.store import Queue

    Queue().change(lambda _state: QueueState())
    window.pages.show_page("queue")
    studio.wait(lambda: not window.pages.page("queue").rows.jobs)
    studio.settle(0.3)


def sweep(world: World) -> Any:
    """Return what shows the Sweep page: a search over three parameters, of which one trial is selected."""

    def show(studio: Studio, window: Any) -> None:
        from seqdec_gui.gui.workspace.sweep_draft import SweepDraft
        from seqdec_gui.runs.spec import read
        from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec
        from seqdec_gui.runs.sweep.space import parse_space

        search = ("training.learning_rate=1e-4..1e-2:log", "training.batch_size=32|64|128", "decoder.dropout=0..0.5")
        made = SweepFolder(world.folder / "sweeps" / "learning-rate")
        axes = parse_space(search, window.document.design)
        made.write_spec(SweepSpec(run=read(world.first.spec), axes=axes, trials=40, created=1_700_000_000.0))
        made.write_table(_table(str(world.first.path), [axis.name for axis in axes]))
        window.pages.show_page("sweep")
        for text in search:
            window.workspace.part(SweepDraft).set_text(text.partition("=")[0], text)
        page = window.pages.page("sweep")
        studio.wait(lambda: page.table.rowCount() == TRIALS)
        page.choose(7)
        studio.settle(0.3)

    return show


def _table(run: str, names: list[str]) -> Any:
    from seqdec_gui.runs.sweep.folder import Table, Trial

    trials = []
    for number in range(1, TRIALS + 1):
        part = (number * 0.618) % 1
        rate, dropout = 1e-4 * 100**part, 0.5 * ((number * 0.414) % 1)
        values = dict(zip(names, (rate, (32, 64, 128)[number % 3], dropout), strict=True))
        loss = 0.1 + 0.5 * (math.log10(rate) + 2.7) ** 2 + 0.2 * dropout + 0.02 * (number % 3)
        if number == TRIALS:
            trials.append(Trial(number=number, values=values, state="running", run=run))
        elif number % 7 == 5:
            trials.append(Trial(number=number, values=values, state="pruned", value=loss, run=run, text="Stopped early."))
        else:
            trials.append(Trial(number=number, values=values, state="finished", value=loss, run=run))
    best = min((trial for trial in trials if trial.value is not None), key=lambda trial: trial.value or 0.0)
    return Table(trials=tuple(trials), best=best.number, importance=dict(zip(names, (0.71, 0.09, 0.2), strict=True)))


def hosts(studio: Studio, window: Any) -> Any:
    """The dialog of hosts with two of them, one of which is chosen. They are taken off the list at once: nobody asks them."""
    from PyQt5.QtWidgets import QPlainTextEdit, QTreeWidget

    from seqdec_gui.gui.dialogs.hosts import open_hosts
    from seqdec_gui.runs.hosts import book

    found = (book.Host("lab", "me@lab.example.org"), book.Host("cluster", "cluster", "/scratch/me/seqdec-gui"))
    for host in found:
        book.add(host)
    dialog = open_hosts(window.workspace, window)
    for host in found:
        book.remove(host.name)
    table = dialog.findChild(QTreeWidget, "hosts_table")
    table.setCurrentItem(table.topLevelItem(0))
    dialog.findChild(QPlainTextEdit, "hosts_output").setPlainText(
        "lab: 2 GPUs (H100, 80 GB), Python 3.12, seqdec-gui is there."
    )
    studio.settle()
    return dialog


def all_formats(studio: Studio, window: Any) -> Any:
    """The export dialog with what came of each format: equal, not possible, and failed, with sentences of every length."""
    from PyQt5.QtWidgets import QLineEdit

    from seqdec_gui.gui.dialogs.export import open_export
    from seqdec_gui.runs.export_formats import EXPORT_FORMATS
    from seqdec_gui.runs.format_result import FormatResult
    from seqdec_gui.runs.task_results import ExportedAll

    dialog = open_export(window.workspace)
    dialog._format.setCurrentIndex(dialog._format.findData(""))
    studio.settle(0.3)
    why = {
        "onnx": "The layer attention of model_2 has no ONNX operator at opset 18. Export it as .h5 or .keras.",
        "reinvent": "A REINVENT prior is a decoder alone, and this design has an encoder. Export the decoder as a part.",
    }
    results = [
        FormatResult(format=name, sentence=why[name], limit=name != "onnx")
        if name in why
        else FormatResult(
            format=name, paths=(f"/home/me/models/roman{row.suffixes[0]}",), difference=3e-7, rows=320, bytes=612_345
        )
        for name, row in EXPORT_FORMATS.items()
    ]
    dialog._show_all(ExportedAll(results=tuple(results)))
    path = dialog.findChild(QLineEdit, "export_path")
    path.setText("/home/me/models/roman-exports")
    path.setCursorPosition(0)
    studio.settle(0.3)
    return dialog
