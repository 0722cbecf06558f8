"""Makes models that take the numbers of the data: stock Keras layers fill in, standardise and reduce their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.scaling import do, undo
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runner.reopen import predictions
from seqdec_gui.runs.export_formats import ExportFormat
from seqdec_gui.runs.files import write_atomically

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
TOLERANCE = 1e-4
"""Largest allowed difference of predictions p on raw and on standardised inputs, as a part of max(1, |p|)."""
MIN_DEVIATION = 1e-7
"""Smallest number by which Keras's `Normalization` divides: `keras.config.epsilon()`."""
BUILD = "models_with_raw_inputs"
"""Name of the function in an exported script that builds models with raw inputs."""


def fail_unless_buildable(scalings: Sequence[Scaling | None]) -> None:
    """Raises InvalidInput where `Normalization` would not standardise as the training did."""
    problems = [
        Problem(
            "error",
            "no_raw_inputs",
            scaling.name,
            f"A Keras layer cannot standardise {scaling.name}: it divides by {MIN_DEVIATION:g} at least, "
            f"and a deviation is {min(scaling.deviation):.3g}.",
            "Export without raw inputs, or train on the data in smaller units.",
        )
        for scaling in scalings
        if scaling is not None and min(scaling.deviation, default=1.0) < MIN_DEVIATION
    ]
    if problems:
        raise InvalidInput(problems)


def fail_unless_fills(row: ExportFormat, scalings: Sequence[Scaling | None]) -> None:
    """Raises InvalidInput where missing numbers of an input were filled in, and files of the format cannot do that."""
    filled = [scaling.name for scaling in scalings if scaling is not None and scaling.fill]
    if filled and not row.fills:
        text = f"A file of the format {row.name} cannot fill in missing numbers of input {filled[0]}, as the training did."
        hint = "Export without raw inputs, or as keras or bundle, which fill them in."
        raise InvalidInput([Problem("error", "no_raw_inputs", filled[0], text, hint)])


def with_raw_inputs(model: keras.Model, scalings: Sequence[Scaling | None]) -> keras.Model:
    """Return the model with a `Normalization` layer after every input that has a scaling, and a `Dense` for components.

    Before it missing numbers (NaN) are filled in, where the training did.

    `scalings` has one entry per input, in order. `model` itself is one of the layers of the result, with all weights. Raises
    InvalidInput.
    """
    import keras

    fail_unless_buildable(scalings)
    inputs, taken = [], []
    for of_model, scaling in zip(model.inputs, scalings, strict=True):
        shape = (len(scaling.center),) if scaling is not None and scaling.axes else of_model.shape[1:]
        x = keras.Input(shape, dtype=of_model.dtype, name=of_model.name)
        inputs.append(x)
        if scaling is not None and scaling.fill:
            x = keras.ops.where(keras.ops.isnan(x), np.array(scaling.fill, of_model.dtype), x)
        if scaling is not None and scaling.mean:
            x = _layer(of_model.name, scaling)(x)
        if scaling is not None and scaling.axes:
            reduce = keras.layers.Dense(len(scaling.axes), dtype="float32", trainable=False, name=f"Components_{of_model.name}")
            x = reduce(x)
            axes = np.array(scaling.axes)
            reduce.set_weights([axes.T, -axes @ np.array(scaling.center)])
        taken.append(x)
    outputs = model(taken if len(taken) > 1 else taken[0])
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=f"{model.name}_with_raw_inputs")


def _layer(name: str, scaling: Scaling) -> keras.layers.Layer:
    import keras

    variance = np.square(scaling.deviation).tolist()
    return keras.layers.Normalization(mean=list(scaling.mean), variance=variance, name=f"Standardise_{name}")


def raw_of(inputs: Sequence[Array], scalings: Sequence[Scaling | None]) -> tuple[list[Array], list[Array]]:
    """Return stored rows, and the same rows in the units of the data.

    Where missing numbers are filled in, the first number of the last row is missing.
    """
    stored, raw = list(inputs), []
    for place, (array, scaling) in enumerate(zip(inputs, scalings, strict=True)):
        numbers = array if scaling is None else undo(scaling, array)
        if scaling is not None and scaling.fill and numbers.size:
            numbers = numbers.copy()
            first = (-1, *(0,) * (numbers.ndim - 1))
            numbers[first] = scaling.fill[0]
            stored[place] = array.copy()
            stored[place][-1:] = do(scaling, numbers[-1:])
            numbers[first] = np.nan
        raw.append(numbers)
    return stored, raw


def fail_unless_equal(trained: keras.Model, inputs: Sequence[Array], raw: keras.Model, raw_inputs: Sequence[Array]) -> float:
    """Return the largest difference between the predictions p of both models, as a part of max(1, |p|).

    Raises SeqdecError above `TOLERANCE`.
    """
    worst = 0.0
    for p, q in zip(predictions(trained, list(inputs)), predictions(raw, list(raw_inputs)), strict=True):
        worst = max(worst, float((np.abs(q.astype(np.float64) - p) / np.maximum(1.0, np.abs(p))).max(initial=0.0)))
    if not worst <= TOLERANCE:
        raise SeqdecError(
            f"With raw inputs the model differs from the trained one by {worst:.2g}; at most {TOLERANCE:g} was expected. "
            "float32 cannot hold numbers that are large compared with their deviation. Export without raw inputs, or subtract "
            "a constant from the data before the training."
        )
    return worst


# -- scripts
def add_to_script(script: Path, scalings: Mapping[str, Scaling], raw_inputs: bool) -> None:
    """Append to an exported script which inputs were standardised or reduced, and how, as a comment.

    With `raw_inputs` it is a function `models_with_raw_inputs` instead. Raises OSError.
    """
    if scalings:
        text = script.read_text("utf-8").rstrip("\n") + "\n" + (_function(scalings) if raw_inputs else _comment(scalings))
        write_atomically(script, text.encode())


def _comment(scalings: Mapping[str, Scaling]) -> str:
    lines = []
    if any(scaling.mean for scaling in scalings.values()):
        lines += ["# The model was trained on standardised numbers, (x - mean) / deviation, where x are those of the data:"]
    for name, scaling in scalings.items():
        if scaling.mean:
            lines += [f"# {name}: mean = {list(scaling.mean)!r}", f"# {name}: deviation = {list(scaling.deviation)!r}"]
    for name, scaling in scalings.items():
        if scaling.axes:
            of = "standardised numbers" if scaling.mean else "numbers"
            lines += [f"# {name} takes principal components of {of}, axes . (numbers - center):"]
            lines += [f"# {name}: center = {list(scaling.center)!r}", f"# {name}: axes = {list(map(list, scaling.axes))!r}"]
    for name, scaling in scalings.items():
        if scaling.fill:
            lines += [f"# {name}: a missing number of the data stands for {list(scaling.fill)!r}"]
    return "\n".join(["", "", *lines]) + "\n"


def _figures(name: str, figures: Mapping[str, object]) -> str:
    listed = "\n".join(f'        "{key}": {value!r},' for key, value in figures.items())
    return f'    "{name}": {{\n{listed}\n    }},'


def _function(scalings: Mapping[str, Scaling]) -> str:
    standardised = "\n".join(
        _figures(name, {"mean": list(scaling.mean), "deviation": list(scaling.deviation)})
        for name, scaling in scalings.items()
        if scaling.mean
    )
    reduced = "\n".join(
        _figures(name, {"center": list(scaling.center), "axes": list(map(list, scaling.axes))})
        for name, scaling in scalings.items()
        if scaling.axes
    )
    filled = {name: list(scaling.fill) for name, scaling in scalings.items() if scaling.fill}
    components, shape, reducing, filling = "", "tensor.shape[1:]", "", ""
    if filled:
        components = f"FILLED = {filled!r}\n"
        filling = """
        if tensor.name in FILLED:
            x = keras.ops.where(keras.ops.isnan(x), np.array(FILLED[tensor.name], tensor.dtype), x)"""
    if reduced:
        components += f"""COMPONENTS = {{
{reduced}
}}
"""
        shape = '(len(COMPONENTS[tensor.name]["center"]),) if tensor.name in COMPONENTS else tensor.shape[1:]'
        reducing = """
        if tensor.name in COMPONENTS:
            axes, center = (np.array(COMPONENTS[tensor.name][key]) for key in ("axes", "center"))
            reduce = keras.layers.Dense(len(axes), dtype="float32", trainable=False, name=f"Components_{tensor.name}")
            x = reduce(x)
            reduce.set_weights([axes.T, -axes @ center])"""
    return f'''

STANDARDISED = {{
{standardised}
}}
{components}

def {BUILD}() -> dict[str, keras.Model]:
    """As `build`; "full" takes the numbers of the data as they are and standardises them: (x - mean) / deviation."""
{"    import numpy as np" + chr(10) * 2 if reduced or filled else ""}    models = build()
    full = models["full"]
    inputs, taken = [], []
    for tensor in full.inputs:
        x = keras.Input({shape}, dtype=tensor.dtype, name=tensor.name)
        inputs.append(x){filling}
        if tensor.name in STANDARDISED:
            mean, deviation = STANDARDISED[tensor.name]["mean"], STANDARDISED[tensor.name]["deviation"]
            variance = [number**2 for number in deviation]
            x = keras.layers.Normalization(mean=mean, variance=variance, name=f"Standardise_{{tensor.name}}")(x){reducing}
        taken.append(x)
    outputs = full(taken if len(taken) > 1 else taken[0])
    models["full"] = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name="full_with_raw_inputs")
    return models
'''
