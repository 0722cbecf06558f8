"""Decides of which loss predictions are generated, and how; or explains why a design cannot generate."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from seqdec_gui.domain.bindings import TextCodec
from seqdec_gui.domain.dataflow import DataPort, columns_bound_to, data_ports, inputs_behind, inputs_in_step, sources_of
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.roles import Judge
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import TensorType

Encoding = Literal["one_hot", "ids", "values"]
"""The form in which a step is fed to the decoder: a one-hot row, an id, or numbers."""


class Stepwise(msgspec.Struct, frozen=True):
    """A decoder that is fed its own predictions, step by step.

    `fed` is its input block. `width` is the number of symbols, or of numbers if `numbers`, in a step. `other_width` is that of
    a fed step if it differs, else 0: then the symbols, or a mapping, say what is fed after a prediction.
    """

    loss: str
    decoder: str
    fed: str
    encoding: Encoding
    width: int
    numbers: bool = False
    other_width: int = 0

    @property
    def taken(self) -> int:
        """The number of symbols, or of numbers, in a fed step."""
        return self.other_width or self.width


class OnePass(msgspec.Struct, frozen=True):
    """All steps at once, computed from the inputs: a repeated code, a convolution, a single class or vector.

    `in_step` are the input blocks whose steps correspond to the steps of the predictions. If one of them holds the sequence to
    predict (teacher forcing), nothing can be generated. `suspects` are those whose type allows that.
    """

    loss: str
    port: Port
    width: int
    numbers: bool = False
    in_step: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()


Plan: TypeAlias = Stepwise | OnePass


def plan_for(design: Design, inference: Inference, mapped: bool = False) -> Plan:
    """Return how to generate. A stepwise decoder is preferred to other outputs, and symbols are preferred to numbers.

    `mapped` says that it is known what a decoder is fed after each prediction, so that the widths may differ;
    it is where the design has a mapping of its own. Raises InvalidInput with the reason if nothing can be generated.
    """
    mapped = mapped or bool(design.data.feed_map)
    plans: list[Plan] = []
    problems: list[Problem] = []
    for block in design.blocks:
        link = design.into(Port(block.id, "predictions")) if block.parameters.role == "loss" else None
        if link is not None:
            try:
                plans.append(_plan(design, inference, block, link, mapped))
            except InvalidInput as error:
                problems += error.problems
    stepwise = [plan for plan in plans if isinstance(plan, Stepwise)]
    if stepwise:
        return stepwise[0]
    refused = [problem for problem in problems if problem.code == "cannot_generate"]  # a decoder that ought to
    if plans and not refused:
        return min(plans, key=lambda plan: plan.numbers)
    raise InvalidInput(refused or problems or "The design has no loss, so nothing can be generated.")


def stepped_decoder(design: Design, inference: Inference) -> str:
    """Return the decoder that is run one step at a time, or could be: other programs can feed it otherwise than this one.

    It is that of the plan, or else the first that is made to feed back what it predicts; empty if there is none.
    """
    try:
        plan = plan_for(design, inference)
    except InvalidInput:
        plan = None
    if isinstance(plan, Stepwise):
        return plan.decoder
    able = [block.id for block in design.blocks if block.parameters.feeds_back]
    return next((name for name in able if inference.blocks[name].submodel is not None), "")


def generation_problems(design: Design, inference: Inference) -> tuple[Problem, ...]:
    """Return warnings for a design without errors whose decoder cannot generate, or may be unable to.

    A design that is not meant to generate, for example one with yes/no outputs, gets no warning.
    """
    try:
        plan_for(design, inference)
    except InvalidInput as error:
        refused = [problem for problem in error.problems if problem.code == "cannot_generate"]
        return tuple(msgspec.structs.replace(problem, severity="warning") for problem in refused)
    return _possible_truth(design, inference)


def obstacle(design: Design) -> str:
    """Return why nothing can be generated with a design without errors, a line for each reason; empty if it can generate."""
    try:
        plan_for(design, infer(design))
    except InvalidInput as error:
        return str(error)
    return ""


def plan_with_mapping(design: Design) -> Stepwise | None:
    """Return how a design without errors generates only if a mapping says what is fed; None if it needs none, or more."""
    if not obstacle(design):
        return None
    try:
        plan = plan_for(design, infer(design), mapped=True)
    except InvalidInput:
        return None
    return plan if isinstance(plan, Stepwise) else None


def _plan(design: Design, inference: Inference, block: Block, link: Link, mapped: bool) -> Plan:
    """Return how to generate the predictions of one loss. Raises InvalidInput with the reason why it cannot be done."""
    judge, source = block.parameters.judge, link.source
    assert judge is not None
    predicted = inference.blocks[source.block].outputs[source.port]
    assert isinstance(predicted, TensorType)
    width = predicted.shape[-1] or 0
    if judge.spec.compares == "yes_no":
        raise _no_symbols(source.block, "its predictions are yes/no values, not symbols")
    if design.block(source.block).parameters.feeds_back:
        return _stepwise(design, inference, block.id, judge, source.block, width, mapped)
    decoders = [other for other in _before(design, source.block) if design.block(other).parameters.feeds_back]
    if decoders:
        why = f"the outputs of {decoders[0]} go through further blocks before they are judged at {block.id}"
        raise _cannot(decoders[0], why, f"Let {decoders[0]} make the predictions itself (output_units, output_activation).")
    if len(predicted.shape) not in (1, 2):
        raise _no_symbols(source.block, f"it predicts {predicted}, and a sequence (steps, symbols) was expected")
    in_step = inputs_in_step(design, inference, source) if predicted.has_steps else ()
    suspects = tuple(name for name in in_step if judge.classes and _looks_taught(design, inference, source, name, width))
    plan = OnePass(block.id, source, width, not judge.classes, in_step, suspects)
    ports = data_ports(design, inference)
    for name in in_step if judge.classes else ():
        if _same_column(design, ports, name, block.id):
            raise reads_the_truth(design, plan, name, "is bound to the same column as the targets")
    return plan


def reads_the_truth(design: Design, plan: OnePass, name: str, why: str) -> InvalidInput:
    """Return the error that input `name` holds the sequence to predict. `why` follows its name in the sentence."""
    block_id = plan.port.block
    imported = design.block(block_id).parameters.imported is not None
    reaches = "may reach (what is inside an imported model is not known)" if imported else "reaches"
    text = (
        f"{block_id} cannot generate: {name} {why}, and each step of it {reaches} the prediction of the same step, so the true "
        f"sequence would be printed back. Only a recurrent decoder can be run one step at a time, and {block_id} is a block of "
        f"the kind {design.block(block_id).kind}."
    )
    hint = "Train with a recurrent decoder to generate, or use it to evaluate and export."
    return InvalidInput([Problem("error", "cannot_generate", block_id, text, hint)])


def _possible_truth(design: Design, inference: Inference) -> tuple[Problem, ...]:
    """Warn of every input that may hold the sequence to predict, as long as no bound column settles it."""
    plan = plan_for(design, inference)
    if isinstance(plan, Stepwise):
        return ()
    ports = data_ports(design, inference)
    unknown = [name for name in plan.suspects if not _both_bound(design, ports, name, plan.loss)]
    return tuple(
        Problem(
            "warning",
            "may_not_generate",
            plan.port.block,
            f"If {name} is the sequence to predict, one step behind, nothing can be generated with this block: this version "
            "runs only recurrent decoders one step at a time.",
            "Use a recurrent decoder, or bind another sequence.",
        )
        for name in unknown
    )


def _same_column(design: Design, ports: tuple[DataPort, ...], name: str, loss: str) -> bool:
    bound = columns_bound_to(design, ports, name)
    return bool(bound) and bound == columns_bound_to(design, ports, loss)


def _both_bound(design: Design, ports: tuple[DataPort, ...], name: str, loss: str) -> bool:
    return bool(columns_bound_to(design, ports, name)) and bool(columns_bound_to(design, ports, loss))


def _looks_taught(design: Design, inference: Inference, source: Port, name: str, width: int) -> bool:
    """Return whether an input takes as many symbols as are predicted, or is one of several inputs of an imported decoder."""
    taken = inference.blocks[name].outputs["output"]
    if not isinstance(taken, TensorType) or not taken.has_steps:
        return False
    if (taken.symbols if taken.dtype == "int32" else taken.shape[-1]) == width:
        return True
    imported = design.block(source.block).parameters.imported is not None
    return imported and any(
        not taken.has_steps for taken in inference.blocks[source.block].inputs.values() if isinstance(taken, TensorType)
    )


def _stepwise(
    design: Design, inference: Inference, loss: str, judge: Judge, decoder: str, width: int, mapped: bool
) -> Stepwise:  # fmt: skip
    """Return the plan for a decoder that is fed its predictions. Raises InvalidInput with the reason if it cannot be."""
    link = design.into(Port(decoder, "inputs"))
    assert link is not None
    block = design.block(link.source.block)
    fed = inference.blocks[block.id].outputs[link.source.port]
    if block.parameters.role != "input" or not isinstance(fed, TensorType) or not fed.has_steps:
        why = f"its inputs come from {block.id}, so that predictions cannot be fed back"
        raise _cannot(decoder, why, "Connect a token sequence to its inputs.")
    shared = [other for other in inputs_behind(design, sources_of(design, decoder, ("inputs",))) if other == block.id]
    if shared:
        why = f"{block.id} feeds the decoder and also what comes before it, where a whole sequence is needed"
        raise _cannot(decoder, why, "Use two input blocks that are bound to the same column.")
    ids = fed.dtype == "int32"
    taken = (fed.symbols if ids else fed.shape[-1]) or 0
    numbers = not judge.classes
    if numbers and ids:
        raise _cannot(decoder, "it takes symbols and predicts numbers", "Use a softmax and categorical_crossentropy.")
    if taken != width and not (mapped or (judge.classes and _both_text(design, inference, block.id, loss))):
        what = "symbols" if judge.classes else "numbers"
        why = (
            f"it takes {taken} {what} per step ({block.id}) and predicts {width}: a prediction cannot be fed back as the next "
            "input where the widths differ"
        )
        settings = [f"{name}.{design.block(name).parameters.width_parameter}" for name in (block.id, decoder)]
        raise _cannot(
            decoder,
            why,
            f"Set {' and '.join(settings)} alike to generate, or give a file that says what is fed (generate --feed-map).",
        )
    other = 0 if taken == width else taken
    if numbers:
        return Stepwise(loss, decoder, block.id, "values", width, numbers=True, other_width=other)
    return Stepwise(loss, decoder, block.id, "ids" if ids else "one_hot", width, other_width=other)


def _both_text(design: Design, inference: Inference, fed: str, loss: str) -> bool:
    """Return whether a decoder's input and its targets are bound as text, so that the symbols say what is fed."""
    ports = {port.name: port for port in data_ports(design, inference)}
    codecs = {binding.port: binding.codec for binding in design.data.bindings}
    return all(name in ports and isinstance(codecs.get(ports[name].port), TextCodec) for name in (fed, loss))


def _before(design: Design, block_id: str) -> list[str]:
    """Return the blocks that feed this one, directly or through others, nearest first."""
    blocks: list[str] = []
    waiting = [block_id]
    while waiting:
        for port in sources_of(design, waiting.pop(0)):
            if port.block not in blocks:
                blocks.append(port.block)
                waiting.append(port.block)
    return blocks


def _cannot(block_id: str, why: str, hint: str = "") -> InvalidInput:
    text = f"This block cannot generate: {why}."
    return InvalidInput([Problem("error", "cannot_generate", block_id, text, hint)])


def _no_symbols(block_id: str, why: str) -> InvalidInput:
    text = f"This block cannot generate: {why}."
    return InvalidInput([Problem("error", "no_symbols", block_id, text, "Export it, and run it as a plain Keras model.")])


def variational_width(design: Design) -> int:
    """Return how many numbers the code of the last variational bottleneck has; 0 for a design without one."""
    for block in reversed(design.blocks):
        if getattr(block.parameters, "variational", False):
            return int(getattr(block.parameters, "units", 0))
    return 0


def attends(design: Design) -> bool:
    """Return whether a block of a design attends to something, so that its weights can be shown."""
    submodels = [known.submodel for known in infer(design).blocks.values() if known.submodel is not None]
    return any(
        submodel.attention_weights or any(call.layer.type == "MultiHeadAttention" for call in submodel.calls)
        for submodel in submodels
    )
