"""What a run says about its data before it trains."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, DataSource, Reading
from seqdec_gui.resource_files import path
from seqdec_gui.runner import session
from seqdec_gui.runs.events import EventWriter, Message, decode
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import RunSpec


def test_what_was_guessed_about_the_data_is_an_event_before_training(tmp_path: Path) -> None:
    rows = tmp_path / "rows.tsv"
    rows.write_text('"XX\tXX\n' + "".join(f"{'ab'[i % 2] * 3}\tsame\n" for i in range(60)))
    bindings = (Binding("source.output", "column 1"), Binding("decoder_inputs.output", "column 2"))
    design = document.load(path("templates/sequence-to-sequence.seqdec")).with_data(DataSource(rows.name, bindings=bindings))
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    spec = RunSpec(design=document.to_builtins(design), folder=str(tmp_path))
    with EventWriter(run.events) as events:
        design = spec.load_design()
        session._keep_fit(run, spec, design, session._begin_reading(run, spec, design, None).result(), events)
    told = [event for line in run.events.read_bytes().splitlines() if isinstance(event := decode(line), Message)]
    assert [message.code for message in told] == ["quotes_are_text", "header_missing"]

    quiet = design.with_data(DataSource(rows.name, bindings=bindings, reading=Reading("no", "tab", "no", "utf-8")))
    again = RunFolder(tmp_path / "again")
    again.path.mkdir()
    with EventWriter(again.events) as events:
        spec = RunSpec(design=document.to_builtins(quiet), folder=str(tmp_path))
        session._keep_fit(again, spec, quiet, session._begin_reading(again, spec, quiet, None).result(), events)
    assert not again.events.exists() or again.events.read_bytes() == b""
