"""Opens an exported file as its recipient will: in a fresh process, with nothing but the library that it is for.

`python -m seqdec_gui.runner.reopen MODULE` imports the module at once, for example Keras, then reads lines of JSON from its
standard input: `path`; `opener`, the function that opens the file, and its `options` and `weights` (`runner.exports.base`);
`arrays`, an `.npz` of the inputs `0`, `1`, ... in the model's order; `answer`, where the outputs go in the same form. It
answers each with a line: what went wrong, or an empty string, and how many seconds the predictions took.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import SeqdecError

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
TIMED_CALLS, TIMED_S = 3, 0.5
"""How often predictions are repeated to measure them, and the seconds after which they are not repeated again."""


class NotReopened(SeqdecError):
    """The library cannot open or run the file. `reason` is its message."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The exported file could not be opened again: {reason}")


class FreshProcess:
    """A process that imports nothing but `module` and waits for files. Start it early, so that its imports take no extra time.

    `seconds` is how long the last predictions took, the first call left out.
    """

    def __init__(self, module: str = "keras") -> None:
        self.module = module
        self.seconds = 0.0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen(
            [sys.executable, "-m", "seqdec_gui.runner.reopen", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> FreshProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child.poll() is None:
            self._child.kill()
        with contextlib.suppress(BrokenPipeError):
            self._child.communicate()
        self._log.close()

    def predict(
        self, path: Path, inputs: list[Array], opener: str, options: dict[str, str], weights: list[Array]
    ) -> list[npt.NDArray[np.float32]]:
        """What the model in the file predicts for these inputs. `opener`, `options` and `weights` are those of its writer.

        Raises NotReopened.
        """
        with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as name:
            folder = Path(name)
            files = {name: folder / f"{name}.npz" for name in ("arrays", "weights", "answer")}
            _save(files["arrays"], inputs)
            _save(files["weights"], weights)
            job = {"path": str(path.absolute()), "opener": opener, "options": options}
            if reason := self._ask(job | {name: str(file) for name, file in files.items()}):
                raise NotReopened(reason)
            return _load(files["answer"])

    def _ask(self, job: dict[str, Any]) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(json.dumps(job) + "\n")
            self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if answer:
            reason, self.seconds = json.loads(answer)
            return str(reason)
        self._log.seek(0)
        tail = self._log.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
        return tail[-1] if tail else f"the process ended with exit status {self._child.wait()}."


_prepared: list[FreshProcess] = []
"""The process that `prepare` has started, if any."""


def prepare() -> None:
    """Start the fresh process of an export that will probably come."""
    if not _prepared:
        _prepared.append(FreshProcess())


def fresh_process() -> FreshProcess:
    """Return the process that was prepared, or a new one."""
    return _prepared.pop() if _prepared else FreshProcess()


def _save(path: Path, arrays: list[Array]) -> None:
    np.savez(path, allow_pickle=False, **{str(i): array for i, array in enumerate(arrays)})


def _load(path: Path) -> list[Array]:
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[str(i)] for i in range(len(arrays.files))]


def predictions(model: keras.Model, inputs: list[Array]) -> list[npt.NDArray[np.float32]]:
    """Return the outputs of a model at inference as a list; `inputs` are in the model's order."""
    outputs = model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs)
    return [np.asarray(output, np.float32) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def _answer(job: dict[str, Any]) -> tuple[list[Array], float]:
    """The predictions of the file, opened as a receiver opens it, and how long they take."""
    module, _, name = job["opener"].partition(":")
    opened = getattr(import_module(module), name)(Path(job["path"]), job["options"], _load(Path(job["weights"])))
    inputs = _load(Path(job["arrays"]))
    return list(opened(inputs)), seconds_of(lambda: opened(inputs))


def seconds_of(function: Callable[[], Any]) -> float:
    """The shortest of some calls, in seconds; call the function once before."""
    times: list[float] = []
    while len(times) < TIMED_CALLS and sum(times) < TIMED_S:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the library prints goes to the log; it is imported while the parent builds its own model

    with contextlib.suppress(ImportError):  # the opener says what is missing
        import_module(sys.argv[1])
    for line in sys.stdin:
        job, reason, seconds = json.loads(line), "", 0.0
        try:
            outputs, seconds = _answer(job)
            _save(Path(job["answer"]), outputs)
        except Exception as error:  # whatever Keras raises on a file that it cannot carry
            reason = f"{type(error).__name__}: {error}"
        channel.write(json.dumps([reason, seconds]) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
