"""Light and dark: readable, switchable, told to the views, and remembered."""

from __future__ import annotations

import gc
import re
import weakref

import pytest
from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import canvas_style, theme
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.look.stylesheet import stylesheet
from seqdec_gui.gui.look.theme import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Theme


def luminance(hex_color: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = [int(hex_color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


LOOKS = (LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST)
LOOK_NAMES = ("light", "dark", "light_contrast", "dark_contrast")
GROUNDS = ("window", "surface", "surface_raised")


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_readable_on_every_ground(look: Theme, ground: str) -> None:
    words = ("text", "text_dim", "accent", "ok", "warning", "error")
    low = {word: contrast(getattr(look, word), getattr(look, ground)) for word in words}
    assert {word: ratio for word, ratio in low.items() if ratio < (7 if look.high_contrast else 4.5)} == {}


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_controls_wires_and_categories_stand_out_from_the_surface(look: Theme) -> None:
    painted = ("control_border", "wire_float", "wire_ids", "wire_states")
    colours = {name: getattr(look, name) for name in painted} | look.category
    low = {name: contrast(colour, look.surface) for name, colour in colours.items()}
    assert {name: ratio for name, ratio in low.items() if ratio < (4.5 if look.high_contrast else 3)} == {}
    least = 7 if look.high_contrast else 4.5
    assert contrast(look.accent_text, look.accent) >= least
    assert contrast(look.text, look.selection) >= least
    if look.high_contrast:
        assert contrast(look.border, look.surface) >= 3
        assert contrast(look.text_disabled, look.surface) >= 4.5


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_text_is_readable_on_what_is_pointed_at_and_selected(look: Theme) -> None:
    words = ("text", "text_dim", "accent", "ok", "warning", "error") if look.high_contrast else ("text", "text_dim")
    grounds = [(word, ground) for word in words for ground in ("hover", "selection")]
    grounds += [(word, "pressed") for word in ("text", "text_dim")]
    grounds += [("accent_text", "accent"), ("accent_text", "accent_hover")]
    low = {(word, ground): contrast(getattr(look, word), getattr(look, ground)) for word, ground in grounds}
    assert {pair: ratio for pair, ratio in low.items() if ratio < (7 if look.high_contrast else 4.5)} == {}


@pytest.mark.parametrize("mode", LOOK_NAMES)
def test_text_and_icons_of_the_canvas_are_readable_on_their_blocks(mode: theme.Mode, qapp: QApplication) -> None:
    theme.set_mode(mode)
    style, high = canvas_style.current(), theme.current().high_contrast
    faces = {"body": style.body, "pill": style.pill, "canvas": style.canvas, **style.tint}
    low = {
        (word, face): contrast(getattr(style, word).name(), ground.name())
        for word in ("text", "dim")
        for face, ground in faces.items()
    }
    assert {pair: ratio for pair, ratio in low.items() if ratio < (7 if high else 4.5)} == {}
    icons = {name: contrast(colour.name(), style.tint[name].name()) for name, colour in style.category.items()}
    wires = {name: contrast(colour.name(), style.canvas.name()) for name, colour in style.wire.items() if name}
    frames = {name: contrast(colour.name(), style.canvas.name()) for name, colour in style.annotation.items()}
    assert {name: ratio for name, ratio in (icons | wires | frames).items() if ratio < (4.5 if high else 3)} == {}


@pytest.mark.parametrize("mode", LOOK_NAMES)
def test_the_words_of_an_empty_field_are_readable(mode: theme.Mode, qtbot: QtBot, qapp: QApplication) -> None:
    theme.install(qapp)
    holder = QWidget()
    qtbot.addWidget(holder)
    column = QVBoxLayout(holder)
    fields = (QLineEdit(placeholderText="one"), QPlainTextEdit(placeholderText="two"))
    for field in fields:
        column.addWidget(field)
    holder.show()
    for one in ("light", mode):  # a change of the theme leaves nothing of the former one
        theme.set_mode(one)
        QApplication.processEvents()
    look = theme.current()
    for field in fields:
        colors = field.palette()
        assert colors.color(QPalette.PlaceholderText).name(QColor.HexArgb) == f"#ff{look.text_dim[1:]}"
        assert (colors.color(QPalette.Text).name(), colors.color(QPalette.Highlight).name()) == (look.text, look.accent)
        assert colors.color(QPalette.Disabled, QPalette.Text).name() == look.text_disabled


def test_buttons_of_dialogs_have_no_pictures_whatever_the_desktop_asks(qapp: QApplication) -> None:
    theme.install(qapp)
    assert qapp.style().styleHint(QStyle.SH_DialogButtonBox_ButtonsHaveIcons) == 0
    box = QDialogButtonBox(QDialogButtonBox.Save | QDialogButtonBox.Cancel)
    assert all(button.icon().isNull() for button in box.buttons())


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_every_name_in_the_style_sheet_has_a_value(qapp: object, look: Theme) -> None:
    sheet = stylesheet(look)
    assert re.findall(r"@\w*@?", sheet) == []
    assert "url(/" in sheet


def test_categories_are_those_of_the_catalog() -> None:
    from seqdec_gui.domain.catalog import KINDS

    assert {kind.category for kind in KINDS.values()} == set(LIGHT.category)
    assert all(set(look.category) == set(LIGHT.category) for look in LOOKS)


def test_a_chosen_mode_changes_the_colours_tells_the_views_and_is_kept(qtbot: QtBot, qapp: object) -> None:
    theme.set_mode("light")
    with qtbot.waitSignal(theme.notifier.changed, timeout=1000):
        theme.set_mode("dark")
    assert theme.current() is DARK
    assert settings().value("appearance/mode") == "dark"
    with qtbot.assertNotEmitted(theme.notifier.changed):
        theme.set_mode("dark")
    theme.set_mode("light")
    assert theme.current() is LIGHT


def test_the_systems_wish_counts_only_in_system_mode(qapp: object) -> None:
    theme.set_mode("light")
    theme.notifier._on_portal_preferred(True)
    assert theme.current() is LIGHT
    theme.set_mode("system")
    assert theme.current() is DARK
    theme.notifier._on_portal_preferred(False)
    assert theme.current() is LIGHT


def test_high_contrast_is_a_choice_and_a_wish_of_the_system(qapp: object) -> None:
    theme.set_mode("dark_contrast")
    assert theme.current() is DARK_CONTRAST
    assert settings().value("appearance/mode") == "dark_contrast"
    theme.notifier._on_portal_contrast_preferred(True)
    theme.set_mode("light")
    assert theme.current() is LIGHT
    theme.set_mode("system")
    assert theme.current() is LIGHT_CONTRAST
    theme.notifier._on_portal_preferred(True)
    assert theme.current() is DARK_CONTRAST
    theme.notifier._on_portal_preferred(False)
    theme.notifier._on_portal_contrast_preferred(False)
    assert theme.current() is LIGHT


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of system, light, dark, light_contrast, dark_contrast, got 'sepia'"):
        theme.set_mode("sepia")  # type: ignore[arg-type]


class _Collector(QWidget):
    """Collects garbage whenever it is styled anew, as may happen at any time."""

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.StyleChange:
            gc.collect()


def test_a_panel_that_nobody_needs_is_not_collected_while_widgets_are_styled(qtbot: QtBot) -> None:
    """Qt would go on with what is gone, and so would the splitters that get their sizes back."""
    top = _Collector()
    qtbot.addWidget(top)
    top.show()
    qtbot.waitExposed(top)
    was = gc.isenabled()
    gc.disable()
    try:
        panels = []
        for _ in range(20):
            panel = QWidget()
            panel.itself = panel  # only the collector can take it away
            for _ in range(2):
                QSplitter(panel).addWidget(QLineEdit("words"))
            panels.append(weakref.ref(panel))
        del panel
        theme.set_mode("dark")
        assert [panel for panel in panels if panel() is None] == []
        gc.collect()
        assert [panel for panel in panels if panel() is not None] == []
    finally:
        if was:  # the window's collector has it off
            gc.enable()
    assert theme.current() is DARK
