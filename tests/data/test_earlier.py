"""What an earlier run has fitted stays as it was for a run that begins with its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.demands import symbol_room
from seqdec_gui.data.earlier import EarlierFit
from seqdec_gui.domain.bindings import (
    Binding,
    CategoryCodec,
    Codec,
    DataSource,
    IdsCodec,
    Split,
    TextCodec,
    ValuesCodec,
    VectorCodec,
)
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from tests.data.ports import ARCHETYPE, LATENT, LOSS, STEPS, codes, problems_of

Opened = Callable[..., Dataset]
IDS = DataPort("text", "text.output", "input", TensorType((None,), "int32", 20), width_at="text.symbols")
LABEL = DataPort("label", "label.targets", "target", TensorType((4,)), classes=4)
WORDS = ["abc", "b", "caba", "de"]
X = np.random.default_rng(0).normal(5, 3, (4, 3))


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    def open_columns(
        ports: Sequence[DataPort], bindings: Sequence[Binding], earlier: EarlierFit | None = None, **columns: Any
    ) -> Dataset:
        np.savez(tmp_path / "data.npz", **{name: np.array(values) for name, values in columns.items()})
        source = DataSource("data.npz", Split(validation=0), tuple(bindings), numbering="shared")
        return open_dataset(source, ports, tmp_path, earlier=earlier)

    return open_columns


def after(dataset: Dataset, ports: Sequence[DataPort], names: dict[str, str] | None = None) -> EarlierFit:
    """The fit of this dataset, for a run whose ports have the same names (or these: new name to old)."""
    rooms = {port.name: symbol_room(port) for port in ports}
    return EarlierFit(dataset.fitted, "first", names or {port.name: port.name for port in ports}, rooms)


BOUND = (Binding("latent", "X"), Binding("steps", "words"))


def test_ids_lengths_and_scales_are_those_of_the_earlier_run(opened: Opened) -> None:
    first = opened(ARCHETYPE, BOUND, X=X, words=WORDS)
    second = opened(ARCHETYPE, BOUND, after(first, ARCHETYPE), X=X + 7, words=["de", "e", "dd", "eee"])
    codec, before = second.fitted.port("latent").codec, first.fitted.port("latent").codec
    assert (codec.low, codec.high) != (before.low, before.high)  # the ranges are those of the rows that it trains on
    assert msgspec.structs.replace(codec, low=before.low, high=before.high) == before
    others = [port for port in first.fitted.ports if port.name != "latent"]
    assert [port for port in second.fitted.ports if port.name != "latent"] == others
    assert second.fitted.feeds == first.fitted.feeds
    assert second.arrays["steps"].tolist()[0] == [1, 6, 7, 2, 0, 0, 0]
    codec = first.fitted.port("latent").codec
    expected = (X + 7 - np.array(codec.mean)) / np.array(codec.deviation)  # type: ignore[union-attr]
    np.testing.assert_allclose(second.arrays["latent"], expected, rtol=1e-5)
    assert second.problems == ()


def test_new_symbols_come_after_the_known_ones_at_both_ends(opened: Opened) -> None:
    apart = (Binding("latent", "X"), Binding("steps", "words"), Binding("loss", "words"))
    first = opened(ARCHETYPE, apart, X=X, words=["bc", "b", "c", "b"])
    earlier = after(first, ARCHETYPE)
    second = opened(ARCHETYPE, apart, earlier, X=X, words=["abc", "b", "c", "d"])
    for name in ("steps", "loss"):
        codec = second.fitted.port(name).codec
        assert isinstance(codec, FittedText)
        assert codec.charset == ("b", "c", "a", "d")
    assert codes(second.problems) == ["new_symbols", "new_symbols"]
    assert "2 new symbols ('a', 'd') after the 2 of the earlier run" in second.problems[0].text
    assert [(growth.port.name, growth.known) for growth in earlier.growths(second.fitted, ARCHETYPE)] == [
        ("steps", 5),
        ("loss", 5),
    ]
    (first_problem, _) = problems_of(opened, ARCHETYPE, apart, earlier, X=X, words=["abc", "b", "c", "defgh"])
    assert first_problem.code == "too_many_symbols"


def test_a_run_with_separate_ids_keeps_them_separate(opened: Opened, tmp_path: Path) -> None:
    apart = (Binding("steps", "words"), Binding("loss", "words", TextCodec(numbering="own")))
    first = opened(ARCHETYPE[1:], apart, words=WORDS)
    second = opened(ARCHETYPE[1:], (Binding("steps", "words"), Binding("loss", "words")), after(first, ARCHETYPE), words=WORDS)
    assert second.fitted == first.fitted
    (problem,) = problems_of(opened, ARCHETYPE[1:], (Binding("steps", "words"),), after(first, ARCHETYPE), words=WORDS)
    assert (problem.code, problem.where) == ("fit_differs", "steps.output")
    assert "different ids at steps.output and at loss.targets" in problem.text


def test_targets_that_were_taught_by_one_column_may_get_a_column_of_their_own(opened: Opened) -> None:
    first = opened(ARCHETYPE[1:], BOUND[1:], words=WORDS)
    second = opened(ARCHETYPE[1:], (*BOUND[1:], Binding("loss", "words")), after(first, ARCHETYPE), words=WORDS)
    assert second.arrays["loss"].tolist() == first.arrays["steps"][:, 1:].tolist()
    assert second.arrays["steps"].tolist() == first.arrays["steps"].tolist()


def test_open_lengths_grow_with_the_rows_and_never_shrink(opened: Opened) -> None:
    first = opened([IDS], [Binding("text", "words")], words=WORDS)
    shorter = opened([IDS], [Binding("text", "words")], after(first, [IDS]), words=["a"])
    assert shorter.arrays["text"].tolist() == [[1, 0, 0, 0]]
    longer = opened([IDS], [Binding("text", "words")], after(first, [IDS]), words=["aaaaa"])
    assert longer.arrays["text"].shape == (1, 5)
    assert codes(longer.problems) == ["longer_rows"]
    fixed = after(opened(ARCHETYPE[1:], BOUND[1:], words=WORDS), ARCHETYPE)
    assert codes(problems_of(opened, ARCHETYPE[1:], BOUND[1:], fixed, words=["abcdeabc"])) == ["too_long"]


def test_labels_keep_their_places(opened: Opened) -> None:
    first = opened([LABEL], [Binding("label", "y")], y=["dog", "cat", "cow"])
    second = opened([LABEL], [Binding("label", "y")], after(first, [LABEL]), y=["bee", "dog"])
    assert second.fitted.port("label").codec.labels == ("cat", "cow", "dog", "bee")  # type: ignore[union-attr]
    assert second.arrays["label"].tolist() == [3, 2]
    assert codes(second.problems) == ["new_labels"]


def test_ids_keep_the_id_of_padding(opened: Opened) -> None:
    steps = DataPort("text", "text.output", "input", TensorType((3,), "int32", 9))
    first = opened([steps], [Binding("text", "n", IdsCodec(pad_id=4))], n=[[1, 2, 4]])
    second = opened([steps], [Binding("text", "n")], after(first, [steps]), n=[[1, 2, 4]])
    assert second.fitted == first.fitted


@pytest.mark.parametrize(
    ("codec", "says"),
    [
        (TextCodec(charset=("b", "a", "c", "d", "e")), "the charset has other symbols"),
        (TextCodec(padding="left"), "padding is left here and was right there"),
        (TextCodec(reverse=True), "reverse is on here and was off there"),
        (TextCodec(tokens="words"), "tokens is words here"),
        (TextCodec(marks="both"), "marks are both here, and those there none"),
        (IdsCodec(), "it is ids here and was text there"),
    ],
)
def test_a_codec_that_contradicts_what_was_fitted_is_refused(opened: Opened, codec: Codec, says: str) -> None:
    first = opened([IDS], [Binding("text", "words")], words=WORDS)
    (problem,) = problems_of(opened, [IDS], [Binding("text", "words", codec)], after(first, [IDS]), words=WORDS)
    assert (problem.code, problem.where) == ("fit_differs", "text.output")
    assert says in problem.text
    assert "--fit anew" in problem.hint


def test_numbers_and_labels_that_contradict_are_refused_too(opened: Opened) -> None:
    first = opened([LATENT], [Binding("latent", "X")], X=X)
    for codec in (ValuesCodec(), VectorCodec(standardise=False)):
        (problem,) = problems_of(opened, [LATENT], [Binding("latent", "X", codec)], after(first, [LATENT]), X=X)
        assert problem.code == "fit_differs"
    for agreeing in (VectorCodec(), VectorCodec(standardise=True)):
        assert opened([LATENT], [Binding("latent", "X", agreeing)], after(first, [LATENT]), X=X).fitted == first.fitted
    first = opened([LABEL], [Binding("label", "y")], y=["dog", "cat"])
    binding = Binding("label", "y", CategoryCodec(("dog", "cat")))
    assert codes(problems_of(opened, [LABEL], [binding], after(first, [LABEL]), y=["dog"])) == ["fit_differs"]


def test_a_charset_that_continues_the_known_one_is_no_contradiction(opened: Opened) -> None:
    first = opened([IDS], [Binding("text", "words")], words=["ab"])
    binding = Binding("text", "words", TextCodec(charset=("a", "b", "z", "y")))
    assert opened([IDS], [binding], after(first, [IDS]), words=["ab"]).fitted.port("text").codec.charset == ("a", "b", "z", "y")  # type: ignore[union-attr]


def test_a_port_that_the_earlier_run_did_not_have_is_fitted_anew_with_a_warning(opened: Opened) -> None:
    first = opened(ARCHETYPE[1:], BOUND[1:], words=WORDS)
    second = opened(ARCHETYPE, BOUND, after(first, ARCHETYPE[1:]), X=X, words=WORDS)
    (problem,) = (each for each in second.problems if each.severity == "warning")
    assert (problem.code, problem.where) == ("not_in_earlier_run", "latent.output")
    assert second.fitted.port("steps").codec == first.fitted.port("steps").codec


def test_what_differs_in_a_fit_made_anew_is_listed(opened: Opened) -> None:
    first = opened((LATENT, STEPS, LOSS), BOUND, X=X, words=WORDS)
    anew = opened((LATENT, STEPS, LOSS), BOUND, X=X * 2, words=["abcd"] * 4)
    assert after(first, ARCHETYPE).compared(first.fitted) == []
    differences = after(first, ARCHETYPE).compared(anew.fitted)
    assert [difference.partition(":")[0] for difference in differences] == ["latent", "steps", "loss"]
