"""Random orders of atoms: the same molecules, always the same for (seed, epoch, row), within the alphabet and the length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data import random_orders
from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.random_orders import Rewriting, reordered, rewritten
from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType

Chem = pytest.importorskip("rdkit.Chem")

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "F/C=C/F", "c1ccc2[nH]ccc2c1", "OC[C@@H]1O[C@H](O)[C@@H](O)[C@H]1O", "CCO",
    "[Na+].[Cl-]", "C", "C1CC2CCC1CC2", "O=S(=O)(N)c1ccc(Br)cc1",
]  # fmt: skip
PORTS = [
    DataPort("fed", "fed.output", "input", TensorType((None,), "int32", 60), ("fed",), taught="loss"),
    DataPort("loss", "loss.targets", "target", TensorType((None, 60)), ("loss",), classes=60, mask_padding=True),
]


def canonical(smiles: str) -> str:
    return str(Chem.CanonSmiles(smiles))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(MOLECULES), st.integers(0, 2**31 - 1), st.integers(1, 10_000), st.integers(0, 2**31 - 1))
def test_another_order_is_the_same_molecule_and_always_the_same(smiles: str, seed: int, epoch: int, row: int) -> None:
    text = reordered(smiles, seed, epoch, row)
    assert canonical(text) == canonical(smiles)
    assert reordered(smiles, seed, epoch, row) == text


def test_epochs_rows_seeds_and_tries_have_orders_of_their_own() -> None:
    long = MOLECULES[0]
    ways = [[reordered(long, *way) for way in each] for each in (
        [(0, epoch, 5) for epoch in range(40)], [(0, 1, row) for row in range(40)], [(seed, 1, 1) for seed in range(40)],
        [(0, 1, 1, attempt) for attempt in range(40)],
    )]  # fmt: skip
    assert all(len(set(texts)) > 10 for texts in ways)
    assert len({tuple(texts) for texts in ways}) == len(ways)


def fitted(rows: list[str], **fields: object) -> FittedText:
    letters = sorted(set("".join(rows)))
    return FittedText(tuple(letters), max(map(len, rows)) + 2, begin=True, end=True, **fields)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), epoch=st.integers(1, 500), spare=st.integers(-3, 6))
def test_every_row_is_known_and_fits(seed: int, epoch: int, spare: int) -> None:
    codec = fitted(MOLECULES)
    codec = type(codec)(codec.charset, codec.length + max(0, spare), begin=True, end=True)
    (ids,) = rewritten(Rewriting(tuple(MOLECULES), tuple(range(len(MOLECULES))), (codec,), seed), epoch)
    texts = [codec.decode(row) for row in ids.tolist()]
    assert [canonical(text) for text in texts] == [canonical(text) for text in MOLECULES]
    assert ids.max() < codec.symbols


def test_two_ports_of_a_column_have_the_same_order_even_if_one_has_less_room() -> None:
    wide = fitted(MOLECULES)
    tight = FittedText(wide.charset, wide.length - 1, end=True, begin_reserved=True)
    for epoch in range(1, 6):
        first, second = rewritten(Rewriting(tuple(MOLECULES), tuple(range(len(MOLECULES))), (wide, tight), 3), epoch)
        assert [wide.decode(row) for row in first.tolist()] == [tight.decode(row) for row in second.tolist()]


def test_what_is_no_molecule_stays() -> None:
    codec = fitted(["hello", "C1CC"])
    (ids,) = rewritten(Rewriting(("hello", "C1CC"), (0, 1), (codec,), 0), 1)
    assert [codec.decode(row) for row in ids.tolist()] == ["hello", "C1CC"]


def trial(folder: Path, rows: list[str], codec: TextCodec):  # type: ignore[no-untyped-def]
    (folder / "rows.csv").write_text("smiles\n" + "\n".join(rows) + "\n", "utf-8")
    source = DataSource("rows.csv", Split(validation=0.2), (Binding("fed.output", "smiles", codec),), numbering="shared")
    return source, try_fit(source, PORTS, folder)


@pytest.mark.parametrize("tokens", ["characters", "smiles", "bpe"])
def test_the_alphabet_and_the_length_are_those_of_the_orders_too(tmp_path: Path, tokens: str) -> None:
    if tokens == "bpe":
        pytest.importorskip("tokenizers")
    rows = ["OC(=O)c1ccccc1OC(C)=O", "C1CC1C1CC1", "CCN"] * 10
    source, plain = trial(tmp_path, rows, TextCodec(tokens, max_symbols=50 if tokens == "bpe" else None))  # type: ignore[arg-type]
    source, found = trial(tmp_path, rows, TextCodec(tokens, random_order=True, max_symbols=50 if tokens == "bpe" else None))  # type: ignore[arg-type]
    assert plain.fitted is not None
    assert found.fitted is not None, found.problems
    before, codec = plain.fitted.ports[0].codec, found.fitted.ports[0].codec
    assert isinstance(codec, FittedText)
    assert isinstance(before, FittedText)
    assert codec.random_order
    assert codec.length >= before.length
    if tokens != "bpe":
        assert set(codec.charset) > set(before.charset)  # such as the ring 2 of an order that closes it later
    (remark,) = (problem for problem in found.problems if problem.code == "random_orders")
    assert "24 molecules are written anew in every epoch" in remark.text
    dataset = open_dataset(source, PORTS, tmp_path)
    assert dataset.fitted.is_rewritten
    assert dataset.fitted == found.fitted


def test_text_that_is_no_smiles_is_refused(tmp_path: Path) -> None:
    _, found = trial(tmp_path, ["hello", "world", "never"] * 5, TextCodec(random_order=True))
    assert "no_orders" in [problem.code for problem in found.problems if problem.severity == "error"]


def test_without_rdkit_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_orders, "find_spec", lambda name: None)
    _, found = trial(tmp_path, ["CCO", "CCN"] * 5, TextCodec(random_order=True))
    assert "seqdec-gui[rdkit]" in " ".join(problem.hint for problem in found.problems if problem.code == "missing_extra")


def test_orders_use_no_numbers_of_others() -> None:
    np.random.seed(0)
    before = np.random.random()
    np.random.seed(0)
    reordered(MOLECULES[0], 1, 1, 1)
    assert np.random.random() == before
