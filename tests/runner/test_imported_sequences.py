"""Imported models of sequences: what Keras makes of open lengths is asked for, and the true row is never printed back."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from tests.domain.designs import block, design
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

PLAIN = TextCodec(marks="none")


def imported(file: Path, target: str, length: int | None) -> Design:
    """The file's model between a text and a loss that is bound to the column `target`."""
    from seqdec_gui.runner.keras_files import inspect

    found = inspect(file)
    text = block("text", "token_sequence", length=length, symbols=10)
    model = block(
        "model", "keras_model", file=str(file), model_inputs=[tensor_of(each) for each in found.inputs],
        model_outputs=[tensor_of(each) for each in found.outputs], layer_names=[layer.name for layer in found.layers],
    )  # fmt: skip
    wanted = design(
        [text, model, block("loss", "loss")],
        [f"text.output -> model.{found.inputs[0].name}", f"model.{found.outputs[0].name} -> loss.predictions"],
    )
    bindings = (Binding("text.output", "seen", PLAIN), Binding("loss.targets", target, PLAIN))
    return wanted.with_data(DataSource(str(file.parent / "rows.csv"), bindings=bindings))


def tensor_of(tensor: object) -> dict[str, object]:
    return {"name": tensor.name, "shape": tensor.shape, "dtype": tensor.dtype}  # type: ignore[attr-defined]


def opened(wanted: Design) -> Dataset:
    return open_dataset(wanted.data, data_ports(wanted), Path())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`seen` is `next` one step behind; `half` has half of its steps; `other` has nothing to do with it."""
    words = [str(word) for word in designs.rows(60)["text"]]
    rows = [f"{word[0]}{word},{word}b,{word[: (len(word) + 1) // 2]},{word[::-1]}c" for word in words]
    (tmp_path / "rows.csv").write_text("\n".join(["seen,next,half,other", *rows]))
    return tmp_path


def test_an_imported_language_model_is_refused_for_the_rows_that_it_was_trained_on(folder: Path) -> None:
    import keras

    from seqdec_gui.runner.sampler import Sampler

    tokens = keras.Input((8, 10), name="tokens")
    hidden = keras.layers.LSTM(4, return_sequences=True, name="lm_lstm")(tokens)
    keras.Model(tokens, keras.layers.Dense(10, activation="softmax", name="lm_out")(hidden)).save(folder / "lm.keras")

    def sampler(wanted: Design) -> Sampler:
        dataset = opened(wanted)
        models = {"model": keras.models.load_model(folder / "lm.keras", compile=False)}
        return Sampler(wanted, models, dataset.fitted, lambda port: dataset.arrays[port])

    with pytest.raises(InvalidInput, match="model cannot generate: text holds the targets one step behind"):
        sampler(imported(folder / "lm.keras", "next", 8))
    with pytest.raises(InvalidInput, match="text is bound to the same column as the targets"):
        sampler(imported(folder / "lm.keras", "seen", 8))

    wanted = imported(folder / "lm.keras", "other", 8)
    (sample,) = next(sampler(wanted).generate(opened(wanted).batch(opened(wanted).training[:1]), 1))
    assert sample.log_probability is not None

    def gone(_port: str) -> None:
        raise InvalidInput("The data file does not exist.")

    with pytest.raises(InvalidInput, match="the rows that were trained on do not tell"):
        Sampler(wanted, {}, opened(wanted).fitted, gone)


def test_lengths_inside_an_imported_model_are_asked_of_keras_before_it_is_compiled(folder: Path) -> None:
    import keras

    from seqdec_gui.runner.program import Program, load_build
    from seqdec_gui.runner.steps_trial import fail_unless_steps_fit

    tokens = keras.Input((None, 10), name="tokens")
    hidden = keras.layers.Conv1D(4, 3, strides=2, padding="same", name="halving")(tokens)
    keras.Model(tokens, keras.layers.Dense(10, activation="softmax", name="out")(hidden)).save(folder / "half.keras")
    for target, fits in (("half", True), ("next", False)):
        wanted = imported(folder / "half.keras", target, None)
        (folder / "model.keras").write_bytes((folder / "half.keras").read_bytes())
        program = Program.of(wanted, designs.write_script(wanted, folder))
        models = load_build(program.model_file)()
        if fits:
            fail_unless_steps_fit(program, models, opened(wanted).fitted)
            continue
        with pytest.raises(InvalidInput, match=r"model predicts 4 steps and the targets \(column 'next'\) have 8"):
            fail_unless_steps_fit(program, models, opened(wanted).fitted)
