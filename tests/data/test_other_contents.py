"""Text whose lines are no rows, or form columns though each is one cell, is told; where rows differ, what helps is said."""

from __future__ import annotations

import json
import random
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from seqdec_gui.data.formats.encoding_proposals import by_letters
from seqdec_gui.data.formats.other_contents import other_content_problems, other_mark_problems
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes, problems_of

SMILES = ("CCO", "c1ccccc1", "CC(=O)O", "CN", "C1CC1", "[nH]1cccc1", "ClCCl", "N#N", "C/C=C/C")
WORDS = ("it", "is", "late", "and", "he", "went", "home", "at", "once", "never", "again")


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
@pytest.mark.parametrize(
    ("content", "advised"),
    [
        (">P1 one\nMKVLAAG\nGGHHKL\n>P2 two\nMKLLAAG\n", "SeqIO"),
        ("@read1\nACGT\n+\nIIII\n@read2\nTTGA\n+\nIIII\n", "SeqIO"),
        ("\n  x\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n$$$$\n", "obabel"),
        ("<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "browser"),
        ("".join(json.dumps({"a": "CCO"}) + "\n" for _ in range(6)), ".jsonl"),
        (json.dumps([{"a": "CCO"}, {"a": "CN"}], indent=1), "lines=True"),
        ("| a | b |\n|---|---|\n| CCO | 1 |\n", "dashes"),
    ],
)
def test_text_whose_lines_are_no_rows_is_told(tmp_path: Path, name: str, content: str, advised: str) -> None:
    path = written(tmp_path, name, content)
    try:
        problems = open_table(path).problems
    except InvalidInput as error:
        problems = error.problems
    assert any(advised in problem.hint for problem in problems)


@pytest.mark.parametrize("seed", range(40))
def test_lists_of_texts_are_not_taken_for_other_contents(seed: int) -> None:
    chance = random.Random(seed)
    prose = "".join(" ".join(chance.choices(WORDS, k=chance.randint(1, 9))) + ".\n" for _ in range(30))
    molecules = "".join(chance.choice(SMILES) + "\n" for _ in range(30))
    reactions = "".join(f"{chance.choice(SMILES)}>>{chance.choice(SMILES)}\n" for _ in range(30))
    table = "".join(f"{chance.choice(SMILES)},{chance.random():.3f}\n" for _ in range(30))
    for text in (prose, molecules, reactions, table):
        assert other_content_problems(text.encode(), "a.txt") == []
    for text in (prose, molecules):
        assert other_mark_problems(text.encode(), "a.txt", ()) == []


@pytest.mark.parametrize(
    ("name", "lines", "advised"),
    [
        ("a.txt", [f"{i:<8}{smiles:<16}{i * 1.5:>8.2f}" for i, smiles in enumerate(SMILES)], "read_fwf"),
        ("a.csv", [f"{i:<8}{'acid ' + smiles:<16}{i * 1.5:>8.2f}" for i, smiles in enumerate(SMILES)], "read_fwf"),
        ("a.txt", ['"smiles" "mass"', *(f'"{i}" "{smiles}" {i}' for i, smiles in enumerate(SMILES))], "row.names"),
        ("a.csv", ["name^mass", *(f"word^{i}" for i in range(9))], "sep='^'"),
        ("a.tsv", ["name,mass", *(f"word,{i}" for i in range(9))], "data.delimiter=,"),
        ("a.csv", ["name mass", *(f"word {i}" for i in range(9))], "data.delimiter=space"),
    ],
)
def test_columns_that_are_read_as_one_cell_are_told(tmp_path: Path, name: str, lines: list[str], advised: str) -> None:
    table = open_table(written(tmp_path, name, "\n".join(lines)))
    (hint,) = (problem.hint for problem in table.problems if problem.code == "delimiter_assumed")
    assert advised in hint


@pytest.mark.parametrize(
    ("lines", "advised"),
    [
        (["smiles,mass", *(f"r{i},{smiles},{i}" for i, smiles in enumerate(SMILES))], "row.names = FALSE"),
        (["smiles,mass", *(f"{smiles},{i}," for i, smiles in enumerate(SMILES))], "at the end of every row"),
        (["Report of a year", "smiles,mass,n", *(f"{smiles},{i},1" for i, smiles in enumerate(SMILES))], "From line 2 on"),
        (["text,n", *(f"{smiles},{i},5" for i, smiles in enumerate(SMILES))], "decimal marks"),
        (["text,n", *(f"'{smiles}, it is',{i}" for i, smiles in enumerate(SMILES))], "double quotes"),
    ],
)
def test_where_rows_differ_what_helps_is_said(tmp_path: Path, lines: list[str], advised: str) -> None:
    (problem,) = problems_of(open_table, written(tmp_path, "a.csv", "\n".join(lines)))
    assert problem.code == "ragged_rows"
    assert advised in problem.hint


def test_the_last_of_several_comments_may_hold_the_names(tmp_path: Path) -> None:
    rows = "".join(f"{smiles}\t{i}\n" for i, smiles in enumerate(SMILES))
    for end in ("\n", "\r\n", "\r"):
        content = f"## tool 1.2\n## 2020\n#smiles\tmass\n{rows}".replace("\n", end)
        table = open_table(written(tmp_path, "a.tsv", content))
        assert ([column.name for column in table.columns], table.rows) == (["#smiles", "mass"], len(SMILES))
        assert "comments_skipped" in codes(table.problems)


@pytest.mark.parametrize(
    ("line", "advised"),
    [("CHEMBL{i}\t{smiles}", "second words"), ("{smiles},CHEMBL{i}", ".csv"), ("It is late {i}", ".txt")],
)
def test_words_that_are_no_smiles_are_told(tmp_path: Path, line: str, advised: str) -> None:
    content = "".join(line.format(i=i, smiles=smiles) + "\n" for i, smiles in enumerate(SMILES))
    (problem,) = open_table(written(tmp_path, "a.smi", content)).problems
    assert problem.code == "no_smiles"
    assert advised in problem.hint
    plain = "".join(f"{smiles} name {i}\n" for i, smiles in enumerate(SMILES))
    assert open_table(written(tmp_path, "b.smi", plain)).problems == ()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "собака и кошка живут в большом доме"),
        ("koi8-r", "собака и кошка живут в большом доме"),
        ("shift-jis", "これは犬です。猫ではありません"),
        ("euc-jp", "これは犬です。猫ではありません"),
        ("cp949", "이것은 개입니다 그리고 고양이는 아니다"),
        ("cp1255", "שלום עולם הכלב גדול"),
        ("cp1250", "Zażółć gęślą jaźń i łódź w mieście"),
        ("iso8859-2", "Zażółć gęślą jaźń i łódź w mieście"),
        ("cp850", "Zürich, café, naïve, élève, garçon, Übermut, Äpfel, größer"),
        ("mac-roman", "Zürich, café, naïve, élève, garçon, Übermut, Äpfel, größer"),
        ("cp1253", "ο σκύλος και η γάτα μένουν στο σπίτι"),
    ],
)
def test_an_encoding_is_proposed_by_its_letters(encoding: str, text: str) -> None:
    assert by_letters(f"a\n{text}\n".encode(encoding)) == encoding
    assert by_letters("Äpfel, Öl und Übermut\nça va, très bien\n".encode("cp1252")) == ""


def test_what_stands_in_the_place_of_a_file_is_refused_for_every_ending(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    for ending in ("csv", "txt", "smi", "jsonl", "npz", "parquet", "h5", "csv.gz"):
        (problem,) = problems_of(open_table, written(tmp_path, f"a.{ending}", pointer))
        assert "git lfs pull" in problem.hint


def test_characters_that_cannot_be_seen_and_spaces_behind_cells_are_told(tmp_path: Path) -> None:
    content = "\ufeffa,b\n" + "word  ,1\n" * 4
    assert codes(open_table(written(tmp_path, "a.csv", content)).problems) == ["spaces_in_cells"]
    rows = "word,1\n" * 4
    (problem,) = open_table(written(tmp_path, "b.csv", f"a,b\n{rows}\ufeff{rows}")).problems
    assert (problem.code, "line 6" in problem.text) == ("invisible_characters", True)


@pytest.mark.parametrize(
    ("word", "advised"),
    [
        ("Zürich".encode().decode("cp1252"), "decode"),
        ("it’s".encode().decode("cp1252"), "decode"),
        ("Z\ufffdrich", "lost"),
        ("Tom &amp; Z&uuml;rich", "unescape"),
    ],
)
def test_letters_that_an_earlier_program_spoilt_are_told(tmp_path: Path, word: str, advised: str) -> None:
    (problem,) = open_table(written(tmp_path, "a.csv", f"word,n\n{word},1\nw,2\n")).problems
    assert (problem.code, "line 2" in problem.text, advised in problem.hint) == ("spoilt_letters", True, True)
    whole = "".join(f"{each},1\n" for each in ("Zürich", "São Paulo", "a&b", "AT&T;", "Ã", "â"))
    assert open_table(written(tmp_path, "b.csv", f"word,n\n{whole}")).problems == ()


def test_several_columns_without_names_are_called_by_their_places(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "a.csv", "name,,x,\n" + "w,,1,\n" * 4))
    assert [column.name for column in table.columns] == ["name", "column 2", "x", "column 4"]


def test_models_tables_of_pandas_and_sparse_matrices_are_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"], file["kernel"] = "{}", np.zeros((4, 2))
    with h5py.File(tmp_path / "frame.h5", "w") as file:
        file.create_group("df").attrs["pandas_type"] = "frame"
        file["df/block0_values"] = np.zeros((4, 2))
    np.savez(tmp_path / "sparse.npz", data=np.ones(3), shape=np.array([3, 3]), format=np.array(b"csr"), indices=np.arange(3))
    for name, advised in (("model.h5", "import"), ("frame.h5", "read_hdf"), ("sparse.npz", "toarray")):
        (hint,) = (problem.hint for problem in open_table(tmp_path / name).problems if problem.code == "other_content")
        assert advised in hint


def test_columns_of_parquet_that_cannot_be_read_say_what_helps(tmp_path: Path) -> None:
    columns = {
        "dates": pa.array([0, 1], pa.timestamp("s")), "texts": [["C", "N"]] * 2, "bytes": pa.array([b"a"] * 2, pa.binary()),
        "fields": [{"a": 1}] * 2, "none": pa.array([None] * 2), "lists": [[], [1.0]], "x": [1, 2],
    }  # fmt: skip
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    unusable = open_table(tmp_path / "a.parquet").unusable
    assert set(unusable) == set(columns) - {"x"}
    assert all(problem.hint for problem in unusable.values())


def test_half_of_a_pair_in_json_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems_of(open_table, written(tmp_path, "a.jsonl", '{"a": "x"}\n{"a": "\\ud800x"}\n'))
    assert problem.code == "bad_json_line"
    assert "Line 2" in problem.text
    assert open_table(written(tmp_path, "b.jsonl", '{"a": "\\ud83d\\ude00", "x": NaN}\n')).rows == 1
