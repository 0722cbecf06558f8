"""Puts the weights of a file into a block that they fit: by name, and by shape and order where names are others.

Layers are joined in groups of equal shapes. In a group names decide if every layer of the block has a namesake; otherwise the
order decides, but only where both sides have equally many. Nothing is guessed: what could be joined in two ways is not joined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.wording import counted
from seqdec_gui.runner import checkpoints, weight_sources
from seqdec_gui.runner.script_files import find_keras_file, sha256
from seqdec_gui.runner.splitting import graphs
from seqdec_gui.runner.weight_sources import SourceLayer
from seqdec_gui.runs.files import write_atomically
from seqdec_gui.runs.task_results import WeightsFound
from seqdec_gui.runs.tasks import WeightsTask
from seqdec_gui.runs.weight_rows import WeightRow

if TYPE_CHECKING:
    import keras

Shapes = tuple[tuple[int, ...], ...]


class Target(NamedTuple):
    """A layer of the block that has weights."""

    name: str
    layer: Any

    @property
    def shapes(self) -> Shapes:
        return tuple(tuple(variable.shape) for variable in self.layer.weights)


class Joined(NamedTuple):
    """What goes where, the layer of the file for each layer of the block that has one, and what of the file is not used."""

    rows: tuple[WeightRow, ...]
    sources: dict[str, SourceLayer]
    left_out: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return all(row.how for row in self.rows)

    def is_as(self, other: Joined) -> bool:
        """Whether every layer gets the same weights as in another way of joining."""
        mine, theirs = self.sources, other.sources
        return mine.keys() == theirs.keys() and all(mine[name].arrays is theirs[name].arrays for name in mine)


def find_weights(task: WeightsTask, design: Design) -> WeightsFound:
    """Say what of a file goes into which layer of a block, and write it into `task.folder` if one is given.

    Raises InvalidInput where file or block cannot be read, where the file is not the one that was looked at before, and, where
    something is to be written, if not every layer of the block gets weights, or if the block would compute something else with
    them and nobody has asked for that.
    """
    path = Path(task.path)
    check_sum = sha256(path) if path.is_file() else ""
    if task.sha256 and check_sum != task.sha256:
        text = f"{path.name} has changed since its weights were shown."
        raise InvalidInput([Problem("error", "weights_mismatch", task.block, text, "Look at it again.")])
    model = block_model(design, task.block, Path(task.design_folder))
    targets = [Target(name, layer) for name, layer in weight_sources.leaves(model)]
    source = weight_sources.read(path)
    by_part = {part: join(targets, layers, source.in_order) for part, layers in source.parts.items()}
    part = _part(task, by_part)
    joined = by_part[part]
    fitting = tuple(name for name, other in by_part.items() if other.fits and (name == part or not other.is_as(joined)))
    file = written = ""
    if task.folder:
        if not joined.fits:
            lost = next(row for row in joined.rows if not row.how)
            text = f"The weights of {path.name} do not fit {task.block}: {lost.layer}: {lost.why}"
            raise InvalidInput([Problem("error", "weights_mismatch", task.block, text, "Choose weights of a block like it.")])
        if (differing := [row for row in joined.rows if row.differs]) and not task.in_spite:
            layer = next(target.layer for target in targets if target.name == differing[0].layer)
            raise InvalidInput([_other_settings(task, design, differing[0], layer)])
        file, written = _write(task, model, targets, joined)
    return WeightsFound(
        rows=joined.rows, left_out=joined.left_out, part=part, parts=tuple(by_part), fitting=fitting, notes=source.notes,
        sha256=check_sum, file=file, file_sha256=written, parameters=infer(design).blocks[task.block].parameters,
    )  # fmt: skip


def block_model(design: Design, block_id: str, folder: Path) -> keras.Model:
    """Return the Keras model of a block, with new weights or those of its file. Raises InvalidInput if it has none yet."""
    import keras

    block = design.block(block_id)
    if block.parameters.imported is not None:
        file = find_keras_file(block, block.parameters.imported, Path(block.parameters.imported.file).name, (folder,))
        from seqdec_gui.runner.keras_safety import fail_if_unsafe

        fail_if_unsafe(file)
        return keras.models.load_model(file, compile=False, safe_mode=True)
    submodel = infer(design).blocks[block_id].submodel
    if submodel is None or not submodel.parameters:
        text = f"{block_id} has no weights" + (" as long as its inputs are not connected." if submodel is None else ".")
        raise InvalidInput([Problem("error", "weights_mismatch", block_id, text, "Connect its inputs first.")])
    return graphs.built(submodel)


def join(targets: Sequence[Target], layers: Sequence[SourceLayer], in_order: bool) -> Joined:
    """Join the layers of a block with those of a file."""
    found: dict[str, tuple[SourceLayer, Any]] = {}
    reasons: dict[str, str] = {}
    for shapes in dict.fromkeys(target.shapes for target in targets):
        group = [target for target in targets if target.shapes == shapes]
        alike = [layer for layer in layers if layer.shapes == shapes]
        named = {target.name: layer for target in group if (layer := _namesake(target, alike)) is not None}
        by_order = {target.name: layer for target, layer in zip(group, alike, strict=False)}
        if len(named) == len(group) and len({id(layer) for layer in named.values()}) == len(group):
            found.update({name: (layer, "name") for name, layer in named.items()})
        elif len(alike) == len(group) and (len(group) == 1 or in_order or _one_series(alike)):
            if any(by_order[name] is not layer for name, layer in named.items()):
                reasons.update({target.name: "names and order of the layers contradict each other." for target in group})
            else:
                found.update({name: (layer, "order") for name, layer in by_order.items()})
        else:
            reasons.update({target.name: _reason(target, layers, len(group), alike) for target in group})
    rows = tuple(_row(target, found.get(target.name), reasons.get(target.name, "")) for target in targets)
    used = {id(layer) for layer, _ in found.values()}
    left_out = tuple(layer.name for layer in layers if id(layer) not in used)
    return Joined(rows, {name: layer for name, (layer, _) in found.items()}, left_out)


def _namesake(target: Target, layers: Sequence[SourceLayer]) -> SourceLayer | None:
    """Return the only layer with the name of a layer of the block, that of its models included or not."""
    for same in (
        [layer for layer in layers if layer.name == target.name],
        [layer for layer in layers if layer.last_name == target.name.rpartition("/")[2]],
    ):
        if len(same) == 1:
            return same[0]
    return None


def _one_series(layers: Sequence[SourceLayer]) -> bool:
    """Whether Keras wrote the layers as `lstm`, `lstm_1`, ...: then they are in the order of the model."""
    stems = {layer.series.rstrip("0123456789").rstrip("_") for layer in layers}
    return len(stems) == 1 and "" not in stems


def _reason(target: Target, layers: Sequence[SourceLayer], wanted: int, alike: Sequence[SourceLayer]) -> str:
    same_name = _namesake(target, layers)
    if not alike and same_name is not None:
        return f"{same_name.name} in the file has {_in_words(same_name.shapes)}."
    if not alike:
        return "no layer of the file has these shapes."
    if len(alike) != wanted:
        there, here = counted(len(alike), "layer"), counted(wanted, "layer")
        return f"{there} of the file {'has' if len(alike) == 1 else 'have'} these shapes, and {here} of the block."
    return "several layers of the file have these shapes, and neither their names nor their order say which is which."


def _row(target: Target, found: tuple[SourceLayer, Any] | None, reason: str) -> WeightRow:
    if found is None:
        return WeightRow(target.name, target.shapes, why=reason)
    layer, how = found
    if layer.made is not None:
        differing = graphs.differences(target.layer, layer.made)
        why = f"In the file {', '.join(map(str, differing))}." if differing else ""
    else:
        cell = getattr(target.layer, "forward_layer", target.layer).get_config()
        differing = [graphs.Difference(*each) for each in layer.presumed if cell.get(each[0], each[1]) != each[1]]
        words = ", ".join(map(str, differing))
        why = f"The version of Keras that wrote the file had {words}, unless it was told otherwise." if differing else ""
    settings = tuple((each.setting, each.value) for each in differing if each.matters)
    return WeightRow(target.name, target.shapes, layer.name, how, why, bool(settings), settings)


def _other_settings(task: WeightsTask, design: Design, row: WeightRow, layer: Any) -> Problem:
    """Return the problem that a layer would compute something else with weights, with the settings that would help."""
    text = (
        f"With the weights of {Path(task.path).name}, {task.block} would compute something else than the model that they are "
        f"of. {row.layer}: {row.why}"
    )
    setting, value = row.settings[0]
    known = type(design.block(task.block).parameters).__struct_fields__
    own = [name for name in known if name == setting or name.endswith(f"_{setting}")]
    if type(layer).__name__ in ("LSTM", "GRU") and setting.endswith("activation"):
        own = []  # those are settings of other layers of the block
    ways = [f"set {' or '.join(own)} of the block to {value}"] if own else []
    ways += ["import the file as a block of its own", "take them all the same with --in-spite, or a tick in the window"]
    hint = ", or ".join(ways)
    return Problem("error", "weights_differ", task.block, text, f"{hint[0].upper()}{hint[1:]}.")


def _in_words(shapes: Shapes) -> str:
    return " ".join(f"({', '.join(map(str, shape))})" for shape in shapes)


def _part(task: WeightsTask, by_part: dict[str, Joined]) -> str:
    """Return the part of the file to take: the one that is asked for, of the same name, or that fits best."""
    if task.part:
        if task.part not in by_part:
            names = ", ".join(filter(None, by_part)) or "one model"
            text = f"{Path(task.path).name} has no weights of {task.part}; it has {names}."
            raise InvalidInput([Problem("error", "weights_mismatch", task.block, text, "Name one of these.")])
        return task.part
    if not by_part:
        raise InvalidInput([Problem("error", "weights_mismatch", task.block, f"{Path(task.path).name} holds no weights.")])
    if task.block in by_part and by_part[task.block].fits:
        return task.block
    fitting = [part for part, joined in by_part.items() if joined.fits]
    if len(fitting) == 1:
        return fitting[0]
    return (
        task.block if task.block in by_part else max(by_part, key=lambda part: sum(bool(row.how) for row in by_part[part].rows))
    )


def _write(task: WeightsTask, model: keras.Model, targets: Sequence[Target], joined: Joined) -> tuple[str, str]:
    """Write the weights for the block into a file that is named after its content; returns its path and its check sum."""
    for target in targets:
        values = joined.sources[target.name].arrays
        target.layer.set_weights([np.asarray(value) for value in values])
    try:
        data = checkpoints.parts_as_bytes({task.block: {layer.name: layer for layer in model.layers}})
    except FloatingPointError as error:
        text = f"{Path(task.path).name} cannot be used: {error}."
        raise InvalidInput([Problem("error", "weights_mismatch", task.block, text, "Choose another checkpoint.")]) from None
    check_sum = hashlib.sha256(data).hexdigest()
    stem = Path(task.path).name.partition(".")[0] or "weights"
    file = Path(task.folder) / f"{task.block}_{stem}_{check_sum[:8]}.weights.h5"
    Path(task.folder).mkdir(parents=True, exist_ok=True)
    if not file.is_file() or sha256(file) != check_sum:
        write_atomically(file, data)
    return str(file), check_sum
