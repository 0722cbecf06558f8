"""When a button can be used, in words for the command palette, which lists it even while it is hidden or disabled."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

_PROPERTY = "command_reason"


def set_command_reason(button: QWidget, reason: str) -> None:
    """Say why a button cannot be used whenever it is hidden or disabled, such as `No run is training`."""
    button.setProperty(_PROPERTY, reason)


def command_reason(button: QWidget) -> str:
    """Return why a button cannot be used whenever it is hidden or disabled; empty if it does not say."""
    return button.property(_PROPERTY) or ""
