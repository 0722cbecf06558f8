"""The cards of the welcome page: every text whole, below its picture, in rows of equal height, whatever the names."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.widgets.cards import Card
from seqdec_gui.gui.window.main_window import MainWindow
from tests.domain.designs import archetype


def cards(window: MainWindow, name: str) -> list[Card]:
    return [card for card in window.findChildren(Card) if card.objectName().startswith(name) and card.isVisible()]


def faults(window: MainWindow) -> list[str]:
    """What is cut, covered or uneven on a card."""
    found = []
    for card in cards(window, ""):
        labels = [label for label in card.findChildren(QLabel) if not label.isHidden()]
        found += [
            f"{card.objectName()} is cut" for one in labels if one.wordWrap() and one.height() < one.heightForWidth(one.width())
        ]
        found += [
            f"{card.objectName()} is wide" for one in labels if one.minimumSizeHint().width() > one.width() and one.wordWrap()
        ]
        found += [
            f"{card.objectName()} overlaps" for upper, lower in itertools.pairwise(labels)
            if upper.geometry().intersects(lower.geometry())
        ]  # fmt: skip
        found += [f"{card.objectName()} is low"] if card.rect().bottom() < labels[-1].geometry().bottom() else []
    for name in ("recent", "example", "template"):
        found += [f"{name} uneven"] if len({card.height() for card in cards(window, name)}) > 1 else []
    return found


@pytest.mark.parametrize("width", [900, 1024, 1280, 1920])
def test_every_text_of_a_card_is_whole(opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, width: int) -> None:
    for name in ("short", "two words of a name & more", "n" * 200, "a long name " * 15):
        path = tmp_path / f"{name.strip()}.seqdec"
        design_file.save(archetype(), path)
        preferences.remember_design(path)
    window = opened()
    window.resize(width, 800)
    qtbot.waitUntil(lambda: len(cards(window, "recent")) == 4 and len(cards(window, "template")) == 6)
    qtbot.waitUntil(lambda: faults(window) == [])
    assert faults(window) == []
    (long,) = (card for card in cards(window, "recent") if card.accessibleName() == "n" * 200)
    assert long.toolTip() == "n" * 200


def test_a_row_takes_all_examples_on_a_laptop(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = opened()
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: len({card.y() for card in cards(window, "example")}) == 1)
    assert len({card.y() for card in cards(window, "template")}) == 1
