"""Exports the untrained model while a run starts, so that a model that cannot be saved fails before the first epoch.

A framework that builds without compiling (TensorFlow) exports in this process in about a second. With JAX every build compiles
each operation, and saving imports TensorFlow as well (15 s on two busy cores); then a child process exports,
`python -m seqdec_gui.runner.trial_export`, with TensorFlow where it is installed, while this process builds and compiles its
own model. It reads script and folder from standard input, so that a warm worker can start it before there is a run. The child
stays on the CPU, because XLA times kernels on the devices meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import TracebackType

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.runner.import_trimming import exit_at_once, garbage_collection_paused, refuse_unused_imports
from seqdec_gui.runs.engines import engine_info, of_backend

POLL_S = 0.1
"""Seconds between two calls of `meanwhile` while `TrialExport.result` waits for the child."""


_prepared: list[_Child] = []
"""The child that `prepare` has started, if any."""


class _Child:
    """A process that has imported what a trial export needs and waits for a script; it ends when this process ends."""

    def __init__(self) -> None:
        from seqdec_gui.runs.engine_choice import engine_for_models  # imported here because the child needs neither
        from seqdec_gui.runs.spec import DeviceChoice

        backend = engine_info(engine_for_models(DeviceChoice("cpu"))).backend
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seqdec_gui.runner.trial_export"],
            env=environment | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )

    def begin(self, script: Path, folder: Path) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died: `TrialExport.result` says how
            self.process.stdin.write(msgspec.json.encode([str(script), str(folder)]) + b"\n")
            self.process.stdin.close()
        self.process.stdin = None  # `communicate` would flush it

    def close(self) -> None:
        assert self.process.stdout is not None
        self.process.kill()  # does nothing if it has ended
        self.process.wait()
        for pipe in filter(None, (self.process.stdin, self.process.stdout)):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.log.close()


def prepare() -> None:
    """Start the process of a trial export before there is a script, if this process will need one."""
    if not _prepared and _needs_child():
        _prepared.append(_Child())


def forget() -> None:
    """End the process that `prepare` has started."""
    while _prepared:
        _prepared.pop().close()


def _needs_child() -> bool:
    import keras

    own = of_backend(keras.backend.backend())
    return own is None or not own.builds_without_compiling


class TrialExport:
    """A trial export in the background, begun by the constructor; leaving the context ends its process."""

    def __init__(self, script: Path, folder: Path) -> None:
        """Begin to export the model of a generated `script` in every format, with temporary files in `folder`."""
        self._script = script
        self._folder = folder
        self._child: _Child | None = None
        if _needs_child():
            self._child = _prepared.pop() if _prepared else _Child()
            self._child.begin(script, folder)

    def __enter__(self) -> TrialExport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None:
            self._child.close()

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
                answer, _ = self._child.process.communicate(timeout=POLL_S)
            meanwhile()
        if self._child.process.returncode:
            self._child.log.seek(0)
            lines = self._child.log.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
            why = lines[-1] if lines else f"its process ended with exit status {self._child.process.returncode}"
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
    with garbage_collection_paused():
        import_module("keras")
        import_module("seqdec_gui.runner.export")
        line = sys.stdin.buffer.readline()
        if not line:  # there will be no run
            return
        script, folder = map(Path, msgspec.json.decode(line, type=tuple[str, str]))
        try:
            problems = _dry_run(script, folder)
        except InvalidInput as error:
            problems = error.problems
    with os.fdopen(channel, "wb") as answer:
        answer.write(msgspec.json.encode(problems))


if __name__ == "__main__":
    main()
    exit_at_once(0)
