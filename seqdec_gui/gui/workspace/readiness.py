"""The text of the Train button, and why training cannot start."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from seqdec_gui.domain.codes import about
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problem_place import mended_at
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.validation import Report, unbound
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.workspace.workspace import PageName, TrainingState, Workspace
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.engine_choice import choose_engine
from seqdec_gui.runs.run_words import STATE_WORDS, device_words
from seqdec_gui.runs.spec import DeviceChoice


class Readiness(msgspec.Struct, frozen=True):
    """The state of the Train button.

    `text` is the button's text. `reason` is a sentence about what is missing, empty if training can start. `page` is where that
    can be corrected. `note` says that the run will not be able to generate, which does not prevent training.
    """

    text: str
    reason: str = ""
    page: PageName = PageName.DESIGN
    note: str = ""

    @property
    def ready(self) -> bool:
        return not self.reason


def readiness(workspace: Workspace) -> Readiness:
    """Return the state of the Train button of this workspace."""
    if workspace.training.running:
        return Readiness(training_words(workspace.training), "One run at a time: stop this one on the Train tab first.")
    if not workspace.devices.known:
        return Readiness("Train", "Looking for devices.")
    text = f"Train on {workspace.devices.label}"
    document = workspace.document
    if reason := _design_reason(document.design, document.report):
        return Readiness(text, reason)
    if reason := _binding_reason(document.design, document.report):
        return Readiness(text, reason, PageName.DATA)
    if wrong := errors(workspace.checking.problems):
        place = mended_at(wrong[0], document.design, document.report.inference, of_data=True)
        return Readiness(text, _first(wrong), PageName.DATA if place == "data" else PageName.DESIGN)
    note = _note((*document.report.problems, *workspace.checking.problems))
    reason = _device_reason(document.design, workspace.devices.resolved, there=bool(workspace.devices.host))
    return Readiness(text, reason, note=note)


def training_words(state: TrainingState) -> str:
    """Return the state of training in words: `Training on 2 GPUs`, `Paused on CPU`, `Stopping`; empty if nothing trains."""
    if state.phase is None:
        return ""
    words, devices = STATE_WORDS[state.phase], device_words(state.devices)
    return f"{words} on {devices}" if devices and state.phase not in ("stopping", "ending") else words


def _note(problems: tuple[Problem, ...]) -> str:
    """Return why the trained model could not generate, one line per reason."""
    return "\n".join(f"{problem.text} {problem.hint}".strip() for problem in problems if about(problem.code) == "generate")


def _design_reason(design: Design, report: Report) -> str:
    if not design.blocks:
        return "The design is empty: start from a template or drag blocks from the palette."
    return _first(errors(report.problems))


def _first(problems: tuple[Problem, ...]) -> str:
    more = f" ({len(problems) - 1} more in the list of problems)" if len(problems) > 1 else ""
    return notify.without_place(problems[0]) + more if problems else ""


def _binding_reason(design: Design, report: Report) -> str:
    if not design.data.file and not any(binding.file for binding in design.data.bindings):
        return "No data yet: open a data file on the Data tab."
    missing = unbound(design, report.inference)
    if missing:
        names = ", ".join(port.name for port in missing)
        return f"No column is bound to {names}: choose one on the Data tab."
    return ""


def _device_reason(design: Design, choice: DeviceChoice, there: bool) -> str:
    return _first(batch_problems(design.training, choice)) or ("" if there else _engine_reason(choice))


@lru_cache(maxsize=32)
def _engine_reason(choice: DeviceChoice) -> str:
    try:
        choose_engine("auto", choice)
    except InvalidInput as error:
        return str(error)
    return ""
