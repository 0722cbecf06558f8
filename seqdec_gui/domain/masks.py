"""Where Keras gives a layer the mask of its input: an `.h5` file has no place for such a mask, as `check` says.

Source: `Layer.__call__` of Keras 3.15. A layer is given a mask where its `call` has one and takes a single tensor: a recurrent
layer that begins with given states takes several and is given none. `tests/runner/test_masks.py` compares.
"""

from __future__ import annotations

from seqdec_gui.domain.graph import Call, Submodel

TAKES = frozenset({"BatchNormalization", "Bidirectional", "GRU", "GlobalAveragePooling1D", "LSTM", "TimeDistributed"})
KEEPS = frozenset(
    {
        "Activation", "Add", "BatchNormalization", "Bidirectional", "Concatenate", "Dense", "Dropout", "GRU", "GaussianNoise",
        "LSTM", "LayerNormalization", "Multiply", "Rescaling", "SpatialDropout1D", "TimeDistributed",
    }
)  # fmt: skip
"""Layers whose first output has the mask of their input. Those that return a last step alone have been given it by then."""


def gives_masks(submodel: Submodel) -> bool:
    """Whether a layer is given a mask that another layer of the submodel made. None crosses to the next submodel."""
    masked: set[str] = set()
    for call in submodel.calls:
        comes = any(variable in masked for variable in call.inputs)
        if comes and call.layer.type in TAKES and not call.initial_state:
            return True
        masked -= {output.variable for output in call.outputs}
        if _makes_mask(call) or (comes and call.layer.type in KEEPS):
            masked.add(call.outputs[0].variable)
    return False


def _makes_mask(call: Call) -> bool:
    return call.layer.type == "Masking" or (call.layer.type == "Embedding" and call.layer.flag("mask_zero", False))
