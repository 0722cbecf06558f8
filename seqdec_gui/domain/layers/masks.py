"""Detects layers to which Keras passes the mask of their input, which an `.h5` file cannot store.

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
        if input_is_masked and spec.takes_mask and not call.initial_state:
            return True
        masked -= {output.variable for output in call.outputs}
        if spec.gives_mask(call.layer) or (input_is_masked and spec.keeps_mask):
            masked.add(call.outputs[0].variable)
    return False
