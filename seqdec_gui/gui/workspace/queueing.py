"""Putting runs into the queue of this machine instead of starting them. The functions run in threads."""

from __future__ import annotations

import logging

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.launch import Request, fail_if_there, prepared
from seqdec_gui.runs import folder, known, spec
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import Job
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.queue.worker import ensure_worker
from seqdec_gui.runs.spec import RunSpec


def enqueue(request: Request) -> Job:
    """Check the request, make the run's folder and put it into the queue. Raises InvalidInput, SeqdecError."""
    fail_if_there(request)
    asked = prepared(request)
    run = folder.create(None, request.design_path, parent=request.parent, name=request.title)
    try:
        spec.write(asked, run.spec)
        return put(run, asked)
    except SeqdecError:
        folder.discard(run, started=False)
        raise


def put(run: RunFolder, asked: RunSpec) -> Job:
    """Put a run whose folder is whole into the queue, and see to it that somebody works on it. Raises SeqdecError."""
    known.remember_run(run.path)
    queue = Queue()
    job = queue.add(run, asked.devices)
    ensure_worker(queue)
    return job


def go_on_with_queue() -> None:
    """See to it, in a thread, that somebody works on what waits: after a restart of the machine nobody does."""
    background.run(lambda: ensure_worker(Queue()), failed=_on_failed)


def _on_failed(error: Exception) -> None:
    logging.getLogger("seqdec_gui").warning("The queue is not worked on: %s", error)
