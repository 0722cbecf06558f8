"""What is generated, as a file of SMILES: each with the name of the row that it was made from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqdec_gui.data.row_file import RowFile, remove_begun_by

OWN = ("row", "sample", "text", "log_probability")


@pytest.mark.parametrize(
    ("beside", "name"), [((), "4_0"), (("comment", "compound id"), "a5_0"), (("id", "comment"), "x_y_0"), (("weight",), "4_0")]
)
def test_molecules_bear_the_names_of_their_rows(beside: tuple[str, ...], name: str, tmp_path: Path) -> None:
    values = {"comment": "x y", "compound id": "a5", "id": "x y", "weight": "46.07"}
    with RowFile(tmp_path / "out.smi", (*OWN, *beside)) as file:
        file.write([(4, 0, "CCO", -1.0, *(values[each] for each in beside)), (5, 0, "", -2.0, *("" for _ in beside))])
    assert (tmp_path / "out.smi").read_text() == f"CCO\t{name}\n"


def test_what_a_killed_process_has_begun_is_removed_and_what_others_have_begun_is_not(tmp_path: Path) -> None:
    with RowFile(tmp_path / "out.csv", ("text",)) as file:
        (begun,) = tmp_path.iterdir()
        killed = begun.with_name(begun.name.replace(f".{os.getpid()}-", ".4194305-"))
        killed.touch()
        remove_begun_by(4194305, tmp_path / "out.csv")
        assert [*tmp_path.iterdir()] == [begun]
        file.write([("a",)])
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
