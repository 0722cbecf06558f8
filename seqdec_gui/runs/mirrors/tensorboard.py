"""A run in the event files of TensorBoard: `tensorboard --logdir FOLDER` shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.mirrors.base import Mirror, Place, Point
from seqdec_gui.runs.spec import RunSpec

FILE = "events.out.tfevents.{}.seqdec-gui"
"""The name of the file; TensorBoard takes those with `tfevents` in them."""


class TensorBoard(Mirror):
    """One file for each run, which only grows: what a kill left half written is cut off."""

    title = "TensorBoard"

    def begin(self, asked: RunSpec, place: Place) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError:
            raise InvalidInput("TensorBoard is not installed: pip install 'seqdec-gui[tensorboard]'.", "no_extra") from None
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        folder = self.folder / self.name
        folder.mkdir(parents=True, exist_ok=True)
        self.path: Path = folder / FILE.format(int(asked.created))
        self._file = self.path.open("r+b" if self.path.exists() else "w+b")
        self._file.truncate(int(place.own.get("bytes", 0)))
        self._file.seek(0, 2)
        self._records: Any = RecordWriter(self._file)
        if not self._file.tell():
            self._add(self._event(wall_time=asked.created, file_version="brain.Event:2"))

    def write(self, points: list[Point]) -> None:
        for point in points:
            value = self._summary.Value(tag=point.name, simple_value=point.value)
            self._add(self._event(wall_time=point.time, step=point.step, summary=self._summary(value=[value])))

    def started(self, event: Started) -> None:
        """Nothing: TensorBoard shows curves."""

    def kept(self) -> dict[str, int | str]:
        self._records.flush()
        return {"bytes": self._file.tell()}

    def end(self, state: str) -> None:
        self._records.flush()
        self._file.close()

    def _add(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
