"""Lists the arrays that a design needs: one per input block and one per loss, and pairs that one text column can serve."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Literal

import msgspec

from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.roles import Judge
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import TensorType


class DataPort(msgspec.Struct, frozen=True):
    """One array that training needs.

    `name` is the block's id, which is also the name of the full model's input (or of the loss); `port` is `latent.output`
    or `loss.targets`. `aliases` are further port names that a binding may use: binding `model_2.inputs` feeds the input
    block linked to it, and, where `taught` names a loss, its targets as well, one step ahead (teacher forcing).
    `classes` is the number of classes that a target chooses among, None for a regression target. `width_at` and `length_at` are
    the parameters that decide how many symbols (numbers, classes) and steps there are, `decoder.output_units`; empty where
    they follow from several.
    `generated` says that `generate` makes this input itself, symbol by symbol. `masked_by` names the parameter by which a
    model skips id 0 of this input, or its steps of zeros: `encoder.mask_padding`; empty where it looks at every step.
    `probabilities` says that the targets are classes or probabilities.
    """

    name: str
    port: str
    role: Literal["input", "target"]
    type: TensorType
    aliases: tuple[str, ...] = ()
    taught: str = ""
    classes: int | None = None
    one_hot: bool = False
    mask_padding: bool = False
    generated: bool = False
    width_at: str = ""
    length_at: str = ""
    masked_by: str = ""
    probabilities: bool = False


def data_ports(design: Design, inference: Inference | None = None) -> tuple[DataPort, ...]:
    """Inputs in the design's order, then targets. Ports whose type is not known yet are left out."""
    known = infer(design) if inference is None else inference
    inputs = [_input_port(design, known, block) for block in design.blocks if block.parameters.role == "input"]
    targets = [
        _target_port(design, known, block.id, judge) for block in design.blocks if (judge := block.parameters.judge) is not None
    ]
    return tuple(port for port in (*inputs, *targets) if port is not None)


def loss_after(design: Design, block_id: str) -> str:
    """The loss that judges this block's `outputs` directly; empty if none does."""
    for link in design.links:
        judged = link.source == Port(block_id, "outputs") and design.has(link.target.block)
        if judged and design.block(link.target.block).parameters.role == "loss":
            return link.target.block
    return ""


def _input_port(design: Design, known: Inference, block: Block) -> DataPort | None:
    """Return the data port of an input block; None if its type is not known."""
    output_type = known.blocks[block.id].outputs.get("output")
    if not isinstance(output_type, TensorType):
        return None
    fed = [link for link in design.links if link.source == Port(block.id, "output")]
    decoders = [link.target.block for link in fed if _is_decoder_input(design, link)]
    taught = next((loss for loss in (loss_after(design, decoder) for decoder in decoders) if loss), "")
    if taught:
        judge = design.block(taught).parameters.judge
        taught = taught if judge is not None and judge.classes else ""  # a column of numbers is bound to both ends by hand
    width_at, length_at = _sizes(block)
    return DataPort(
        name=block.id,
        port=f"{block.id}.output",
        role="input",
        type=output_type,
        aliases=(block.id, *(str(link.target) for link in fed)),
        taught=taught,
        one_hot=block.parameters.gives_one_hot,
        generated=bool(decoders),
        width_at=width_at,
        length_at=length_at,
        masked_by=_masking(design, fed) if len(output_type.shape) > (output_type.dtype != "int32") else "",
    )


def _masking(design: Design, fed: Iterable[Link]) -> str:
    """The parameter by which a block behind one of these links skips padding; empty where none does."""
    for link in fed:
        parameter = design.block(link.target.block).parameters.masked_by if design.has(link.target.block) else ""
        if parameter:
            return f"{link.target.block}.{parameter}"
    return ""


def _is_decoder_input(design: Design, link: Link) -> bool:
    if link.target.port != "inputs" or not design.has(link.target.block):
        return False
    return design.block(link.target.block).parameters.feeds_back


def _sizes(block: Block) -> tuple[str, str]:
    """Return `width_at` and `length_at` for the output of the block."""
    width, length = block.parameters.width_parameter, block.parameters.length_parameter
    return f"{block.id}.{width}" if width else "", f"{block.id}.{length}" if length else ""


def _predicted_sizes(design: Design, loss: str) -> tuple[str, str]:
    """Return `width_at` and `length_at` of the targets, which are those of the block that the loss judges."""
    link = design.into(Port(loss, "predictions"))
    judged = design.block(link.source.block) if link is not None and design.has(link.source.block) else None
    return _sizes(judged) if judged is not None and judged.parameters.role == "model" else ("", "")


def _target_port(design: Design, known: Inference, loss: str, judge: Judge) -> DataPort | None:
    """Return the data port of a loss's targets; None if the type of its predictions is not known."""
    predictions = known.blocks[loss].inputs.get("predictions")
    if not isinstance(predictions, TensorType):
        return None
    classes = predictions.shape[-1] if judge.classes else None
    width_at, length_at = _predicted_sizes(design, loss)
    return DataPort(
        name=loss,
        port=f"{loss}.targets",
        role="target",
        type=predictions,
        aliases=(loss,),
        classes=classes,
        mask_padding=judge.mask_padding,
        probabilities=judge.spec.compares != "numbers",
        width_at=width_at,
        length_at=length_at,
    )


def port_for(ports: tuple[DataPort, ...], name: str) -> DataPort | None:
    """The port that a binding's name means, by its own name or an alias."""
    return next((port for port in ports if name == port.port or name in port.aliases), None)


def ports_before(
    design: Design, ports: Iterable[DataPort], earlier: Design, earlier_ports: Iterable[DataPort]
) -> dict[str, str]:
    """Map the ports of a design to their names in an earlier design: equal names, or the former names of renamed blocks.

    A renamed input or loss is recognised by its link to the same port of a block that has kept its id, and so its weights.
    """
    now, before = list(ports), {port.name: port for port in earlier_ports}
    earlier_names = {port.name: port.name for port in now if port.name in before and before[port.name].role == port.role}
    for port in now:
        ends = _linked_to(design, port)
        for old in before.values():
            free = port.name not in earlier_names and old.name not in earlier_names.values()
            if free and old.role == port.role and ends & _linked_to(earlier, old):
                earlier_names[port.name] = old.name
    return earlier_names


def _linked_to(design: Design, port: DataPort) -> frozenset[Port]:
    """The ports of other blocks that an input feeds, or that a loss judges."""
    if port.role == "input":
        return frozenset(link.target for link in design.links if link.source == Port(port.name, "output"))
    return frozenset(link.source for link in design.links if link.target == Port(port.name, "predictions"))


def with_room(design: Design, port: DataPort, room: int) -> Design | None:
    """The design with room for another number of symbols or classes at this port; None where several parameters decide it."""
    block_id = port.name
    if port.role == "target":
        link = design.into(Port(port.name, "predictions"))
        if link is None:
            return None
        block_id = link.source.block
    wider = design.block(block_id).parameters.with_width(room)
    return None if wider is None else design.with_parameters(block_id, wider)


def sources_of(design: Design, block_id: str, leave_out: Iterable[str] = ()) -> tuple[Port, ...]:
    """The output ports that feed this block, in the order of its inputs; open ports and those named are left out."""
    skipped = frozenset(leave_out)
    linked = (
        design.into(Port(block_id, port.name))
        for port in design.block(block_id).parameters.inputs()
        if port.name not in skipped
    )
    return tuple(link.source for link in linked if link is not None)


def inputs_behind(design: Design, ports: Iterable[Port]) -> tuple[str, ...]:
    """The ids of the input blocks on which these output ports depend, in the design's order."""
    seen: set[str] = set()
    waiting = [port.block for port in ports]
    while waiting:
        block_id = waiting.pop()
        if block_id not in seen:
            seen.add(block_id)
            waiting += [port.block for port in sources_of(design, block_id)]
    return tuple(block.id for block in design.blocks if block.id in seen and block.parameters.role == "input")


def inputs_in_step(design: Design, inference: Inference, port: Port) -> tuple[str, ...]:
    """Return the input blocks, in the design's order, whose steps correspond to the steps of this output port.

    Each step of the output may read the same step of such an input: no block between them turns the sequence into a vector or
    into states, as the encoder of an autoencoder does.
    """
    seen: set[Port] = set()
    waiting = [port]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        known = inference.blocks[at.block]
        kind = known.block.parameters
        for taken in kind.inputs():
            link = design.into(Port(at.block, taken.name))
            if link is not None and at.port in kind.in_step_with(taken.name, known.inputs, known.submodel):
                waiting.append(link.source)
    ids = {at.block for at in seen}
    return tuple(block.id for block in design.blocks if block.id in ids and block.parameters.role == "input")


def columns_bound_to(design: Design, ports: tuple[DataPort, ...], name: str) -> tuple[str, ...]:
    """The file and the columns that are bound to the port of this name; empty where none are."""
    for binding in design.data.bindings:
        port = port_for(ports, binding.port)
        if port is not None and port.name == name:
            return (str(PurePath(binding.file or design.data.file)), *binding.columns)  # `./a.csv` is `a.csv`
    return ()
