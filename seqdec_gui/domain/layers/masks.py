"""Where Keras gives a layer the mask of its input: an `.h5` file has no place for such a mask, as `check` says.

Source: `Layer.__call__` of Keras 3.15. A layer is given a mask where its `call` has one and takes a single tensor: a recurrent
layer that begins with given states takes several and is given none. `tests/runner/test_masks.py` compares.
"""

from __future__ import annotations

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.layers.specs import LAYERS


def gives_masks(submodel: Submodel) -> bool:
    """Whether a layer is given a mask that another layer of the submodel made. None crosses to the next submodel."""
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
