"""`check` collects every problem; `verdict` judges one wire with a sentence either way."""

from __future__ import annotations

import msgspec
import pytest

from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design, Link, Port
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.validation import check, unbound, verdict
from tests.domain.designs import archetype, block, design, link


def codes(of: Design) -> list[str]:
    return [problem.code for problem in check(of).problems]


def test_archetype_is_ready() -> None:
    report = check(archetype())

    assert report.ok
    assert [problem.code for problem in report.problems] == ["cannot_generate"]  # 44 in, 22 out: fine to train


def test_empty_design_says_how_to_begin() -> None:
    assert codes(Design()) == ["empty_design"]


def test_all_problems_are_found_at_once() -> None:
    wrong = (
        archetype(units=[64, 64], output_activation="linear")
        .renamed("latent", "class")
        .unlinked([link("decoder_inputs.output -> model_2.inputs")])
    )

    assert {"bad_name", "wrong_shape", "open_input", "loss_activation", "unused_block"} <= set(codes(wrong))


def test_duplicate_names() -> None:
    twice = archetype().with_block(block("model_1", "dense_states"))

    assert "duplicate_name" in codes(twice)


def test_dangling_link_suggests_the_near_name() -> None:
    (problem,) = [
        p
        for p in check(archetype().linked(link("model_1.states -> model_3.initial_states"))).problems
        if p.code == "dangling_link"
    ]

    assert "model_2" in problem.hint or "model_1" in problem.hint


def test_cycle_names_its_blocks_only() -> None:
    looped = design(
        [
            block("a", "layer_stack"),
            block("b", "layer_stack"),
            block("behind", "layer_stack"),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["a.outputs -> b.inputs", "b.outputs -> a.inputs", "b.outputs -> behind.inputs", "behind.outputs -> loss.predictions"],
    )
    (problem,) = [p for p in check(looped).problems if p.code == "cycle"]

    assert "behind" not in problem.text
    assert "a -> b -> a" in problem.text


def test_unknown_binding_port_lists_what_there_is() -> None:
    bound = archetype().with_data(DataSource("x.npz", bindings=(Binding("latnet.output", "X"),)))
    (problem,) = check(bound).problems

    assert problem.code == "unknown_port"
    assert "latent.output" in problem.hint


def test_a_binding_whose_port_waits_for_another_repair_is_not_called_unknown() -> None:
    bindings = (Binding("latent", "X"), Binding("decoder_inputs.output", "text"), Binding("loss.targets", "text"))
    narrow = archetype(units=[64, 64]).with_data(DataSource("x.npz", bindings=bindings))

    assert codes(narrow) == ["wrong_shape"]


def test_the_size_of_a_port_is_decided_by_a_named_parameter() -> None:
    found = {port.port: (port.width_at, port.length_at) for port in data_ports(archetype())}
    repeated = design(
        [
            block("code", "vector"),
            block("decoder", "recurrent_decoder", mode="repeat_vector"),
            block("head", "layer_stack", layers=[{"layer": "Dense", "activation": "softmax"}]),
            block("loss", "loss"),
            block("second", "loss"),
        ],
        ["code.output -> decoder.code", "decoder.outputs -> loss.predictions", "decoder.outputs -> head.inputs",
         "head.outputs -> second.predictions"],
    )  # fmt: skip
    found |= {f"repeated {port.port}": (port.width_at, port.length_at) for port in data_ports(repeated)}

    assert found == {
        "latent.output": ("latent.width", ""),
        "decoder_inputs.output": ("decoder_inputs.symbols", "decoder_inputs.length"),
        "loss.targets": ("model_2.output_units", ""),
        "repeated code.output": ("code.width", ""),
        "repeated loss.targets": ("decoder.output_units", "decoder.length"),
        "repeated second.targets": ("", ""),
    }


def head(*layers: dict[str, object], **loss: object) -> Design:
    """A classifier: a stack of layers on a vector, and its loss."""
    blocks = [block("x", "vector"), block("head", "layer_stack", layers=list(layers)), block("loss", "loss", **loss)]
    return design(blocks, ["x.output -> head.inputs", "head.outputs -> loss.predictions"])


def test_cross_entropy_of_a_stack_that_ends_without_probabilities_is_an_error() -> None:
    relu, softmax = {"layer": "Dense", "activation": "relu"}, {"layer": "Activation", "activation": "softmax"}
    (problem,) = check(head(relu, {"layer": "Dense", "units": 3}, {"layer": "Dropout"})).problems

    assert problem.text == "categorical_crossentropy expects softmax outputs, head has linear."
    assert problem.hint == "Set head.layers[1].activation=softmax, or another loss."
    assert codes(head(relu, softmax)) == []
    assert codes(head(relu, {"layer": "BatchNormalization"})) == []  # not known
    assert codes(head(softmax, loss="mean_squared_error", metrics=[])) == ["loss_activation"]


def test_one_column_at_the_decoder_teaches_the_loss_too() -> None:
    bound = archetype().with_data(DataSource("x.npz", bindings=(Binding("latent", "X"), Binding("model_2.inputs", "text"))))

    assert check(bound).ok
    assert unbound(bound) == ()
    assert [port.port for port in unbound(archetype())] == ["latent.output", "decoder_inputs.output", "loss.targets"]


def test_split_that_leaves_nothing() -> None:
    assert "bad_split" in codes(archetype().with_data(DataSource(split=Split(validation=0.6, test=0.5))))


def test_decay_that_ends_before_it_begins() -> None:
    training = Training(epochs=20, schedule="exponential", schedule_first_epoch=9, schedule_last_epoch=5)

    assert "bad_schedule" in codes(archetype().with_training(training))


def test_short_training_that_never_reaches_the_decay_is_allowed() -> None:
    report = check(archetype().with_training(Training(epochs=3, schedule="exponential", schedule_first_epoch=9)))

    assert report.ok
    assert [problem.code for problem in report.problems] == ["no_decay", "cannot_generate"]


def test_masked_embedding_warns_of_h5() -> None:
    masked = msgspec.structs.replace(
        archetype(embedding=8, mask_padding=True),
        blocks=tuple(
            block("decoder_inputs", "token_sequence", encoding="ids") if b.id == "decoder_inputs" else b
            for b in archetype(embedding=8, mask_padding=True).blocks
        ),
    )
    report = check(masked)

    assert report.ok
    assert [problem.code for problem in report.problems] == ["mask_not_in_h5", "cannot_generate"]


def test_verdict_refuses_with_expected_and_received() -> None:
    answer = verdict(archetype(), link("latent.output -> model_2.inputs"))

    assert not answer.ok
    assert "expected a sequence" in answer.reason.lower()
    assert "(None, 11)" in answer.reason


def test_verdict_refuses_states_of_another_width() -> None:
    wide = archetype(units=[128, 64]).unlinked([link("model_1.states -> model_2.initial_states")])
    answer = verdict(wide, link("model_1.states -> model_2.initial_states"))

    assert not answer.ok
    assert "states[LSTM 128, LSTM 64]" in answer.reason
    assert "states[LSTM 128, LSTM 128]" in answer.reason


def test_verdict_names_the_wire_that_would_go() -> None:
    two = archetype().with_block(block("other", "vector", width=5))
    answer = verdict(two, link("other.output -> model_1.inputs"))

    assert answer.ok
    assert answer.replaces == link("latent.output -> model_1.inputs")


def test_verdict_refuses_circles_and_self_links() -> None:
    chain = design([block("a", "layer_stack"), block("b", "layer_stack")], ["a.outputs -> b.inputs"])

    assert "circle" in verdict(chain, link("b.outputs -> a.inputs")).reason
    assert "itself" in verdict(chain, link("a.outputs -> a.inputs")).reason


def test_verdict_of_a_port_that_does_not_exist() -> None:
    assert not verdict(archetype(), Link(Port("latent", "nothing"), Port("model_1", "inputs"))).ok


def test_verdict_checks_tensors_against_each_other() -> None:
    merge = design(
        [block("a", "vector", width=3), block("b", "vector", width=4), block("sum", "add")], ["a.output -> sum.input_0"]
    )

    assert not verdict(merge, link("b.output -> sum.input_1")).ok
    assert verdict(merge, link("a.output -> sum.input_1")).ok


def test_a_missing_wire_is_one_problem_not_one_for_every_block_behind_it() -> None:
    whole = archetype()
    without = [str(each) for each in whole.links]

    def found(links: list[str]) -> list[str]:
        return [problem.code for problem in errors(check(design(list(whole.blocks), links)).problems)]

    assert found(without[:-1]) == ["open_input"]
    assert found([without[0].replace("latent", "latnt"), *without[1:]]) == ["dangling_link"]
    assert found([*without[1:], "model_1.states -> model_1.inputs"]) == ["cycle", "unused_block"]


def hints(wanted: Design) -> dict[str, str]:
    return {problem.where: problem.text for problem in check(wanted).problems if problem.code in ("no_cudnn", "slow_loop")}


def test_hints_of_slow_layers_name_the_engines_that_they_are_true_of() -> None:
    assert hints(archetype()) == {}
    dropout = hints(archetype(recurrent_dropout=0.2))
    assert "either engine" in dropout["model_2.recurrent_dropout"]
    assert "TensorFlow" in hints(archetype(cell="GRU", reset_after=False))["model_2.reset_after"]
    ids = block("decoder_inputs", "token_sequence", encoding="ids", length=5, symbols=9)
    binding = Binding("decoder_inputs.output", "text", TextCodec(padding="left"))
    wanted = archetype(embedding=8, mask_padding=True)
    blocks = tuple(ids if each.id == ids.id else each for each in wanted.blocks)
    left = msgspec.structs.replace(wanted, blocks=blocks, data=DataSource(bindings=(binding,)))
    assert "TensorFlow" in hints(left)["model_2"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2nd", "not a name that a Python script"),
        ("class", "not a name"),
        ("_x", "not a name"),
        ("größe", "not a name"),
        ("models", "used by the generated script"),
        ("training", "parameters of the training"),
        ("data", None),
        ("model_2", None),
    ],
)
def test_names_that_a_script_or_an_assignment_could_not_tell_apart_are_refused(name: str, words: str | None) -> None:
    problem = name_problem(name)
    assert (problem is None) == (words is None)
    assert problem is None or words in problem.text


def test_an_input_knows_which_parameter_skips_its_padding():
    def masked_by(wanted, name):
        return next(port for port in data_ports(wanted) if port.name == name).masked_by

    assert masked_by(archetype(), "decoder_inputs") == ""
    assert masked_by(archetype(mask_padding=True), "decoder_inputs") == "model_2.mask_padding"
    assert masked_by(archetype(mask_padding=True), "latent") == ""
    stacks = {"Embedding": {"symbols": 5, "units": 2, "mask_padding": True}, "Masking": {}, "Dense": {"units": 3}}
    for layer, parameters in stacks.items():
        sequence = {"encoding": "ids"} if layer == "Embedding" else {}
        wanted = design(
            [
                block("x", "token_sequence", length=4, symbols=5, **sequence),
                block("stack", "layer_stack", layers=[{"layer": layer, **parameters}]),
                block("loss", "loss"),
            ],
            ["x.output -> stack.inputs", "stack.outputs -> loss.predictions"],
        )
        assert masked_by(wanted, "x") == ("" if layer == "Dense" else "stack.layers")
