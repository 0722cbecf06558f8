"""Icons in the colours of the theme.

They must be requested again after a change of theme. qtawesome is imported with the first one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seqdec_gui.gui.look import theme

if TYPE_CHECKING:
    from PyQt5.QtGui import QIcon

    from seqdec_gui.domain.kinds.base import Kind


def icon(name: str, color: str | None = None) -> QIcon:
    """Return the icon `mdi6.<name>` in a colour (`#rrggbb`), by default that of dimmed text.

    It is paler on a disabled widget.
    """
    os.environ.setdefault("QT_API", "pyqt5")
    import qtawesome

    look = theme.current()
    full = name if "." in name else f"mdi6.{name}"
    return qtawesome.icon(full, color=color or look.text_dim, color_disabled=look.text_disabled)


def kind_icon(kind: Kind | type[Kind]) -> QIcon:
    """Return the icon of a kind of block, in the colour of the kind's category."""
    return icon(kind.icon, theme.current().category[kind.category])
