"""Prints what a screen reader finds in a program: its tree on the accessibility bus (AT-SPI), a line of JSON each.

    /usr/bin/python3 tools/walk_at_spi.py PID [--window TITLE] [--press NAME]

Each line has `depth`, `role`, `name`, `label` (the name of what labels it), `description`, `states`, `actions` and
the number of `children`. With `--window` only the window of that title is walked. With `--press` the first action of
the accessible of that name is done instead, as a screen reader does. Needs the packages gir1.2-atspi-2.0 and
python3-gi of Debian or Ubuntu, and the Python that they are for. It runs in a process of its own: the program has to
answer meanwhile.
"""

import argparse
import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

DEEPEST = 40
MOST_CELLS = 60
"""The number of children of a table, tree or list that are looked at."""
STATES = ("focusable", "showing", "focused", "enabled", "checked", "selected", "editable", "modal", "active")
LARGE = ("table", "tree table", "tree", "list")


def program(pid, seconds=15.0):
    """Return the program with this process id; it may take a moment until it is on the bus."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        desktop = Atspi.get_desktop(0)
        for number in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(number)
            if child is not None and child.get_process_id() == pid:
                return child
        time.sleep(0.05)
    raise LookupError(f"The process {pid} is not on the accessibility bus.")


def top_of(accessible, title):
    """Return the window with this title, or the whole program if there is none."""
    if not title:
        return accessible
    for number in range(accessible.get_child_count()):
        child = accessible.get_child_at_index(number)
        if child is not None and child.get_name() == title:
            return child
    raise LookupError(f"The program has no window {title!r} on the accessibility bus.")


def below(accessible, depth=0):
    """Yield an accessible with its depth, then what can be seen below it; Qt says so of items of a hidden list, too."""
    if depth > 0 and not accessible.get_state_set().contains(Atspi.StateType.SHOWING):
        return
    yield accessible, depth
    if depth >= DEEPEST:
        return
    count = accessible.get_child_count()
    for number in range(min(count, MOST_CELLS) if accessible.get_role_name() in LARGE else count):
        child = accessible.get_child_at_index(number)
        if child is not None:
            yield from below(child, depth + 1)


def actions_of(accessible):
    """Return the names of what can be done with an accessible."""
    if "Action" not in accessible.get_interfaces():
        return []
    return [Atspi.Action.get_action_name(accessible, at) for at in range(Atspi.Action.get_n_actions(accessible))]


def label_of(accessible):
    """Return the name of what labels an accessible; empty where nothing does."""
    for relation in accessible.get_relation_set():
        if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY:
            return " ".join(relation.get_target(at).get_name() for at in range(relation.get_n_targets()))
    return ""


def line_of(accessible, depth):
    """Return what is printed of an accessible."""
    states = accessible.get_state_set()
    return {
        "depth": depth,
        "role": accessible.get_role_name(),
        "name": accessible.get_name(),
        "label": label_of(accessible),
        "description": accessible.get_description(),
        "states": [name for name in STATES if states.contains(getattr(Atspi.StateType, name.upper()))],
        "actions": actions_of(accessible),
        "children": accessible.get_child_count(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pid", type=int)
    parser.add_argument("--window", default="")
    parser.add_argument("--press", default="")
    given = parser.parse_args()
    Atspi.init()
    for accessible, depth in below(top_of(program(given.pid), given.window)):
        if given.press:
            if accessible.get_name() == given.press and actions_of(accessible):
                Atspi.Action.do_action(accessible, 0)
                return 0
        else:
            print(json.dumps(line_of(accessible, depth)), flush=True)
    return 1 if given.press else 0


sys.exit(main())
