"""Where padding ends a text and the loss counts it, the longest row too is followed by padding; tokens are REINVENT's."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.token_cutting import FIRST_KEY, tokenised
from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from tests.runner.reinvent_fixtures import tokens_of

FED = DataPort("fed", "fed.output", "input", TensorType((None,), "int32", 9), ("fed",), taught="loss")
LOSS = DataPort("loss", "loss.targets", "target", TensorType((None, 9)), ("loss",), classes=9)


@pytest.mark.parametrize(("masked", "longest"), [(False, 5), (True, 4)])
def test_the_longest_row_is_taught_its_end_where_padding_counts(masked: bool, longest: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", text=np.array(["CCl", "CCC", "C"]))
    codec = TextCodec(tokens="smiles", charset=("C", "Cl"), marks="begin")
    source = DataSource("data.npz", Split(validation=0), (Binding("fed.output", "text", codec),), numbering="shared")
    loss = msgspec.structs.replace(LOSS, mask_padding=masked)
    dataset = open_dataset(source, (FED, loss), tmp_path)
    stored = dataset.arrays["fed"]
    assert stored.shape == (3, longest)
    assert stored[0, :4].tolist() == [1, 2, 3, 0]
    assert (stored[:, -1] == 0).all() == (not masked)


@given(st.lists(st.text(st.sampled_from("[]CcNnlBr%0123@H+-()=#/\\"), max_size=12), min_size=1, max_size=5))
def test_smiles_are_cut_as_reinvent_cuts_them(texts: list[str]) -> None:
    texts = [text.replace("[]", "") for text in texts]  # empty brackets, which no SMILES has, are two tokens here
    texts = [text for text in texts if "[]" not in text]
    cut = tokenised(pa.array(texts, pa.large_string()), "smiles")
    found = [chr(key) if key < FIRST_KEY else cut.vocabulary[key - FIRST_KEY] for key in cut.keys.tolist()]
    assert found == [token for text in texts for token in tokens_of(text)]
    assert cut.lengths.tolist() == [len(tokens_of(text)) for text in texts]
