"""Detects layers to which Keras passes the mask of their input, which an `.h5` file cannot store, and where a mask is lost.

Source: `Layer.__call__` of Keras 3.15. A layer gets a mask if its `call` has a parameter for it and takes a single tensor; a
recurrent layer with initial states takes several and gets no mask. `tests/runner/test_masks.py` compares with Keras.
"""

from __future__ import annotations

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.layers.specs import LAYERS


def gives_masks(submodel: Submodel) -> bool:
    """Return whether a layer gets a mask from another layer of the submodel. Masks do not pass between submodels."""
    masked: set[str] = set()
    for call in submodel.calls:
        spec = LAYERS[call.layer.type]
        input_is_masked = any(variable in masked for variable in call.inputs)
        if input_is_masked and spec.takes_mask and not spec.separate_inputs and not call.initial_state:
            return True
        masked -= {output.variable for output in call.outputs}
        if spec.gives_mask(call.layer) or (input_is_masked and spec.keeps_mask):
            masked.add(call.outputs[0].variable)
    return False


def lost_mask(submodel: Submodel) -> tuple[str, str] | None:
    """Return the names of a layer that drops the mask of a sequence and of a later one that would use it, or None.

    Keras drops it with at most a line in a log, and padding counts from there on.
    """
    masked: set[str] = set()
    dropped: dict[str, str] = {}
    for call in submodel.calls:
        spec = LAYERS[call.layer.type]
        by = next((dropped[variable] for variable in call.inputs if variable in dropped), "")
        if by and spec.takes_mask and not call.initial_state:
            return by, call.layer.name
        input_is_masked = any(variable in masked for variable in call.inputs)
        given = spec.gives_mask(call.layer)
        for output in call.outputs:
            masked.discard(output.variable)
            dropped.pop(output.variable, None)
        first = call.outputs[0]
        if given or (input_is_masked and spec.keeps_mask):
            masked.add(first.variable)
        elif len(first.type.shape) > 1 and input_is_masked and not spec.takes_mask:
            dropped[first.variable] = call.layer.name
        elif len(first.type.shape) > 1 and by:
            dropped[first.variable] = by
    return None
