"""Splits and orders are the same for ever."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data.order import epoch_order
from seqdec_gui.data.split import split_rows
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.catalog import fields
from tests.data.ports import codes


def test_the_order_of_an_epoch_is_pinned() -> None:
    assert epoch_order(0, 1, 8).tolist() == [5, 3, 7, 2, 4, 1, 0, 6]
    assert epoch_order(7, 1, 1000).dtype == np.int64


def test_every_epoch_and_seed_has_an_order_of_its_own() -> None:
    orders = {tuple(epoch_order(seed, epoch, 20)) for seed in range(10) for epoch in range(1, 11)}
    assert len(orders) == 100
    assert all(sorted(order) == list(range(20)) for order in orders)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.floats(0, 0.9), st.floats(0, 0.9), st.integers(0, 2**31))
def test_a_random_split_has_every_row_once(rows: int, validation: float, test: float, seed: int) -> None:
    parts, problems = split_rows(Split("random", validation, test, seed), rows, None)
    assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
    if "no_training_rows" not in codes(problems):
        assert len(parts.test) == round(rows * test)
        assert len(parts.validation) == round(rows * validation)


def test_the_greatest_seed_that_a_design_may_have_is_one_that_the_split_takes() -> None:
    seed = next(int(field.maximum or 0) for field in fields(Split) if field.name == "seed")
    assert len(split_rows(Split(seed=seed), 50, None)[0].training) == 45


def test_a_split_is_the_same_for_the_same_seed() -> None:
    first, second, other = (split_rows(Split(seed=seed), 500, None)[0].validation for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_split_that_leaves_nothing_to_train_is_refused() -> None:
    assert codes(split_rows(Split(validation=0.5, test=0.5), 10, None)[1]) == ["no_training_rows"]
    assert codes(split_rows(Split(validation=0.01), 10, None)[1]) == ["empty_split"]


def by_column(folder: Path, cells: list[str]) -> tuple[list[list[int]], list[str]]:
    (folder / "a.csv").write_text("x,part\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    parts, problems = split_rows(Split("column", column="part"), len(cells), open_table(folder / "a.csv"))
    return [part.tolist() for part in parts], [problem.text for problem in problems]


def test_a_column_may_say_which_row_does_what(tmp_path: Path) -> None:
    parts, problems = by_column(tmp_path, ["train", " Valid", "TEST", "dev", "Training", "val"])
    assert parts == [[0, 4], [1, 3, 5], [2]]
    assert problems == []


@pytest.mark.parametrize(("cell", "found"), [("holdout", "'holdout'"), ("", "''")])
def test_a_word_that_is_no_part_is_refused_with_its_row(tmp_path: Path, cell: str, found: str) -> None:
    _, (problem,) = by_column(tmp_path, ["train", cell])
    assert f"says {found} in row 2" in problem


def test_a_split_column_that_is_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert codes(split_rows(Split("column", column="part"), 1, open_table(tmp_path / "a.csv"))[1]) == ["unknown_column"]
    assert codes(split_rows(Split("column"), 1, None)[1]) == ["split_column_missing"]
