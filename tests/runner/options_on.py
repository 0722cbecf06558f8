"""A child that trains a design with the options of training: `options_on.py ENGINE DEVICES OUT NAME...` (see `train_on`).

Each name is trained with its own settings, and its validation is that of the weights that the training uses.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.runner.averages import averages
from seqdec_gui.runner.engines import create
from seqdec_gui.runner.schedule import padded
from seqdec_gui.runs.spec import DeviceChoice, EngineName, Placement
from tests.runner import train_on

OPTIONS: dict[str, Any] = {
    "optimizer": "adamw", "weight_decay": 0.1, "clip_value": 0.01, "label_smoothing": 0.1, "average_decay": 0.9,
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "whole": OPTIONS,
    "parts": OPTIONS | {"micro_batches": 3},
    "plain": {},
    "plain parts": {"micro_batches": 6},
}


def main(engine_name: EngineName, count: int, out: Path, *names: str) -> None:
    for name in names:
        folder = out / f"{name} {count}"
        folder.mkdir(parents=True)
        program, dataset = train_on.prepared("ragged", folder, **SETTINGS[name])
        engine = create(Placement(DeviceChoice("cpu", count), engine_name), program)
        engine.build()
        train_on.silence(engine)
        engine.start(dataset)
        found = train_on.trained(engine, dataset)
        pairs = list(averages(engine.optimizer))
        found |= {f"average {i}": np.asarray(average.numpy()) for i, (_, average) in enumerate(pairs)}
        if pairs:
            with engine.averaged():
                sums = engine.evaluate(*padded(dataset.validation, train_on.BATCH))
                engine.sync()
                swapped = [np.asarray(variable.numpy()) for variable, _ in pairs]
            engine.sync()
            found |= {f"averaged validation {key}": np.array([part.total, part.count]) for key, part in sums.items()}
            found |= {f"swapped {i}": value for i, value in enumerate(swapped)}
            found |= {f"trained {i}": np.asarray(variable.numpy()) for i, (variable, _) in enumerate(pairs)}
        np.savez(out / f"{name} {count}.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])  # type: ignore[arg-type]
