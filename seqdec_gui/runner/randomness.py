"""Where the random layers of a model keep their place in the sequence of random numbers."""

from __future__ import annotations

from typing import Any

import keras

from seqdec_gui.runner.normalization import all_layers


def seed_states(model: keras.Model) -> list[Any]:
    """The Keras variables [seed, count] of every Dropout, GaussianNoise and recurrent dropout, each once."""
    found: dict[int, Any] = {}
    for layer in all_layers(model):
        for generator in layer._seed_generators:
            found[id(generator.state)] = generator.state
    return list(found.values())
