"""Which loss's predictions are generated, and by which way through the design; or why not."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.inputs import FloatSequence, TokenSequence
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import TensorType

Encoding = Literal["one_hot", "ids", "values"]
"""How a step is fed: a row of zeros and one 1, an id, or numbers."""


class Stepwise(msgspec.Struct, frozen=True):
    """A decoder that is fed what it has just predicted. `fed` is its input block; `numbers`: values instead of symbols."""

    loss: str
    decoder: str
    fed: str
    encoding: Encoding
    width: int
    numbers: bool = False


class OnePass(msgspec.Struct, frozen=True):
    """All steps at once, from inputs that are given: a repeated code, a convolution, a single class or vector."""

    loss: str
    port: Port
    width: int
    numbers: bool = False


Plan: TypeAlias = Stepwise | OnePass


def plan_for(design: Design, inference: Inference) -> Plan:
    """How to generate; a decoder that is fed step by step goes before other outputs, symbols go before numbers.

    Raises InvalidInput with the reason.
    """
    found: list[Plan] = []
    problems: list[Problem] = []
    for block in design.blocks:
        link = design.into(Port(block.id, "predictions")) if isinstance(block.parameters, Loss) else None
        if link is not None:
            try:
                found.append(_plan(design, inference, block, link))
            except InvalidInput as error:
                problems += error.problems
    stepwise = [plan for plan in found if isinstance(plan, Stepwise)]
    if stepwise:
        return stepwise[0]
    refused = [problem for problem in problems if problem.code == "cannot_generate"]  # a decoder that ought to
    if found and not refused:
        return min(found, key=lambda plan: plan.numbers)
    raise InvalidInput(refused or problems or "The design has no loss, so nothing can be generated.")


def obstacle(design: Design) -> str:
    """Why nothing can be generated with this sound design, a line for each reason; empty where it can."""
    try:
        plan_for(design, infer(design))
    except InvalidInput as error:
        return str(error)
    return ""


def _plan(design: Design, inference: Inference, block: Block, link: Link) -> Plan:
    judge, source = block.parameters, link.source
    assert isinstance(judge, Loss)
    predicted = inference.blocks[source.block].outputs[source.port]
    assert isinstance(predicted, TensorType)
    width = predicted.shape[-1] or 0
    if judge.spec.compares == "yes_no":
        raise _no_symbols(source.block, "its predictions are yes/no values, not symbols")
    kind = design.block(source.block).parameters
    if isinstance(kind, RecurrentDecoder) and kind.mode != "repeat_vector":
        return _stepwise(design, inference, block.id, judge, source.block, width)
    decoders = [other for other in _before(design, source.block) if _takes_its_own(design, other)]
    if decoders:
        why = f"the outputs of {decoders[0]} go through further blocks before they are judged at {block.id}"
        raise _cannot(decoders[0], why, f"Let {decoders[0]} make the predictions itself (output_units, output_activation).")
    if len(predicted.shape) not in (1, 2):
        raise _no_symbols(source.block, f"it predicts {predicted}, and a sequence (steps, symbols) was expected")
    return OnePass(block.id, source, width, numbers=not judge.classes)


def _stepwise(design: Design, inference: Inference, loss: str, judge: Loss, decoder: str, width: int) -> Stepwise:
    link = design.into(Port(decoder, "inputs"))
    assert link is not None
    block = design.block(link.source.block)
    if not isinstance(block.parameters, TokenSequence | FloatSequence):
        why = f"its inputs come from {block.id}, so that predictions cannot be fed back"
        raise _cannot(decoder, why, "Connect a token sequence to its inputs.")
    shared = [other for other in inputs_behind(design, sources_of(design, decoder, ("inputs",))) if other == block.id]
    if shared:
        why = f"{block.id} feeds the decoder and also what comes before it, where a whole sequence is needed"
        raise _cannot(decoder, why, "Use two input blocks that are bound to the same column.")
    fed = inference.blocks[block.id].outputs["output"]
    assert isinstance(fed, TensorType)
    ids = fed.dtype == "int32"
    taken = (fed.symbols if ids else fed.shape[-1]) or 0
    if taken != width:
        what = "symbols" if judge.classes else "numbers"
        why = (
            f"it takes {taken} {what} per step ({block.id}) and predicts {width}: a prediction cannot be fed back as the next "
            "input where the widths differ"
        )
        setting = f"{block.id}.{'symbols' if isinstance(block.parameters, TokenSequence) else 'features'}"
        raise _cannot(decoder, why, f"Set {setting} and {decoder}.output_units alike, and train again.")
    numbers = not judge.classes
    if numbers and ids:
        raise _cannot(decoder, "it takes symbols and predicts numbers", "Use a softmax and categorical_crossentropy.")
    if numbers:
        return Stepwise(loss, decoder, block.id, "values", width, numbers=True)
    return Stepwise(loss, decoder, block.id, "ids" if ids else "one_hot", width)


def _before(design: Design, block_id: str) -> list[str]:
    """The blocks behind this one, nearest first."""
    found: list[str] = []
    waiting = [block_id]
    while waiting:
        for port in sources_of(design, waiting.pop(0)):
            if port.block not in found:
                found.append(port.block)
                waiting.append(port.block)
    return found


def _takes_its_own(design: Design, block_id: str) -> bool:
    kind = design.block(block_id).parameters
    return isinstance(kind, RecurrentDecoder) and kind.mode != "repeat_vector"


def _cannot(block_id: str, why: str, hint: str = "") -> InvalidInput:
    text = f"This block cannot generate: {why}."
    return InvalidInput([Problem("error", "cannot_generate", block_id, text, hint)])


def _no_symbols(block_id: str, why: str) -> InvalidInput:
    text = f"This block cannot generate: {why}."
    return InvalidInput([Problem("error", "no_symbols", block_id, text, "Export it, and run it as a plain Keras model.")])
