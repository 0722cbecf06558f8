"""Fitting without encoding: everything that is known and wrong, and single rows of a bound column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import try_fit
from seqdec_gui.data.tables import inspect, open_table
from seqdec_gui.domain.bindings import Binding, DataSource
from tests.data.ports import ARCHETYPE, codes

ROWS = 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [f"{i},{i / 7:.3f},{-i},{i:03d},{'ab' * (1 + i % 2)}" for i in range(ROWS)]
    path = tmp_path / "rows.csv"
    path.write_text("x,y,z,code,text\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def bound(**columns: str | tuple[str, ...]) -> tuple[Binding, ...]:
    return tuple(Binding(port.replace("__", "."), column) for port, column in columns.items())


def test_a_trial_gives_what_fits_and_every_problem(file: Path) -> None:
    source = DataSource(file.name, bindings=bound(model_2__inputs="text", model_1__inputs=("x", "y")))
    trial = try_fit(source, ARCHETYPE, file.parent)
    assert codes(trial.problems) == ["wrong_shape"]
    assert [at.port.name for at in trial.bound] == ["latent", "steps"]
    assert isinstance(trial.fits[1].codec, FittedText)
    assert trial.fits[0].codec is None
    assert trial.parts is not None
    assert (len(trial.parts.training), len(trial.parts.validation)) == (90, 10)


def test_a_trial_without_a_file_or_rows_in_common_says_so(file: Path) -> None:
    assert "no_data_file" in codes(try_fit(DataSource("", bindings=bound(steps="text")), ARCHETYPE, file.parent).problems)
    trial = try_fit(DataSource(file.name), ARCHETYPE, file.parent)
    assert (trial.parts, trial.fits, codes(trial.problems)) == (None, (), ["unbound_port"] * 3)


def test_a_trial_may_use_a_table_that_is_open_already(file: Path) -> None:
    asked = []

    def opened(path: Path, names: object, reading: object) -> object:
        asked.append(path)
        return inspect(path)

    source = DataSource(file.name, bindings=bound(steps="text", latent=("x", "y", "z")))
    assert try_fit(source, ARCHETYPE, file.parent, opened=opened).problems[1:] == ()
    assert asked == [file]


def test_a_page_of_a_bound_column_is_as_the_file_has_it(file: Path) -> None:
    source = DataSource(file.name, bindings=bound(latent=("x", "y", "z"), steps="code"))
    trial = try_fit(source, ARCHETYPE, file.parent)
    numbers = trial.bound[0].source.page(98, 5)
    assert np.array_equal(numbers._values, np.array([[98, 14.0, -98], [99, 14.143, -99]]))
    texts = trial.bound[1].source.page(7, 2, as_text=True)
    assert [text for chunk in texts.texts() for text in chunk.to_pylist()] == ["007", "008"]


@pytest.mark.parametrize("first", [0, 65_530, 65_536, 70_000])
def test_texts_are_found_across_the_chunks_of_a_file(tmp_path: Path, first: int) -> None:
    path = tmp_path / "many.csv"
    path.write_text("code\n" + "\n".join(f"{i:06d}" for i in range(70_004)) + "\n", encoding="utf-8")
    source = DataSource(path.name, bindings=bound(steps="code"))
    trial = try_fit(source, ARCHETYPE, path.parent, opened=lambda path, _names, _reading: open_table(path))
    texts = trial.bound[0].source.page(first, 8, as_text=True)
    found = [text for chunk in texts.texts() for text in chunk.to_pylist()]
    assert found == [f"{i:06d}" for i in range(first, min(first + 8, 70_004))]
