"""What a fitted dataset means for a design: lengths that do not fit together, and whether the trained model can generate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Trial
from seqdec_gui.data.feed_map import of_pairs
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.number_map import number_feeding
from seqdec_gui.data.symbols import symbols_of_decoder
from seqdec_gui.data.teaching import fail_if_taught
from seqdec_gui.domain.dataflow import DataPort, data_ports, inputs_behind
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.generation import OnePass, Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import Shape, TensorType
from seqdec_gui.runs.quality.applying import quality_problems

Rows = Callable[[str], Any]
"""A function that returns some stored training rows of an array, by its name. May raise InvalidInput."""


def fit_problems(trial: Trial, design: Design) -> tuple[Problem, ...]:
    """Return the problems of readable data with a design that has no errors.

    These are errors for lengths that do not fit together, otherwise warnings that nothing can be generated. The trial needs its
    `samples`.
    """
    fitted, samples = trial.fitted, trial.samples
    if fitted is None or samples is None:
        return ()
    wrong = length_problems(design, fitted) or quality_problems(design, fitted)
    return wrong or generation_warnings(design, fitted, samples.__getitem__)


def concrete_types(design: Design, fitted: Fitted, inference: Inference | None = None) -> dict[str, TensorType]:
    """Return the types of inputs (by block) and targets (by loss), with the lengths of the data for their open axes."""
    types = {}
    for port in data_ports(design, inference):
        feed = next((feed for feed in fitted.feeds if feed.name == port.name), None)
        if feed is not None:
            stored: Shape = fitted.port(feed.array).codec.row_shape
            if stored:
                stored = (len(range(*slice(feed.first, feed.last).indices(stored[0] or 0))), *stored[1:])
            shape = tuple(
                stored[axis] if size is None and axis < len(stored) else size for axis, size in enumerate(port.type.shape)
            )
            types[port.name] = msgspec.structs.replace(port.type, shape=shape)
    return types


def has_open_axes(inference: Inference) -> bool:
    """Whether a size of the design depends on the data, so that only with the data it is certain that all sizes fit."""
    return any(
        isinstance(port_type, TensorType) and None in port_type.shape
        for block in inference.blocks.values()
        for port_type in (*block.inputs.values(), *block.outputs.values())
    )


def length_problems(design: Design, fitted: Fitted) -> tuple[Problem, ...]:
    """Return errors where lengths of the data do not fit the blocks, or predictions and targets differ in their steps."""
    inference = infer(design)
    if not has_open_axes(inference):
        return ()
    types = concrete_types(design, fitted, inference)
    filled = _filled(design, types)
    problems = [
        msgspec.structs.replace(problem, text=f"With the lengths of this data: {problem.text}")
        for name, block in filled.blocks.items()
        for problem in errors(block.problems)
        if problem not in inference.blocks[name].problems
    ]
    for port in data_ports(design, inference):
        if port.role == "target" and port.name in types:
            predicted = filled.blocks[port.name].inputs.get("predictions")
            if isinstance(predicted, TensorType):
                problems += steps_differ(design, fitted, port, predicted, types)
    return tuple(problems)


def _filled(design: Design, types: Mapping[str, TensorType]) -> Inference:
    """Infer the shapes of the design with these types for its inputs."""
    return infer(design, {name: type for name, type in types.items() if design.block(name).parameters.outputs()})


def open_predictions(design: Design, fitted: Fitted) -> tuple[DataPort, ...]:
    """Return the targets whose predictions have an unknown number of steps, as after an imported model."""
    known = infer(design)
    if not has_open_axes(known):
        return ()
    filled = _filled(design, concrete_types(design, fitted, known))
    return tuple(
        port
        for port in data_ports(design, known)
        if port.role == "target"
        and isinstance(predicted := filled.blocks[port.name].inputs.get("predictions"), TensorType)
        and None in predicted.shape
    )


def steps_differ(
    design: Design, fitted: Fitted, port: DataPort, predicted: TensorType, types: Mapping[str, TensorType]
) -> list[Problem]:
    """Return the problem that predictions and targets of a loss differ in their steps; none where sizes are unknown.

    The problem is at the targets, or at the length of the input that mends it.
    """
    wanted = types[port.name]
    pairs = zip(predicted.shape[:-1], wanted.shape[:-1], strict=False)
    wrong = next(((have, want) for have, want in pairs if have is not None and want is not None and have != want), None)
    if wrong is None:
        return []
    have, want = wrong
    link = design.into(Port(port.name, "predictions"))
    assert link is not None
    text = (
        f"{link.source.block} predicts {have} steps and the targets ({_columns(fitted, port.name)}) have {want}; "
        "a loss compares them step by step and expected the same number."
    )
    open_ones = [
        name
        for name in inputs_behind(design, [link.source])
        if name in types and design.block(name).parameters.length_is_open and types[name].shape[0] == have
    ]
    where = port.port
    hint = "Bind a column of as many steps, or crop or pad the sequence in a layer stack before the loss."
    if open_ones and isinstance(_codec_of(fitted, open_ones[0]), FittedText):
        where = f"{open_ones[0]}.{design.block(open_ones[0]).parameters.length_parameter}"
        hint = f"Set {where}={max(have, want)}, which both are padded to, or crop or pad in a layer stack."
    return [Problem("error", "steps_differ", where, text, hint)]


def generation_warnings(design: Design, fitted: Fitted, rows: Rows) -> tuple[Problem, ...]:
    """Return warnings that this data makes it impossible to generate, or generated sequences endless.

    Reasons that follow from the design alone are left out. A mapping of the design that does not fit is an error: it is only
    there to generate.
    """
    inference = infer(design)
    try:
        plan = plan_for(design, inference)
    except InvalidInput:
        return ()  # `check` says so
    try:
        mapping = of_pairs(design.data.feed_map) if design.data.feed_map else None
        match plan:
            case Stepwise(numbers=False):
                symbols_of_decoder(fitted, plan.fed, plan.loss, plan.width, rows, mapping, plan.taken)
                return _endless(design, fitted, plan)
            case Stepwise() if mapping is not None:
                number_feeding(mapping, plan.width, plan.taken)
            case OnePass():
                fail_if_taught(design, plan, fitted, rows)
    except InvalidInput as error:
        return tuple(_as_warning(design, problem) for problem in error.problems)
    return ()


def _as_warning(design: Design, problem: Problem) -> Problem:
    """Return an error of generating as a warning, at the port whose column causes it."""
    if problem.code == "bad_feed_map":
        return msgspec.structs.replace(problem, where="data.feed_map")
    text = problem.text if problem.code == "cannot_generate" else f"Nothing can be generated on this data. {problem.text}"
    where = f"{problem.where}.output" if design.has(problem.where) else problem.where
    return msgspec.structs.replace(problem, severity="warning", text=text, where=where)


def _endless(design: Design, fitted: Fitted, plan: Stepwise) -> tuple[Problem, ...]:
    """Text without an end mark ends where padding begins, which a loss that leaves padding out never teaches."""
    judge = design.block(plan.loss).parameters.judge
    codec = _codec_of(fitted, plan.loss)
    if judge is None or not judge.mask_padding or not isinstance(codec, FittedText) or codec.end_id is not None:
        return ()
    text = (
        f"The targets of {plan.loss} have no end mark and its padding does not count, so every generated sequence goes on to "
        "its greatest length."
    )
    return (Problem("warning", "no_end_symbol", f"{plan.fed}.output", text, "Bind the text with marks=both."),)


def _codec_of(fitted: Fitted, name: str) -> object:
    feed = next((feed for feed in fitted.feeds if feed.name == name), None)
    return None if feed is None else fitted.port(feed.array).codec


def _columns(fitted: Fitted, name: str) -> str:
    feed = next(feed for feed in fitted.feeds if feed.name == name)
    columns = fitted.port(feed.array).columns
    return f"column{'s' if len(columns) > 1 else ''} {', '.join(map(repr, columns))}"
