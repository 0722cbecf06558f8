"""The submenus of recent designs, templates and examples, which are filled when they open."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QMenu

from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look.preferences import forget_designs, recent_designs
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.workspace.files import examples, templates


def follow_recents(menu: QMenu, files: DesignTabs, then: Callable[[], None]) -> None:
    """Fill the menu with recent designs when it opens. `then` is called after one of them was opened."""

    def fill() -> None:
        menu.clear()
        for path in recent_designs():
            action = menu.addAction(literal(f"{path.stem}   {path.parent}"))
            action.triggered.connect(lambda _checked, path=path: files.open(path, then))
        if menu.isEmpty():
            menu.addAction("Nothing opened yet").setEnabled(False)
        else:
            menu.addSeparator()
            menu.addAction("Clear the List").triggered.connect(clear)

    def clear() -> None:
        forget_designs()
        files.recents_changed.emit()

    menu.aboutToShow.connect(fill)


def follow_bundles(menu: QMenu, files: DesignTabs, then: Callable[[], None]) -> None:
    """Fill the menu with templates and examples when it opens. Each of them starts a new design."""

    def fill() -> None:
        menu.clear()
        for bundle in (templates(), examples()):
            menu.addSeparator()
            for template in bundle:
                action = menu.addAction(literal(template.title))
                action.triggered.connect(lambda _checked, path=template.path: files.new_from(path, then))

    menu.aboutToShow.connect(fill)
