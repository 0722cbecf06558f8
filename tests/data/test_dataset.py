"""A design's bindings become arrays and wires; what is wrong with them is listed whole."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqdec_gui.data import storage
from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, CategoryCodec, DataSource, IdsCodec, Split, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.types import TensorType
from tests.data.ports import ARCHETYPE, LATENT, LOSS, STEPS, codes, port, problems_of

Opened = Callable[..., Dataset]
EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"

X = np.random.default_rng(0).normal(5, 3, (4, 3)).astype(np.float32)
WORDS = np.array(["abc", "b", "caba", "de"])
BOUND = (Binding("latent", "X"), Binding("model_2.inputs", "words"))


def taken(dataset: Dataset, name: str) -> np.ndarray:
    """What the port of this name gets for all rows."""
    feed = next(feed for feed in dataset.feeds if feed.name == name)
    return expand(feed, dataset.arrays[feed.array])


def one_hot(ids: object, depth: int) -> np.ndarray:
    return np.eye(depth, dtype=np.float32)[np.array(ids)]


# -- teacher forcing
def test_one_text_column_feeds_decoder_and_targets_one_step_apart(opened: Opened) -> None:
    dataset = opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND)
    # ids: 0 padding, 1 begin, 2 end, then a b c d e
    assert dataset.arrays["steps"].tolist() == [
        [1, 3, 4, 5, 2, 0, 0],
        [1, 4, 2, 0, 0, 0, 0],
        [1, 5, 3, 4, 3, 2, 0],
        [1, 6, 7, 2, 0, 0, 0],
    ]
    assert dataset.arrays["steps"].dtype == np.uint8
    assert dataset.feeds[1:] == (
        TensorFeed("steps", "input", "steps", 0, -1, "one_hot", 9, 0),
        TensorFeed("loss", "target", "steps", 1, None, "ids", 9, 0),
    )
    inputs, targets = taken(dataset, "steps"), taken(dataset, "loss")
    assert inputs.shape == (4, 6, 9)
    assert targets.dtype == np.int32
    np.testing.assert_array_equal(targets[:, :-1] * (inputs[:, 1:].sum(-1) > 0), inputs[:, 1:].argmax(-1))
    assert [dataset.fitted.decode(row) for row in targets] == list(WORDS)


def test_targets_bound_on_their_own_are_not_shared(opened: Opened) -> None:
    dataset = opened({"X": X, "words": WORDS, "up": np.array(["a", "b", "c", "dd"])}, ARCHETYPE, *BOUND, Binding("loss", "up"))
    assert set(dataset.arrays) == {"latent", "steps", "loss"}
    assert dataset.arrays["loss"].tolist()[3] == [5, 5, 1, 0, 0, 0]
    assert taken(dataset, "steps").shape == (4, 6, 9)
    assert dataset.arrays["steps"].shape == (4, 7)
    assert [dataset.fitted.decode(row) for row in dataset.arrays["loss"]] == ["a", "b", "c", "dd"]


def test_ids_one_step_longer_teach_too(opened: Opened) -> None:
    ids = np.array([[1, 3, 4, 8, 2, 0, 0]] * 4)
    dataset = opened({"X": X, "ids": ids}, ARCHETYPE, BOUND[0], Binding("steps", "ids"))
    np.testing.assert_array_equal(taken(dataset, "loss"), ids[:, 1:])
    np.testing.assert_array_equal(taken(dataset, "steps").argmax(-1), ids[:, :-1])
    assert dataset.arrays["steps"].dtype == np.uint8


def test_one_hot_one_step_longer_teaches_and_is_stored_as_ids(opened: Opened) -> None:
    ids = np.array([[1, 3, 4, 8, 2, 0, 0]] * 4)
    dataset = opened({"X": X, "hot": one_hot(ids, 9)}, ARCHETYPE, BOUND[0], Binding("steps", "hot"))
    assert dataset.arrays["steps"].nbytes == ids.size
    np.testing.assert_array_equal(taken(dataset, "loss"), ids[:, 1:])


def test_ids_without_the_extra_step_cannot_teach(opened: Opened) -> None:
    arrays = {"X": X, "ids": np.ones((4, 6), int)}
    (problem,) = problems_of(opened, arrays, ARCHETYPE, BOUND[0], Binding("steps", "ids"))
    assert (problem.code, problem.where) == ("wrong_shape", "steps.output")
    assert "(7,)" in problem.text
    assert "loss.targets" in problem.hint


def test_one_hot_rows_of_zeros_are_padding_and_class_0_is_not(opened: Opened) -> None:
    hot = one_hot(np.array([[1, 3, 4, 8, 2, 0, 0]] * 4), 9)
    hot[:, -1] = 0
    dataset = opened({"X": X, "hot": hot}, ARCHETYPE, BOUND[0], Binding("steps", "hot"))
    assert dataset.arrays["steps"].dtype == np.uint8
    np.testing.assert_array_equal(taken(dataset, "steps"), hot[:, :-1])
    assert [feed.pad_id for feed in dataset.feeds[1:]] == [9, 9]
    np.testing.assert_array_equal(taken(dataset, "loss"), [[3, 4, 8, 2, 0, 9]] * 4)


def test_one_hot_rows_of_zeros_stay_values_where_the_loss_counts_them(opened: Opened) -> None:
    hot = one_hot(np.array([[1, 3, 4, 8, 2, 0, 0]] * 4), 9)
    hot[:, -1] = 0
    ports = (LATENT, STEPS, msgspec.structs.replace(LOSS, mask_padding=False))
    dataset = opened({"X": X, "hot": hot}, ports, BOUND[0], Binding("steps", "hot"))
    np.testing.assert_array_equal(taken(dataset, "loss"), hot[:, 1:])
    assert ("warning", "not_one_hot") in [(problem.severity, problem.code) for problem in dataset.problems]
    (problem,) = problems_of(opened, {"X": X, "hot": hot}, ports, BOUND[0], Binding("steps", "hot", IdsCodec()))
    assert problem.code == "not_one_hot"
    assert "mask_padding" in problem.hint


def test_an_embedding_needs_an_id_for_one_hot_rows_of_zeros(opened: Opened) -> None:
    hot = one_hot([[1, 2, 0]] * 4, 4)
    hot[1, 2] = 0
    ids = port(type=TensorType((3,), "int32", 4))
    (problem,) = problems_of(opened, {"hot": hot}, [ids], Binding("x", "hot"))
    assert problem.code == "too_many_symbols"
    assert "zeros" in problem.text
    wider = port(type=TensorType((3,), "int32", 5))
    assert taken(opened({"hot": hot}, [wider], Binding("x", "hot")), "x").tolist()[1] == [1, 2, 4]


# -- padding is what is said to be padding
@pytest.mark.parametrize("rows", [[[0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1]], [[1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]])
@pytest.mark.parametrize("hot", [False, True])
@pytest.mark.parametrize("codec", [None, IdsCodec()])
def test_class_0_counts_whatever_the_rows_look_like(
    opened: Opened, rows: list[list[int]], hot: bool, codec: IdsCodec | None
) -> None:
    loss = DataPort("loss", "loss.targets", "target", TensorType((6, 2)), ("loss",), classes=2, mask_padding=True)
    ids = np.array(rows * 2)
    dataset = opened({"y": one_hot(ids, 2) if hot else ids}, [loss], Binding("loss", "y", codec))
    assert dataset.feeds == (TensorFeed("loss", "target", "loss", 0, None, "ids", 2, None),)
    np.testing.assert_array_equal(taken(dataset, "loss"), ids)


@pytest.mark.parametrize("hot", [False, True])
def test_an_id_that_ends_rows_of_different_lengths_is_asked_about_and_not_masked(opened: Opened, hot: bool) -> None:
    ids = np.array([[1, 3, 4, 8, 2, 0, 0], [1, 3, 2, 0, 0, 0, 0], [1, 3, 4, 5, 6, 7, 2], [1, 2, 0, 0, 0, 0, 0]])
    given = {"X": X, "y": one_hot(ids, 9) if hot else ids}
    dataset = opened(given, ARCHETYPE, BOUND[0], Binding("steps", "y"))
    assert [feed.pad_id for feed in dataset.feeds[1:]] == [None, None]
    (problem,) = [problem for problem in dataset.problems if problem.severity == "warning"]
    assert (problem.code, problem.where) == ("looks_like_padding", "steps.output")
    assert problem.hint == "If it is padding, set steps.output.codec.pad_id=0."
    stated = opened(given, ARCHETYPE, BOUND[0], Binding("steps", "y", IdsCodec(0)))
    assert [feed.pad_id for feed in stated.feeds[1:]] == [0, 0]
    assert codes(stated.problems) == ["standardised"]


@pytest.mark.parametrize(
    ("rows", "codec", "warned"),
    [
        ([[1, 0, 2, 3], [1, 2, 3, 0]], None, True),
        ([[1, 0, 2, 3], [1, 2, 3, 0]], IdsCodec(0), False),  # said to be padding
        ([[0, 0, 2, 3], [1, 2, 0, 0]], None, False),
        ([[1, 2, 2, 3], [1, 2, 3, 3]], None, False),
        ([[1, 0, 2, 3], [1, 2, 3, 3]], IdsCodec(3), True),
    ],
)
def test_a_symbol_that_an_embedding_would_skip_is_told(
    opened: Opened, rows: list[list[int]], codec: IdsCodec | None, warned: bool
) -> None:
    ids = port(type=TensorType((4,), "int32", 5), masked_by="encoder.mask_padding")
    dataset = opened({"x": np.array(rows * 2)}, [ids], Binding("x", "x", codec))
    assert codes(dataset.problems) == ["symbol_is_masked"] * warned
    assert all("encoder.mask_padding" in problem.text for problem in dataset.problems)


# -- other ports
def test_an_encoder_takes_text_without_marks_padded_and_reversed_as_asked(opened: Opened) -> None:
    ids = port(type=TensorType((5,), "int32", 6))
    codec = TextCodec(padding="left", reverse=True)
    dataset = opened({"words": WORDS}, [ids], Binding("x", "words", codec))
    assert dataset.arrays["x"].tolist() == [[0, 0, 3, 2, 1], [0, 0, 0, 0, 2], [0, 1, 2, 1, 3], [0, 0, 0, 5, 4]]
    assert taken(dataset, "x").dtype == np.int32


def test_a_length_left_open_is_that_of_the_longest_row(opened: Opened) -> None:
    free = port(type=TensorType((None,), "int32", None))
    assert opened({"words": WORDS}, [free], Binding("x", "words")).arrays["x"].shape == (4, 4)
    teaching = DataPort("x", "x.output", "input", TensorType((None, 8)), taught="loss", one_hot=True)
    loss = DataPort("loss", "loss.targets", "target", TensorType((None, 8)), classes=8)
    assert opened({"words": WORDS}, [teaching, loss], Binding("x", "words")).arrays["x"].shape == (4, 6)


def test_a_target_of_text_alone_ends_with_a_mark(opened: Opened) -> None:
    dataset = opened({"words": WORDS}, [LOSS], Binding("loss", "words"))
    assert dataset.arrays["loss"].tolist()[0] == [2, 3, 4, 1, 0, 0]
    assert dataset.feeds[0].pad_id == 0


def test_whole_numbers_can_be_read_digit_by_digit(opened: Opened, tmp_path: Path) -> None:
    digits = port(type=TensorType((4, 11)), one_hot=True)
    (tmp_path / "a.csv").write_text("n\n0071\n5\n")
    dataset = open_dataset(DataSource("a.csv", Split(validation=0), (Binding("x", "n"),)), [digits], tmp_path)
    assert [dataset.fitted.port("x").codec.decode(row) for row in dataset.arrays["x"]] == ["0071", "5"]  # type: ignore[union-attr]
    assert opened({"n": np.array([71, 5])}, [digits], Binding("x", "n")).arrays["x"].shape == (2, 4)


def test_a_vector_is_standardised_over_the_training_rows_alone(opened: Opened) -> None:
    values = np.random.default_rng(1).normal(5, 3, (200, 3))
    dataset = opened({"X": values}, [LATENT], Binding("latent", "X"), split=Split(validation=0.5))
    used = dataset.arrays["latent"][dataset.training]
    np.testing.assert_allclose(used.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(used.std(axis=0), 1, atol=1e-5)
    codec = dataset.fitted.port("latent").codec
    assert isinstance(codec, FittedNumbers)
    np.testing.assert_allclose(codec.mean, values[dataset.training].mean(axis=0))


def test_a_value_that_does_not_vary_is_centred_and_told(opened: Opened) -> None:
    dataset = opened({"X": np.tile([[1.0, 0.1, 3.0]], (4, 1))}, [LATENT], Binding("latent", "X"))
    np.testing.assert_allclose(dataset.arrays["latent"], [[1, 0, 0]] * 4, atol=1e-7)
    assert codes(dataset.problems) == ["standardised", "constant_values", "constant_column"]
    asked = opened({"X": np.tile([[1.0, 0.1, 3.0]], (4, 1))}, [LATENT], Binding("latent", "X", VectorCodec(True)))
    np.testing.assert_allclose(asked.arrays["latent"], 0, atol=1e-7)


def test_bits_are_left_as_they_are_and_told(opened: Opened) -> None:
    bits = np.random.default_rng(0).integers(0, 2, (50, 3)).astype(np.float32)
    dataset = opened({"X": bits}, [LATENT], Binding("latent", "X"))
    np.testing.assert_array_equal(dataset.arrays["latent"], bits)
    (problem,) = dataset.problems
    assert (problem.severity, problem.code) == ("info", "standardised")
    assert "3 numbers left as they are (never other than -1, 0 or 1)" in problem.text
    asked = opened({"X": bits}, [LATENT], Binding("latent", "X", VectorCodec(True)))
    np.testing.assert_allclose(asked.arrays["latent"][asked.training].mean(axis=0), 0, atol=1e-6)


def test_standardised_padding_is_told(opened: Opened) -> None:
    steps = np.random.default_rng(0).normal(5, 2, (8, 4, 2))
    series = port(type=TensorType((4, 2)), masked_by="encoder.mask_padding")
    assert codes(opened({"x": steps}, [series], Binding("x", "x", VectorCodec())).problems) == ["standardised"]
    steps[::2, 3] = 0
    found = opened({"x": steps}, [series], Binding("x", "x", VectorCodec())).problems
    assert codes(found) == ["standardised", "padding_standardised"]
    assert opened({"x": steps}, [series], Binding("x", "x", VectorCodec(False))).problems == ()


def test_yes_and_no_as_numbers_are_not_standardised(opened: Opened) -> None:
    loss = DataPort("loss", "loss.targets", "target", TensorType((3,)), probabilities=True)
    shares = np.random.default_rng(0).uniform(size=(8, 3)).astype(np.float32)
    np.testing.assert_array_equal(opened({"y": shares}, [loss], Binding("loss", "y", VectorCodec())).arrays["loss"], shares)
    (problem,) = problems_of(opened, {"y": shares}, [loss], Binding("loss", "y", VectorCodec(True)))
    assert problem.code == "standardised_classes"


def test_classes_cannot_be_standardised(opened: Opened) -> None:
    soft = np.random.default_rng(0).dirichlet(np.ones(9), (4, 6))
    (problem,) = problems_of(opened, {"y": soft}, [LOSS], Binding("loss", "y", VectorCodec(True)))
    assert problem.code == "standardised_classes"
    np.testing.assert_allclose(opened({"y": soft}, [LOSS], Binding("loss", "y", VectorCodec())).arrays["loss"], soft, rtol=1e-6)


def test_values_are_fed_as_they_are_if_asked(opened: Opened) -> None:
    codec = VectorCodec(standardise=False)
    np.testing.assert_array_equal(opened({"X": X}, [LATENT], Binding("latent", "X", codec)).arrays["latent"], X)


def test_several_columns_make_one_vector_in_their_order(opened: Opened) -> None:
    arrays = {"a": X[:, 0], "b": np.arange(4), "c": X[:, 2]}
    dataset = opened(arrays, [LATENT], Binding("latent", ("c", "b", "a"), ValuesCodec()))
    np.testing.assert_array_equal(dataset.arrays["latent"], np.stack([X[:, 2], np.arange(4), X[:, 0]], 1))
    series = port(type=TensorType((3, 1)))
    assert opened(arrays, [series], Binding("x", ("a", "b", "c"))).arrays["x"].shape == (4, 3, 1)
    assert opened(arrays, [port(type=TensorType((1,)))], Binding("x", "b")).arrays["x"].shape == (4, 1)


def test_a_one_hot_port_takes_other_values_as_they_are_and_says_so(opened: Opened) -> None:
    soft = np.random.default_rng(0).random((4, 6, 9)).astype(np.float32)
    dataset = opened({"soft": soft}, [port(type=TensorType((6, 9)), one_hot=True)], Binding("x", "soft"))
    np.testing.assert_array_equal(taken(dataset, "x"), soft)
    assert [(problem.severity, problem.code) for problem in dataset.problems] == [("info", "not_one_hot")]


def test_one_hot_rows_are_stored_as_ids_zeros_included(opened: Opened) -> None:
    hot = one_hot([[1, 2, 0], [0, 0, 3], [3, 3, 3], [0, 1, 2]], 4)
    hot[1, 2] = 0
    dataset = opened({"hot": hot}, [port(type=TensorType((3, 4)), one_hot=True)], Binding("x", "hot"))
    assert dataset.arrays["x"].dtype == np.uint8
    assert dataset.arrays["x"].shape == (4, 3)
    np.testing.assert_array_equal(taken(dataset, "x"), hot)


@pytest.mark.parametrize("hot", [False, True])
def test_targets_that_choose_a_class_become_ids(opened: Opened, hot: bool) -> None:
    ids = np.array([[0, 1, 2, 3, 4, 5]] * 4)
    dataset = opened({"y": one_hot(ids, 9) if hot else ids}, [LOSS], Binding("loss.targets", "y"))
    assert dataset.feeds == (TensorFeed("loss", "target", "loss", 0, None, "ids", 9, None),)
    np.testing.assert_array_equal(taken(dataset, "loss"), ids)


def test_soft_targets_stay_values(opened: Opened) -> None:
    soft = np.random.default_rng(0).dirichlet(np.ones(9), (4, 6))
    dataset = opened({"y": soft}, [LOSS], Binding("loss", "y"))
    assert dataset.feeds == (TensorFeed("loss", "target", "loss", 0, None, "values", 9, None),)
    np.testing.assert_allclose(taken(dataset, "loss"), soft, rtol=1e-6)
    assert codes(problems_of(opened, {"y": soft * 3}, [LOSS], Binding("loss", "y"))) == ["not_probabilities"]


def test_a_regression_target_keeps_its_numbers(opened: Opened) -> None:
    dataset = opened({"y": X}, [port("target", type=TensorType((3,)))], Binding("x", "y"))
    np.testing.assert_array_equal(taken(dataset, "x"), X)


def test_labels_become_one_hot_inputs_and_class_ids(opened: Opened) -> None:
    animals = np.array(["dog", "cat", "cow", "cat"])
    vector, judged = port(type=TensorType((3,))), port("target", type=TensorType((3,)), classes=3)
    dataset = opened({"y": animals}, [vector], Binding("x", "y"))
    np.testing.assert_array_equal(taken(dataset, "x"), one_hot([2, 0, 1, 0], 3))
    assert dataset.fitted.port("x").codec == FittedCategory(("cat", "cow", "dog"))
    assert taken(opened({"y": animals}, [judged], Binding("x", "y")), "x").tolist() == [2, 0, 1, 0]
    given = opened({"y": animals}, [judged], Binding("x", "y", CategoryCodec(("dog", "cow", "cat"))))
    assert taken(given, "x").tolist() == [0, 2, 1, 2]


# -- what is refused
def refusal(opened: Opened, arrays: dict[str, np.ndarray], ports: list[DataPort], *bindings: Binding) -> str:
    (problem,) = problems_of(opened, arrays, ports, *bindings)
    return problem.sentence()


def test_too_many_symbols_say_what_to_set(opened: Opened) -> None:
    narrow = port(type=TensorType((6, 4)), one_hot=True, width_at="x.symbols")
    sentence = refusal(opened, {"words": WORDS}, [narrow], Binding("x", "words"))
    assert sentence == "x.output: Column 'words': found 6 symbols (incl. padding); x.symbols has room for 4. Set x.symbols=6."


def test_too_many_symbols_are_found_at_both_ends_of_the_wire(opened: Opened) -> None:
    import msgspec

    loss = msgspec.structs.replace(LOSS, classes=5, width_at="decoder.output_units")
    for column in (WORDS, np.full((4, 7), 7)):
        (problem,) = problems_of(opened, {"x": column}, [STEPS, loss], Binding("steps", "x"))
        assert (problem.code, problem.where) == ("too_many_symbols", "loss.targets")
        assert "decoder.output_units has room for 5. Set decoder.output_units=8." in problem.sentence()


def test_one_hot_rows_of_too_few_steps_are_compared_with_one_hot_rows(opened: Opened) -> None:
    rows = np.eye(9)[np.ones((4, 6), int)]
    assert "has rows of shape (6, 9)" in (sentence := refusal(opened, {"x": rows}, [STEPS, LOSS], Binding("steps", "x")))
    assert "expected rows of shape (7, 9) (one step more" in sentence


def test_rows_that_are_too_long_say_how_many_and_what_to_set(opened: Opened) -> None:
    long = np.array(["abc", "abcdeabc", "abcabc", "a"])
    sentence = refusal(opened, {"words": long}, [STEPS, LOSS], Binding("steps", "words"))
    assert "2 rows too long for 6 steps: the longest, row 2, has 8 symbols and needs 9 steps" in sentence
    assert "Set length=9" in sentence
    opened({"words": np.array(["abcde", "a"])}, [STEPS, LOSS], Binding("steps", "words"))


def test_values_that_are_not_finite_say_how_many_and_where(opened: Opened) -> None:
    bad = X.copy()
    bad[2, 1], bad[3, 0] = np.nan, np.inf
    sentence = refusal(opened, {"X": bad}, [LATENT], Binding("latent", "X"))
    assert "Column 'X' has 2 rows with a value that is missing, NaN, infinite or beyond 3.4e38" in sentence
    assert "the first is row 3" in sentence


def test_several_columns_are_spoken_of_as_one_group(opened: Opened) -> None:
    sentence = refusal(opened, {"a": X[:, 0], "b": X[:, 1]}, [LATENT], Binding("latent", ("a", "b")))
    assert "The group of columns 'a', 'b' has rows of shape (2,)" in sentence


def test_a_reshaped_array_is_refused_with_both_shapes(opened: Opened) -> None:
    sentence = refusal(opened, {"X": np.zeros((4, 9, 6))}, [port(type=TensorType((6, 9)))], Binding("x", "X"))
    assert "rows of shape (9, 6)" in sentence
    assert "expected rows of shape (6, 9)" in sentence
    assert "reshape" in sentence


def test_text_with_numbers_in_it_is_refused_for_a_vector(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('v\n0.1 0.2 0.3\n"1, 2, 3"\n' + "0 0 0\n1 1 1\n" * 10)
    source = DataSource("a.csv", Split(validation=0), (Binding("latent", "v"),))
    (problem,) = problems_of(open_dataset, source, [LATENT], tmp_path)
    assert problem.text == "Column 'v' holds text, expected numbers: row 1 is '0.1 0.2 0.3'."
    assert "column of its own" in problem.hint


def test_one_bad_cell_among_numbers_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,c\n1,2,3\n4,five,6\n")
    source = DataSource("a.csv", Split(validation=0), (Binding("latent", ("a", "b", "c")),))
    (problem,) = problems_of(open_dataset, source, [LATENT], tmp_path)
    assert problem.text == "Column 'b' holds text, expected numbers: row 2 is 'five'."


@pytest.mark.parametrize(
    ("values", "code"),
    [(np.full((4, 5), 1.5), "not_ids"), (np.full((4, 5), -1), "not_ids"), (np.full((4, 5), 9), "too_many_symbols")],
)
def test_numbers_that_are_no_ids_are_refused(opened: Opened, values: np.ndarray, code: str) -> None:
    ids = port(type=TensorType((5,), "int32", 9))
    assert codes(problems_of(opened, {"y": values}, [ids], Binding("x", "y", IdsCodec()))) == [code]


@pytest.mark.parametrize(
    ("ports", "codec", "code"),
    [
        ([LATENT], TextCodec(), "text_needs_sequence"),
        ([STEPS, LOSS], CategoryCodec(), "label_needs_vector"),
        ([LATENT], VectorCodec(), "wrong_column_type"),
        ([LATENT], IdsCodec(), "wrong_column_type"),
        ([STEPS, LOSS], TextCodec(charset=("a", "bc")), "bad_charset"),
        ([STEPS, LOSS], TextCodec(charset=("a", "b", "c")), "unknown_symbol"),
        ([STEPS, LOSS], TextCodec(length=7), "length_differs"),
    ],
)
def test_a_codec_that_does_not_suit_is_refused(opened: Opened, ports: list[DataPort], codec: object, code: str) -> None:
    binding = Binding(ports[0].name, "words", codec)  # type: ignore[arg-type]
    assert code in codes(problems_of(opened, {"words": WORDS}, ports, binding))


def test_every_problem_is_listed_at_once(opened: Opened) -> None:
    bad = X.copy()
    bad[0, 0] = np.nan
    words = np.array(["abcdeabc", "", "a", "xyzuvw"])
    found = problems_of(opened, {"X": bad, "words": words}, ARCHETYPE, *BOUND)
    assert sorted(codes(found)) == ["empty_rows", "not_finite", "too_long", "too_many_symbols", "too_many_symbols"]


def test_bindings_that_do_not_fit_the_design_are_listed(opened: Opened) -> None:
    bindings = (Binding("latent", "X"), Binding("model_1.inputs", "X"), Binding("nowhere", "X"), Binding("steps", "wordz"))
    found = problems_of(opened, {"X": X, "words": WORDS}, ARCHETYPE, *bindings)
    assert codes(found) == ["bound_twice", "unknown_port", "unknown_column"]
    found = problems_of(opened, {"X": X}, ARCHETYPE, Binding("latent", "X"))
    assert [(problem.code, problem.where) for problem in found] == [
        ("unbound_port", "steps.output"),
        ("unbound_port", "loss.targets"),
    ]


def test_columns_of_different_length_are_named_with_their_rows(opened: Opened) -> None:
    sentence = refusal(opened, {"X": X, "words": WORDS[:3]}, list(ARCHETYPE), *BOUND)
    assert "Column 'X' has 4 rows, Column 'words' has 3" in sentence


def test_data_without_rows_and_without_a_file_are_refused(tmp_path: Path, opened: Opened) -> None:
    assert "empty_file" in codes(problems_of(opened, {"X": X[:0]}, [LATENT], Binding("latent", "X")))
    assert "no_data_file" in codes(problems_of(open_dataset, DataSource(bindings=BOUND), ARCHETYPE, tmp_path))
    assert codes(problems_of(open_dataset, DataSource("no.npz", bindings=BOUND), ARCHETYPE, tmp_path)) == ["missing_file"]


def test_a_binding_may_name_a_file_of_its_own(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "words.csv").write_text("word\n" + "\n".join(WORDS))
    source = DataSource("words.csv", Split(validation=0), (Binding("latent", "X", file="X.npy"), Binding("steps", "word")))
    assert open_dataset(source, ARCHETYPE, tmp_path).arrays["latent"].shape == (4, 3)


# -- use
def test_every_format_gives_the_same_arrays(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "words": WORDS})
    pyarrow.csv.write_csv(table, tmp_path / "d.csv")
    pyarrow.parquet.write_table(table, tmp_path / "d.parquet")
    np.savez(tmp_path / "d.npz", **{name: table[name].to_numpy() for name in "abc"}, words=WORDS)
    bindings = (Binding("latent", ("a", "b", "c")), BOUND[1])
    found = [open_dataset(DataSource(name, bindings=bindings), ARCHETYPE, tmp_path) for name in ("d.csv", "d.parquet", "d.npz")]
    for other in found[1:]:
        np.testing.assert_array_equal(other.arrays["steps"], found[0].arrays["steps"])
        np.testing.assert_allclose(other.arrays["latent"], found[0].arrays["latent"], atol=1e-6)


def test_a_batch_is_the_rows_asked_for(opened: Opened) -> None:
    dataset = opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND)
    batch = dataset.batch(np.array([3, 0, 3]))
    for name, array in dataset.arrays.items():
        np.testing.assert_array_equal(batch[name], array[[3, 0, 3]])


def test_another_file_is_encoded_with_what_was_fitted(tmp_path: Path, opened: Opened) -> None:
    fitted = opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND).fitted
    other = {"X": X[:2] + 1, "words": np.array(["ed", "c"])}
    dataset = opened(other, ARCHETYPE, *BOUND, fitted=fitted)
    assert dataset.fitted == fitted
    assert dataset.arrays["steps"].tolist() == [[1, 7, 6, 2, 0, 0, 0], [1, 5, 2, 0, 0, 0, 0]]
    codec = fitted.port("latent").codec
    assert isinstance(codec, FittedNumbers)
    np.testing.assert_allclose(dataset.arrays["latent"], (X[:2] + 1 - codec.mean) / codec.deviation, rtol=1e-5)
    found = problems_of(opened, {"X": X, "words": np.array(["ab", "zq", "a", "b"])}, ARCHETYPE, *BOUND, fitted=fitted)
    assert codes(found) == ["unknown_symbol"]


def test_large_arrays_are_mapped_from_the_cache(tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND)
    monkeypatch.setattr(storage, "MAPPED_BYTES", 30)
    mapped = opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND, cache=tmp_path / "cache")
    assert isinstance(mapped.arrays["latent"], np.memmap)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["latent.npy"]
    for name, array in plain.arrays.items():
        np.testing.assert_array_equal(mapped.batch(np.array([2, 1]))[name], array[[2, 1]])


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "MAPPED_BYTES", 0)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SeqdecError, match=r"latent.npy could not be written"):
        opened({"X": X, "words": WORDS}, ARCHETYPE, *BOUND, cache=tmp_path / "cache")


def test_a_file_that_grows_too_large_leaves_nothing_behind(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    values = np.random.default_rng(0).normal(size=(100_000, 3))
    opened({"X": values}, [LATENT], Binding("latent", "X"))
    source = DataSource("data.npz", bindings=(Binding("latent", "X"),))
    monkeypatch.setattr(storage, "MAPPED_BYTES", 0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(SeqdecError, match="File too large; make room"):
            open_dataset(source, [LATENT], tmp_path, cache=tmp_path / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["digits", "molecules", "pronunciation", "roman"])
def test_the_bundled_examples_open(name: str) -> None:
    design = document.load(EXAMPLES / f"{name}.seqdec")
    dataset = open_dataset(design.data, data_ports(design), EXAMPLES)
    assert all(problem.severity == "info" for problem in dataset.problems)
    for fitted in dataset.fitted.ports:
        if isinstance(fitted.codec, FittedText):
            symbols = next(feed.depth for feed in dataset.feeds if feed.name == fitted.name)
            assert fitted.codec.symbols == symbols
        assert not isinstance(fitted.codec, FittedIds)
    assert len(dataset.training) + len(dataset.validation) == dataset.rows


def test_the_paragraph_of_hdf5_about_a_full_disk_becomes_a_sentence(tmp_path: Path) -> None:
    error = OSError("Unable to create file (time = Fri\n, errno = 28, error message = 'No space left on device')")
    said = str(storage.not_written(tmp_path / "a.h5", error))
    assert said.startswith(f"{tmp_path / 'a.h5'} could not be written: No space left on device (")
    assert "\n" not in said
