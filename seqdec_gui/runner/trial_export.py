"""Exports the untrained model while a run starts, so that a model that cannot be saved fails before the first epoch.

A framework that builds without compiling (TensorFlow) exports in this process in about a second. With JAX every build compiles
each operation, and saving imports TensorFlow as well (15 s on two busy cores); then a child process exports,
`python -m seqdec_gui.runner.trial_export SCRIPT FOLDER`, with TensorFlow where it is installed, while this process builds and
compiles its own model. The child stays on the CPU, because XLA times kernels on the devices meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.runner.import_trimming import exit_at_once, garbage_collection_paused, refuse_unused_imports
from seqdec_gui.runs.engines import engine_info, of_backend

POLL_S = 0.1
"""Seconds between two calls of `meanwhile` while `TrialExport.result` waits for the child."""


class TrialExport:
    """A trial export in the background, begun by the constructor; leaving the context ends its process."""

    def __init__(self, script: Path, folder: Path) -> None:
        """Begin to export the model of a generated `script` in every format, with temporary files in `folder`."""
        import keras

        from seqdec_gui.runs.engine_choice import engine_for_models  # imported here because the child needs neither
        from seqdec_gui.runs.spec import DeviceChoice

        self._script = script
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        own = of_backend(keras.backend.backend())
        if own is None or not own.builds_without_compiling:
            backend = engine_info(engine_for_models(DeviceChoice("cpu"))).backend
            environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
            self._child = subprocess.Popen(
                [sys.executable, "-m", "seqdec_gui.runner.trial_export", str(script), str(folder)],
                env=environment | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log,
            )

    def __enter__(self) -> TrialExport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None:
            assert self._child.stdout is not None
            self._child.kill()  # does nothing if it has ended
            self._child.wait()
            self._child.stdout.close()
        self._log.close()

    def result(self, meanwhile: Callable[[], None] = lambda: None) -> tuple[Problem, ...]:
        """Wait for the end, and return a warning for each format that cannot hold the model.

        `meanwhile` is called several times a second while this waits; an exception that it raises ends the waiting. Raises
        InvalidInput where no format can hold the model.
        """
        meanwhile()
        if self._child is None:
            return _dry_run(self._script, self._folder)
        answer = None
        while answer is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                answer, _ = self._child.communicate(timeout=POLL_S)
            meanwhile()
        if self._child.returncode:
            self._log.seek(0)
            lines = self._log.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
            why = lines[-1] if lines else f"its process ended with exit status {self._child.returncode}"
            return (Problem("warning", "no_dry_run", "", f"The trial export could not be done: {why}."),)
        problems = msgspec.json.decode(answer, type=tuple[Problem, ...])
        if errors(problems):
            raise InvalidInput(problems)
        return problems


def _dry_run(script: Path, folder: Path) -> tuple[Problem, ...]:
    from seqdec_gui.runner.export import dry_run
    from seqdec_gui.runner.program import load_build

    return dry_run(load_build(script), folder)[1]


def main() -> None:
    refuse_unused_imports()
    channel = os.dup(1)
    os.dup2(2, 1)  # what Keras prints goes to the log
    try:
        with garbage_collection_paused():
            problems = _dry_run(Path(sys.argv[1]), Path(sys.argv[2]))
    except InvalidInput as error:
        problems = error.problems
    with os.fdopen(channel, "wb") as answer:
        answer.write(msgspec.json.encode(problems))


if __name__ == "__main__":
    main()
    exit_at_once(0)
