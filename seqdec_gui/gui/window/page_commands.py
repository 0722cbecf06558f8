"""What the pages of a design offer to the command palette: their buttons, by the words on them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PyQt5 import sip
from PyQt5.QtWidgets import QAbstractButton, QPushButton, QToolButton, QWidget

from seqdec_gui.domain.menu_text import shown
from seqdec_gui.gui.dialogs.command_palette import Command
from seqdec_gui.gui.widgets.command_reason import command_reason
from seqdec_gui.gui.workspace.workspace import PageName

if TYPE_CHECKING:
    from seqdec_gui.gui.window.page_stack import Pages
    from seqdec_gui.gui.window.pages import Page


def page_commands(pages: Pages) -> Iterator[Command]:
    """Return a command for each button of the pages that exist, which shows the page and clicks the button.

    A hidden button is left out, unless it says when it can be used (`set_command_reason`). The actions of the Design page are
    those of the window.
    """
    for row in pages.rows:
        page = pages.built(row.name)
        if page is None or row.name == PageName.DESIGN:
            continue
        found: dict[str, Command] = {}
        for button in page.findChildren(QAbstractButton):
            command = _command(pages, row, page, button)
            if command is not None and (command.title not in found or command.enabled):
                found[command.title] = command  # of two that say the same, such as Continue, the one that can be used
        yield from found.values()


def _command(pages: Pages, row: Page, page: QWidget, button: QAbstractButton) -> Command | None:
    words = shown(button.text() or button.accessibleName()).removesuffix("…")
    reason = command_reason(button)
    visible = button.isVisibleTo(page)
    if not _offers(button, page) or not words or not (visible or reason):
        return None
    enabled = visible and button.isEnabled()
    return Command(
        name=f"{row.name}:{button.objectName()}",
        title=words,
        group=row.title,
        run=partial(_click, pages, row.name, button),
        enabled=enabled,
        reason="" if enabled else reason or "Not possible now",
    )


def _offers(button: QAbstractButton, page: QWidget) -> bool:
    """Return whether a click does something whole: not opens a menu, steps a number, or acts in a dialog of its own."""
    named = isinstance(button, QPushButton | QToolButton) and bool(button.objectName())
    return named and button.menu() is None and button.window() is page.window() and not button.objectName().startswith("qt_")


def _click(pages: Pages, name: str, button: QAbstractButton) -> None:
    pages.show_page(name)
    if not sip.isdeleted(button):  # what a button was offered for may be over while the palette is open
        button.click()
