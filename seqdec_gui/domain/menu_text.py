"""Texts of menus, tabs and buttons, in which Qt takes `&` for the mark of a letter."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return the text as it has to be given to Qt to be shown as it is: `a & b` -> `a && b`."""
    return text.replace("&", "&&")


def shown(text: str) -> str:
    """Return a text of an action or a button as it is shown: `&Open…` -> `Open…`, `a && b` -> `a & b`."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")
