"""The files of a run's folder."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import control, copies, spec
from seqdec_gui.runs.task_names import checkpoint_in

if TYPE_CHECKING:
    from seqdec_gui.data.fitted import Fitted


FORK_CHECKPOINT = "fork.weights.h5"
"""The name of the checkpoint with which a forked run begins."""


class RunFiles:
    """The paths of one run. Making the object touches nothing."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self.spec = self.path / "spec.json"
        self.model = self.path / "model.py"
        self.data = self.path / "data.json"
        self.dataset = self.path / "dataset.json"
        self.events = self.path / "events.jsonl"
        self.commands = self.path / "commands.jsonl"
        self.log = self.path / "log.txt"
        self.lock = self.path / "lock"
        self.certificate = self.path / "certificate.json"
        self.samples = self.path / "samples.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.exports = self.path / "exports"
        self.cache = self.path / "cache"
        self.copies = self.path / copies.FOLDER

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunFiles) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def exists(self) -> bool:
        """Whether this is a run folder."""
        return self.spec.is_file() or copies.copy_of(self.spec).is_file()

    @property
    def looks_like_a_run(self) -> bool:
        """Whether this is a run folder, or what is left of one: it has a `spec.json`, or events beside a lock."""
        return self.spec.exists() or (self.events.exists() and self.lock.exists())

    def fail_if_it_leads_out(self) -> None:
        """Raise InvalidInput where something that a run writes is a symbolic link: it would write elsewhere."""
        files = (self.spec, self.model, self.data, self.dataset, self.events, self.commands, self.log, self.lock,
                 self.samples)  # fmt: skip
        for path in (*files, self.checkpoints, self.exports, self.cache, self.copies):
            if path.is_symlink():
                text = f"{path} is a symbolic link, and a run writes into its own folder alone: replace it by what it leads to."
                raise InvalidInput(text, "leads_out")

    def checkpoint(self, name: str) -> Path:
        """The file of checkpoint `best` or `last`; the name may go on with which of its weights are meant."""
        return self.checkpoints / f"{checkpoint_in(name)}.weights.h5"

    @property
    def fork_checkpoint(self) -> Path:
        """The checkpoint of the parent that a forked run goes on from; there is none in other runs."""
        return self.checkpoints / FORK_CHECKPOINT

    def read_spec(self) -> spec.RunSpec:
        """Raises InvalidInput."""
        return spec.read(self.spec)

    @property
    def has_fit(self) -> bool:
        """Whether the run has said what it fitted to its data: `data.json`, or its copy."""
        return self.data.exists() or copies.copy_of(self.data).is_file()

    def read_fit(self) -> Fitted:
        """What the run has fitted to its data. Raises InvalidInput."""
        from seqdec_gui.data import fitted

        if not copies.copy_of(self.data).is_file():
            return fitted.load(self.data)
        try:
            return fitted.loads(copies.read(self.data)[0], str(self.data))
        except OSError as error:
            raise InvalidInput(f"{self.data} cannot be read: {error.strerror}; expected the data.json of a run.") from error

    def damage(self) -> str:
        """Return what is not what was written, and was replaced by its copy, as sentences; empty if nothing is."""
        said = []
        for path in (self.spec, self.data):
            with contextlib.suppress(OSError):
                said.append(copies.read(path)[1])
        return " ".join(filter(None, said))

    def send(self, command: control.Command) -> None:
        """Append a command for the run to obey. Raises OSError."""
        control.append(self.commands, command)
