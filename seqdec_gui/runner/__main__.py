"""`python -m seqdec_gui.runner RUN`: train what RUN/spec.json says. Exit status 0 done, 1 failed, 2 invalid, 130 stopped."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import printable
from seqdec_gui.runner.commands import Commands
from seqdec_gui.runner.early_stop import EarlyStop, remove_temporary
from seqdec_gui.runner.failures import failure, log_exception
from seqdec_gui.runner.import_trimming import exit_at_once, refuse_unused_imports
from seqdec_gui.runs import devices, environment, lock, spec
from seqdec_gui.runs.cluster import fitting
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.engine_choice import choose_engine
from seqdec_gui.runs.engines import engine_info
from seqdec_gui.runs.events import EventWriter, Failed, FinalEvent, Stopped
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import Placement, RunSpec

FAILED = 1
"""Exit status of a run that failed."""
INVALID = 2
"""Exit status for wrong arguments, or a design or data that cannot be trained."""
STOPPED = 130
"""Exit status of a run that the user stopped."""
USAGE = "usage: python -m seqdec_gui.runner RUN\n\nTrains the run that the folder RUN describes (RUN/spec.json).\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        asked = arguments[:1] in (["-h"], ["--help"])
        (sys.stdout if asked else sys.stderr).write(USAGE)
        return 0 if asked else INVALID
    with contextlib.suppress(RuntimeError, AttributeError, ValueError):  # without standard error, or on another system
        faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)  # `runs.watchdog` asks for it
    run = RunFolder(arguments[0])
    refuse_unused_imports()
    try:
        run.fail_if_it_leads_out()
        _place_if_unplaced(run)
        held = lock.adopt(run.lock)
        record = held.read()
        with EventWriter(run.events) as events:
            commands = Commands(CommandReader(run.commands, record.commands_offset if record else 0), events)
            commands.listen_to_signals()
            remove_temporary(run)
            EarlyStop(run, events, commands, record.commands_offset if record else 0)
            final = _train(run, events, commands)
            commands.training_has_begun()  # or has failed: the final event is written here
            events.write(final)
    except (OSError, SeqdecError) as error:  # the events cannot be written
        with contextlib.suppress(OSError):  # the log lies on the same disk
            sys.stderr.write(f"{printable(failure(error).sentence)}\n")
        return error.exit_status if isinstance(error, SeqdecError) else FAILED
    if isinstance(final, Stopped):
        return 0 if final.paused else STOPPED
    if isinstance(final, Failed):
        return INVALID if final.kind == "invalid" else FAILED
    return 0


def _train(run: RunFolder, events: EventWriter, commands: Commands) -> FinalEvent:
    """Train, and return the final event. An exception becomes a `failed` event, and is written to the log."""
    from seqdec_gui.runner.session import train

    try:
        return train(run, events, commands)
    except Exception as error:
        if not isinstance(error, InvalidInput):
            log_exception()
        return failure(error)


def _place_if_unplaced(run: RunFolder) -> None:
    """Choose devices and engine for a run that was started by hand, and restart this process in their environment."""
    launched = lock.DESCRIPTOR in os.environ
    wanted = spec.read(run.spec, as_it_is=not launched)
    placement = wanted.placement or _placement(wanted)
    if wanted.placement is not None and os.environ.get("KERAS_BACKEND") == engine_info(placement.engine).backend:
        if not launched:
            spec.write(wanted, run.spec)
        return
    spec.write(_placed(wanted, placement), run.spec)
    command = [sys.executable, "-m", "seqdec_gui.runner", str(run.path)]
    kept = {name: value for name, value in os.environ.items() if name == lock.DESCRIPTOR}
    os.execve(sys.executable, command, environment.child_environment(placement, os.environ) | kept)


def _placement(wanted: RunSpec) -> Placement:
    available = devices.list_devices()
    devices.check_choice(wanted.devices, available)
    chosen = devices.resolve(wanted.devices, available)
    if wanted.cluster is not None:
        chosen = fitting.devices_for(wanted.cluster, wanted.devices, chosen)
        return Placement(chosen, fitting.engine_for(wanted.engine, chosen))
    return Placement(chosen, *choose_engine(wanted.engine, chosen))


def _placed(wanted: RunSpec, placement: Placement) -> RunSpec:
    import msgspec

    return msgspec.structs.replace(wanted, placement=placement)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path.cwd()] if "" in sys.path else sys.path
    exit_at_once(main(sys.argv[1:]))
