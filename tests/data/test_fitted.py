"""What a run saves writes new rows as in training, whatever they come from."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.new_numbers import parse_numbers
from seqdec_gui.data.rows import read_input, read_rows
from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import TensorType
from tests.data.ports import ARCHETYPE, codes, port, problems_of

X = np.random.default_rng(0).normal(5, 3, (4, 3))
WORDS = np.array(["abc", "b", "caba", "de"])


@pytest.fixture
def dataset(opened: Callable[..., Dataset]) -> Dataset:
    return opened({"X": X, "words": WORDS}, ARCHETYPE, Binding("latent", "X"), Binding("steps", "words"))


@pytest.fixture
def fitted(dataset: Dataset) -> Fitted:
    return dataset.fitted


@pytest.fixture
def spelled(opened: Callable[..., Dataset]) -> Fitted:
    """One input of text."""
    return opened({"number": WORDS}, [port(type=TensorType((5, 6)), one_hot=True)], Binding("x", "number")).fitted


def test_the_file_reads_back_equal(tmp_path: Path, fitted: Fitted) -> None:
    fitted.save(tmp_path / "data.json")
    assert fitted_file.load(tmp_path / "data.json") == fitted
    assert [path.name for path in tmp_path.iterdir() if "json" in path.name] == ["data.json"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_floats_read_back_exactly(values: list[float]) -> None:
    codec = FittedNumbers((len(values),), tuple(values), tuple(values))
    whole = Fitted((FittedPort("x", "x.output", "input", ("x",), codec),), ())
    assert fitted_file.loads(whole.dumps()) == whole


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text.replace(b'"format": 1', b'"format": 2'), "has format 2"),
        (lambda text: text.replace(b'"wires"', b'"cables": 1, "wires"'), "newer version"),
        (lambda text: text[:-20], "damaged"),
    ],
)
def test_a_newer_or_damaged_file_is_refused(
    tmp_path: Path, fitted: Fitted, change: Callable[[bytes], bytes], expected: str
) -> None:
    (tmp_path / "data.json").write_bytes(change(fitted.dumps()))
    with pytest.raises(InvalidInput, match=expected):
        fitted_file.load(tmp_path / "data.json")
    with pytest.raises(InvalidInput, match=r"cannot be read"):
        fitted_file.load(tmp_path / "nothing.json")


def test_new_rows_are_written_as_the_training_rows_were(dataset: Dataset, fitted: Fitted) -> None:
    arrays = fitted.encode_rows({"model_1.inputs": X, "steps": list(WORDS)})
    for name, array in dataset.arrays.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_only_what_the_decoder_does_not_make_itself_is_asked_for(fitted: Fitted) -> None:
    assert [port.name for port in fitted.inputs] == ["latent"]
    assert set(fitted.encode_rows({"latent": X})) == {"latent"}


def test_rows_that_cannot_be_written_list_every_problem(fitted: Fitted) -> None:
    assert codes(problems_of(fitted.encode_rows, {"steps": ["a"]})) == ["missing_input"]
    found = problems_of(fitted.encode_rows, {"latent": np.ones((2, 4)), "steps": ["a", "aQ", "b"]})
    assert codes(found) == ["row_counts_differ", "wrong_shape", "unknown_symbol"]
    assert found[-1].text == "Input 'steps', row 2: symbol 'Q' is not in the charset 'abcde'."
    assert codes(problems_of(fitted.encode_rows, {"latent": ["a", "b"]})) == ["wrong_column_type"]
    assert codes(problems_of(fitted.encode_rows, {"latent": np.full((1, 3), np.nan)})) == ["not_finite"]


def test_predictions_of_the_loss_are_read_by_the_charset_it_was_taught(fitted: Fitted) -> None:
    assert fitted.decode([3, 4, 5, 2, 0, 0]) == "abc"
    assert fitted.decode(np.array([3, 2]), "loss") == "a"
    assert fitted.text().begin_id == 1  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="not on text"):
        fitted.text("latent")


# -- rows from outside
@pytest.mark.parametrize(
    "lines",
    [
        ["1,2,3.5", "-4,5e1,6"],
        ["1 2 3.5\n", "-4 5e1 6\n"],
        ["1;2;3,5", "-4;5e1;6"],
        ["1 2 3,5", "-4 5e1 6"],
        ["[1. 2. 3.5]", "[-4, 5e1, 6]"],
        ["id\tlatent", "a\t1 2 3.5", "b\t-4 5e1 6"],
        ["latent,id", '"1,2,3.5",a', '"-4,5e1,6",b'],
    ],
)
def test_vectors_are_read_from_lines(fitted: Fitted, lines: list[str]) -> None:
    rows = read_rows(fitted, lines)
    np.testing.assert_array_equal(rows["latent"], [[1, 2, 3.5], [-4, 50, 6]])


@pytest.mark.parametrize("name", ["latent", "latent.output", "model_1.inputs", "X"])
def test_arrays_are_read_by_any_name_of_the_port(tmp_path: Path, fitted: Fitted, name: str) -> None:
    np.savez(tmp_path / "a.npz", **{name: X, "more": X})
    np.testing.assert_array_equal(read_rows(fitted, tmp_path / "a.npz")["latent"], X)


@pytest.mark.parametrize("name", ["rows.csv", "rows.txt"])
@pytest.mark.parametrize("text", ["id,number\n1,abc\n2,de\n", "abc\r\nde\r\n", "x\nabc\nde"])
def test_text_is_read_from_a_file_with_or_without_header(tmp_path: Path, spelled: Fitted, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_rows(spelled, tmp_path / name) == {"x": ["abc", "de"]}


def test_a_first_line_that_is_neither_header_nor_value_is_refused(spelled: Fitted, fitted: Fitted) -> None:
    with pytest.raises(InvalidInput, match=r"neither a header with a column 'x' or 'x\.output' or 'number' nor a value"):
        read_rows(spelled, ["nmber", "abc"])
    with pytest.raises(InvalidInput, match="neither a header"):
        read_rows(fitted, ["lattent", "1 2 3"])


@pytest.mark.parametrize(("first", "is_asked"), [("word", True), ("abc", False), ("x", False), ("b", False)])
def test_a_first_line_that_may_be_a_name_and_can_be_encoded_is_asked_about(
    opened: Callable[..., Dataset], first: str, is_asked: bool
) -> None:
    words = [port(type=TensorType((5, 12)), one_hot=True)]
    fitted = opened({"number": ["abc", "word", "de"]}, words, Binding("x", "number")).fitted
    rows = read_input(fitted, [first, "abc", "wod", "d"])
    assert [note.code for note in rows.notes] == ["header_missing"] * is_asked
    assert rows.values["x"][0] == ("abc" if first == "x" else first)


def test_lines_that_are_no_vectors_are_named(fitted: Fitted) -> None:
    found = problems_of(read_rows, fitted, ["1 2 3", "1 2", "1 two 3"])
    assert "Line 2: Input latent has 2 numbers" in found[0].text
    assert "Line 3: Input latent: 'two' is not a number" in found[1].text


def test_an_empty_line_is_an_empty_row_and_not_left_out(spelled: Fitted) -> None:
    for lines in (["number", "abc", "", "de"], ["abc", "", "de"]):
        (problem,) = problems_of(spelled.encode_rows, read_rows(spelled, lines))
        assert (problem.code, "the first is row 2" in problem.text) == ("empty_rows", True)


def test_columns_trained_together_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,c,words\n1,2,3,ab\n4,5,7,b\n")
    source = DataSource("a.csv", bindings=(Binding("latent", ("c", "a", "b")), Binding("steps", "words")))
    fitted = open_dataset(source, ARCHETYPE, tmp_path).fitted
    np.testing.assert_array_equal(read_rows(fitted, ["a;c;b", "1,5;3;2"])["latent"], [[3, 1.5, 2]])
    np.savez(tmp_path / "b.npz", a=[1.5], b=[2], c=[3])
    np.testing.assert_array_equal(read_rows(fitted, tmp_path / "b.npz")["latent"], [[3, 1.5, 2]])
    with pytest.raises(InvalidInput, match="or all of c, a, b, found 'a', 'b'"):
        read_rows(msgspec.structs.replace(fitted, ports=(*fitted.ports, _second_input())), ["a,b", "1,2"])


def _second_input() -> FittedPort:
    return FittedPort("y", "y.output", "input", ("y",), FittedNumbers((1,)))


@pytest.mark.parametrize("lines", [[], ["", ""]])
def test_no_lines_are_refused(fitted: Fitted, lines: list[str]) -> None:
    assert codes(problems_of(read_rows, fitted, lines)) == ["empty_file"]


def test_a_header_alone_and_a_ragged_row_are_refused(fitted: Fitted) -> None:
    assert codes(problems_of(read_rows, fitted, ["latent,id"])) == ["no_rows"]
    assert codes(problems_of(read_rows, fitted, ["latent,id", "1"])) == ["ragged_rows"]


def test_numbers_of_one_line() -> None:
    assert parse_numbers("1,5", 1) == [1.5]
    assert parse_numbers("1,5", 2) == [1.0, 5.0]
    assert parse_numbers("0.5, 1.5", 2) == [0.5, 1.5]
    assert parse_numbers("1 x", 2) == "x"


@pytest.mark.parametrize(
    ("lines", "value"),
    [(["a,b,c", '"1,234",2,3'], 1234.0), (["a;b;c", "1.234,5;2;3"], 1234.5), (["a;b;c", "1,234;2;3"], 1.234)],
)
def test_new_rows_write_numbers_as_the_training_file_may(tmp_path: Path, lines: list[str], value: float) -> None:
    (tmp_path / "a.csv").write_text("a,b,c,words\n1,2,3,ab\n4,5,7,b\n")
    source = DataSource("a.csv", bindings=(Binding("latent", ("a", "b", "c")), Binding("steps", "words")))
    fitted = open_dataset(source, ARCHETYPE, tmp_path).fitted
    np.testing.assert_allclose(read_rows(fitted, lines)["latent"], [[value, 2, 3]])


def test_the_rows_of_a_file_are_decoded_as_in_training(tmp_path: Path, spelled: Fitted) -> None:
    path = tmp_path / "rows.txt"
    path.write_bytes("number\nl’été\n5 €\n".encode("cp1252"))
    assert read_rows(spelled, path) == {"x": ["l’été", "5 €"]}
    path.write_bytes("number\nGo\nVa\n".encode("utf-16-le"))
    assert read_rows(spelled, path) == {"x": ["Go", "Va"]}


def test_quotes_of_rows_are_text_where_one_does_not_close(tmp_path: Path, spelled: Fitted) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text('number\tnote\n"Stop\ta\nsay "hi"\tb\n"whole"\tc\n')
    assert read_rows(spelled, path) == {"x": ['"Stop', 'say "hi"', '"whole"']}


def test_rows_without_names_are_taken_by_place_where_the_training_had_none(tmp_path: Path, spelled: Fitted) -> None:
    import msgspec

    port = msgspec.structs.replace(spelled.ports[0], columns=("column 2",))
    fitted = msgspec.structs.replace(spelled, ports=(port, *spelled.ports[1:]))
    path = tmp_path / "rows.tsv"
    path.write_text("1\tabc\n2\tde\n")
    assert read_rows(fitted, path) == {"x": ["abc", "de"]}
