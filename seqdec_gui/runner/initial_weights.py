"""Loads the weights of another run into a model, also where the alphabet has grown since.

Which axes of which weights count symbols is determined by experiment: the script is generated once more with another number of
symbols at each port, and the shapes are compared. An axis that counts symbols and something else as well (a flattened or
concatenated one-hot sequence) is not recognised, so its weights are refused where the sizes differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from seqdec_gui.data.demands import symbol_room
from seqdec_gui.data.earlier import Growth
from seqdec_gui.domain.dataflow import data_ports, port_for, with_room
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.wording import listed
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.checkpoints import KnownPart
from seqdec_gui.runner.program import load_build
from seqdec_gui.runner.script_files import write_script
from seqdec_gui.runs.task_names import WeightsInUse

if TYPE_CHECKING:
    import keras


def load_initial_weights(
    checkpoint: Path,
    models: Mapping[str, keras.Model],
    design: Design,
    growths: Sequence[Growth],
    files: Sequence[Path],
    which: WeightsInUse | None = None,
) -> tuple[tuple[str, ...], list[Problem]]:
    """Load the weights of a checkpoint into the blocks of the same id; returns the ids of these blocks, and messages.

    Args:
        checkpoint: A checkpoint of the earlier run.
        models: The models by block id.
        design: The design of `models`.
        growths: Ports whose alphabet is not that of the earlier run. Of weights that count their symbols only the part of the
            known symbols is loaded, and the rest stays as initialised.
        files: The folders of the design's Keras files.
        which: The weights to load; None: those that the earlier run uses.

    Raises InvalidInput where a weight has another shape for any other reason, or where a block has fewer ids than are known.
    """
    for growth in growths:
        if growth.known > growth.room:
            where = growth.port.width_at or growth.port.port
            text = f"The earlier run has {growth.known} ids at {growth.port.port}, and {where} has room for {growth.room}."
            hint = f"Set {where}={growth.known}, or give the block another id to begin it afresh."
            raise InvalidInput([Problem("error", "too_many_symbols", growth.port.port, text, hint)])
    parts = known_parts(models, design, growths, files) if growths else {}
    blocks = checkpoints.load_initial(checkpoint, models, parts, which)
    return blocks, _messages(parts, growths, blocks)


def known_parts(
    models: Mapping[str, keras.Model], design: Design, growths: Sequence[Growth], files: Sequence[Path]
) -> dict[str, tuple[KnownPart, ...]]:
    """Return, for every weight that counts symbols of these ports, the axes and how many of their entries are known."""
    here = checkpoints.shapes(models)
    parts_by_weight: dict[str, tuple[KnownPart, ...]] = {}
    for growth in growths:
        there = _shapes_with_room(design, growth, files)
        for name, shape in here.items():
            other = there.get(name, shape)
            axes = [axis for axis, sizes in enumerate(zip(shape, other, strict=True)) if sizes[0] != sizes[1]]
            if axes and all((shape[axis], other[axis]) == (growth.room, growth.room + 1) for axis in axes):
                parts = (KnownPart(axis, growth.room_before, growth.known) for axis in axes)
                parts_by_weight[name] = (*parts_by_weight.get(name, ()), *parts)
    return parts_by_weight


def _shapes_with_room(design: Design, growth: Growth, files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all weights if the port had one symbol more; empty where such a model cannot be built."""
    larger = with_room(design, growth.port, growth.room + 1)
    port = None if larger is None else port_for(data_ports(larger), growth.port.port)
    if larger is None or port is None or symbol_room(port) != growth.room + 1:
        return {}
    with TemporaryDirectory() as folder:
        script = Path(folder) / "model.py"
        try:
            write_script(larger, script, files)
            return checkpoints.shapes(load_build(script)())
        except (SeqdecError, ValueError):  # an imported block takes no other width
            return {}


def _messages(parts: Mapping[str, tuple[KnownPart, ...]], growths: Sequence[Growth], blocks: Sequence[str]) -> list[Problem]:
    names = sorted(name for name in parts if name.partition("/")[0] in blocks)
    ports = listed([growth.port.port for growth in growths])
    if names:
        text = f"Weights for known symbols of {ports} are those of the earlier run, and weights for new symbols begin anew: "
        return [Problem("info", "weights_extended", "", text + f"{', '.join(names)}.")]
    if growths:
        text = f"No weights of the earlier run belong to the symbols of {ports} alone, so new symbols get no new weights."
        return [Problem("warning", "weights_not_extended", "", text)]
    return []
