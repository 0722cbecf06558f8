"""Options of the training that do not suit a model, and designs of versions that did not have them."""

from __future__ import annotations

import msgspec
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import from_builtins, to_builtins
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.validation import check
from seqdec_gui.runs.batches import batch_problems, row_problems
from seqdec_gui.runs.engine_choice import choose_engine, unsuited
from seqdec_gui.runs.probe_cache import shape_of
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.task_names import checkpoint_in, weights_in
from tests.domain.designs import archetype, block, design


def found(design: Design, **training: object) -> dict[str, str]:
    """The places of all problems by their codes."""
    changed = design.with_training(msgspec.convert(training, Training))
    return {problem.code: problem.where for problem in check(changed).problems}


def test_micro_batches_are_refused_where_a_block_normalises_over_the_batch() -> None:
    assert "normalises_in_parts" not in found(archetype())
    assert found(archetype(), micro_batches=2)["normalises_in_parts"] == "model_2"
    only_states = found(archetype(batch_normalization=False), micro_batches=2)
    assert only_states["normalises_in_parts"] == "model_1"  # the states that it is given


def test_an_inverse_square_root_without_a_warm_up_is_warned_of() -> None:
    assert "no_warmup" in found(archetype(), schedule="inverse_square_root")
    assert "no_warmup" not in found(archetype(), schedule="inverse_square_root", warmup_steps=100)


def test_a_rate_factor_of_zero_is_said() -> None:
    design = archetype()
    assert "rate_of_zero" not in found(design)
    for trainable, said in ((True, "model_2"), (False, None)):
        kind = msgspec.structs.replace(design.block("model_2").parameters, learning_rate_factor=0.0, trainable=trainable)
        assert found(design.with_parameters("model_2", kind)).get("rate_of_zero") == said


def test_computing_activations_again_is_for_transformers_and_for_engines_that_can() -> None:
    wanted = {"rematerialise": True}
    assert found(archetype(), **wanted)["nothing_to_rematerialise"] == "training.rematerialise"
    attends = design(
        [
            block("text", "token_sequence", length=5, symbols=22),
            block("decoder", "transformer_decoder", memories=0, layers=3),
            block("loss", "loss"),
        ],
        ["text.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    ).with_training(Training(rematerialise=True))
    report = check(attends)
    assert "nothing_to_rematerialise" not in {problem.code for problem in report.problems}
    submodel = report.inference.blocks["decoder"].submodel
    assert submodel is not None
    assert submodel.segments == tuple(f"Decoder_Add_Feed_Forward_{i}" for i in range(3))
    assert submodel.prefixed("two_").segments[0] == "two_Decoder_Add_Feed_Forward_0"
    assert from_builtins(to_builtins(attends)) == attends
    assert unsuited("jax", attends) == unsuited("tensorflow", archetype()) == ""
    assert "JAX" in unsuited("tensorflow", attends)
    with pytest.raises(InvalidInput, match=r"TensorFlow cannot compute activations again; train on JAX") as refused:
        choose_engine("tensorflow", DeviceChoice("cpu"), attends)
    assert [problem.code for problem in refused.value.problems] == ["engine_unsuited"]


def test_a_batch_divides_by_devices_times_parts() -> None:
    training = Training(batch_size=64, micro_batches=4)
    assert batch_problems(training, DeviceChoice("cpu", 2)) == ()
    (problem,) = batch_problems(training, DeviceChoice("cpu", 3))
    assert problem.text == "64 rows cannot be shared evenly by 3 devices with 4 micro-batches each."
    assert problem.hint == "Set it to 60 or 72."


def test_a_warm_up_beyond_the_end_is_warned_of() -> None:
    training = Training(batch_size=10, epochs=2, warmup_steps=40)
    (problem,) = row_problems(training, DeviceChoice("cpu", 1), 200)
    assert (problem.severity, problem.code) == ("warning", "long_warmup")
    assert row_problems(training, DeviceChoice("cpu", 1), 210) == ()


def test_a_design_with_adamw_of_an_earlier_version_decays_all_weights_as_it_did() -> None:
    earlier = to_builtins(archetype())
    earlier["training"] |= {"optimizer": "adamw"}
    assert from_builtins(earlier).training.decayed == "all"
    new = archetype().with_training(Training(optimizer="adamw"))
    assert to_builtins(new)["training"]["decayed"] == "kernels"
    assert from_builtins(to_builtins(new)).training.decayed == "kernels"


def test_options_that_are_not_used_leave_a_design_readable_by_earlier_versions() -> None:
    written = to_builtins(archetype())["training"]
    new = {
        "rematerialise",
        "warmup_steps",
        "micro_batches",
        "decayed",
        "clip_value",
        "label_smoothing",
        "average_decay",
        "use_weights",
    }
    assert not new & set(written)


@pytest.mark.parametrize(
    "option",
    [{"micro_batches": 2}, {"rematerialise": True}, {"average_decay": 0.9}, {"label_smoothing": 0.1}, {"clip_value": 1.0}],
)
def test_a_step_with_another_option_is_measured_anew(option: dict[str, object]) -> None:
    assert shape_of(archetype()) != shape_of(archetype().with_training(msgspec.convert(option, Training)))


def test_the_name_of_a_checkpoint_may_name_its_weights() -> None:
    assert (checkpoint_in("best"), weights_in("best")) == ("best", None)
    assert (checkpoint_in("last-trained"), weights_in("last-trained")) == ("last", "trained")
    assert weights_in("best-averaged") == "averaged"
