"""Run folders as trainings leave them, many and quickly: specification, lock and events, without a training."""

import os
from pathlib import Path

import msgspec

from seqdec_gui.runs import lock, spec
from seqdec_gui.runs.events import Checkpoint, Epoch, EventWriter, Finished, Metrics, ParameterCount, RowCount, Started
from seqdec_gui.runs.folder import RunFolder

DESIGN = {"format": 1, "blocks": [], "links": [], "training": {"epochs": 3}}


def finished_run(
    path: Path, design_id: str = "", design_path: str = "", created: float = 1000.0, name: str = "", loss: float = 0.5
) -> RunFolder:
    """Make the folder of a run of two epochs, the first of which was the better one."""
    run = RunFolder(path)
    run.checkpoints.mkdir(parents=True)
    design = DESIGN | ({"id": design_id} if design_id else {})
    spec.write(spec.RunSpec(design=design, design_path=design_path, design_name=name, created=created), run.spec)
    run.lock.write_bytes(msgspec.json.encode(lock.LockRecord(1, os.uname().nodename, created)))
    events = EventWriter(run.events)
    events.write(begun())
    for epoch in (1, 2):
        metrics: Metrics = {"loss": loss * epoch, "val_loss": loss * epoch}
        events.write(Epoch(epoch=epoch, step=epoch * 10, metrics=metrics, seconds=1.0))
        events.write(Checkpoint(name="last", epoch=epoch, step=epoch * 10, path="checkpoints/last.weights.h5"))
        if epoch == 1:
            events.write(Checkpoint(name="best", epoch=1, step=10, metrics=metrics, path="checkpoints/best.weights.h5"))
    events.write(Finished(epoch=2, step=20, metrics={}))
    for checkpoint in ("best", "last"):
        run.checkpoint(checkpoint).touch()
    return run


def begun(epochs: int = 2) -> Started:
    """The event with which a run begins."""
    return Started(
        epochs=epochs, steps_per_epoch=10, batch_size=64, devices=("cpu:0",), engine="jax", rows=RowCount(640, 64),
        parameters=ParameterCount(232_214, 230_678), pid=1, host="here", first_epoch=1, first_step=0,
    )  # fmt: skip
