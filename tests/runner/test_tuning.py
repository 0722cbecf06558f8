"""Kernels for whole sequences are tried on GPUs unless that is forbidden, for all of them or for several."""

from __future__ import annotations

import pytest

from seqdec_gui.runner.engines.jax.tuning import WHOLE_SEQUENCE_KERNELS, Tuning


@pytest.mark.parametrize(("asked", "whole", "on_one", "on_two"), [
    (None, None, True, True), ("1", None, True, True), ("one", None, True, False), ("0", None, False, False),
    (None, False, False, False), ("0", True, True, True),
])  # fmt: skip
def test_kernels_for_whole_sequences(
    asked: str | None, whole: bool | None, on_one: bool, on_two: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WHOLE_SEQUENCE_KERNELS, raising=False)
    if asked is not None:
        monkeypatch.setenv(WHOLE_SEQUENCE_KERNELS, asked)
    tuning = Tuning(whole=whole)
    assert (tuning.tries_whole_layers(1), tuning.tries_whole_layers(2)) == (on_one, on_two)
