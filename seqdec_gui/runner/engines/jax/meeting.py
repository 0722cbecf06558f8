"""What the processes of a run on several hosts tell each other beside their sums, through the store of `jax.distributed`.

Process 0 tells the others what to do next, call by call (`Call`); each says every few seconds that it is there. Whoever waits
does so for a bounded time: a process that is gone, or silent for `SILENT_S`, ends the others.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import msgspec
import numpy as np
import numpy.typing as npt
from jax._src import distributed  # the store has no public name; Orbax uses it in the same way

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.cluster.addresses import LOOPBACK

BEAT_S = 2.0
"""Seconds between two signs of life."""
SILENT_S = 20.0
"""Seconds without a sign of life after which a process counts as lost."""
HEARTBEAT_S = 150
"""Seconds after which JAX itself ends all processes, without a sentence; it does so after half of them, too."""
MEET_S = 180
"""Seconds that all processes have to find each other."""
WAIT_MS = 5000
"""Milliseconds of one question to the store."""
KEPT_CALLS = 32
"""Calls that stay in the store: the others are never so far behind, for they share the sums of most."""


class Lost(SeqdecError):
    """A process of the run is gone; the sentence says which, and what to do."""


class Block(msgspec.Struct, frozen=True, array_like=True):
    """An array."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> Block:
        return cls(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())

    @property
    def array(self) -> npt.NDArray[Any]:
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)


class Call(msgspec.Struct, frozen=True, array_like=True):
    """Something that process 0 does now and the others with it: a method of the engine, with its arguments."""

    name: str
    arrays: tuple[Block, ...] = ()
    number: int = 0
    data: bytes = b""


_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Call).decode


class Meeting:
    """The store, as one process sees it."""

    def __init__(self, at: Sequence[str], number: int, processes: int) -> None:
        """Take part as process `number` of `processes`; process 0 waits at the port of the first address in `at`."""
        self.at, self.number, self.processes = tuple(at), number, processes
        self._calls = 0
        self._client: Any = None
        self._breathed_s = 0.0

    def begin(self, only_here: bool = False) -> None:
        """Wait until all processes have found each other. Call it before JAX looks at its devices. Raises Lost.

        `only_here`: all are on this machine, so that no other one may connect.
        """
        jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM for itself
        port = self.at[0].rpartition(":")[2]
        address = f"{LOOPBACK}:{port}" if self.number == 0 else _reachable(self.at)  # its names are for the others
        bind = address if only_here and self.number == 0 else None
        try:
            jax.distributed.initialize(
                address, self.processes, self.number, cluster_detection_method="deactivate", initialization_timeout=MEET_S,
                heartbeat_timeout_seconds=HEARTBEAT_S, coordinator_bind_address=bind,
            )  # fmt: skip
        except RuntimeError as error:
            text = f"The processes of the run did not find each other within {MEET_S} seconds at {address}"
            raise Lost(f"{text}: {_last_line(error)}. The log has what the others said.") from error
        self._client = distributed.global_state.client
        self._breathed_s = time.monotonic()
        threading.Thread(target=self._breathe, daemon=True, name="sign of life").start()
        if self.number:
            threading.Thread(target=self._end_without_breath, daemon=True, name="process 0").start()

    # -- calls
    def tell(self, call: Call) -> None:
        """Have the other processes do something. Raises Lost."""
        self.say(f"call/{self._calls}", _encode(call))
        if self._calls >= KEPT_CALLS:
            self._client.key_value_delete(f"call/{self._calls - KEPT_CALLS}")
        self._calls += 1

    def next_call(self) -> Call:
        """Wait for what process 0 does next, however long it does nothing. Raises Lost when it is gone."""
        call = _decode(self.hear(f"call/{self._calls}"))
        self._calls += 1
        return call

    def say(self, key: str, data: bytes) -> None:
        """Put something into the store. Raises Lost."""
        try:
            self._client.key_value_set_bytes(key, data, allow_overwrite=True)
        except jax.errors.JaxRuntimeError as error:
            raise Lost(f"Process 0 of the run cannot be reached: {_last_line(error)}.") from error

    def hear(self, key: str) -> bytes:
        """Wait for something in the store. Raises Lost when process 0, which has the store, is gone."""
        while True:
            try:
                return bytes(self._client.blocking_key_value_get_bytes(key, WAIT_MS))
            except jax.errors.JaxRuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    raise Lost(f"Process 0 of the run cannot be reached: {_last_line(error)}.") from error

    def said(self, key: str) -> bytes | None:
        """Return what is in the store, without waiting."""
        try:
            return bytes(self._client.key_value_try_get_bytes(key))
        except jax.errors.JaxRuntimeError:
            return None

    # -- signs of life
    def _breathe(self) -> None:
        count = 0
        while True:
            try:
                self.say(f"alive/{self.number}", str(count).encode())
            except Lost as lost:
                sys.stderr.write(f"Process {self.number}: {lost}\n")
                sys.stderr.flush()
                os._exit(1)
            count += 1
            self._breathed_s = time.monotonic()
            time.sleep(BEAT_S)

    def _end_without_breath(self) -> None:
        """End this process when a sign of life does not arrive: nobody tells of a cable that is cut."""
        while time.monotonic() - self._breathed_s < 2 * SILENT_S:
            time.sleep(BEAT_S)
        sys.stderr.write(f"Process {self.number}: process 0 has not been reached for {2 * SILENT_S:.0f} seconds.\n")
        sys.stderr.flush()
        os._exit(1)

    def watch(self, when_silent: Callable[[int], None]) -> None:
        """Have a thread call `when_silent` with the number of a process that has given no sign of life for `SILENT_S`."""
        threading.Thread(target=self._watch, args=(when_silent,), daemon=True, name="watch the others").start()

    def _watch(self, when_silent: Callable[[int], None]) -> None:
        heard = dict.fromkeys(range(1, self.processes), (b"", time.monotonic()))
        while heard:
            for number, (last, since) in list(heard.items()):
                now = self.said(f"alive/{number}")
                if now is not None and now != last:
                    heard[number] = (now, time.monotonic())
                elif time.monotonic() - since > SILENT_S:
                    del heard[number]
                    when_silent(number)
            time.sleep(BEAT_S)


def _reachable(at: Sequence[str]) -> str:
    """Return the first of several addresses (HOST:PORT) at which process 0 answers. Raises Lost."""
    until, why = time.monotonic() + MEET_S, ""
    while time.monotonic() < until:
        for address in at:
            host, _, port = address.rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=3.0).close()
                return address
            except OSError as error:
                why = f"{address}: {error.strerror or error}"
        time.sleep(0.5)
    raise Lost(
        f"Process 0 of the run was not reached at {' or '.join(at)} ({why}). Its port must be open between the hosts "
        "(docs/cluster.md)."
    )


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")
