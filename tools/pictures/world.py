"""Makes the designs and runs that the pictures show: the bundled examples, and runs whose events are the same every time."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tools.pictures.answers import SAMPLED_EPOCHS, write_samples

if TYPE_CHECKING:
    from seqdec_gui.domain.design import Design
    from seqdec_gui.runs.folder import RunFolder

STEPS, EPOCHS = 40, 8
"""The steps of an epoch, and the epochs of a run."""
BEGUN = 1_700_000_000.0
"""When the first run began, in seconds since 1970."""


class World:
    """A folder with designs and their runs.

    `bare` has neither data nor runs, `faulty` a decoder that does not fit, `unbound` data but no bindings.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roman = self._example("roman")
        self.molecules = self._example("molecules")
        self.archetype = self._template("latent-to-sequence")
        self.attention = self._template("sequence-to-sequence-with-attention")
        self.translator = self._template("translator")
        self.bare = self._bare("bare", "roman")
        self.unbound = self._bare("unbound", "molecules")
        self.first = self._run(self.roman, "first", 0, marks=True)
        self.slower = self._run(self.roman, "small-steps", 1, scale=1.6, devices=("cpu:0", "cpu:1"))
        self.stopped = self._run(self.roman, "too-fast", 2, scale=2.4, epochs=3, ends="stopped")
        self.sampled = self._run(self.roman, "sampled", 4, scale=0.8, epochs=SAMPLED_EPOCHS)
        write_samples(self.sampled, STEPS, BEGUN + 86_400 * 4)
        self.drawn = self._run(self.molecules, "drawn", 3)

    def _example(self, name: str) -> Path:
        from seqdec_gui import resource_files
        from seqdec_gui.domain import document

        design = document.load(resource_files.path(f"examples/{name}.seqdec"))
        (self.folder / "data").mkdir(exist_ok=True)
        shutil.copy(resource_files.path(f"examples/{design.data.file}"), self.folder / design.data.file)
        return self._save(design, name)

    def _template(self, name: str) -> Path:
        from seqdec_gui import resource_files
        from seqdec_gui.domain import document

        return self._save(document.load(resource_files.path(f"templates/{name}.seqdec")), name)

    def _bare(self, name: str, example: str) -> Path:
        from seqdec_gui import resource_files
        from seqdec_gui.domain import document
        from seqdec_gui.domain.bindings import DataSource

        design = document.load(resource_files.path(f"examples/{example}.seqdec"))
        return self._save(design.with_data(DataSource(split=design.data.split)), name)

    def _save(self, design: Design, name: str) -> Path:
        from seqdec_gui.domain import document

        path = self.folder / f"{name}.seqdec"
        document.save(design.with_id(name.encode().hex().ljust(32, "0")[:32]), path)
        return path

    def _run(
        self,
        design_path: Path,
        name: str,
        number: int,
        scale: float = 1.0,
        epochs: int = EPOCHS,
        devices: tuple[str, ...] = ("cpu:0",),
        ends: str = "finished",
        marks: bool = False,
    ) -> RunFolder:
        """Return a run of a design, `number` days after the first."""
        import os

        from seqdec_gui.data.dataset import open_dataset
        from seqdec_gui.domain import document
        from seqdec_gui.domain.dataflow import data_ports
        from seqdec_gui.runs import lock, spec
        from seqdec_gui.runs.folder import RunFolder

        design, run = document.load(design_path), RunFolder(design_path.parent / "runs" / name)
        run.checkpoints.mkdir(parents=True)
        created = BEGUN + 86_400 * number
        spec.write(
            spec.RunSpec(
                design=document.to_builtins(design),
                design_path=str(design_path),
                folder=str(design_path.parent),
                data_file=str(design_path.parent / str(design.data.file)),
                created=created,
            ),
            run.spec,
        )
        run.lock.write_bytes(msgspec.json.encode(lock.LockRecord(1, os.uname().nodename, created)))
        open_dataset(design.data, data_ports(design), design_path.parent).fitted.save(run.data)
        write_events(run, created, scale, epochs, devices, ends, marks)
        for checkpoint in ("best", "last"):
            run.checkpoint(checkpoint).write_bytes(b"weights")
        return run


def write_events(
    run: RunFolder, now: float, scale: float, epochs: int, devices: tuple[str, ...], ends: str, marks: bool
) -> None:
    """Write what a training of so many epochs would have reported; with `marks` its rate changed and it paused."""
    from seqdec_gui.runs.events import (
        Checkpoint,
        CommandAnswer,
        Continued,
        DeviceLoad,
        Epoch,
        EventWriter,
        Finished,
        ParameterCount,
        Paused,
        RowCount,
        Started,
        Step,
        Stopped,
    )

    rate = 1e-3
    with EventWriter(run.events) as events:
        events.write(
            Started(
                time=now,
                epochs=EPOCHS,
                steps_per_epoch=STEPS,
                batch_size=64,
                devices=devices,
                engine="jax",
                parameters=ParameterCount(232_214, 232_214),
                rows=RowCount(2_560, 320),
                pid=1,
                host="workstation",
            )
        )
        for step in range(1, epochs * STEPS + 1):
            now += 0.25
            loss = scale * (2.1 * math.exp(-step / 70) + 0.08 + 0.03 * math.sin(step * 1.7) * math.exp(-step / 200))
            accuracy = 1 - loss / (3 * scale)
            figures = {
                "loss": loss,
                "token_accuracy": accuracy,
                "learning_rate": rate,
                "samples_per_s": 5200 + 300 * math.sin(step),
            }
            events.write(Step(time=now, epoch=(step - 1) // STEPS + 1, step=step, metrics=figures))
            if step % 8 == 0:
                for number, device in enumerate(devices):
                    load = 0.75 + 0.15 * math.sin(step / 20 + number)
                    events.write(
                        DeviceLoad(time=now, id=device, memory_used=(6 + number) << 30, memory_total=24 << 30, load=load)
                    )
            if marks and step == 100:
                rate = 3e-4
                events.write(CommandAnswer(time=now, id="a", command="set_learning_rate", text="The learning rate is 0.0003."))
            if marks and step == 180:
                events.write(Paused(time=now, step=step))
                now += 95
                events.write(Continued(time=now, step=step))
            if step % STEPS == 0:
                epoch = step // STEPS
                measured = {
                    "loss": loss,
                    "val_loss": 1.15 * loss,
                    "token_accuracy": accuracy,
                    "val_token_accuracy": accuracy - 0.04,
                }
                measured |= {"learning_rate": rate, "samples_per_s": figures["samples_per_s"]}
                events.write(Epoch(time=now, epoch=epoch, step=step, metrics=measured, seconds=10.0))
                for name in ("last", "best"):
                    path = f"checkpoints/{name}.weights.h5"
                    events.write(Checkpoint(time=now, name=name, epoch=epoch, step=step, path=path, metrics=measured))
        kind = Finished if ends == "finished" else Stopped
        events.write(kind(time=now, epoch=epochs, step=epochs * STEPS))
