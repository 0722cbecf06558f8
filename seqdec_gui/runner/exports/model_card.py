"""The model card of a bundle, Markdown: what the model is, what it was trained on, how well it does, how to use it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from seqdec_gui import __version__
from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.scaling import scalings
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.events import Checkpoint, Started, UnreadableLine
from seqdec_gui.runs.files import read_bytes
from seqdec_gui.runs.salvage import events_of
from seqdec_gui.runs.task_names import WEIGHTS_WORDS, checkpoint_in

if TYPE_CHECKING:
    from seqdec_gui.data.fitted import FittedPort
    from seqdec_gui.runner.decoding.recorded import Recorded
    from seqdec_gui.runner.opened_run import OpenedRun

CERTIFICATE = "certificate.json"
"""Where a run keeps its certificate (`runs.certificate`)."""
SHOWN_SYMBOLS = 60


class Facts(msgspec.Struct, frozen=True):
    """What the files of a run say of its training; `certificate` is the content of its certificate, or empty."""

    name: str
    checkpoint: str
    started: Started | None
    saved: Checkpoint | None
    certificate: bytes = b""

    @property
    def versions(self) -> dict[str, str]:
        """The versions with which it was trained."""
        return dict(self.started.versions) if self.started else {}


def facts_of(trained: OpenedRun, checkpoint: str) -> Facts:
    """Read the events of the run, and its certificate if it has one."""
    try:
        starts = events_of(trained.run.events, Started)
        saved = [event for event in events_of(trained.run.events, Checkpoint) if event.name == checkpoint_in(checkpoint)]
    except (UnreadableLine, OSError):
        starts, saved = [], []
    try:
        certificate = read_bytes(trained.run.path / CERTIFICATE)
    except OSError:
        certificate = b""
    design_path = trained.spec.design_path
    name = PurePath(design_path).stem if design_path else trained.run.name
    return Facts(name, checkpoint, starts[-1] if starts else None, saved[-1] if saved else None, certificate)


def model_card(trained: OpenedRun, facts: Facts, recorded: Recorded | None, cannot_generate: str, models: Sequence[str]) -> str:
    """The text of the card."""
    lines = [f"# {_plain(facts.name)}", "", _summary(trained, models), ""]
    lines += ["## Use", "", *_use(trained, recorded, cannot_generate), ""]
    lines += ["## Inputs and outputs", "", *_ports(trained), ""]
    lines += ["## Data", "", *_data(trained, facts), ""]
    lines += ["## Training", "", *_training(trained, facts), ""]
    lines += ["## Figures", "", *_figures(facts), ""]
    lines += ["## Equality of devices", "", _certified(facts), ""]
    lines += ["## Versions", "", _versions(facts), ""]
    return "\n".join(lines)


def _summary(trained: OpenedRun, models: Sequence[str]) -> str:
    chain = " -> ".join(f"`{block.id}` ({type(block.parameters).title})" for block in trained.design.blocks)
    count = trained.models["full"].count_params()
    listed = ", ".join(f"`models/{name}.keras`" for name in models)
    return f"A stacked Keras model of {count:,} parameters: {chain}.\n\nIts parts, which plain Keras opens: {listed}."


def _use(trained: OpenedRun, recorded: Recorded | None, cannot_generate: str) -> list[str]:
    lines = ["```python", "import seqdec_gui", "", 'bundle = seqdec_gui.load_bundle("this.zip")']
    if recorded is not None:
        lines += ["for sample in bundle.generate(rows, n=10, temperature=0.8, seed=1):  # one value or mapping per row",
                  "    print(sample.row, sample.text, sample.log_probability)"]  # fmt: skip
    lines += ['predictions = bundle.models["full"].predict(arrays)', "```"]
    if recorded is not None:
        lines += ["", "or, at a shell: `seqdec-gui generate this.zip --input rows.csv -n 10 -o out.csv`."]
    else:
        lines += ["", f"It predicts, and does not generate: {cannot_generate}"]
    return lines


def _ports(trained: OpenedRun) -> list[str]:
    lines = []
    for port in trained.fitted().ports:
        what = "input" if port.role == "input" else "target"
        lines.append(f"- `{port.name}` ({what}): {_codec(port)}")
    lines += [f"- {scaling.sentence()}" for scaling in scalings(trained.fitted())]
    return lines or ["- no data is bound"]


def _codec(port: FittedPort) -> str:
    codec: Any = port.codec
    if isinstance(codec, FittedText):
        shown = " ".join(codec.charset[:SHOWN_SYMBOLS]) + (" ..." if len(codec.charset) > SHOWN_SYMBOLS else "")
        return f"text of up to {codec.length} steps, {counted(len(codec.charset), 'symbol')}: `{_plain(shown)}`"
    if isinstance(codec, FittedCategory):
        return f"one of {counted(len(codec.labels), 'label')}: {_plain(', '.join(map(str, codec.labels[:SHOWN_SYMBOLS])))}"
    return f"numbers of shape {tuple(codec.row_shape)}"


def _data(trained: OpenedRun, facts: Facts) -> list[str]:
    file = PurePath(trained.spec.data_file or trained.design.data.file).name or "none"
    lines = [f"- file: `{_plain(file)}` (not part of this bundle)"]
    for port in trained.fitted().ports:
        lines.append(f"- `{port.name}` from the column{'s' * (len(port.columns) > 1)} {_plain(', '.join(port.columns))}")
    if facts.started is not None:
        rows = facts.started.rows
        lines.append(f"- {rows.training:,} rows for training, {rows.validation:,} for validation")
    return lines


def _training(trained: OpenedRun, facts: Facts) -> list[str]:
    training = trained.design.training
    lines = [f"- {training.optimizer}, learning rate {training.learning_rate:g}, seed {training.seed}"]
    if facts.started is not None:
        started = facts.started
        devices = ", ".join(started.devices)
        lines.append(
            f"- {counted(started.epochs, 'epoch')} of {started.steps_per_epoch:,} steps, {started.batch_size:,} rows a step"
        )
        lines.append(f"- {_plain(devices)}; engine {started.engine}, {started.precision}")
    if facts.saved is not None:
        lines.append(
            f"- weights: checkpoint `{checkpoint_in(facts.checkpoint)}`, epoch {facts.saved.epoch}, step {facts.saved.step:,}"
        )
    if trained.weights is not None:
        lines.append(f"- {WEIGHTS_WORDS[trained.weights]} (decay {training.average_decay:g})")
    return lines


def _figures(facts: Facts) -> list[str]:
    if facts.saved is None or not facts.saved.metrics:
        return ["None were recorded."]
    rows = [f"| {name} | {value:.4g} |" for name, value in facts.saved.metrics.items() if value is not None]
    return ["| metric (`val_`: on validation rows) | value |", "|---|---|", *rows]


def _certified(facts: Facts) -> str:
    try:
        certificate = json.loads(facts.certificate) if facts.certificate else None
    except ValueError:
        certificate = None
    if not isinstance(certificate, dict):
        return "Not certified (`seqdec-gui certify` compares N devices with one)."
    difference = certificate.get("prediction_difference")
    size = f"{difference:.1e}" if isinstance(difference, int | float) else "not a number"
    verdict = "Equal" if certificate.get("passed") is True else "Not equal"
    return f"{verdict}: predictions after training on several devices and on one differ by {size} (`certificate.json`)."


def _versions(facts: Facts) -> str:
    listed = "".join(f", {_plain(name)} {_plain(version)}" for name, version in facts.versions.items())
    today = time.strftime("%Y-%m-%d", time.gmtime())
    return f"Made by seqdec-gui {__version__} on {today}; trained with{listed[1:] or ' unknown'}."


def _plain(text: str) -> str:
    """Text from elsewhere on one line, without what Markdown would take for code or tables."""
    return "".join(each for each in text if each.isprintable()).replace("`", "'").replace("|", "/")
