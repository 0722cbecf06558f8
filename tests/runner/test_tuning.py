"""Kernels for whole sequences are taken where they are asked for."""

from __future__ import annotations

import pytest

from seqdec_gui.runner.engines.jax.tuning import WHOLE_SEQUENCE_KERNELS, Tuning


@pytest.mark.parametrize(("asked", "whole", "expected"), [
    (None, None, False), ("1", None, True), ("0", None, False), ("1", False, False), (None, True, True),
])  # fmt: skip
def test_kernels_for_whole_sequences_are_off_until_asked_for(
    asked: str | None, whole: bool | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WHOLE_SEQUENCE_KERNELS, raising=False)
    if asked is not None:
        monkeypatch.setenv(WHOLE_SEQUENCE_KERNELS, asked)
    assert Tuning(whole=whole).tries_whole_layers is expected
