"""The program of a host whose runs train plain numbers: `python numbers_there.py -P -m seqdec_gui answer`.

The host is this machine, so every file would be there already: files below `SEQDEC_TEST_NOT_THERE` are taken to be missing.
"""

import os
import sys
from pathlib import Path

from seqdec_gui import cli
from seqdec_gui.runs import process
from seqdec_gui.runs.hosts import answering

NOT_THERE = "SEQDEC_TEST_NOT_THERE"
VERSION = "SEQDEC_TEST_VERSION"


def main() -> int:
    process.RUNNER = (sys.executable, "-m", "tests.runner.plain_child")
    same, missing = answering.is_same_file, os.environ.get(NOT_THERE, "")
    if missing:
        answering.is_same_file = lambda path, *rest: not path.is_relative_to(Path(missing)) and same(path, *rest)
    answering.__version__ = os.environ.get(VERSION, answering.__version__)
    return cli.main(sys.argv[4:])


if __name__ == "__main__":
    sys.exit(main())
