"""Answer another machine of yours over ssh: what `seqdec-gui ... --on HOST` runs on the host. Nothing to type by hand.

It reads questions from standard input and writes answers to standard output, for as long as the ssh session lasts.
"""

from __future__ import annotations

import argparse
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments: the other side asks on standard input."""


def run(arguments: argparse.Namespace) -> int:
    from seqdec_gui.runs.hosts.answering import answer

    if sys.stdin.isatty():
        sys.stderr.write("This command talks to another seqdec-gui, not to people: see `seqdec-gui hosts --help`.\n")
        return 2
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between
    answer(sys.stdin.buffer, answers)
    return 0
