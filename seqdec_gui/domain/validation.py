"""Checks whether a design can be trained, and whether a new wire is allowed."""

from __future__ import annotations

import difflib
import graphlib
from collections import Counter
from collections.abc import Iterator

import msgspec

from seqdec_gui.domain.advice import advice
from seqdec_gui.domain.dataflow import DataPort, data_ports, port_for
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.generation import generation_problems
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.paths import path_fault
from seqdec_gui.domain.problems import Problem, errors
from seqdec_gui.domain.shapes import Inference, infer, infer_block
from seqdec_gui.domain.training_options import training_problems


class Report(msgspec.Struct, frozen=True):
    """The result of a check: the inferred types, and every problem, errors first."""

    inference: Inference
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not errors(self.problems)


class Verdict(msgspec.Struct, frozen=True):
    """Whether a link is allowed. `reason` is a sentence in either case; `replaces` is the link that it would remove."""

    ok: bool
    reason: str
    replaces: Link | None = None


def check(design: Design) -> Report:
    """Return every problem of blocks, links, bindings and training that can be detected without opening the data."""
    inference = infer(design)
    problems = [
        *model_problems(design, inference),
        *_data_files(design),
        *_bindings(design, inference),
        *_training(design),
        *training_problems(design, inference),
        *advice(design, inference),
    ]
    if not errors(problems):
        problems += generation_problems(design, inference)
    order = {"error": 0, "warning": 1, "info": 2}
    return Report(inference, tuple(sorted(problems, key=lambda problem: order[problem.severity])))


def model_problems(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield every problem of the model itself, warnings included, without those of data and training."""
    yield from _names(design)
    yield from _links(design, inference)
    yield from _open_ports(design, inference)
    for known in inference.blocks.values():
        yield from known.problems
    yield from _unused(design, inference)
    yield from _losses(design, inference)
    yield from _keras_files(design)
    yield from _block_weights(design, inference)


def _names(design: Design) -> Iterator[Problem]:
    """Yield problems of ids that are illegal or not unique, or of a design without blocks."""
    if not design.blocks:
        yield Problem(
            "error",
            "empty_design",
            "",
            "The design has no blocks.",
            "Add an input, a decoder and a loss, or start from a template.",
        )
    counts = Counter(block.id for block in design.blocks)
    for block_id, count in counts.items():
        if count > 1:
            yield Problem(
                "error", "duplicate_name", block_id, f"{count} blocks are called {block_id!r}.", "Rename all but one."
            )
        if problem := name_problem(block_id):
            yield problem


def _port_names(kind: Kind, inputs: bool) -> list[str]:
    return [port.name for port in (kind.inputs() if inputs else kind.outputs())]


def _links(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield problems of links with unknown ends, of inputs with several links, and of circles."""
    blocks = {block.id: block for block in reversed(design.blocks)}
    for link in design.links:
        for end, is_input in ((link.source, False), (link.target, True)):
            if end.block not in blocks:
                near = difflib.get_close_matches(end.block, [block.id for block in design.blocks], 1)
                hint = f"Did you mean {near[0]!r}?" if near else "Remove the link or add the block."
                yield Problem("error", "dangling_link", str(end), f"The link {link} names a block that does not exist.", hint)
            elif end.port not in (names := _port_names(blocks[end.block].parameters, is_input)):
                side = "inputs" if is_input else "outputs"
                text = f"The link {link} names a port that {end.block} does not have; its {side}: {', '.join(names) or 'none'}."
                yield Problem("error", "dangling_link", str(end), text)
    for target, count in Counter(link.target for link in design.links).items():
        if count > 1:
            yield Problem(
                "error",
                "two_links",
                str(target),
                f"{count} links end at {target}, an input takes one.",
                "Merge them in a block.",
            )
    for circle in _circles(design, inference.cyclic):
        text = f"The links {' -> '.join([*circle, circle[0]])} run in a circle, so no block can be computed first."
        yield Problem("error", "cycle", circle[0], text, "Remove one of the links.")


def _circles(design: Design, stuck: frozenset[str]) -> Iterator[list[str]]:
    """Circles of links that share no block, each in the order of its links from the block that comes first in the design."""
    order = [block.id for block in design.blocks if block.id in stuck]
    sources: dict[str, dict[str, None]] = {block_id: {} for block_id in order}
    for link in design.links:
        if link.source.block in sources and link.target.block in sources:
            sources[link.target.block][link.source.block] = None
    while True:
        try:
            graphlib.TopologicalSorter(sources).prepare()
            return
        except graphlib.CycleError as error:
            circle: list[str] = error.args[1][:-1]
        first = circle.index(min(circle, key=order.index))
        yield circle[first:] + circle[:first]
        sources = {block_id: {s: None for s in feeding if s not in circle}
                   for block_id, feeding in sources.items() if block_id not in circle}  # fmt: skip


def _open_ports(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield a problem for each required input that has no link."""
    for block in design.blocks:
        if block.parameters.role == "loss" and block.id in inference.cyclic:
            continue
        for port in block.parameters.inputs():
            if not port.optional and design.into(Port(block.id, port.name)) is None:
                text = f"Nothing is connected to {port.name}, which takes {port.takes}."
                yield Problem("error", "open_input", f"{block.id}.{port.name}", text, "Drag a wire to it.")


def _unused(design: Design, inference: Inference) -> Iterator[Problem]:
    """Blocks from which no loss can be reached: they would not be part of the model.

    Nothing is reported while a wire that is missing, dangling or closes a circle may be the reason, which is reported instead.
    """
    losses = [block.id for block in design.blocks if block.parameters.role == "loss"]
    if any(design.into(Port(loss, "predictions")) is None for loss in losses):
        return
    if not all(design.has(end.block) for link in design.links for end in (link.source, link.target)):
        return
    useful = {*losses, *inference.cyclic}
    feeds: dict[str, set[str]] = {}
    for link in design.links:
        feeds.setdefault(link.source.block, set()).add(link.target.block)
    for block_id in reversed(inference.order):
        if not useful.isdisjoint(feeds.get(block_id, ())):
            useful.add(block_id)
    if not losses:
        return
    for block in design.blocks:
        if block.id not in useful and block.id not in inference.cyclic:
            text = "No loss depends on this block, so it would not be part of the model."
            yield Problem("error", "unused_block", block.id, text, "Connect its output or delete it.")


def _losses(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield problems of missing losses and inputs, of activations that do not suit a loss, and of a frozen model."""
    losses = [block for block in design.blocks if block.parameters.role == "loss"]
    if design.blocks and not losses:
        yield Problem(
            "error",
            "no_loss",
            "",
            "The design has no loss block, so there is nothing to train.",
            "Add a loss after the last block.",
        )
    if design.blocks and not any(block.parameters.role == "input" for block in design.blocks):
        yield Problem("error", "no_input", "", "The design has no input block.", "Add a vector or a sequence.")
    for block in losses:
        yield from _loss_activation(design, block)
    if (
        losses
        and not inference.trainable
        and inference.parameters
        and not errors(tuple(problem for known in inference.blocks.values() for problem in known.problems))
    ):
        yield Problem(
            "warning", "all_frozen", "", "Every block is frozen: training would change nothing.", "Set trainable in one block."
        )


def _loss_activation(design: Design, block: Block) -> Iterator[Problem]:
    """Yield a problem for a loss that does not suit the activation of its predictions, which would train badly."""
    link, judge = design.into(Port(block.id, "predictions")), block.parameters.judge
    if link is None or not design.has(link.source.block) or judge is None:
        return
    last = design.block(link.source.block).parameters.last_activation()
    if last is None:
        return
    parameter, activation = f"{link.source.block}.{last.parameter}", last.activation
    suits = judge.spec.activations
    if suits and activation not in suits:
        text = f"{judge.loss} expects {suits[0]} outputs, {link.source.block} has {activation}."
        hint = f"Set {parameter}={suits[0]}, or another loss."
        yield Problem("error", "loss_activation", f"{block.id}.loss", text, hint)
    if not suits and activation == "softmax":
        text = f"{judge.loss} of softmax outputs: numbers are expected to come from a linear output."
        yield Problem("warning", "loss_activation", f"{block.id}.loss", text, f"Set {parameter}=linear.")


def _keras_files(design: Design) -> Iterator[Problem]:
    for block in design.blocks:
        imported = block.parameters.imported
        if imported is not None and not (imported.file and imported.is_inspected):
            text = "No Keras file has been inspected for this block."
            yield Problem("error", "no_keras_file", f"{block.id}.file", text, "Import a .keras or .h5 file.")


def _block_weights(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield a problem for each block whose layers are not those that its weights were kept of."""
    for block in design.blocks:
        weights = block.weights
        if weights is None:
            continue
        if why := path_fault(weights.file):
            text = f"Expected the path of a file with weights, and {weights.file[:60]!r} {why}."
            yield Problem("error", "bad_path", block.id, text, "Choose a file.")
        count = inference.blocks[block.id].parameters
        if weights.parameters and count and count != weights.parameters:
            text = f"The weights that it begins with are {weights.parameters:,} numbers, and it has {count:,} now."
            hint = "Undo the change of its sizes, or begin with new weights."
            yield Problem("error", "weights_mismatch", block.id, text, hint)


def _data_files(design: Design) -> Iterator[Problem]:
    for file in (design.data.file, *(binding.file for binding in design.data.bindings)):
        if why := path_fault(file):
            text = f"Expected the path of a data file, and {file[:60]!r} {why}."
            yield Problem("error", "bad_path", "data", text, "Choose a file.")


def _bindings(design: Design, inference: Inference) -> Iterator[Problem]:
    """Yield problems of bindings to unknown ports, without a column, or to a port that is bound already."""
    ports = data_ports(design, inference)
    names = [name for port in ports for name in (port.port, *port.aliases)]
    bound: Counter[str] = Counter()
    for binding in design.data.bindings:
        port = port_for(ports, binding.port)
        if port is None:
            block = binding.port.partition(".")[0]
            if design.has(block) and _type_unknown(design, inference, block):
                continue  # another problem says why
            near = difflib.get_close_matches(binding.port, names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Ports that take data: {', '.join(port.port for port in ports)}."
            yield Problem(
                "error",
                "unknown_port",
                binding.port,
                f"The column {binding.column!r} is bound to no port of this design.",
                hint,
            )
        else:
            bound[port.port] += 1
            if not all(binding.columns) or not binding.columns:
                yield Problem("error", "no_column", binding.port, "The binding names no column.", "Choose a column.")
    for name, count in bound.items():
        if count > 1:
            yield Problem("error", "bound_twice", name, f"{count} columns are bound to {name}.", "Keep one.")


def _type_unknown(design: Design, inference: Inference, block_id: str) -> bool:
    """Return whether the block would take data once the types of its ports are known."""
    kind, known = design.block(block_id).parameters, inference.blocks[block_id]
    return not known.inputs if kind.role == "loss" else bool(kind.outputs()) and not known.outputs


def unbound(design: Design, inference: Inference | None = None) -> tuple[DataPort, ...]:
    """Return the ports that still need a column. A target that shares the column of a bound decoder input needs none."""
    ports = data_ports(design, inference)
    bound = {port.name for binding in design.data.bindings if (port := port_for(ports, binding.port)) is not None}
    bound |= {port.taught for port in ports if port.name in bound and port.taught}
    return tuple(port for port in ports if port.name not in bound)


def _training(design: Design) -> Iterator[Problem]:
    """Yield problems of the schedule, the split and the monitored metric."""
    training = design.training
    last = training.schedule_last_epoch or training.epochs
    decays = training.schedule in ("exponential", "cosine")
    if decays and training.epochs < training.schedule_first_epoch and not training.schedule_last_epoch:
        text = f"The decay begins at epoch {training.schedule_first_epoch}, after the last ({training.epochs}); the rate stays."
        yield Problem("warning", "no_decay", "training.schedule_first_epoch", text)
    elif decays and last < training.schedule_first_epoch:
        text = f"The decay ends at epoch {last}, before it begins at {training.schedule_first_epoch}."
        yield Problem(
            "error", "bad_schedule", "training.schedule_last_epoch", text, "Set schedule_last_epoch to a later epoch, or 0."
        )
    if training.schedule == "exponential" and training.final_learning_rate == 0:
        text = "An exponential decay cannot reach a learning rate of 0."
        yield Problem(
            "error", "bad_schedule", "training.final_learning_rate", text, "Set final_learning_rate above 0, or use cosine."
        )
    split = design.data.split
    if split.kind == "column" and not split.column:
        yield Problem(
            "error", "no_split_column", "data", "The split is by column, and no column is named.", "Set data.split.column."
        )
    if split.kind == "random" and split.validation + split.test >= 1:
        text = f"validation {split.validation:g} and test {split.test:g} leave no rows to train on."
        yield Problem("error", "bad_split", "data", text, "Lower one of them.")
    monitor_validation = training.monitor.startswith("val_") and split.kind == "random" and not split.validation
    if monitor_validation and (training.early_stopping_patience or training.schedule == "plateau"):
        text = f"{training.monitor} is watched, and no rows validate."
        yield Problem("error", "no_validation", "training.monitor", text, "Set data.split.validation above 0, or watch loss.")
    if training.measures and split.kind == "random" and not split.validation:
        text = "The quality of validation rows is to be measured, and no rows validate."
        hint = "Set data.split.validation above 0, or measure nothing."
        yield Problem("error", "no_validation", "training.quality", text, hint)


# -- one link
def verdict(design: Design, link: Link, inference: Inference | None = None) -> Verdict:
    """Return whether this link may be drawn. Dragging, pasting and importing all use this rule.

    `inference` is that of the design; passing it saves time if many links of one design are judged, as while a wire is dragged.
    """
    known = infer(design) if inference is None else inference
    source, target = link.source, link.target
    if not design.has(source.block) or source.port not in _port_names(design.block(source.block).parameters, inputs=False):
        return Verdict(False, f"{source} is not an output of this design.")
    if not design.has(target.block) or target.port not in _port_names(design.block(target.block).parameters, inputs=True):
        return Verdict(False, f"{target} is not an input of this design.")
    if source.block == target.block:
        return Verdict(False, "A block cannot feed itself.")
    if link in design.links:
        return Verdict(False, "These ports are connected already.")
    if reaches(design, target.block, source.block):
        return Verdict(False, f"{target.block} already feeds {source.block}: the wire would close a circle.")
    replaced = design.into(target)
    source_type = known.blocks[source.block].outputs.get(source.port)
    if source_type is None:
        return Verdict(True, f"{source} has no shape yet; it will be checked when its inputs are connected.", replaced)
    block, others = known.blocks[target.block].block, dict(known.blocks[target.block].inputs)
    result = infer_block(block, {target.port: source_type})
    wrong = [problem for problem in result.problems if problem.where == str(target)]
    if not wrong:
        others[target.port] = source_type
        joint = infer_block(block, others)
        wrong = [problem for problem in joint.problems if problem.where in (str(target), block.id)]
    if wrong:
        return Verdict(
            False, f"{wrong[0].text[:1].upper()}{wrong[0].text[1:]}" + (f" {wrong[0].hint}" if wrong[0].hint else "")
        )
    return Verdict(True, f"{source_type}" + (f"; replaces the wire from {replaced.source}" if replaced else ""), replaced)


def reaches(design: Design, start: str, goal: str) -> bool:
    """Return whether `goal` is `start` or depends on it."""
    return goal in downstream(design, start)


def downstream(design: Design, start: str) -> set[str]:
    """Return the block and all blocks that depend on it."""
    feeds: dict[str, list[str]] = {}
    for link in design.links:
        feeds.setdefault(link.source.block, []).append(link.target.block)
    seen, todo = {start}, [start]
    while todo:
        for fed in feeds.get(todo.pop(), ()):
            if fed not in seen:
                seen.add(fed)
                todo.append(fed)
    return seen
