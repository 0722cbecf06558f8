"""How a file was read for a training is settled: later files are read in the same way, or refused with both readings."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.notation import Doubt, Notation, adjusted, plain_cell, rewritten
from seqdec_gui.data.new_rows import encode_good_rows
from seqdec_gui.data.rows import columns_beside, read_input
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Binding, DataSource, Reading, Split
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import TensorType
from tests.data.ports import codes, problems_of

X = DataPort("x", "x.output", "input", TensorType((2,)))
WORD = DataPort("word", "word.output", "input", TensorType((6,), "int32", symbols=30))
BOUND = (Binding("x", ("a", "b")),)
ROWS = [(0.25, 1234.5), (1.5, 7.0), (2.75, 12.5), (3.0, 8.25), (9.5, 4321.125)]


def german(number: float, thousands: str = "") -> str:
    return f"{number:,}".replace(",", "T").replace(".", ",").replace("T", thousands)


def trained(folder: Path, text: str, name: str = "train.csv", how: Reading | None = None) -> Fitted:
    """Return the fit of two columns of numbers, a and b, as it is read back from a run."""
    (folder / name).write_text(text)
    source = DataSource(name, Split(validation=0.0), BOUND, how or Reading())
    made = open_dataset(source, [X], folder).fitted
    made.save(folder / "data.json")
    return fitted_file.load(folder / "data.json")


@pytest.fixture
def commas(tmp_path: Path) -> Fitted:
    return trained(tmp_path, "a;b\n" + "\n".join(f"{german(a)};{german(b)}" for a, b in ROWS))


def read(fitted: Fitted, folder: Path, text: str, name: str = "new.csv") -> tuple[list[list[float]], dict[int, str]]:
    (folder / name).write_text(text)
    rows = read_input(fitted, folder / name)
    return np.asarray(rows.values["x"], float).tolist(), rows.reasons


def test_what_was_detected_travels_with_the_fit(commas: Fitted) -> None:
    (file,) = commas.files
    assert (file.file, file.ports, file.encoding, file.delimiter, file.header) == ("train.csv", ("x",), "utf-8", ";", "yes")
    assert file.columns == (("a", Notation(",")), ("b", Notation(",")))


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_number_that_the_marks_of_the_training_do_not_settle_is_refused_with_both_readings(
    commas: Fitted, tmp_path: Path, mark: str
) -> None:
    values, reasons = read(commas, tmp_path, f"a{mark}b\n1.234{mark}5\n1,234{mark}5\n")
    assert list(reasons) == [0]
    assert all(words in reasons[0] for words in ("Line 2", "'1.234'", "1234", "1.234", "Write 1234 or 1,234"))
    assert values[1] == [1.234, 5.0]


def test_marks_between_thousands_of_the_training_are_read_in_new_rows(tmp_path: Path) -> None:
    text = "a;b\n" + "\n".join(f"{german(a)};{german(b, '.')}" for a, b in ROWS)
    fitted = trained(tmp_path, text)
    assert fitted.files[0].notation("b") == Notation(",", ".")
    assert read(fitted, tmp_path, "a;b\n1,5;1.234\n") == ([[1.5, 1234.0]], {})


def test_decimal_points_of_the_training_make_a_lone_comma_doubtful(tmp_path: Path) -> None:
    fitted = trained(tmp_path, "a,b\n" + "\n".join(f"{a},{b}" for a, b in ROWS))
    assert fitted.files[0].columns == (("a", Notation(".")), ("b", Notation(".")))
    values, reasons = read(fitted, tmp_path, "a;b\n1,234;1\n1.234;1\n0,5;1\n")
    assert list(reasons) == [0]
    assert "Write 1234 or 1.234" in reasons[0]
    assert values[1:] == [[1.234, 1.0], [0.5, 1.0]]
    values, reasons = read(fitted, tmp_path, 'a,b\n"1,234",1\n"1,234,000",1\n')
    assert (values, reasons) == ([[1234.0, 1.0], [1234000.0, 1.0]], {})


def test_whole_numbers_have_the_decimal_mark_of_the_other_columns(tmp_path: Path) -> None:
    fitted = trained(tmp_path, "a;b\n" + "\n".join(f"{german(a)};{i}" for i, (a, _) in enumerate(ROWS)))
    assert fitted.files[0].notation("b") == Notation(",")
    alone = trained(tmp_path, "a;b\n" + "\n".join(f"{i};{i * i}" for i in range(9)))
    assert alone.files[0].columns == ()


@pytest.mark.parametrize(("mark", "value"), [(",", 1234.0), (".", 1.234)])
def test_a_decimal_mark_that_is_set_settles_new_rows(tmp_path: Path, mark: str, value: float) -> None:
    fitted = trained(tmp_path, "a;b\n" + "1.234;5\n" * 9, how=Reading(decimal=mark))  # type: ignore[arg-type]
    (tmp_path / "new.csv").write_text("a;b\n1.234;5\n")
    rows = read_input(fitted, tmp_path / "new.csv", how=Reading(decimal=mark))  # type: ignore[arg-type]
    assert np.asarray(rows.values["x"])[0, 0] == value


def test_lines_and_texts_of_other_formats_are_read_in_the_notation_of_the_training(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a\n" + "\n".join(f'"{german(a)}"' for a, _ in ROWS))
    one = DataPort("x", "x.output", "input", TensorType((1,)))
    fitted = open_dataset(DataSource("one.csv", Split(validation=0.0), (Binding("x", ("a",)),)), [one], tmp_path).fitted
    rows = read_input(fitted, ["1,5", "1.234", "1,234"])
    assert list(rows.reasons) == [1]
    assert "Line 2" in rows.reasons[1]
    (tmp_path / "new.jsonl").write_text('{"a": "1,5"}\n{"a": "1.234"}\n')
    assert list(read_input(fitted, tmp_path / "new.jsonl").reasons) == [1]


def test_evaluation_on_a_new_file_refuses_a_number_with_two_readings(commas: Fitted, tmp_path: Path) -> None:
    source = DataSource("new.csv", Split(validation=0.0), BOUND)
    (tmp_path / "new.csv").write_text("a;b\n" + "1,5;2\n" * 5 + "1,5;1.234\n")
    (problem,) = problems_of(open_dataset, source, [X], tmp_path, commas)
    assert problem.code == "number_format"
    assert "row 6" in problem.text
    (tmp_path / "new.csv").write_text("a;b\n" + "1,5;2\n" * 5 + "1.5;1,234\n")
    codec = commas.port("x").codec
    assert isinstance(codec, FittedNumbers)
    last = open_dataset(source, [X], tmp_path, commas).arrays["x"][5]
    assert (last * codec.deviation + codec.mean).tolist() == pytest.approx([1.5, 1.234], rel=1e-3)


def test_a_large_file_of_points_is_not_read_past_the_commas_of_the_training(commas: Fitted, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a;b\n" + "0.5;10.25\n" * 200_000 + "0.5;1.234\n")
    source = DataSource("new.csv", Split(validation=0.0), BOUND)
    assert codes(problems_of(open_dataset, source, [X], tmp_path, commas)) == ["number_format"]


def test_runs_without_a_record_read_as_before_and_warn_of_what_is_doubtful(commas: Fitted, tmp_path: Path) -> None:
    text = commas.dumps().decode()
    at = text.index('"files"')
    old = fitted_file.loads(text[:at].rstrip().rstrip(",") + "\n}")
    assert old.files == ()
    (tmp_path / "new.csv").write_text("a;b\n1.234;5\n2.345;6\n")
    rows = read_input(old, tmp_path / "new.csv")
    assert np.asarray(rows.values["x"])[:, 0].tolist() == [1.234, 2.345]
    assert [(note.code, "may be 1234" in note.text) for note in rows.notes] == [("number_format", True)]
    (tmp_path / "new.csv").write_text("a;b\n1.25;5\n2.345;6\n")
    assert read_input(old, tmp_path / "new.csv").notes == ()


@pytest.mark.parametrize(("mark", "said"), [(";", True), ("\t", True), (",", False)])
def test_points_that_may_stand_between_thousands_are_said_before_training(tmp_path: Path, mark: str, said: bool) -> None:
    (tmp_path / "a.csv").write_text(f"w{mark}x\n" + "".join(f"w{i}{mark}{i}.{i}34\n" for i in range(1, 10)))
    table = open_table(tmp_path / "a.csv")
    assert codes(table.problems) == (["number_format"] if said else [])
    for decimal, value in ((",", 1134), (".", 1.134)):
        sure = open_table(tmp_path / "a.csv", how=Reading(decimal=decimal))  # type: ignore[arg-type]
        assert (codes(sure.problems), sure.page("x", 0, 1)) == ([], [value])
    (tmp_path / "a.csv").write_text(f"w{mark}x\n" + "".join(f"w{i}{mark}{i}.{i}34\n" for i in range(1, 10)) + f"w{mark}0.5\n")
    assert codes(open_table(tmp_path / "a.csv").problems) == []


def test_a_large_file_of_such_points_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("w;x\n" + "".join(f"w{i};{i % 9 + 1}.134\n" for i in range(100_000)))
    assert codes(open_table(tmp_path / "a.csv").problems) == ["number_format"]


# -- the other options
def words(folder: Path, text: str, name: str, column: str) -> Fitted:
    (folder / name).write_text(text)
    source = DataSource(name, Split(validation=0.0), (Binding("word", (column,)),))
    return open_dataset(source, [WORD], folder).fitted


def test_lines_that_were_texts_are_not_cut_in_a_new_file(tmp_path: Path) -> None:
    fitted = words(tmp_path, "a;b\nbb\nb;a;a\nab\n", "train.txt", "text")
    assert (fitted.files[0].delimiter, fitted.files[0].header) == ("none", "no")
    (tmp_path / "new.txt").write_text("a;b\nb;a\n")
    assert read_input(fitted, tmp_path / "new.txt").values["word"] == ["a;b", "b;a"]
    source = DataSource("new.txt", Split(validation=0.0), (Binding("word", ("text",)),))
    assert open_dataset(source, [WORD], tmp_path, fitted).rows == 2


def test_quotes_that_were_text_stay_text_and_quotes_that_were_removed_have_to_close(tmp_path: Path) -> None:
    kept = words(tmp_path, 'w\tn\n"a\t1\nb\t2\nab\t3\nb"a\t4\n', "train.tsv", "w")
    assert kept.files[0].quoting == "no"
    (tmp_path / "new.tsv").write_text('w\tn\n"ab"\t1\n')
    assert read_input(kept, tmp_path / "new.tsv").values["word"] == ['"ab"']
    removed = words(tmp_path, 'w,n\n"a,b",1\n"b",2\n"ab",3\n', "train.csv", "w")
    assert removed.files[0].quoting == "yes"
    (tmp_path / "new.csv").write_text('w,n\nab,1\n"b,2\n')
    (problem,) = problems_of(read_input, removed, tmp_path / "new.csv")
    assert (problem.code, "line 3" in problem.text) == ("open_quote", True)


def test_comments_before_the_names_are_left_out_of_new_rows_and_lines_are_those_of_the_file(tmp_path: Path) -> None:
    fitted = words(tmp_path, "# made\nw,n\na,1\nb,2\nab,3\n", "train.csv", "w")
    (tmp_path / "new.csv").write_text("# made\n# again\nw,n\nab,1\nz,2\n")
    rows = read_input(fitted, tmp_path / "new.csv")
    assert rows.values["word"] == ["ab", "z"]
    assert codes(rows.notes) == ["comments_skipped"]
    encoded = encode_good_rows(fitted, rows.values, rows.reasons, rows.lines)
    assert encoded.reasons[1].startswith("Line 5: Input word: Symbol 'z'") or "Line 5" in encoded.reasons[1]
    assert [column.name for column in columns_beside(fitted, tmp_path / "new.csv")] == ["n"]


def test_names_above_rows_that_had_none_are_named(tmp_path: Path) -> None:
    fitted = words(tmp_path, "aab\nbba\nab\nb\n", "train.txt", "text")
    (tmp_path / "new.txt").write_text("text\nab\n")
    rows = read_input(fitted, tmp_path / "new.txt")
    assert rows.values["word"] == ["ab"]
    assert codes(rows.notes) == ["header_assumed"]


def test_a_column_that_is_there_twice_is_refused(commas: Fitted, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a;b;a\n1;2;3\n")
    assert codes(problems_of(read_input, commas, tmp_path / "new.csv")) == ["duplicate_column"]


def test_spaces_at_the_end_of_the_last_row_belong_to_it(tmp_path: Path) -> None:
    fitted = words(tmp_path, "w\na \nb\nab\n", "train.csv", "w")
    (tmp_path / "new.csv").write_text("w\nab\na \n\n")
    assert read_input(fitted, tmp_path / "new.csv").values["word"][:2] == ["ab", "a "]


def test_the_sheet_of_the_training_is_read_in_a_new_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    for name, sheets in (("train.xlsx", ["Values", "Other"]), ("new.xlsx", ["Other", "Values"])):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title in sheets:
            sheet = book.create_sheet(title)
            sheet.append(["a", "b"])
            for i in range(5):
                sheet.append([i + (title == "Other") * 100, i * i])
        book.save(tmp_path / name)
    source = DataSource("train.xlsx", Split(validation=0.0), BOUND)
    fitted = open_dataset(source, [X], tmp_path).fitted
    assert (fitted.files[0].sheet, fitted.files[0].header) == ("Values", "yes")
    assert np.asarray(read_input(fitted, tmp_path / "new.xlsx").values["x"])[0].tolist() == [0, 0]


def test_a_file_without_the_names_of_the_training_is_refused(tmp_path: Path) -> None:
    fitted = words(tmp_path, "smiles\nCCO\nCN\nC1CC1\n", "train.txt", "smiles")
    (tmp_path / "new.txt").write_text("CCO\nCN\nC\n")
    source = DataSource("new.txt", Split(validation=0.0), (Binding("word", ("smiles",)),))
    assert codes(problems_of(open_dataset, source, [WORD], tmp_path, fitted)) == ["header_differs"]


# -- notations
FORMS: tuple[Callable[[float, str], str], ...] = (
    lambda x, t: german(x, t) if t else german(x),
    lambda x, t: f"{x:,}" if t else f"{x}",
)


@pytest.mark.parametrize("seed", range(200))
def test_no_number_is_ever_read_otherwise_than_it_was_written_in_the_notation_of_the_training(seed: int) -> None:
    chance = random.Random(seed)
    decimal = chance.choice(".,")
    other = "," if decimal == "." else "."
    written = Notation(decimal, chance.choice(["", other]))  # type: ignore[arg-type]
    for _ in range(50):
        number = round(chance.choice([-1, 1]) * 10 ** chance.uniform(-4, 8), chance.randrange(5))
        cell = FORMS[decimal == "."](number, written.thousands)
        assert plain_cell(cell, written) == plain_cell(cell, written)
        assert float(plain_cell(cell, written)) == number  # type: ignore[arg-type]
        foreign = plain_cell(FORMS[decimal == ","](number, ""), Notation(decimal))  # type: ignore[arg-type]
        assert isinstance(foreign, Doubt) or float(foreign) == number


def test_columns_are_rewritten_like_cells() -> None:
    pa = pytest.importorskip("pyarrow")
    chance = random.Random(4)
    cells = ["1,5", "1.234", "1.234,5", "7", "1'000", "1,234", "x", "-0,5", ",5", "1e5", "1,5e3", "1.5", "12.345.678", "0.123"]
    for decimal in ".,":
        for thousands in ("", "," if decimal == "." else ".", "'"):
            notation = Notation(decimal, thousands)  # type: ignore[arg-type]
            for _ in range(30):
                column = [chance.choice([*cells, None]) for _ in range(9)]
                read = rewritten(pa.array(column, pa.string()), notation)
                wide = adjusted(notation, [cell for cell in column if cell])
                alone = [None if cell is None else plain_cell(cell, wide) for cell in column]
                doubts = [row for row, cell in enumerate(alone) if isinstance(cell, Doubt)]
                assert read.row == (doubts[0] if doubts else -1)
                expected = [cell.cell if isinstance(cell, Doubt) else cell for cell in alone]
                assert read.cells.to_pylist() == expected


def test_a_trial_knows_what_a_run_would_record(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a;b\n" + "\n".join(f"{german(a)};{german(b)}" for a, b in ROWS))
    trial = try_fit(DataSource("train.csv", Split(validation=0.0), BOUND), [X], tmp_path)
    assert trial.fitted is not None
    assert trial.fitted.files[0].notation("a") == Notation(",")


def test_an_unknown_mark_in_the_record_is_refused() -> None:
    with pytest.raises(InvalidInput):
        fitted_file.loads('{"ports": [], "wires": [], "files": [{"columns": [["a", {"decimal": "x"}]]}]}')


def test_a_number_that_can_only_have_the_other_mark_makes_marks_between_thousands_doubtful(tmp_path: Path) -> None:
    fitted = trained(tmp_path, "a;b\n" + "\n".join(f"{german(a)};{german(b, '.')}" for a, b in ROWS))
    values, reasons = read(fitted, tmp_path, "a\tb\n73.561\t3101.454\n1,5\t1.338\n")
    assert (list(reasons), values[0]) == ([0, 1], values[0])
    source = DataSource("new.csv", Split(validation=0.0), BOUND)
    assert codes(problems_of(open_dataset, source, [X], tmp_path, fitted)) == ["number_format"]


def test_whole_numbers_among_numbers_of_three_decimals_are_said_though_commas_divide_the_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("w,x\n" + "".join(f"w{i},{i}.{i}34\n" for i in range(1, 10)) + "w,7\n")
    assert codes(open_table(tmp_path / "a.csv").problems) == ["number_format"]


GERMAN = [("1,5", "1.234,5"), ("2,25", "7"), ("9,75", "12.345,25"), ("3", "2.500")]
TURNED = str.maketrans(",.", ".,")


@pytest.mark.parametrize("other", [False, True], ids=["points", "commas"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "lines"])
def test_a_file_that_nothing_but_the_training_settles_is_said(tmp_path: Path, other: bool, suffix: str) -> None:
    def turned(text: str) -> str:
        return text.translate(TURNED) if other else text

    column = DataPort("x", "x.output", "input", TensorType((1,)))
    rows = "a;w\n" + "".join(f"{turned(a)};{i}\n" for i, (_, a) in enumerate(GERMAN))
    (tmp_path / "train.csv").write_text(rows)
    bound = (Binding("x", ("a",)),)
    fitted = open_dataset(DataSource("train.csv", Split(validation=0.0), bound), [column], tmp_path).fitted
    text = {
        "csv": "a;w\n{};1\n12;2\n",
        "jsonl": '{{"a": "{}"}}\n{{"a": "12"}}\n',
        "lines": "{}\n12\n",
    }[suffix]
    path = tmp_path / f"new.{suffix}"

    def read_again(cell: str, how: Reading | None = None) -> tuple[float, tuple[str, ...]]:
        path.write_text(text.format(turned(cell)))
        found = read_input(fitted, path if suffix != "lines" else path.read_text().splitlines(), how=how)
        return float(np.ravel(np.asarray(found.values["x"], float))[0]), tuple(note.sentence() for note in found.notes)

    value, notes = read_again("1.234")
    assert value == 1234.0
    assert len(notes) == 1
    assert all(words in notes[0] for words in (turned("'1.234'"), "1234", "may be 1.234", "--decimal ,", "--decimal ."))
    assert read_again("1.234,5") == (1234.5, ())
    assert read_again("12") == (12.0, ())
    for mark, number in ((",", 1234.0), (".", 1.234)):  # the advice
        assert read_again("1.234", Reading(decimal=mark.translate(TURNED) if other else mark)) == (number, ())  # type: ignore[arg-type]


def test_evaluation_says_that_nothing_but_the_training_settles_a_file(tmp_path: Path) -> None:
    fitted = trained(tmp_path, "a;b\n" + "".join(f"{a};{b}\n" for a, b in GERMAN))

    def problems(text: str, how: Reading | None = None) -> list[str]:
        (tmp_path / "new.csv").write_text(text)
        source = DataSource("new.csv", Split(validation=0.0), BOUND, how or Reading())
        return [each.text for each in open_dataset(source, [X], tmp_path, fitted).problems if each.code == "number_format"]

    (said,) = problems("a;b\n3;1.234\n4;5.678\n")
    assert "column 'b' of new.csv '1.234' is read as 1234 and may be 1.234" in said
    assert not problems("a;b\n3,5;1.234\n4;5.678\n")
    assert not problems("a;b\n3;1.234\n4;5.678\n", Reading(decimal=","))


def test_an_exponent_makes_a_mark_decimal(tmp_path: Path) -> None:
    fitted = trained(tmp_path, "a;b\n" + "".join(f"{a};{b}\n" for a, b in GERMAN))
    values, reasons = read(fitted, tmp_path, "a;b\n3;1.234e3\n4;12\n")
    assert (values[0], reasons) == ([3.0, 1234.0], {})


@pytest.mark.parametrize(("text", "refused"), [("1.234", True), ("1.5", False), ("12", False)])
def test_a_text_that_python_reads_otherwise_than_the_training_is_refused(tmp_path: Path, text: str, refused: bool) -> None:
    from seqdec_gui.runner.sample_file import columns_of

    fitted = trained(tmp_path, "a;b\n" + "".join(f"{a};{b}\n" for a, b in GERMAN))
    if refused:
        (problem,) = problems_of(columns_of, [{"x": ["3", text]}], fitted)
        assert "may be 1.234" in problem.text
        assert columns_of([{"x": [3, 1.234]}], fitted)["x"].tolist() == [[3.0, 1.234]]  # type: ignore[union-attr]
    else:
        columns_of([{"x": ["3", text]}], fitted)
