"""The parts of a trained run that can be exported: the whole, each block, one step of the decoder, and what it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.codegen import step_of
from seqdec_gui.domain.dataflow import sources_of
from seqdec_gui.domain.design import Port
from seqdec_gui.domain.generation import stepped_decoder
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.domain.types import tensors_of
from seqdec_gui.runner.decoding.step import build_step
from seqdec_gui.runner.opened_run import OpenedRun, check_part, inputs_of_part, scalings_of_part
from seqdec_gui.runner.reopen import predictions
from seqdec_gui.runner.wiring import model_of
from seqdec_gui.runs.export_formats import INITIAL_STATES, ONE_STEP, STEP_PARTS

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
STEPS_COMPARED = 3
"""Steps of the sequences on which an exported one-step decoder is compared with the trained one."""


def models_with(trained: OpenedRun, part: str) -> dict[str, keras.Model]:
    """The trained models, and those of `part` if it is no block. Raises InvalidInput where the run has no such part."""
    if part not in STEP_PARTS:
        check_part(trained, part)
        return trained.models
    decoder = _decoder(trained, part)
    if part == ONE_STEP:
        return trained.models | {part: build_step(trained.design, trained.models[decoder], decoder)}
    return trained.models | {part: _initial_states(trained, decoder)}


def inputs_of(trained: OpenedRun, models: Mapping[str, keras.Model], part: str, rows: dict[str, Array]) -> list[Array]:
    """The inputs of `models[part]`, in its order, for rows of the full model's inputs (by input block)."""
    if part == INITIAL_STATES:
        return [rows[tensor.name] for tensor in models[part].inputs]
    if part != ONE_STEP:
        return inputs_of_part(trained, part, rows)
    step = models[part]
    fed, *states = inputs_of_part(trained, _decoder(trained, part), rows)
    shapes = [tuple(axis or 0 for axis in tensor.shape[1:]) for tensor in step.inputs[1:]]
    states += [np.zeros((len(fed), *shape), np.float32) for shape in shapes[len(states) :]]  # as a language model begins
    seen: list[list[Array]] = []
    for number in range(min(STEPS_COMPARED, fed.shape[1])):
        inputs = [fed[:, number : number + 1], *states]
        seen.append(inputs)
        states = list(predictions(step, inputs))[1:]
    return [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]


def scalings_of(
    trained: OpenedRun, models: Mapping[str, keras.Model], part: str, known: Sequence[Scaling]
) -> list[Scaling | None]:
    """The scaling of each input of `models[part]`, in its order; None for inputs that are not standardised."""
    if part not in STEP_PARTS:
        return scalings_of_part(trained, part, known)
    scaled = {scaling.name: scaling for scaling in known if scaling.role == "input"}
    if part == INITIAL_STATES:
        return [scaled.get(tensor.name) for tensor in models[part].inputs]
    link = trained.design.into(Port(_decoder(trained, part), "inputs"))
    return [scaled.get(link.source.block) if link else None, *[None] * (len(models[part].inputs) - 1)]


def result_names(trained: OpenedRun, part: str) -> tuple[str, ...]:
    """The names of what a part gives: blocks for the whole model, ports for a block, states as they are fed for the states."""
    design, inference = trained.design, trained.program.inference
    if part in STEP_PARTS:
        step = step_of(design, inference, _decoder(trained, part))
        if part == INITIAL_STATES:
            given = sources_of(design, _decoder(trained, part), leave_out=("inputs",))
            count = sum(len(tensors_of("", inference.blocks[port.block].outputs[port.port])) for port in given)
            return tuple(tensor.name for tensor in step.inputs[1 : 1 + count])
        entering = {tensor.variable for tensor in step.inputs}  # what a step hands on unchanged
        variables = [variable for output in step.outputs for variable in output.variables]
        return tuple(f"next_{variable}" if variable in entering else variable for variable in variables)
    if part != "full":
        ports = design.block(part).parameters.outputs()
        return tuple(name for port in ports for name, _ in tensors_of(port.name, inference.blocks[part].outputs[port.name]))
    links = [design.into(Port(block.id, "predictions")) for block in design.blocks if block.parameters.role == "loss"]
    sources = [link.source for link in links if link is not None]
    alone = {source.block: len(design.block(source.block).parameters.outputs()) == 1 for source in sources}
    return tuple(source.block if alone[source.block] else f"{source.block}_{source.port}" for source in sources)


def _decoder(trained: OpenedRun, part: str) -> str:
    """The decoder that can be run step by step. Raises InvalidInput where there is none."""
    if decoder := stepped_decoder(trained.design, trained.program.inference):
        return decoder
    text = f"There is no part {part} to export: no block of this design is a decoder that can be run step by step."
    raise InvalidInput(text, "no_such_part", "part")


def _initial_states(trained: OpenedRun, decoder: str) -> keras.Model:
    """The model from inputs to the states before the first step. Raises InvalidInput where the decoder begins with zeros."""
    sources = sources_of(trained.design, decoder, leave_out=("inputs",))
    if not sources:
        text = f"There is no part {INITIAL_STATES} to export: {decoder} begins with states of zeros."
        raise InvalidInput(text, "no_such_part", "part")
    return model_of(trained.design, trained.program.inference, trained.models, sources, "initial_states")
