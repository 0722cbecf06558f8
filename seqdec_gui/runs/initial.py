"""Reads the fitted codecs of an initial run, whose weights another run begins with."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.data.demands import symbol_room
from seqdec_gui.data.earlier import EarlierFit
from seqdec_gui.domain.dataflow import data_ports, ports_before
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import RunFolder


def earlier_fit(initial_run: Path | str, design: Design) -> EarlierFit:
    """Return the fitted codecs of `initial_run` for a run of `design`. Raises InvalidInput: no run, or no `data.json`."""
    run = RunFolder(Path(initial_run))
    earlier = run.read_spec().load_design()
    if not run.has_fit:
        text = (
            f"{run.path} has no data.json, so the alphabets, lengths and scalers that its weights know are not known. "
            "Choose a run that has begun to train, or fit anew (--fit anew)."
        )
        raise InvalidInput(text, "no_fit", "initial_run")
    before = data_ports(earlier)
    names = ports_before(design, data_ports(design), earlier, before)
    rooms = {port.name: symbol_room(port) for port in before}
    return EarlierFit(run.read_fit(), run.path.name, names, rooms)
