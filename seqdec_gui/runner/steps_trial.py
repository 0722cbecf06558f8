"""Asking Keras for the lengths that the design alone does not tell, before anything is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.program import FULL, Program
from seqdec_gui.runs.data_check import concrete_types, open_predictions, steps_differ

if TYPE_CHECKING:
    import keras


def fail_unless_steps_fit(program: Program, models: Mapping[str, keras.Model], fitted: Fitted) -> None:
    """Raise InvalidInput where an imported model makes another number of steps of the data than its targets have.

    No number is computed: Keras is asked for the shapes that it would give.
    """
    ports = {port.name: port for port in open_predictions(program.design, fitted)}
    if not ports:
        return
    import keras

    full, types = models[FULL], concrete_types(program.design, fitted)
    given = [keras.KerasTensor((1, *types[tensor.name].shape), dtype=types[tensor.name].dtype) for tensor in full.inputs]
    try:
        outputs = full.compute_output_spec(given[0] if len(given) == 1 else given)
    except Exception:  # the training itself will say what does not fit, at its first step
        return
    shapes = [tuple(output.shape[1:]) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]
    problems = []
    for judged in program.losses:
        if judged.name in ports:
            port = ports[judged.name]
            predicted = msgspec.structs.replace(port.type, shape=shapes[judged.output])
            problems += steps_differ(program.design, fitted, port, predicted, types)
    if problems:
        raise InvalidInput(problems)
