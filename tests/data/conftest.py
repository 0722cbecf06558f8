"""A dataset of arrays in one call."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data import tables
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.domain.bindings import Binding, DataSource, Split
from seqdec_gui.domain.dataflow import DataPort


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Dataset]:
    """Opens a dataset of arrays, which are written to an .npz first."""

    def open_arrays(
        arrays: dict[str, np.ndarray],
        ports: Sequence[DataPort],
        *bindings: Binding,
        split: Split = Split(validation=0.0),  # noqa: B008
        **options: object,
    ) -> Dataset:
        np.savez(tmp_path / "data.npz", **arrays)
        return open_dataset(DataSource("data.npz", split, bindings), ports, tmp_path, **options)  # type: ignore[arg-type]

    return open_arrays


@pytest.fixture(autouse=True)
def without_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open files at once: a process for each HDF5 and MATLAB file takes longer than the tests. `test_more_formats` has one."""
    monkeypatch.setattr(tables, "crashes_library", lambda path: False)
