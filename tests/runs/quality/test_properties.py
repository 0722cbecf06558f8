"""Properties of molecules: found by the names of columns, computed by rdkit, compared with what was wanted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqdec_gui import resource_files
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.domain import document
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.problems import InvalidInput

pytest.importorskip("rdkit")

from seqdec_gui.runs.quality.properties import (
    agreement,
    can_compute,
    chosen_properties,
    computed,
    differs,
    named_by_inputs,
)


@pytest.fixture(scope="module")
def molecules() -> Dataset:
    path = resource_files.path("examples/molecules.seqdec")
    design = document.load(path)
    return open_dataset(design.data, data_ports(design), path.parent)


@pytest.mark.slow
def test_every_descriptor_of_the_example_is_what_rdkit_computes(molecules: Dataset) -> None:
    fitted = molecules.fitted
    names = [each.name for each in named_by_inputs(fitted)]
    assert len(names) == 11
    assert [each.name for each in chosen_properties(("auto",), fitted)] == names
    codec = fitted.port("descriptors").codec
    rows = molecules.arrays["descriptors"][:40]
    texts = [fitted.text("decoder_inputs").decode(row.tolist()) for row in molecules.arrays["decoder_inputs"][:40]]
    values = computed(texts, names)
    column = codec.unscaled(rows.astype(np.float64))
    assert not any(differs(values[:, place], column[:, place]) for place in range(11))
    assert differs(values[:, 0], column[:, 1])


def test_names_are_read_as_chemists_write_them(molecules: Dataset) -> None:
    assert all(map(can_compute, ("logP", "TPSA", "qed", "MolWt", "Rot_B", "HBA", "num h donors")))
    assert not can_compute("binding affinity")
    with pytest.raises(InvalidInput, match="'affinity'"):
        chosen_properties(("affinity",), molecules.fitted)
    (wanted,) = chosen_properties(("tpsa",), molecules.fitted)
    assert (wanted.name, wanted.port, wanted.place) == ("TPSA", "descriptors", 1)
    (alone,) = chosen_properties(("MolMR",), molecules.fitted)
    assert alone.port == ""


def test_a_text_that_is_no_molecule_has_no_property() -> None:
    values = computed(["CCO", "C1CC", ""], ["MolWt", "HeavyAtoms"])
    assert values[0] == pytest.approx([46.069, 3])
    assert np.isnan(values[1:]).all()


def test_agreement_leaves_out_what_is_no_molecule() -> None:
    found = agreement("logP", np.array([1.0, 2, 3, 4]), np.array([1.5, 2.5, math.nan, 4.5]))
    assert found is not None
    assert (found.molecules, found.error) == (3, 0.5)
    assert found.correlation == pytest.approx(1)
    assert "correlation" not in str(agreement("logP", np.array([1.0, 2]), np.array([1.0, 2])))
    assert agreement("logP", np.array([1.0]), np.array([math.nan])) is None
