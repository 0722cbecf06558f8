"""Reads the data source of a design and encodes it as arrays that engines train on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedCodec, FittedNumbers, FittedText
from seqdec_gui.data.demands import Demand, Fit
from seqdec_gui.data.earlier import EarlierFit, Kept, fitted_with
from seqdec_gui.data.fitted import Fitted, FittedPort, encode, faults
from seqdec_gui.data.fitting import TextPlan, text_codec
from seqdec_gui.data.formats.base import Array, Column, Table
from seqdec_gui.data.formats.registry import data_suffixes
from seqdec_gui.data.formats.settled import FileReading, named
from seqdec_gui.data.numbering import TextBinding, plan_texts
from seqdec_gui.data.row_faults import FAULTS, faulty_rows
from seqdec_gui.data.soundness import is_constant, survey
from seqdec_gui.data.sources import ColumnSource
from seqdec_gui.data.split import Parts, Rows, split_rows
from seqdec_gui.data.tables import open_table
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.domain.bindings import Binding, DataSource, Reading
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.wording import counted, verb_for

__all__ = ["Bound", "Dataset", "TensorFeed", "Trial", "expand", "open_dataset", "try_fit"]


@dataclass(frozen=True)
class Dataset:
    """Encoded rows, and which of them train, validate and test.

    `arrays` holds ids in the smallest of uint8, uint16 and int32 that fits, and numbers as float32. `rows` is their number.
    """

    arrays: dict[str, Array]
    feeds: tuple[TensorFeed, ...]
    training: Rows
    validation: Rows
    test: Rows
    rows: int
    fitted: Fitted
    problems: tuple[Problem, ...] = ()
    """Warnings and remarks. There are no errors among them: with an error no dataset is made."""

    def with_arrays(self, arrays: Mapping[str, Array]) -> Dataset:
        """Return the dataset with these arrays in place of its own of the same names."""
        return replace(self, arrays={**self.arrays, **arrays})

    def batch(self, rows: Rows) -> dict[str, Array]:
        """Return copies of these rows of every array, in this order."""
        return {name: array[rows] for name, array in self.arrays.items()}


class Bound(NamedTuple):
    """A port, its binding, and the rows of the bound columns."""

    port: DataPort
    binding: Binding
    source: ColumnSource


class Trial(NamedTuple):
    """The bound columns after fitting, before encoding, with every problem, errors included.

    `fits` has an entry for each entry of `bound`. It is empty, and `parts` is None, if columns differ in length or none is
    bound.
    """

    bound: tuple[Bound, ...]
    fits: tuple[Fit, ...]
    parts: Parts | None
    rows: int
    problems: tuple[Problem, ...]
    samples: Mapping[str, Array] | None = None
    """The first rows of every bound column as they would be stored; None until `sampled` adds them."""
    files: tuple[FileReading, ...] = ()
    """How the files were read."""

    @property
    def fitted(self) -> Fitted | None:
        """The fit that a run would save as `data.json`; None if problems keep the run from starting."""
        if self.parts is None or errors(self.problems):
            return None
        return _as_fitted(self.bound, self.fits, None, self.files)


def sampled(trial: Trial, rows: int) -> Trial:
    """Return the trial with the first rows of every column in `samples`; unchanged if a run could not start."""
    if trial.fitted is None:
        return trial
    samples = {}
    for at, result in zip(trial.bound, trial.fits, strict=True):
        codec = _codec(result)
        write = codec.encoder()
        samples[at.port.name] = next(
            (write(chunk[:rows]) for chunk in codec.chunks(at.source)), np.zeros((0, *codec.row_shape))
        )
    return trial._replace(samples=samples)


def try_fit(
    source: DataSource,
    ports: Sequence[DataPort],
    folder: Path,
    fitted: Fitted | None = None,
    opened: Callable[[Path, Sequence[str], Reading], Table] = open_table,
    earlier: EarlierFit | None = None,
) -> Trial:
    """Read, checks and fits the bound columns. Never raises InvalidInput.

    `opened(path, names, reading)` opens the table of a file. `fitted` and `earlier` are as in `open_dataset`.
    """
    problems: list[Problem] = []
    tables = _Tables(folder, source, problems, opened, fitted, ports)
    bound = _resolved(source, ports, tables, fitted, problems)
    rows = _common_rows(bound, problems)
    if rows is None:
        return Trial(tuple(bound), (), None, 0, tuple(problems))
    split_table = tables.get(source.file) if source.split.kind == "column" else None
    parts, wrong = split_rows(source.split, rows, split_table)
    problems += wrong
    if fitted is not None:
        fits = [_fit_from(fitted, at) for at in bound]
    else:
        fits = _fits(bound, ports, parts, rows, source, earlier)
    found = [problem for result in fits for problem in result.problems]
    for at, result in zip(bound, fits, strict=True):
        unfit = [problem for problem in errors(result.problems) if problem.code not in _leaves_out(source)]
        codec = None if unfit else result.codec
        found += survey(at.port, at.source, codec, fitted is not None or _has_length(at))
    if source.faulty_rows == "leave_out":
        parts, found = _without_faulty_rows(bound, fits, parts, rows, found)
    problems += found
    return Trial(tuple(bound), tuple(fits), parts, rows, tuple(problems), files=tables.readings(bound))


def _leaves_out(source: DataSource) -> frozenset[str]:
    """Return the codes of problems whose rows are left out, so that they are no problems any more."""
    return FAULTS if source.faulty_rows == "leave_out" else frozenset()


def _without_faulty_rows(
    bound: Sequence[Bound], fits: Sequence[Fit], parts: Parts, rows: int, problems: list[Problem]
) -> tuple[Parts, list[Problem]]:
    """Return the parts without rows that some port cannot encode, and the problems without those of these rows."""
    bad = np.zeros(rows, bool)
    notes = []
    for at, result in zip(bound, fits, strict=True):
        if result.codec is None:
            continue
        try:
            own = faulty_rows(result.codec, at.source)
        except InvalidInput:
            continue  # a problem of the whole column, which stands among the others
        bad |= own
        if count := int(own.sum()):
            text = (
                f"{at.source.label}: {counted(count, 'row')} of {rows:,} cannot be used and {verb_for(count, 'are')} left out, "
                f"the first is row {int(own.argmax()) + 1}."
            )
            notes.append(Problem("warning", "rows_left_out", at.port.port, text))
    kept = Parts(*(part[~bad[part]] for part in parts))
    left = [problem for problem in problems if problem.code not in FAULTS or not notes]
    if not len(kept.training) and len(parts.training):
        text = f"None of {counted(rows, 'row')} can be used for every port, so none is left for training."
        left.append(Problem("error", "no_training_rows", "data", text, "Change the codecs, or mend the rows."))
    return kept, [*left, *notes]


def open_dataset(
    source: DataSource,
    ports: Sequence[DataPort],
    folder: Path,
    fitted: Fitted | None = None,
    cache: Path | None = None,
    earlier: EarlierFit | None = None,
) -> Dataset:
    """Read, checks, fits and encodes the bound columns.

    Relative paths start at `folder`. With `fitted`, the codecs of the same run are used unchanged. `earlier` is the fit of
    another run whose weights are the initial weights: its alphabets, marks, labels and scalers are kept, and new symbols are
    added. Arrays of more than 512 MB are written to the folder `cache`, unless that is None, and mapped. Raises InvalidInput
    with every problem, SeqdecError if the cache cannot be written.
    """
    bound, fits, parts, rows, problems, _, files = try_fit(source, ports, folder, fitted, earlier=earlier)
    if parts is None or errors(problems):
        reported = [problem for problem in problems if problem.severity != "info"]
        raise InvalidInput(sorted(reported, key=lambda problem: problem.severity != "error"))
    used_fit = _as_fitted(bound, fits, fitted, files)
    arrays = {
        at.port.name: encode(_codec(result), at.source, at.port.name, cache) for at, result in zip(bound, fits, strict=True)
    }
    problems = (*problems, *_encoded_alike(bound, arrays, problems))
    return Dataset(arrays, used_fit.feeds, *parts, rows, used_fit, problems)


def _has_length(at: Bound) -> bool:
    """Return whether the port or the codec fixes the length of a row."""
    kind = at.port.type
    steps = kind.shape if kind.dtype == "int32" else kind.shape[:-1]
    return None not in steps or getattr(at.binding.codec, "length", None) is not None


def _encoded_alike(bound: Sequence[Bound], arrays: dict[str, Array], reported: Sequence[Problem]) -> list[Problem]:
    """Warn of every port whose rows differ in the file but are all encoded to the same values."""
    constant = {problem.where for problem in reported if problem.code == "constant_column"}
    text = "Every row of {} is encoded to the same values, so nothing can be learned from it."
    hint = "Change the codec, or bind another column."
    return [
        Problem("warning", "encoded_alike", at.port.port, text.format(at.source.label[0].lower() + at.source.label[1:]), hint)
        for at in bound
        if at.port.port not in constant and is_constant(arrays[at.port.name])
    ]


class _Tables:
    """The data files of a design, each opened once; only the columns in use are read where the format allows it."""

    def __init__(
        self,
        folder: Path,
        source: DataSource,
        problems: list[Problem],
        opened: Callable[[Path, Sequence[str], Reading], Table],
        fitted: Fitted | None,
        ports: Sequence[DataPort],
    ) -> None:
        self._fitted = fitted
        self._ports = ports
        self._folder = folder
        self._source = source
        self._problems = problems
        self._open_table = opened
        self._open: dict[str, Table | None] = {}

    def get(self, file: str) -> Table | None:
        """Return the table, or None if it cannot be opened; the reason is reported once."""
        if file not in self._open:
            self._open[file] = self._opened(file)
        return self._open[file]

    def _opened(self, file: str) -> Table | None:
        """Open a file with the columns that are bound or that split it; None, with a problem, if it cannot be opened."""
        if not file:
            text = f"No data file is chosen; expected one of {' '.join(data_suffixes())}."
            hint = "Choose a file in the Data tab or with --data."
            self._problems.append(Problem("error", "no_data_file", "data", text, hint))
            return None
        bindings = self._source.bindings
        names = [name for binding in bindings if (binding.file or self._source.file) == file for name in binding.columns]
        if file == self._source.file and self._source.split.kind == "column":
            names.append(self._source.split.column)
        try:
            table = self._open_table(self._folder / file, names, self._how(file))
        except InvalidInput as error:
            self._problems += error.problems
            return None
        self._problems += table.problems
        return table

    def _how(self, file: str) -> Reading:
        """Return the options for a file; with the fit of a run, what that settled about it or about the one in its place."""
        if self._fitted is None or not self._fitted.files:
            return self._source.reading
        bindings = [binding for binding in self._source.bindings if (binding.file or self._source.file) == file]
        ports = [port.name for binding in bindings if (port := _port_named(binding.port, self._ports)) is not None]
        return self._fitted.reading(self._source.reading, ports)

    def readings(self, bound: Sequence[Bound]) -> tuple[FileReading, ...]:
        """Return how each file was read, with the names of the bound ports."""
        found = []
        for file, table in self._open.items():
            settled = None if table is None else table.settled()
            ports = tuple(at.port.name for at in bound if (at.binding.file or self._source.file) == file)
            if settled is not None and ports:
                found.append(named(settled, Path(file).name, ports))
        return tuple(found)


def _resolved(
    source: DataSource, ports: Sequence[DataPort], tables: _Tables, fitted: Fitted | None, problems: list[Problem]
) -> list[Bound]:
    """Return the bound ports with their columns, in the order of the ports; reports ports unbound, unknown or bound twice."""
    binding_of: dict[str, Binding] = {}
    for binding in source.bindings:
        port = _port_named(binding.port, ports)
        if port is None:
            known = ", ".join(port.port for port in ports)
            text = f"Column {binding.columns[0]!r} is bound to {binding.port!r}, which takes no data; expected one of {known}."
            problems.append(Problem("error", "unknown_port", binding.port, text, "Bind it to one of these."))
        elif port.name in binding_of:
            first = binding_of[port.name]
            text = f"{port.port} is bound twice, to {first.columns} and {binding.columns}; expected one binding."
            problems.append(Problem("error", "bound_twice", port.port, text, "Remove one of them."))
        else:
            binding_of[port.name] = binding
    taught = {port.taught for port in ports if port.name in binding_of and port.taught}
    bound = []
    for port in ports:
        if port.name in binding_of:
            columns = _source(binding_of[port.name], source, tables, port, problems)
            if columns is not None:
                bound.append(Bound(port, binding_of[port.name], columns))
        elif port.name not in taught:
            teacher = next((other.port for other in ports if other.taught == port.name), "")
            hint = f"Bind a column to it{f', or one column of text to {teacher}' if teacher else ''}."
            text = f"No column is bound to {port.port} ({port.type})."
            problems.append(Problem("error", "unbound_port", port.port, text, hint))
    if fitted is not None:
        problems += [
            Problem("error", "not_fitted", at.port.port, f"{at.port.port} was not trained; the run has no codec for it.")
            for at in bound
            if all(at.port.name != port.name for port in fitted.ports)
        ]
    return bound


def _port_named(name: str, ports: Sequence[DataPort]) -> DataPort | None:
    """Return the port with this name, else the port with this alias, else None."""
    exact = next((port for port in ports if name in (port.port, port.name)), None)
    return exact or next((port for port in ports if name in port.aliases), None)


def _source(
    binding: Binding, source: DataSource, tables: _Tables, port: DataPort, problems: list[Problem]
) -> ColumnSource | None:
    """Return the columns of a binding; None, with a problem, if one is unknown or if their lengths differ."""
    table = tables.get(binding.file or source.file)
    if table is None:
        return None
    columns: list[Column] = []
    for name in binding.columns:
        try:
            columns.append(table.column(name))
        except InvalidInput as error:
            problems += [msgspec.structs.replace(problem, where=port.port) for problem in error.problems]
    if len(columns) < len(binding.columns) or not columns:
        return None
    counts = {column.rows for column in columns}
    if len(counts) > 1:
        listed = ", ".join(f"{column.name!r} has {column.rows}" for column in columns)
        problems.append(Problem("error", "row_counts_differ", port.port, f"Expected columns of equal length; {listed}."))
        return None
    return ColumnSource(table, columns)


def _common_rows(bound: Sequence[Bound], problems: list[Problem]) -> int | None:
    """Return the number of rows of all bound columns; None, with a problem, if they differ or if nothing is bound."""
    if not bound:
        if not errors(problems):
            problems.append(Problem("error", "no_bindings", "data", "No column is bound to any port; expected one per input."))
        return None
    rows = bound[0].source.rows
    for other in bound[1:]:
        if other.source.rows != rows:
            label = bound[0].source.label
            text = f"{label} has {rows} rows, {other.source.label} has {other.source.rows}; expected the same number."
            problems.append(Problem("error", "row_counts_differ", other.port.port, text, "Bind columns of the same rows."))
    return None if any(other.source.rows != rows for other in bound) else rows


def _fits(
    bound: Sequence[Bound],
    ports: Sequence[DataPort],
    parts: Parts,
    rows: int,
    source: DataSource,
    earlier: EarlierFit | None,
) -> list[Fit]:
    """Fit every binding to its rows; with an earlier run, keep the alphabets, labels and scalers of that run."""
    training = np.zeros(rows, bool)
    training[parts.training] = True
    bound_names = {at.port.name for at in bound}
    free = {port.name: port for port in ports if port.name not in bound_names}
    taught = [free.get(at.port.taught) for at in bound]
    leaves_out = source.faulty_rows == "leave_out"
    demands = [
        Demand(at.port, loss, training, int(loss is not None), leaves_out) for at, loss in zip(bound, taught, strict=True)
    ]
    kept = [
        Kept(at.binding.codec) if earlier is None else earlier.kept(demand, at.source, at.binding.codec)
        for at, demand in zip(bound, demands, strict=True)
    ]
    plans = _text_plans(bound, demands, kept, source)
    return [
        fitted_with(each, demand, at.source, plan) for at, demand, each, plan in zip(bound, demands, kept, plans, strict=True)
    ]


def _text_plans(
    bound: Sequence[Bound], demands: Sequence[Demand], kept: Sequence[Kept], source: DataSource
) -> list[TextPlan | None]:
    """Return the numbering plan of each binding that takes text, and None for every other binding."""
    texts: dict[int, TextBinding] = {}
    for place, (at, demand, each) in enumerate(zip(bound, demands, kept, strict=True)):
        codec = text_codec(demand, at.source, each.codec)
        if codec is not None:
            column = (at.binding.file or source.file, at.binding.columns)
            known = each.earlier if isinstance(each.earlier, FittedText) else None
            texts[place] = TextBinding(demand, at.source, codec, column, known)
    plans = dict(zip(texts, plan_texts(list(texts.values()), source.numbering or "own"), strict=True))
    return [plans.get(place) for place in range(len(bound))]


def _fit_from(fitted: Fitted, at: Bound) -> Fit:
    codec = next((port.codec for port in fitted.ports if port.name == at.port.name), None)
    return Fit(codec, (), [] if codec is None else faults(codec, at.source, at.port.port))


def _as_fitted(
    bound: Sequence[Bound], fits: Sequence[Fit], fitted: Fitted | None, files: tuple[FileReading, ...]
) -> Fitted:  # fmt: skip
    """Return the fit to save: made of these fits, or the fit of the run without the feeds of unbound ports."""
    if fitted is not None:
        names = {at.port.name for at in bound}
        return msgspec.structs.replace(fitted, feeds=tuple(feed for feed in fitted.feeds if feed.array in names))
    known = []
    for at, result in zip(bound, fits, strict=True):
        port = at.port
        taught = port.taught if len(result.feeds) > 1 else ""
        columns, aliases = at.binding.columns, port.aliases
        codec = _codec(result)
        parts = at.source.part_names() if isinstance(codec, FittedNumbers) and port.role == "input" else ()
        known.append(FittedPort(port.name, port.port, port.role, columns, codec, aliases, taught, port.generated, parts))
    return Fitted(tuple(known), tuple(feed for result in fits for feed in result.feeds), files=_of_columns(bound, files))


def _of_columns(bound: Sequence[Bound], files: tuple[FileReading, ...]) -> tuple[FileReading, ...]:
    """Return how files were read, of the columns those that are bound."""
    used = {column for at in bound for column in at.binding.columns}
    return tuple(
        msgspec.structs.replace(each, columns=tuple(pair for pair in each.columns if pair[0] in used)) for each in files
    )


def _codec(result: Fit) -> FittedCodec:
    assert result.codec is not None
    return result.codec
