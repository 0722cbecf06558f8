"""Which batch fits, from trials whose results are given here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqdec_gui.runs import fitting_batch, probe
from seqdec_gui.runs.fitting_batch import FittingBatch, largest_batch
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner import designs

GIB = 1 << 30


def trials(monkeypatch: pytest.MonkeyPatch, memory_of: Any, room: int) -> list[tuple[int, ...]]:
    """Trials that need `memory_of(batch)` bytes where there are `room`; returns the batches that were tried."""
    tried: list[tuple[int, ...]] = []

    def measure(_design: Any, _folder: Path, plans: list[probe.Plan], **_: Any) -> tuple[Measurement, ...]:
        (plan,) = plans
        tried.append(plan.batch_sizes)
        made = []
        for size in plan.batch_sizes:
            need = memory_of(size)
            plain = Measurement(engine=plan.engine, devices=plan.devices, batch_size=size)
            fits = msgspec.structs.replace(plain, step_s=0.1, peak_memory=need)
            made.append(fits if need <= room else msgspec.structs.replace(plain, failed="out_of_memory", failure="No."))
        return tuple(made)

    monkeypatch.setattr(fitting_batch.probe, "probe", measure)
    return tried


def found(devices: DeviceChoice, batch: int, **options: Any) -> FittingBatch | None:
    design = designs.stack()
    design = msgspec.structs.replace(design, training=msgspec.structs.replace(design.training, batch_size=batch))
    return largest_batch(design, Path(), devices, "jax", **options)


def test_on_a_gpu_the_largest_that_was_tried_and_fitted_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = trials(monkeypatch, lambda size: size << 20, room=600 << 20)
    fits = found(DeviceChoice("gpu", gpus=(0, 1)), 2048)
    assert tried == [(128, 256, 512, 1024, 1536)]
    assert fits == FittingBatch(512, 512 << 20, True)
    assert fits.sentence() == "A batch of 512 rows fits and takes 512 MiB: it was tried."


def test_in_main_memory_it_is_estimated_and_never_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = trials(monkeypatch, lambda size: GIB + (size << 22), room=99 * GIB)
    fits = found(DeviceChoice("cpu"), 4096, available=10 * GIB)
    assert tried == [(256, 512)]
    assert fits is not None
    assert fits.measured is False
    assert fits.batch_size == 1792  # 1 GiB and 4 MiB a row: 8 GiB are left for 1,792 rows
    assert fits.memory is not None
    assert fits.memory <= 8 * GIB


def test_where_nothing_fits_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    trials(monkeypatch, lambda size: GIB, room=0)
    assert found(DeviceChoice("gpu", gpus=(0,)), 64) is None
    assert found(DeviceChoice("cpu"), 1) is None
