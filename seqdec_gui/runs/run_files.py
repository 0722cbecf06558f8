"""The files of a run's folder."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import control, spec


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
        return self.spec.is_file()

    @property
    def looks_like_a_run(self) -> bool:
        """Whether this is a run folder, or what is left of one: it has a `spec.json`, or events beside a lock."""
        return self.spec.exists() or (self.events.exists() and self.lock.exists())

    def fail_if_it_leads_out(self) -> None:
        """Raise InvalidInput where something that a run writes is a symbolic link: it would write elsewhere."""
        files = (self.spec, self.model, self.data, self.dataset, self.events, self.commands, self.log, self.lock,
                 self.samples)  # fmt: skip
        for path in (*files, self.checkpoints, self.exports, self.cache):
            if path.is_symlink():
                text = f"{path} is a symbolic link, and a run writes into its own folder alone: replace it by what it leads to."
                raise InvalidInput(text, "leads_out")

    def checkpoint(self, name: str) -> Path:
        """The weights of checkpoint `best` or `last`."""
        return self.checkpoints / f"{name}.weights.h5"

    def read_spec(self) -> spec.RunSpec:
        """Raises InvalidInput."""
        return spec.read(self.spec)

    def send(self, command: control.Command) -> None:
        """Append a command for the run to obey. Raises OSError."""
        control.append(self.commands, command)
