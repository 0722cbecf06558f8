"""Writes molecules anew in a process of its own: `python -m seqdec_gui.data.order_worker`.

Standard input has a `Rewriting` as a line of JSON, then an epoch a line; for each epoch the ids of every codec are written to
standard output as they lie in memory. The process ends with its input.
"""

from __future__ import annotations

import sys

import msgspec
import numpy as np

from seqdec_gui.data.random_orders import Rewriting, rewritten


def main() -> None:
    """Answer epochs until there are no more."""
    what = msgspec.json.decode(sys.stdin.buffer.readline(), type=Rewriting)
    while line := sys.stdin.buffer.readline():
        for ids in rewritten(what, int(line)):
            sys.stdout.buffer.write(np.ascontiguousarray(ids).data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
