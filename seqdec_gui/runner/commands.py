"""Obeying: commands of `commands.jsonl` and signals, looked at between intervals, and while a run waits for something."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

from seqdec_gui.runs.control import Command, CommandReader, Unreadable
from seqdec_gui.runs.events import CommandAnswer, EventWriter

LOOK_WHILE_PAUSED_S = 0.1


class StopRequested(Exception):
    """The user wants the run to end now."""


class Commands:
    """Answers every command with a `command` event.

    `set_rate(value)` and `checkpoint()` do what is asked and return a sentence for the answer; `on_pause(paused)` is told when
    the run begins and ends to wait.
    """

    def __init__(self, reader: CommandReader, events: EventWriter) -> None:
        self._reader, self._events = reader, events
        self._later: list[Command | Unreadable] = []
        self._signalled = False
        self.set_rate: Callable[[float], str] = lambda _: ""
        self.checkpoint: Callable[[], str] = lambda: ""
        self.on_pause: Callable[[bool], None] = lambda _: None

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT mean stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True

    def look_for_stop(self) -> None:
        """Obey a stop, for who is not ready to train yet; what else has been asked waits for `obey`. Raises StopRequested."""
        self._later += self._reader.read()
        for command in self._later:
            if isinstance(command, Command) and command.command == "stop":
                self._one(command, paused=False)
        if self._signalled:
            raise StopRequested

    def obey(self) -> None:
        """Do what has been asked since the last call; waits here while paused. Raises StopRequested."""
        paused = False
        try:
            while True:
                asked, self._later = self._later + self._reader.read(), []
                for command in asked:
                    paused = self._one(command, paused)
                if self._signalled:
                    raise StopRequested
                if not paused:
                    return
                time.sleep(LOOK_WHILE_PAUSED_S)
        finally:
            if paused:
                self.on_pause(False)

    def _one(self, command: Command | Unreadable, paused: bool) -> bool:
        """Obey one command; returns whether the run is paused now."""
        if isinstance(command, Unreadable):
            self._answer(command, command.text, ok=False)
            return paused
        match command.command:
            case "stop":
                self._answer(command, "Stopping.")
                raise StopRequested
            case "pause" | "continue":
                wanted = command.command == "pause"
                if wanted == paused:
                    self._answer(command, f"The run is {'' if paused else 'not '}paused.", ok=False)
                    return paused
                self._answer(command)
                self.on_pause(wanted)
                return wanted
            case "set_learning_rate":
                assert command.value is not None  # the decoder has checked it
                self._answer(command, self.set_rate(command.value))
            case "checkpoint":
                self._answer(command, self.checkpoint())
        return paused

    def _answer(self, command: Command | Unreadable, text: str = "", ok: bool = True) -> None:
        self._events.write(CommandAnswer(id=command.id, command=command.command, ok=ok, text=text))
