"""Does a task of analysing errors: decodes rows of the run's data, compares them with their targets, writes what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from seqdec_gui.data.written_tokens import error_rate, tokens_of
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted, verb_for
from seqdec_gui.runner.choices import choices
from seqdec_gui.runner.errors_files import write
from seqdec_gui.runner.quality.written import texts_of_inputs, texts_of_targets
from seqdec_gui.runs.quality.applying import subject_of
from seqdec_gui.runs.quality.errors import Errors, Pair, errors_of
from seqdec_gui.runs.task_results import ErrorsFound
from seqdec_gui.runs.tasks import ErrorsTask, Notice, Progress, TaskChannel

if TYPE_CHECKING:
    from seqdec_gui.runner.decoding.batches import Found
    from seqdec_gui.runner.scoring import Scorer


def find_errors(task: ErrorsTask, channel: TaskChannel, scratch: Path) -> ErrorsFound:
    """Decode and compare the rows of a task, and write the file or the files. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.loaded import load

    output = Path(task.output)
    loaded = load(Path(task.run), task.checkpoint, scratch)
    subject = subject_of(loaded.trained.design, loaded.fitted)
    if subject.plan.numbers:
        text = "The model generates numbers, which are not right or wrong symbol by symbol; expected a model of symbols."
        raise InvalidInput(f"{text} seqdec-gui evaluate measures how far numbers are off.", "no_symbols", "errors")
    if not subject.has_inputs:
        raise InvalidInput(
            "The model has no inputs, so nothing is generated for a row that could be wrong.", "no_rows", "errors"
        )
    sampler, scorer = loaded.sampler, loaded.scorer_with("")
    dataset, rows = loaded.trained.rows_of(task.split, task.trained_on)
    if task.rows and len(rows) > task.rows:
        text = f"{counted(task.rows, 'row')} of {len(rows):,} {verb_for(task.rows, 'are')} decoded, drawn at random."
        channel.send(Notice(text=text))
        rows = np.sort(np.random.default_rng(0).choice(rows, task.rows, replace=False))
    arrays = dict(dataset.arrays)
    found = dict[int, Any]()
    for part in sampler.greedy(arrays, rows):
        found |= dict(part)
        channel.send(Progress(done=len(found), total=len(rows)))
    likelihood = {score.row: score.log_probability for part in scorer.scores(arrays, rows) for score in part}
    generated = [sampler.symbols.read(found[int(row)].ids.tolist()) for row in rows]
    targets = texts_of_targets(loaded.fitted, subject.plan.loss, dataset, rows)
    inputs = texts_of_inputs(loaded.fitted, sampler.inputs, dataset, rows)
    cut = tokens_of(subject.codec, [*targets, *generated])
    pairs = (
        Pair(
            int(row), inputs[k], targets[k], generated[k], cut[k], cut[len(rows) + k], likelihood[int(row)],
            found[int(row)].log_probability,
        )
        for k, row in enumerate(rows)
    )  # fmt: skip
    errors = errors_of(pairs, task.split, *error_rate(subject.codec), task.order)
    errors = _with_steps(errors, task, scorer, arrays, found)
    paths = write(errors, output)
    return ErrorsFound(
        paths=tuple(map(str, paths)), rows=errors.rows, exact=errors.exact, error_rate=errors.error_rate, rate=errors.rate,
        short=errors.short, substitutions=errors.substitutions, insertions=errors.insertions, deletions=errors.deletions,
        confused=tuple((each.target, each.generated, each.count) for each in errors.mistakes[: task.shown]),
        worst=tuple((each.row, each.input, each.target, each.generated, each.edits) for each in errors.worst[: task.shown]),
    )  # fmt: skip


def _with_steps(errors: Errors, task: ErrorsTask, scorer: Scorer, arrays: dict[str, Any], found: dict[int, Found]) -> Errors:
    """Return the errors with the candidates of each step for the worst rows."""
    worst = list(errors.worst)
    rows = np.array([each.row for each in worst[: task.worst]], int)
    steps = choices(scorer, arrays, rows, [found[row].ids for row in rows.tolist()], task.candidates)
    for place, chosen in enumerate(steps):
        worst[place] = msgspec.structs.replace(worst[place], steps=chosen)
    return msgspec.structs.replace(errors, worst=tuple(worst))
