"""What the window and a warm worker say to each other, over a socket that only the two of them have.

The window sends a job with the files that it needs as descriptors; the worker answers `TAKEN` before it begins, so that a job
whose worker has died meanwhile can be started in the ordinary way, and never twice.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

TAKEN = b"taken"
"""The answer of a worker that has read a job and begins with it."""
LARGEST_JOB = 1 << 16
"""The most bytes of a message; a job has paths in it and no data."""
WORKER_MEMORY = 2 << 30
"""Resident bytes above which a worker that waits for a job ends."""
SCARCE_MEMORY = 1 << 30
"""Bytes that the machine has left below which a worker that waits for a job ends."""


class _Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    pass


class TrainJob(_Tagged, frozen=True, kw_only=True, tag="train"):
    """Become the process of the run in this folder. Descriptors: its log, its lock."""

    run: str


class TaskJob(_Tagged, frozen=True, kw_only=True, tag="task"):
    """Do one task of `runs.tasks`. Descriptors: standard input, standard output, log.

    `scratch` is a folder for temporary files, which the window removes. With `stay` the worker keeps the run that the task has
    opened, and waits for another task with it; otherwise it ends.
    """

    scratch: str
    stay: bool = False


class ExpectExport(_Tagged, frozen=True, kw_only=True, tag="expect_export"):
    """Begin what an export needs besides this process. It is no job: it is not answered, and has no descriptors."""


Message: TypeAlias = TrainJob | TaskJob | ExpectExport
decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
