"""Finds the variables in which random layers store the state of their generators."""

from __future__ import annotations

from typing import Any

import keras

from seqdec_gui.runner.normalization import all_layers


def seed_states(model: keras.Model) -> list[Any]:
    """Return the Keras variables [seed, count] of every Dropout, GaussianNoise and recurrent dropout, each once."""
    states: dict[int, Any] = {}
    for layer in all_layers(model):
        for generator in layer._seed_generators:
            states[id(generator.state)] = generator.state
    return list(states.values())
