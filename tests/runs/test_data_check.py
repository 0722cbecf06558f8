"""What the data makes of a design is known before a run: lengths that do not fit, and that nothing could be generated."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.generation import obstacle
from seqdec_gui.domain.problems import Problem
from seqdec_gui.runs.readiness import problems_in_data
from seqdec_gui.runs.spec import DeviceChoice
from tests.domain.designs import block, design

PLAIN = TextCodec(marks="none")
SOFTMAX = {"layer": "Dense", "units": 12, "activation": "softmax"}


def words(count: int, low: int, high: int, seed: int, letters: str) -> list[str]:
    random = np.random.default_rng(seed)
    sizes = [high, *random.integers(low, high + 1, count - 1)]
    return ["".join(random.choice(list(letters), size=size)) for size in sizes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`long` has 127 symbols at most, `short` 75; `seen` is `word` behind a begin mark, `next` has an end mark."""
    long, short, word = words(80, 20, 127, 0, "abcdefg"), words(80, 20, 75, 1, "tuvwxyz"), words(80, 3, 8, 2, "abcdefg")
    rows = [f"{a},{b},{c},#{c},{c}$" for a, b, c in zip(long, short, word, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["long,short,word,seen,next", *rows]))
    np.savez(
        tmp_path / "rows.npz",
        ids=np.concatenate([np.arange(80)[:, None] % 7 + 1, np.random.default_rng(0).integers(1, 9, (80, 5))], axis=1),
    )
    return tmp_path


def bound(wanted: Design, file: str = "rows.csv", **bindings: Binding | str) -> Design:
    chosen = (
        binding if isinstance(binding, Binding) else Binding(port.replace("__", "."), binding)
        for port, binding in bindings.items()
    )
    return set_value(wanted.with_data(DataSource(file, bindings=tuple(chosen))), "training.batch_size", "8")


def layers(*rows: dict[str, object], length: int | None = None) -> Design:
    return design(
        [
            block("text", "token_sequence", length=length, symbols=12),
            block("model", "layer_stack", layers=[*rows, SOFTMAX]),
            block("loss", "loss"),
        ],
        ["text.output -> model.inputs", "model.outputs -> loss.predictions"],
    )


def language() -> Design:
    return design(
        [
            block("text", "token_sequence", length=9, symbols=12),
            block("decoder", "recurrent_decoder", mode="free_running", units=[8], output_units=12),
            block("loss", "loss"),
        ],
        ["text.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )


def found(wanted: Design, folder: Path) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems_in_data(wanted, folder, DeviceChoice("cpu")) if problem.severity != "info")


def test_predictions_of_another_length_than_their_targets_are_found_before_a_run(folder: Path) -> None:
    wanted = bound(layers(), text__output="short", loss__targets="long")
    (problem,) = found(wanted, folder)
    assert (problem.severity, problem.code, problem.where) == ("error", "steps_differ", "text.length")
    assert "model predicts 75 steps" in problem.text
    assert "'long') have 128" in problem.text  # the end mark is one of them
    assert "text.length=128" in problem.hint
    assert found(set_value(wanted, "text.length", "128"), folder) == ()


def test_layers_that_do_not_fit_the_lengths_of_the_data_are_found_before_a_run(folder: Path) -> None:
    wanted = bound(layers({"layer": "Crop", "start": 40, "end": 40}), text__output="short", loss__targets="long")
    (problem,) = found(wanted, folder)
    assert problem.severity == "error"
    assert "With the lengths of this data" in problem.text
    assert "75 steps" in problem.text


def test_sequences_that_fit_are_not_remarked_on(folder: Path) -> None:
    assert (
        found(bound(layers({"layer": "Pad", "start": 0, "end": 53}), text__output="short", loss__targets="long"), folder) == ()
    )


def test_train_refuses_lengths_that_do_not_fit_and_leaves_no_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seqdec_gui.cli import main

    document.save(bound(layers(), text__output="short", loss__targets="long"), folder / "a.seqdec")
    assert main(["train", str(folder / "a.seqdec"), "--devices", "cpu", "--engine", "tensorflow"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("text.length: model predicts 75 steps")
    assert not (folder / "runs").exists()


def test_an_input_that_is_its_targets_one_step_behind_is_told_before_the_training(folder: Path) -> None:
    plain = TextCodec(marks="none")
    columns = {"text": Binding("text.output", "seen", plain), "loss": Binding("loss.targets", "next", plain)}
    (warning,) = found(bound(layers(length=9), **columns), folder)
    assert (warning.severity, warning.code, warning.where) == ("warning", "cannot_generate", "text.output")
    assert "holds the targets one step behind" in warning.text
    other = columns | {"loss": Binding("loss.targets", "word", plain)}
    assert [problem.code for problem in found(bound(layers(length=9), **other), folder)] == ["cannot_generate"]


def test_marks_that_a_decoder_needs_to_begin_and_to_end_are_asked_for_before_the_training(folder: Path) -> None:
    assert found(bound(language(), text__output="word"), folder) == ()
    for marks, codes in (("end", ["no_begin_symbol"]), ("none", ["no_begin_symbol"])):
        binding = Binding("text.output", "word", TextCodec(marks=marks))
        target = Binding("loss.targets", "word", TextCodec(marks="end"))
        assert [problem.code for problem in found(bound(language(), text=binding, loss=target), folder)] == codes
    both = Binding("text.output", "word", TextCodec(marks="both"))
    endless = bound(language(), text=both, loss=Binding("loss.targets", "word", TextCodec(marks="none")))
    (warning,) = found(set_value(endless, "text.length", "10"), folder)
    assert (warning.severity, warning.code) == ("warning", "no_end_symbol")
    assert found(set_value(set_value(endless, "text.length", "10"), "loss.mask_padding", "false"), folder) == ()


def test_ids_that_begin_differently_are_told_before_the_training(folder: Path) -> None:
    wanted = bound(set_value(language(), "text.length", "5"), "rows.npz", text__output="ids")
    (warning,) = found(wanted, folder)
    assert (warning.severity, warning.code) == ("warning", "no_begin_symbol")
    assert "Nothing can be generated on this data" in warning.text


@pytest.mark.parametrize(
    ("given", "target", "told"),
    [
        (Binding("text.output", "word", PLAIN, file="copy.csv"), Binding("loss.targets", "word", PLAIN), "the same rows"),
        (Binding("text.output", "seen", PLAIN), Binding("loss.targets", "small", PLAIN), "the targets one step behind"),
        (Binding("text.output", "small", TextCodec(marks="begin")), Binding("loss.targets", "next", PLAIN), "one step behind"),
        (
            Binding("text.output", "word", TextCodec(marks="none", padding="left", reverse=True), file="copy.csv"),
            Binding("loss.targets", "word", PLAIN),
            "the same rows",
        ),
        (Binding("text.output", "word", PLAIN, file="./rows.csv"), Binding("loss.targets", "word", PLAIN), None),
    ],
)
def test_the_true_row_is_recognised_in_another_file_in_small_letters_and_turned(
    given: Binding, target: Binding, told: str | None, tmp_path: Path
) -> None:
    rows = [f"{word},#{word},{word}$,{word.lower()}" for word in words(80, 3, 8, 0, "abcABCxyz")]
    for name in ("rows.csv", "copy.csv"):
        (tmp_path / name).write_text("\n".join(["word,seen,next,small", *rows]))
    wanted = bound(layers({"layer": "Recurrent", "units": 4}, length=10), text=given, loss=target)
    wanted = set_value(wanted, "text.symbols", "14")
    warnings = [problem.text for problem in found(wanted, tmp_path) if problem.code == "cannot_generate"]

    if told is None:  # the design alone says so, and `check` with it
        assert "bound to the same column" in obstacle(wanted)
    else:
        assert [told in text for text in warnings] == [True]


def test_a_stack_that_names_a_class_of_each_symbol_generates(tmp_path: Path) -> None:
    rows = [f"{word},{''.join('v' if letter in 'ae' else 'c' for letter in word)}" for word in words(80, 3, 8, 0, "abcdefg")]
    (tmp_path / "rows.csv").write_text("\n".join(["word,tag", *rows]))
    plain = {"text": Binding("text.output", "word", PLAIN), "loss": Binding("loss.targets", "tag", PLAIN)}

    assert found(bound(layers({"layer": "Recurrent", "units": 4}, length=10), **plain), tmp_path) == ()


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ((("0", "0"), ("1", "1"), ("=first", "2")), ""),
        ((("0", "0"), ("1", "1")), "what is fed as number 2"),
        ((("0", "0"), ("1", "1"), ("2", "2")), "'2' as predicted"),
        ((("0", "0"), ("begin", "1"), ("begin", "2")), "twice what is fed first"),
    ],
)
def test_a_mapping_of_numbers_that_does_not_fit_stops_the_training(
    pairs: tuple[tuple[str, str], ...], words: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "rows.npz", x=np.zeros((40, 5, 3)), y=np.ones((40, 5, 2)))
    wanted = design(
        [
            block("series", "float_sequence", length=5, features=3),
            block("decoder", "recurrent_decoder", mode="free_running", units=[4], output_units=2, output_activation="linear"),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["series.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )
    wanted = bound(wanted, "rows.npz", series__output="x", loss__targets="y")
    wanted = wanted.with_data(msgspec.structs.replace(wanted.data, feed_map=pairs))
    problems = [problem for problem in found(wanted, tmp_path) if problem.code == "bad_feed_map"]
    assert [(problem.severity, problem.where) for problem in problems] == ([("error", "data.feed_map")] if words else [])
    assert all(words in problem.text for problem in problems)
