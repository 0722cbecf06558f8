"""What the palette and the sheet of keys list: the actions of the window, buttons of its pages, and what submenus open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QAction

from seqdec_gui.domain.menu_text import shown
from seqdec_gui.gui.dialogs.command_palette import Command
from seqdec_gui.gui.look.preferences import recent_designs
from seqdec_gui.gui.window.actions import key_texts
from seqdec_gui.gui.window.page_commands import page_commands
from seqdec_gui.gui.workspace.files import examples, templates

if TYPE_CHECKING:
    from seqdec_gui.gui.window.actions import Actions
    from seqdec_gui.gui.window.design_tabs import DesignTabs

MAX_KEYS = 2
"""The number of keys of one action that the sheet shows."""
NOT_LISTED = ("palette",)
"""The actions that the palette leaves out: it is open already."""


def commands(actions: Actions, designs: DesignTabs, then: Callable[[], None]) -> list[Command]:
    """Return what the palette offers. `then` is called after a design was opened."""
    return [*_of_actions(actions), *page_commands(designs.current.pages), *_of_files(designs, then)]


def _of_actions(actions: Actions) -> Iterator[Command]:
    for group, entries in actions.groups().items():
        for name, action in entries:
            if name in NOT_LISTED:
                continue
            yield Command(
                name=name,
                title=title(action),
                group=group,
                run=action.trigger,
                keys=keys(action),
                enabled=action.isEnabled(),
                reason=actions.reason(name),
            )


def _of_files(designs: DesignTabs, then: Callable[[], None]) -> Iterator[Command]:
    for index, name in enumerate(designs.names):
        if index != designs.index:
            yield Command(f"go:{name}", name, "Go to", partial(designs.show_tab, index))
    for path in recent_designs():
        yield Command(f"recent:{path}", f"{path.stem}  ({path.parent})", "Open", partial(designs.open, path, then))
    for group, bundle in (("Example", examples()), ("Template", templates())):
        for template in bundle:
            run = partial(designs.new_from, template.path, then)
            yield Command(f"{group}:{template.path.stem}", template.title, group, run)


def title(action: QAction) -> str:
    """Return the name of an action without the mark of its letter and the dots of its dialog."""
    words = shown(action.text()).removesuffix("…")
    return f"Hide {words}" if action.isCheckable() and action.isChecked() and action.actionGroup() is None else words


def keys(action: QAction) -> str:
    """Return the first keys of an action as the platform writes them; empty without any."""
    return next(iter(key_texts(action)), "")


def sheet(actions: Actions) -> dict[str, list[tuple[str, str]]]:
    """Return the names of all actions that have keys, with all their keys, by menu."""
    groups = {}
    for group, entries in actions.groups().items():
        rows = []
        for _, action in entries:
            all_keys = key_texts(action)
            if all_keys:
                rows.append((shown(action.text()).removesuffix("…"), "  or  ".join(all_keys[:MAX_KEYS])))
        if rows:
            groups[group] = rows
    return groups
