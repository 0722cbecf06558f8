"""Checks, before anything is compiled, the lengths of sequences that only Keras knows."""

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
    """Raise InvalidInput if the predictions of an imported model have another number of steps than their targets.

    Nothing is computed: Keras infers the shapes of the outputs.
    """
    ports = {port.name: port for port in open_predictions(program.design, fitted)}
    if not ports:
        return
    import keras

    full, types = models[FULL], concrete_types(program.design, fitted)
    inputs = [keras.KerasTensor((1, *types[tensor.name].shape), dtype=types[tensor.name].dtype) for tensor in full.inputs]
    try:
        outputs = full.compute_output_spec(inputs[0] if len(inputs) == 1 else inputs)
    except Exception:  # the first step of the training will report what does not fit
        return
    shapes = [tuple(output.shape[1:]) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]
    problems = []
    for loss_term in program.losses:
        if loss_term.name in ports:
            port = ports[loss_term.name]
            predicted = msgspec.structs.replace(port.type, shape=shapes[loss_term.output])
            problems += steps_differ(program.design, fitted, port, predicted, types)
    if problems:
        raise InvalidInput(problems)
