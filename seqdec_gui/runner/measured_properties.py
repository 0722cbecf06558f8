"""The properties of generated molecules beside those that their rows ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.data.generated_results import GENERATED, WANTED
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import listed
from seqdec_gui.runner.told import Tell
from seqdec_gui.runs.quality.properties import (
    ROWS_COMPARED,
    Agreement,
    Property,
    agreement,
    chosen_properties,
    computed,
    differs,
)
from seqdec_gui.runs.tasks import Notice

if TYPE_CHECKING:
    from seqdec_gui.runner.sampler import Sample


class MeasuredProperties:
    """Computes the properties of samples; `names` are the further columns of their file.

    `loss` is that of the generated texts, and `arrays` are the stored inputs of the rows. What their columns ask for is
    compared where the training rows show that the column is what rdkit computes.
    """

    def __init__(self, names: Sequence[str], loaded: Any, loss: str, arrays: Mapping[str, Any], tell: Tell) -> None:
        self._loaded, self._loss, self._arrays = loaded, loss, arrays
        found = chosen_properties(names, loaded.fitted)
        chosen = [each if each.port in arrays else Property(each.name) for each in found]
        self._properties = self._compared(chosen, tell)
        self._wanted: list[list[float]] = [[] for _ in self._properties]
        self._made: list[list[float]] = [[] for _ in self._properties]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            column
            for each in self._properties
            for column in (GENERATED + each.name, *([WANTED + each.name] if each.port else []))
        )

    def cells(self, samples: Sequence[Sample]) -> list[tuple[float | None, ...]]:
        """Return the cells of these samples under `names`; None where a text is no molecule."""
        values = computed([sample.text for sample in samples], [each.name for each in self._properties])
        lines = []
        for sample, row in zip(samples, values, strict=True):
            cells: list[float | None] = []
            for place, each in enumerate(self._properties):
                cells.append(float(row[place]) if np.isfinite(row[place]) else None)
                if each.port:
                    wanted = self._asked(each, [sample.row])[0]
                    cells.append(float(wanted))
                    self._wanted[place].append(float(wanted))
                    self._made[place].append(float(row[place]))
            lines.append(tuple(cells))
        return lines

    def agreements(self) -> tuple[Agreement, ...]:
        """Return how well all samples so far have what was asked for."""
        found = (
            agreement(each.name, np.array(self._wanted[place]), np.array(self._made[place]))
            for place, each in enumerate(self._properties)
            if each.port
        )
        return tuple(each for each in found if each is not None)

    def _asked(self, wanted: Property, rows: Any) -> Any:
        """Return what the rows ask for, in the units of the data."""
        codec = self._loaded.fitted.port(wanted.port).codec
        values: Any = codec.unscaled(np.asarray(self._arrays[wanted.port][rows], np.float64))
        return values.reshape(len(rows), -1)[:, wanted.place]

    def _compared(self, chosen: Sequence[Property], tell: Tell) -> tuple[Property, ...]:
        """Return the properties; a column that is something else than rdkit computes asks for nothing, which is told."""
        asked = [each for each in chosen if each.port]
        if not asked:
            return tuple(chosen)
        try:
            wrong = self._wrong(asked)
        except InvalidInput:
            names = listed([each.name for each in asked])
            text = f"The training rows are not there, so it is not known whether {names} in them is what rdkit computes."
            tell(Notice(text=text))
            return tuple(chosen)
        if wrong:
            text = f"{listed(wrong)} in the training rows is not what rdkit computes under this name, so it is not compared."
            tell(Notice(text=text, severity="warning"))
        return tuple(each for each in chosen if each.name not in wrong or not each.port)

    def _wrong(self, asked: Sequence[Property]) -> list[str]:
        """Return the columns that differ from what rdkit computes of the targets. Raises InvalidInput without data."""
        from seqdec_gui.runner.quality.written import texts_of_targets

        dataset, rows = self._loaded.trained.rows_of("training")
        rows = rows[:: max(1, len(rows) // ROWS_COMPARED)][:ROWS_COMPARED]
        texts = texts_of_targets(self._loaded.fitted, self._loss, dataset, rows)
        values = computed(texts, [each.name for each in asked])
        wrong = []
        for place, each in enumerate(asked):
            codec = self._loaded.fitted.port(each.port).codec
            stored = np.asarray(dataset.arrays[each.port][rows], np.float64)
            column = codec.unscaled(stored).reshape(len(rows), -1)[:, each.place]
            if differs(values[:, place], column):
                wrong.append(each.name)
        return wrong
