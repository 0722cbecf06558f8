"""The generated script: one text for what is seen, trained and handed over. (Keras itself judges it in tests/runner.)"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui.domain.codegen import generate, generate_step
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.resource_files import path
from tests.domain.designs import archetype, block, design, link


def many_outputs() -> Design:
    """States, code and sequence of one encoder, a variational code, two decoders, two losses, clashing names."""
    return design(
        [
            block("x", "token_sequence", length=None, symbols=71, encoding="ids"),
            block("y", "token_sequence", length=None, symbols=93),
            block(
                "encoder",
                "recurrent_encoder",
                cell="GRU",
                units=[64, 32],
                bidirectional=True,
                embedding=16,
                output=["states", "code"],
            ),
            block("latent", "bottleneck", variational=True),
            block("decoder", "recurrent_decoder", cell="GRU", units=[128, 64], reset_after=False, output_units=93),
            block("mirror", "recurrent_decoder", mode="repeat_vector", length=20),
            block("loss", "loss"),
            block("mirror_loss", "loss", weight=0.5),
        ],
        [
            "x.output -> encoder.inputs",
            "encoder.states -> decoder.initial_states",
            "y.output -> decoder.inputs",
            "decoder.outputs -> loss.predictions",
            "encoder.code -> latent.inputs",
            "latent.code -> mirror.code",
            "mirror.outputs -> mirror_loss.predictions",
        ],
    )


def all_designs() -> list[Design]:
    bundled = [load(file) for file in sorted(path("templates").glob("*.seqdec")) if file.stem != "blank"]
    deep = archetype(units=[128] * 12).with_parameters("model_1", block("m", "dense_states", units=[128] * 12).parameters)
    return [archetype(), deep, archetype(squeeze_units=32, dropout=0.1, recurrent_dropout=0.2), many_outputs(), *bundled]


@pytest.mark.parametrize("number", range(len(all_designs())))
def test_formatter_has_nothing_to_change(number: int, tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text(generate(all_designs()[number]))
    ruff = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))
    done = subprocess.run(
        [ruff, "format", "--isolated", "--diff", "--line-length", "100", script], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("number", range(len(all_designs())))
def test_importing_builds_nothing(number: int) -> None:
    tree = ast.parse(generate(all_designs()[number]))

    assert all(isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.If) for node in tree.body)


def test_states_stay_one_wire_in_the_script() -> None:
    assert "model_2([decoder_inputs, *model_1_states])" in generate(archetype())


def test_devices_and_kernels_are_the_engines_business() -> None:
    text = generate(many_outputs())

    assert not any(word in text for word in ("synchronized", "use_cudnn", "strategy", "insert("))


def test_unused_outputs_have_no_name() -> None:
    assert "latent_code, _, _ = latent(encoder_code)" in generate(many_outputs())


def test_frozen_block_is_frozen_in_the_script() -> None:
    assert "    model_2.trainable = False\n" in generate(archetype(trainable=False))


def test_errors_keep_the_script_from_being_written() -> None:
    with pytest.raises(InvalidInput, match="initial_states"):
        generate(archetype(units=[128, 64]))


def test_data_problems_do_not() -> None:
    assert generate(archetype()) == generate(archetype().with_data(load(path("examples/roman.seqdec")).data))


def test_step_keeps_the_layer_names_of_the_stack() -> None:
    second = block("second", "recurrent_decoder", mode="free_running", units=[8], output_units=22)
    two = archetype().with_block(second).with_block(block("second_loss", "loss"))
    two = two.linked(link("decoder_inputs.output -> second.inputs")).linked(link("second.outputs -> second_loss.predictions"))
    text = generate_step(two, "second")

    assert 'name="second_Decoder_LSTM_0"' in text
    assert "return_state=True" in text


def test_step_of_a_block_that_is_no_decoder() -> None:
    with pytest.raises(TypeError, match="is a dense_states, expected a block that feeds back"):
        generate_step(archetype(), "model_1")
    with pytest.raises(TypeError, match="is a recurrent_decoder, expected a block that feeds back"):
        generate_step(many_outputs(), "mirror")  # it repeats a code


def test_names_that_collide_with_results_are_told_apart() -> None:
    tricky = (
        archetype()
        .with_block(block("model_1_states", "vector", width=2))
        .with_block(block("extra", "loss", loss="mean_squared_error", metrics=[]))
    )
    tricky = tricky.linked(link("model_1_states.output -> extra.predictions"))

    assert "model_1_states_ = model_1(latent)" in generate(tricky)
