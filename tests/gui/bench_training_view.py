"""How long the Train page takes to redraw a million points, and to take in events. Run it as a program.

Prints processor time, which other programs on the machine do not change.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt5.QtCore import QAbstractEventDispatcher, QCoreApplication, QEvent, QEventLoop
from PyQt5.QtWidgets import QApplication

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.train.board import Board
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.training_session import TrainingSession
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.events import Epoch, Started, Step
from seqdec_gui.runs.history import RunHistory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    application = QApplication([])
    theme.install(application)
    session = TrainingSession(Workspace(DesignDocument()))
    board = Board(session)
    board.resize(1000, 640)
    board.show()
    settle(lambda: len(board.plots) == 5)
    history = RunHistory()
    taken = fill(history, arguments.points)
    print(f"{arguments.points:,} events taken in, 4 metrics each: {taken / arguments.points * 1e6:.2f} µs an event")
    board.show_history(history)
    for words, prepare in (
        ("loss_plot, one curve", lambda: None),
        ("loss_plot, smoothed and raw", lambda: board._smoothing.setValue(5)),
        ("loss_plot, log scale", lambda: (board._smoothing.setValue(0), board._log.setChecked(True))),
    ):
        prepare()
        report(f"{words}: redraw and paint", [one_plot(board, history) for _ in range(arguments.repeats)])
    board._log.setChecked(False)
    report("all five plots: redraw and paint", [whole(board, history) for _ in range(arguments.repeats)])
    board.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def fill(history: RunHistory, count: int) -> float:
    history.take([Started(epochs=count // 1000 + 2, steps_per_epoch=1000, batch_size=64, devices=("cpu:0",), engine="jax")])
    seconds = 0.0
    for first in range(0, count, 4000):
        events = [step(number) for number in range(first, min(count, first + 4000))]
        begun = time.process_time()
        history.take(events)
        seconds += time.process_time() - begun
    return seconds


def step(number: int) -> Step:
    loss = math.exp(-number / 3e5) + 0.05 * math.sin(number * 1.7) + 0.1
    metrics = {"loss": loss, "token_accuracy": 1 - loss / 2, "learning_rate": 1e-3, "samples_per_s": 5000.0 + number % 7}
    return Step(time=1e9 + number / 4, epoch=number // 1000 + 1, step=number + 1, metrics=metrics)


def add(history: RunHistory) -> None:
    number = history.step
    history.take([step(number), Epoch(epoch=number // 1000 + 1, step=number + 1, metrics={"val_loss": 0.5})])


def one_plot(board: Board, history: RunHistory) -> float:
    add(history)
    plot = board.plots["loss"]
    begun = time.process_time()
    plot.show_series(board._series("loss"), board._look)
    plot.fit(plot.farthest)
    plot.plot.grab()
    return time.process_time() - begun


def whole(board: Board, history: RunHistory) -> float:
    add(history)
    begun = time.process_time()
    board.redraw()
    board.grab()
    return time.process_time() - begun


def report(words: str, seconds: list[float]) -> None:
    ranked = sorted(1000 * each for each in seconds)
    print(f"{words}: median {statistics.median(ranked):.1f} ms, longest {ranked[-1]:.1f} ms")


def settle(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not until() and time.monotonic() < deadline:
        QAbstractEventDispatcher.instance().processEvents(QEventLoop.AllEvents)


if __name__ == "__main__":
    main()
