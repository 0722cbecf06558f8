"""Carries out the commands of `commands.jsonl` and signals, between intervals and while a run waits for something."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, Protocol

from seqdec_gui.runs.control import Command, CommandReader, Unreadable
from seqdec_gui.runs.events import CommandAnswer, EventWriter

HELD_POLL_S = 0.1
"""Seconds between two looks at the commands while a run is held."""


class StopRequested(Exception):
    """The user wants the run to end now; `paused` if it is to be resumed later."""

    def __init__(self, paused: bool = False) -> None:
        super().__init__()
        self.paused = paused


class CommandHandler(Protocol):
    """What carries out the commands of a run: the training loop."""

    def set_learning_rate(self, value: float) -> str:
        """Train with this learning rate from the next step on; returns a sentence for the answer."""

    def save_checkpoint(self) -> str:
        """Write the checkpoint `last` now; returns a sentence for the answer."""

    def hold_began(self) -> None:
        """Called when the run begins to wait for `continue`, `pause` or `stop`."""

    def hold_ended(self) -> None:
        """Called when the run stops waiting, for whatever reason."""


class Commands:
    """Reads the commands of a run, has them carried out, and answers each with a `command` event."""

    def __init__(self, reader: CommandReader, events: EventWriter) -> None:
        self._reader = reader
        self._events = events
        self._postponed: list[Command | Unreadable] = []
        self._signalled = False
        self.answered: set[str] = set()
        """The ids of the commands that were answered."""
        self.when_training_begins: Callable[[], None] = lambda: None
        """Called once a stop would lose what was trained."""

    def listen_to_signals(self) -> None:
        """Treat SIGTERM, SIGINT and SIGHUP as `stop` from now on."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True

    def look_for_stop(self) -> None:
        """Carry out only `stop` and `pause`, while the run is not ready to train; other commands wait for `obey`.

        Raises StopRequested.
        """
        self._postponed += self._reader.read()
        for command in self._postponed:
            if isinstance(command, Command) and command.command in ("stop", "pause"):
                self._end(command)
        if self._signalled:
            raise StopRequested

    def obey(self, handler: CommandHandler) -> None:
        """Carry out the commands since the last call, and wait here while the run is held. Raises StopRequested."""
        held = False
        try:
            while True:
                commands = self._postponed + self._reader.read()
                self._postponed = []
                for command in commands:
                    held = self._carry_out(command, handler, held)
                if self._signalled:
                    raise StopRequested
                if not held:
                    return
                time.sleep(HELD_POLL_S)
        finally:
            if held:
                handler.hold_ended()

    def _end(self, command: Command) -> NoReturn:
        self.answer_stop(command)
        raise StopRequested(command.command == "pause")

    def answer_stop(self, command: Command) -> None:
        """Answer `stop` or `pause`."""
        paused = command.command == "pause"
        self._answer(command, "Pausing: the process ends and frees its devices." if paused else "Stopping.")

    def training_has_begun(self) -> None:
        """From now on a stop loses what was trained, unless it is saved."""
        self.when_training_begins()

    def _carry_out(self, command: Command | Unreadable, handler: CommandHandler, held: bool) -> bool:
        """Carry out one command; returns whether the run is held afterwards."""
        if isinstance(command, Unreadable):
            self._answer(command, command.text, ok=False)
            return held
        match command.command:
            case "stop" | "pause":
                self._end(command)
            case "hold" | "continue":
                hold = command.command == "hold"
                if hold == held:
                    self._answer(command, f"The run is {'' if held else 'not '}held.", ok=False)
                    return held
                self._answer(command)
                if hold:
                    handler.hold_began()
                else:
                    handler.hold_ended()
                return hold
            case "set_learning_rate":
                assert command.value is not None  # the decoder has checked it
                self._answer(command, handler.set_learning_rate(command.value))
            case "checkpoint":
                self._answer(command, handler.save_checkpoint())
        return held

    def _answer(self, command: Command | Unreadable, text: str = "", ok: bool = True) -> None:
        self.answered.add(command.id)
        self._events.write(CommandAnswer(id=command.id, command=command.command, ok=ok, text=text))
