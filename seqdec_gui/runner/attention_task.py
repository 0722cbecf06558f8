"""Does a task of attention: reads rows with their sequences, or generates for them, and writes the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.storage import not_written
from seqdec_gui.runner.attention import AttentionReader
from seqdec_gui.runner.told import Tell, tell_refused
from seqdec_gui.runs.attention import RowAttention, fail_unless_written, write_attention
from seqdec_gui.runs.task_results import Attended
from seqdec_gui.runs.tasks import AttentionTask, GenerateTask, Progress, ScoreTask, TaskChannel


def find_attention(task: AttentionTask, channel: TaskChannel, scratch: Path) -> Attended:
    """Compute the attention of the rows of a task and write the file. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.generate_task import fail_unless_folder
    from seqdec_gui.runner.loaded import load

    output = Path(task.output)
    fail_unless_folder(output.parent)
    fail_unless_written(output)
    loaded = load(Path(task.run), task.checkpoint, scratch)

    def tell_done(done: int, total: int) -> None:
        channel.send(Progress(done=done, total=total))

    found, refused = attention_of(task, loaded, channel.send, tell_done)
    try:
        write_attention(found, output)
    except OSError as error:
        raise not_written(output, error) from error
    tell_refused(refused, "read", channel.send)
    first = found[0] if found else None
    return Attended(
        path=task.output, rows=len(found), refused=len(refused),
        maps=() if first is None else tuple((each.title, each.heads) for each in first.maps),
    )  # fmt: skip


def attention_of(
    task: AttentionTask, loaded: Any, tell: Tell, tell_done: Any = None
) -> tuple[list[RowAttention], dict[int, str]]:
    """Return the attention of the first rows of a task, and by row why one could not be read. Raises InvalidInput."""
    from seqdec_gui.runner.generate_task import rows_of
    from seqdec_gui.runner.score_rows import rows_to_score

    scorer = loaded.scorer_with(task.feed_map)
    reader = AttentionReader(loaded.trained.design, loaded.trained.models, loaded.fitted, scorer)
    shared = {
        name: getattr(task, name)
        for name in ("run", "output", "input", "rows", "split", "trained_on", "checkpoint", "decimal", "feed_map")
    }
    if task.generated:
        sampler = loaded.sampler_with(task.feed_map)
        decoded = rows_of(GenerateTask(**shared), loaded, sampler, tell)
        places = np.asarray(decoded.chosen[: task.most])
        sequences = {row: found.ids for part in sampler.greedy(decoded.arrays, places) for row, found in part}
        arrays, ids, row_of = decoded.arrays, [sequences[int(row)] for row in places], list(map(int, places))
        refused = dict(decoded.beside.reasons)
    else:
        given = rows_to_score(ScoreTask(**shared, text=task.text, given=task.given), loaded, scorer, tell)
        places = np.asarray(given.chosen[: task.most])
        scores = [score for part in scorer.scores(given.arrays, places) for score in part] if len(places) else []
        arrays, ids = given.arrays, [score.ids for score in scores]
        row_of = [given.row(int(place)) for place in places]
        refused = {given.row(place): why for place, why in given.beside.reasons.items()}
    found = []
    for each, row in zip(reader.read(arrays, [int(place) for place in places], ids), row_of, strict=True):
        found.append(RowAttention(row, each.text, each.maps))
        if tell_done is not None:
            tell_done(len(found), len(places))
    return found, refused
