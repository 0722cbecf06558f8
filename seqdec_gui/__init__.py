"""Design stacked Keras models by connecting submodel blocks, train them on several devices, export them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__version__ = "0.1.0"


def load_bundle(path: Path | str) -> Any:
    """Open a trained model that was exported as a bundle: `load_bundle(path).generate([...])`.

    Returns a `seqdec_gui.runner.bundle.Bundle`. Needs Keras with TensorFlow or JAX, and neither the window nor the data. No
    code of the bundle is run. Raises InvalidInput.
    """
    from importlib import import_module

    # by name: this package's own modules, which import no frameworks, all import this one
    return import_module("seqdec_gui.runner.bundle").load_bundle(path)
