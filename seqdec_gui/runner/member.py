"""`python -m seqdec_gui.runner.member ADDRESSES NUMBER PROCESSES DEVICES`: train under process 0 of a run on several hosts.

Started by `runs.cluster.join`, which sets the environment. It writes no file of the run; what goes wrong is printed.
"""

from __future__ import annotations

import signal
import sys

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner import engines
from seqdec_gui.runner.failures import failure, log_exception
from seqdec_gui.runner.import_trimming import exit_at_once, refuse_unused_imports
from seqdec_gui.runs.devices import list_devices, parse_devices
from seqdec_gui.runs.engines import cluster_engine


def main(words: list[str]) -> int:
    at, number, processes, where = words
    refuse_unused_imports()
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # process 0 obeys them, and ends the others
        signal.signal(each, signal.SIG_IGN)
    try:
        devices, _ = parse_devices(where, list_devices())
        engines.load(cluster_engine().following)(at.split(","), int(number), int(processes), devices)
    except Exception as error:
        if not isinstance(error, SeqdecError):
            log_exception()
        sys.stderr.write(f"Process {number} ends: {failure(error).sentence}\n")
        return 1
    return 0


if __name__ == "__main__":
    exit_at_once(main(sys.argv[1:]))
