"""The question before a run that starts from the weights of another run: which of that run's fitted values to keep."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.workspace.training_session import TrainingSession
from seqdec_gui.gui.workspace.workspace import PageName


def ask_what_to_keep(session: TrainingSession, run: Path, name: str) -> None:
    """Ask which fitted values of a run to keep, then train the open design from the run's best weights."""

    def then(answer: notify.Answer) -> None:
        if answer != "cancel":
            session.workspace.page_requested.emit(PageName.TRAIN)
            session.start(run, "best", "initial" if answer == "accept" else "anew")

    notify.ask(
        session.workspace,
        f"Train the open design from the weights of {name}?",
        "The weights depend on the alphabets, labels and scalers that were fitted to the data of that run. If you keep them, "
        "new symbols get ids after the known ones. If you fit again to the open data, symbols get other ids and numbers other "
        "scales than the weights were trained with, and much of what the model has learned may be lost.",
        then,
        accept="Keep fitted values",
        discard="Fit again",
    )
