"""A kind that only the registry knows: its entry in the palette, its block on the canvas, its form in the inspector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QAbstractSpinBox, QCheckBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.catalog import KINDS, fields
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look import icons
from tests.domain.toy_kinds import TOYS, NormalisedDense, WindowDecoder, stack_of_toys
from tests.gui.conftest import press
from tests.gui.test_design_view_panels import Beside
from tests.gui.test_inspector import parameters, retype


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in TOYS.items():
        monkeypatch.setitem(KINDS, name, kind)


@pytest.mark.parametrize("kind", TOYS)
def test_it_is_dragged_in_from_the_palette(qtbot: QtBot, kind: str) -> None:
    canvas = Beside(qtbot, Design())
    canvas.drag_in(kind, QPoint(400, 300))
    assert canvas.view.block_ids() == (kind,)
    assert canvas.design.block(kind).parameters == TOYS[kind]()


def test_its_form_has_every_parameter_and_hides_what_has_no_meaning(
    toys: None, window: Any, find: Callable[..., Any], qtbot: QtBot
) -> None:
    window.document.edit(stack_of_toys(), "Add", select=["decoder"])
    for field in fields(WindowDecoder):
        assert find(QWidget, f"field_{field.name}").isVisible()
    retype(find(QAbstractSpinBox, "field_window"), "1")
    assert find(QLabel, "error_window").text() == "Expected 2 to 100, received 1. The design keeps 3."
    retype(find(QAbstractSpinBox, "field_window"), "4")
    assert parameters(window, "decoder") == WindowDecoder(window=4)

    window.document.select(["encoder"])
    qtbot.waitUntil(lambda: find(QWidget, "field_noise").isVisible())
    press(find(QCheckBox, "field_normalised"))
    assert parameters(window, "encoder") == NormalisedDense(normalised=False)
    qtbot.waitUntil(lambda: not find(QWidget, "field_noise").isVisible())


def test_its_icon_is_the_one_that_the_kind_names(qtbot: QtBot) -> None:
    for kind in (*KINDS.values(), NormalisedDense):
        assert not icons.kind_icon(kind).pixmap(18, 18).isNull()
    picture = icons.kind_icon(NormalisedDense).pixmap(18, 18).toImage()
    assert picture == icons.icon("duck", _colour("Encoders")).pixmap(18, 18).toImage()


def _colour(category: str) -> str:
    from seqdec_gui.gui.look import theme

    return theme.current().category[category]
