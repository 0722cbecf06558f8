"""The last advice for a design's shape on a choice of devices, kept in the user's cache folder beside the measurements."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.runs.advice import Advice
from seqdec_gui.runs.probe_cache import MAX_AGE_S, Key, cache_folder, key_of, read_kept, write_kept
from seqdec_gui.runs.spec import DeviceChoice

FORMAT = 1


class KeptAdvice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An advice, what it holds for, and when it was measured (unix seconds)."""

    format: int
    key: Key
    time: float
    advice: Advice


def keep(design: Design, advice: Advice, folder: Path | None = None) -> KeptAdvice:
    """Remember an advice in place of the last one of its subject. A cache that cannot be written is no error."""
    kept = KeptAdvice(FORMAT, _key(design, advice.devices), time.time(), advice)
    write_kept(_path(kept.key, folder), kept)
    return kept


def kept_advice(design: Design, devices: DeviceChoice, folder: Path | None = None) -> KeptAdvice | None:
    """Return the last advice for this design's shape on these devices (not `auto`); None if there is none, or it is too old."""
    key = _key(design, devices)
    kept = read_kept(_path(key, folder), KeptAdvice)
    if kept is None or kept.format != FORMAT or kept.key != key or not 0 <= time.time() - kept.time <= MAX_AGE_S:
        return None
    return kept


def _key(design: Design, devices: DeviceChoice) -> Key:
    """Batches differ within an advice, so the key names none."""
    return key_of(design, devices, 0)


def _path(key: Key, folder: Path | None) -> Path:
    return (folder or cache_folder()) / f"advice-{key.digest}.json"
