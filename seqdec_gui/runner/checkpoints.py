"""Checkpoints: weights, optimizer slots, random state and progress in one HDF5 file that any engine continues from.

user block   the check sum of all that follows (`runs.checkpoint_file`)
attributes   format, progress (JSON of `Progress`), use (averaged or trained: the weights to read unless others are named)
weights/<block>/<layer>/<00 name>   every variable of the layer: weights, moving statistics, seeds
optimizer/<000 name>                every variable of the optimizer, in Keras's order
averages/<block>/<layer>/<00 name>  links to the moving averages of weights among them, if the training keeps any
texts/<name>                        what a file of weights keeps besides
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import h5py
import msgspec
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.averages import averages as averages_in
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runner.keras_safety import fault_of_hdf5
from seqdec_gui.runner.program import FULL
from seqdec_gui.runner.schedule import Watch
from seqdec_gui.runs.checkpoint_file import BEGIN_WITH_THE_OTHER, HEAD_BYTES, USE_THE_OTHER, damaged, fail_if_damaged, head
from seqdec_gui.runs.events import Metrics
from seqdec_gui.runs.files import write_atomically
from seqdec_gui.runs.task_names import WeightsInUse

if TYPE_CHECKING:
    import keras

FORMAT = 1


class Progress(msgspec.Struct, frozen=True):
    """How far a training is: `step` steps and `part` reports of epoch `epoch` (counted from 1) are done.

    `scale` is the factor on the scheduled learning rate. `sums` and `losses` (total, count) are those of the steps since the
    last report.
    """

    epoch: int = 1
    step: int = 0
    part: int = 0
    steps_per_epoch: int = 0
    batch_size: int = 0
    scale: float = 1.0
    best: Watch = Watch()
    stopping: Watch = Watch()
    plateau: Watch = Watch()
    sums: dict[str, Sum] = {}
    losses: tuple[float, int] = (0.0, 0)
    metrics: Metrics = {}
    ended: Literal["", "epochs", "early_stopping"] = ""

    @property
    def total_steps(self) -> int:
        """Optimizer steps since the start of the training."""
        return (self.epoch - 1) * self.steps_per_epoch + self.step


def save(
    path: Path,
    models: Mapping[str, keras.Model],
    optimizer: keras.Optimizer,
    progress: Progress,
    use: WeightsInUse = "averaged",
) -> None:
    """Write a checkpoint whole or not at all. Raises OSError, and FloatingPointError where a weight is not finite.

    `use` says which weights readers take if the optimizer keeps a moving average and they ask for none by name.
    """
    averages = _averages(models, optimizer, begun=progress.total_steps > 0)
    use = use if averages else "trained"
    data = _encoded(_model_variables(models), _optimizer_variables(optimizer), progress, averages=averages, use=use)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, data)


def _encoded(
    weights: Iterable[tuple[str, Any]],
    slots: Iterable[tuple[str, Any]],
    progress: Progress,
    texts: Mapping[str, str] | None = None,
    averages: Mapping[str, str] | None = None,
    use: WeightsInUse = "trained",
) -> bytes:
    """Return the content of a checkpoint. Raises FloatingPointError where a weight is not finite.

    `averages` gives the path of its average in the file, by the name of a weight.
    """
    buffer = io.BytesIO()  # a full disk then is an error of one write, which HDF5 would not survive
    with h5py.File(buffer, "w", userblock_size=HEAD_BYTES) as file:
        file.attrs["format"] = FORMAT
        file.attrs["progress"] = msgspec.json.encode(progress).decode()
        for name, text in (texts or {}).items():
            file[f"texts/{name}"] = text  # an attribute holds 64 KiB at most
        for name, variable in weights:
            file[f"weights/{name}"] = _finite(name, variable)
        for name, variable in slots:
            file[f"optimizer/{name}"] = _finite(name, variable)
        for name, where in (averages or {}).items():
            file[f"averages/{name}"] = file[where]
        file.attrs["use"] = use
    with buffer.getbuffer() as content:
        content[:HEAD_BYTES] = head(zlib.crc32(content[HEAD_BYTES:]))
    return buffer.getvalue()


def load(path: Path, models: Mapping[str, keras.Model], optimizer: keras.Optimizer, with_optimizer: bool = True) -> Progress:
    """Load all variables of models and optimizer, and return the progress.

    `with_optimizer` false leaves the optimizer as it begins.
    Raises InvalidInput where the checkpoint is damaged or does not fit.
    """
    with _opened(path, BEGIN_WITH_THE_OTHER) as file:
        _assign(path, file, _model_variables(models), "weights")
        if with_optimizer:
            _assign(path, file, _optimizer_variables(optimizer), "optimizer")
        return _progress(file)


def progress_of(path: Path) -> Progress:
    """Return how far the training was. Raises InvalidInput where the checkpoint is damaged."""
    with _opened(path, USE_THE_OTHER) as file:
        return _progress(file)


def load_weights(models: Mapping[str, keras.Model], path: Path, which: WeightsInUse | None = None) -> Progress:
    """Load weights and moving statistics into models of the same design; returns how far the training was.

    Without `which` those that the training uses are taken. Raises InvalidInput, also where the checkpoint has no average.
    """
    with _opened(path, USE_THE_OTHER) as file:
        _fail_unless_held(path, file, which)
        _assign(path, file, _model_variables(models), *_groups(file, which))
        return _progress(file)


def _fail_unless_held(path: Path, file: h5py.File, which: WeightsInUse | None) -> None:
    """Raise InvalidInput where the averages are asked for and there are none."""
    if which == "averaged" and "averages" not in file:
        hint = "Train with training.average_decay above 0 to have one, or take the trained weights."
        text = f"{path} holds no moving average of the weights."
        raise InvalidInput([Problem("error", "no_averages", "checkpoint", text, hint)])


def _uses_averages(file: h5py.File, which: WeightsInUse | None) -> bool:
    return "averages" in file and (which or str(file.attrs.get("use", "trained"))) == "averaged"


def _groups(file: h5py.File, which: WeightsInUse | None = None) -> tuple[str, ...]:
    """Return the groups in which to look for a weight, one after the other."""
    return ("averages", "weights") if _uses_averages(file, which) else ("weights",)


class KnownPart(NamedTuple):
    """An axis of a weight along which symbols are counted.

    It has `size` entries in the checkpoint, of which the first `known` are those of the same symbols as now.
    """

    axis: int
    size: int
    known: int


def load_initial(
    path: Path,
    models: Mapping[str, keras.Model],
    parts: Mapping[str, Sequence[KnownPart]] | None = None,
    which: WeightsInUse | None = None,
) -> tuple[str, ...]:
    """Load the weights of another run into the blocks of the same id, layer by layer; returns the ids of these blocks.

    Of the variables named in `parts` only the known part is loaded, and the rest stays as initialised. States of random
    generators are not loaded. Without `which` the weights are those that the training of the run uses. Raises InvalidInput
    where no block has the same id, or a layer is missing or has another shape, or there is no average.
    """
    with _opened(path, USE_THE_OTHER) as file:
        _fail_unless_held(path, file, which)
        stored = file["weights"]
        shared = tuple(name for name in models if name != FULL and name in stored)
        if not shared:
            there, here = ", ".join(stored), ", ".join(name for name in models if name != FULL)
            raise InvalidInput(
                f"No block of the earlier run ({there}) is in this design ({here}); expected one of the same id.",
                "nothing_in_common", "initial_run",
            )  # fmt: skip
        chosen = ((name, variable) for name, variable in _model_variables({name: models[name] for name in shared})
                  if not name.endswith("seed_generator_state"))  # fmt: skip
        _assign(path, file, chosen, *_groups(file, which), known=parts)
        return shared


def parts_as_bytes(parts: Mapping[str, Mapping[str, keras.Layer]], texts: Mapping[str, str] | None = None) -> bytes:
    """Return a checkpoint of a training that has not begun, with the weights of these layers: part, name, layer.

    `texts` are what the file keeps besides, by name.
    """
    named = (
        (f"{part}/{name}/{number:02d} {variable.name}", variable)
        for part, layers in parts.items()
        for name, layer in layers.items()
        for number, variable in enumerate(layer.variables)
        if variable.name != "seed_generator_state"
    )
    return _encoded(named, (), Progress(), texts)


def text_in(path: Path, name: str) -> str:
    """Return a text that `parts_as_bytes` has kept in a file of weights, empty if there is none. Raises InvalidInput."""
    with _opened(path, USE_THE_OTHER) as file:
        kept = file.get(f"texts/{name}")
        text = kept[()] if isinstance(kept, h5py.Dataset) and kept.shape == () else b""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else ""


def load_part(path: Path, part: str, block: str, model: keras.Model) -> None:
    """Load the weights that a checkpoint holds for `part` into the block of that or of another name.

    Layers may have the name of their block before their own, where names would clash otherwise. Raises InvalidInput.
    """
    with _opened(path, USE_THE_OTHER) as file:
        stored = file["weights"]
        if part not in stored:
            raise InvalidInput(f"{path} has no weights of {part!r}; it has {', '.join(stored)}.", "weights_mismatch", block)
        names = {name.removeprefix(f"{part}_"): name for name in stored[part]}
        chosen = []
        for name, variable in _model_variables({block: model}):
            _, layer, last = name.split("/")
            plain = layer.removeprefix(f"{block}_")
            if not last.endswith("seed_generator_state"):
                chosen.append((f"{part}/{names.get(plain, plain)}/{last}", variable))
        _assign(path, file, iter(chosen), *_groups(file))


def parts_of(path: Path) -> dict[str, dict[str, list[np.ndarray[Any, Any]]]]:
    """Return the weights of every block in a checkpoint, layer by layer, without the states of random generators.

    Layers come in the order of their names. Raises InvalidInput where the file is damaged.
    """
    with _opened(path, USE_THE_OTHER) as file:
        groups = _groups(file)

        def value(name: str) -> np.ndarray[Any, Any]:
            return np.asarray(next(found for group in groups if (found := _stored(file[group], name)) is not None))

        return {
            part: {
                layer: [value(f"{part}/{layer}/{name}") for name in sorted(group) if not name.endswith("seed_generator_state")]
                for layer, group in layers.items()
            }
            for part, layers in file["weights"].items()
        }


# -- variables
def shapes(models: Mapping[str, keras.Model]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every variable of the blocks, by its name in a checkpoint."""
    return {name: tuple(variable.shape) for name, variable in _model_variables(models)}


def _model_variables(models: Mapping[str, keras.Model]) -> Iterator[tuple[str, Any]]:
    """Yield the name in a checkpoint, `block/layer/00 kernel`, and the variable of every block ("full" consists of them)."""
    for block, model in models.items():
        if block != FULL:
            for layer in model.layers:
                for number, variable in enumerate(layer.variables):
                    yield f"{block}/{layer.name}/{number:02d} {variable.name}", variable


def _optimizer_variables(optimizer: keras.Optimizer) -> Iterator[tuple[str, Any]]:
    for number, variable in enumerate(optimizer.variables):
        yield f"{number:03d} {variable.name.replace('/', '_')}", variable


def _averages(models: Mapping[str, keras.Model], optimizer: keras.Optimizer, begun: bool) -> dict[str, str]:
    """Return the path in the file of every average that the optimizer keeps, by the name of its weight.

    Before the first step the average is the weight itself, and the slot is not filled yet.
    """
    slots = {id(variable): name for name, variable in _optimizer_variables(optimizer)}
    of_weight = {id(variable): slots[id(average)] for variable, average in averages_in(optimizer)}
    return {
        name: f"optimizer/{of_weight[id(variable)]}" if begun else f"weights/{name}"
        for name, variable in _model_variables(models)
        if id(variable) in of_weight
    }


def _value(variable: Any) -> np.ndarray[Any, Any]:
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def _finite(name: str, variable: Any) -> np.ndarray[Any, Any]:
    value = _value(variable)
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise FloatingPointError(f"{name} is not finite")
    return value


def _assign(
    path: Path,
    file: h5py.File,
    variables: Iterator[tuple[str, Any]],
    *groups: str,
    known: Mapping[str, Sequence[KnownPart]] | None = None,
) -> None:
    """Assign the stored value, or its `known` part, to every variable; it is that of the first of the groups that has one.

    All shapes are checked before the first assignment.
    """
    values: list[tuple[Any, Any, Sequence[KnownPart]]] = []
    for name, variable in variables:
        stored = next((found for group in groups if (found := _stored(file[group], name)) is not None), None)
        if stored is None:
            raise InvalidInput(f"Expected {name} in {path}, which does not hold it: it was written for another design.",
                               "checkpoint_mismatch", name.partition("/")[0])  # fmt: skip
        if not isinstance(stored, h5py.Dataset) or stored.dtype.kind not in "biuf":
            raise InvalidInput(f"Expected numbers as {name} in {path}, and it holds none.", "checkpoint_mismatch",
                               name.partition("/")[0])  # fmt: skip
        parts = (known or {}).get(name, ())
        expected = list(variable.shape)
        for part in parts:
            expected[part.axis] = part.size
        if tuple(stored.shape) != tuple(expected):
            raise InvalidInput(
                f"Expected {name} of shape {tuple(expected)}, found {tuple(stored.shape)} in {path}: "
                "give the block the sizes of the earlier run, or another id.",
                "checkpoint_mismatch", name.partition("/")[0],
            )  # fmt: skip
        values.append((variable, stored, parts))
    for variable, stored, parts in values:
        value = stored[()].astype(str(variable.dtype))
        if parts:
            whole = np.array(_value(variable))
            limits = {part.axis: part.known for part in parts}
            kept = tuple(slice(limits.get(axis)) for axis in range(value.ndim))
            whole[kept] = value[kept]
            value = whole
        variable.assign(value)


def _stored(group: h5py.Group, name: str) -> h5py.Dataset | None:
    """Return a dataset by its name, or one with the same number, because engines name some variables differently."""
    if name in group:
        return group[name]
    folder, _, last = name.rpartition("/")
    subgroup = group.get(folder) if folder else group
    if subgroup is None:
        return None
    number = last.partition(" ")[0] + " "
    return next((subgroup[key] for key in subgroup if key.startswith(number)), None)


# -- the file
@contextlib.contextmanager
def _opened(path: Path, advice: str) -> Iterator[h5py.File]:
    """Open an undamaged checkpoint for reading. `advice` is what to do with the other checkpoint if that one is undamaged.

    Raises InvalidInput, also where HDF5 detects the damage while the file is read.
    """
    fail_if_damaged(path, advice)
    try:
        with h5py.File(path, "r") as file:
            if why := fault_of_hdf5(file):
                raise damaged(path, why, advice)
            written = file.attrs.get("format", 0)
            version = int(written) if np.ndim(written) == 0 and np.asarray(written).dtype.kind in "iu" else 0
            if version != FORMAT:
                newer = "was written by a newer seqdec-gui; upgrade to read it"
                what = newer if version > FORMAT else "is not a checkpoint of a run"
                raise InvalidInput(f"{path} {what}.", "damaged_checkpoint")
            yield file
    except (OSError, KeyError, msgspec.DecodeError) as error:  # damage in a file without a check sum
        raise damaged(path, f"HDF5 says: {' '.join(str(error).split())}", advice) from None


def _progress(file: h5py.File) -> Progress:
    text = file.attrs["progress"]
    if not isinstance(text, str):
        raise KeyError("its progress is no text")
    return msgspec.json.decode(text, type=Progress)
