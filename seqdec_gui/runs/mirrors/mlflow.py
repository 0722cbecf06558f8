"""A run in the database of MLflow's tracking: `mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db` shows it."""

from __future__ import annotations

from typing import Any

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.mirrors.base import Mirror, Place, Point
from seqdec_gui.runs.spec import RunSpec

TAG = "seqdec_gui.run"
"""The tag that says which run of seqdec-gui a run of MLflow is."""
BATCH = 500
"""Metrics that are written at once."""
ENDED = {"finished": "FINISHED", "stopped": "KILLED", "paused": "SCHEDULED", "failed": "FAILED", "crashed": "FAILED"}
"""MLflow's words for how a run ended, by ours."""


class MLflow(Mirror):
    """A run of MLflow for each run, found again by a tag. What is there already is not written a second time."""

    title = "MLflow"

    def begin(self, asked: RunSpec, place: Place) -> None:
        try:
            from mlflow.entities import Metric
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise InvalidInput("MLflow is not installed: pip install 'seqdec-gui[mlflow]'.", "no_extra") from None
        self._metric: Any = Metric
        self._client: Any = MlflowClient(tracking_uri=f"sqlite:///{self.folder / 'mlflow.db'}")
        found = self._client.get_experiment_by_name(asked.name)
        experiment = found.experiment_id if found is not None else self._client.create_experiment(asked.name)
        whose = f"{self.name} {asked.created:.6f}"
        earlier = self._client.search_runs([experiment], filter_string=f"tags.`{TAG}` = '{whose.replace(chr(39), '')}'")
        if earlier:
            self._run = earlier[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = {TAG: whose.replace("'", ""), "mlflow.runName": self.name}
            self._run = self._client.create_run(experiment, int(asked.created * 1000), tags=tags).info.run_id
        self._there: set[tuple[str, int, int]] = set()
        self._beyond = place.own.get("points", 0) != self._count() if earlier else False
        self._written = int(place.own.get("points", 0))

    def write(self, points: list[Point]) -> None:
        new = [(_key(point.name), point.value, int(point.time * 1000), point.step) for point in points]
        self._written += len(new)
        if self._beyond:  # a kill came between writing and noting it: what was written is passed over
            new = [each for each in new if (each[0], each[2], each[3]) not in self._there]
        for first in range(0, len(new), BATCH):
            batch = [self._metric(*each) for each in new[first : first + BATCH]]
            self._client.log_batch(self._run, metrics=batch)

    def started(self, event: Started) -> None:
        said = {
            "devices": ", ".join(event.devices), "engine": event.engine, "batch_size": event.batch_size,
            "epochs": event.epochs, "parameters": event.parameters.total, "training_rows": event.rows.training,
        }  # fmt: skip
        for name, value in said.items():
            self._client.set_tag(self._run, name, str(value))

    def kept(self) -> dict[str, int | str]:
        return {"points": self._written}

    def end(self, state: str) -> None:
        if state in ENDED:
            self._client.set_terminated(self._run, ENDED[state])

    def _count(self) -> int:
        """Read which points are there already, and return how many."""
        for name in self._client.get_run(self._run).data.metrics:
            history = self._client.get_metric_history(self._run, name)
            self._there |= {(name, metric.timestamp, metric.step) for metric in history}
        return len(self._there)


def _key(name: str) -> str:
    """Return a name as MLflow takes it: letters, digits and a few marks."""
    return "".join(letter if letter.isalnum() or letter in "_-./ " else "_" for letter in name)
