"""Goes through the states of the window and gives their pictures; compares them with the accepted ones, or accepts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.pictures.compare import OTHER_FONT, SAME_FONT, Change, changes, difference, kept, reduced
from tools.pictures.states import State, calm, groups
from tools.pictures.studio import ROOT, SIZES, Studio, font_words
from tools.pictures.world import World

ACCEPTED = ROOT / "tests" / "gui" / "accepted"
"""The folder of the accepted pictures."""
FONT = ACCEPTED / "font.txt"
"""The font of the accepted pictures, in the words of `font_words`."""
Wanted = Callable[[State, int, str], bool]
"""Whether a state is wanted at the window's width and in a theme."""


def every(state: State, _width: int, mode: str) -> bool:
    """Every state in light and dark, and in high contrast where it is compared so."""
    return mode in ("light", "dark") or mode in state.modes


def compared(state: State, width: int, mode: str) -> bool:
    """The states that later pictures are compared with."""
    return (
        state.compared
        and (mode == "light" or mode in state.modes)
        and (width == SIZES[0][0] or (state.wide and mode == "light"))
    )


def pictures(studio: Studio, world: World, wanted: Wanted, only: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the picture of every wanted state. `only`: a part of the names."""
    from seqdec_gui.gui.look import theme

    for width, height in SIZES:
        for path, states in groups(world).values():
            asked = [state for name, state in states.items() if only in name]
            if not any(wanted(state, width, mode) for state in asked for mode in theme.MODES[1:]):
                continue
            window = studio.open(path, (width, height))
            for name, state in states.items():
                widget = state.show(studio, window)
                if only in name:
                    window.statusBar().clearMessage()  # which goes by itself after some seconds
                    for mode in (mode for mode in theme.MODES[1:] if wanted(state, width, mode)):
                        theme.set_mode(mode)
                        yield f"{name}-{width}-{mode}", studio.masked(window if widget is None else widget, state.masks)
                    theme.set_mode("light")
                calm(studio, window)
                studio.activate(window)
            studio.close(window)


def accept(studio: Studio, world: World, only: str = "") -> int:
    """Keep the pictures of all compared states; return how many. Those of states that there are no longer are deleted."""
    ACCEPTED.mkdir(parents=True, exist_ok=True)
    names = set()
    for name, picture in pictures(studio, world, compared, only):
        reduced(picture).save(str(ACCEPTED / f"{name}.png"), "PNG", 0)
        names.add(f"{name}.png")
    if not only:
        for path in ACCEPTED.glob("*.png"):
            if path.name not in names:
                path.unlink()
    FONT.write_text(font_words() + "\n", encoding="utf-8")
    return len(names)


def compare(studio: Studio, world: World, folder: Path, only: str = "") -> tuple[int, dict[str, list[Change]]]:
    """Return the number of pictures, and what is not as accepted, by the name of the picture.

    Of each that changed, `folder` then has the picture, the accepted one (`-accepted`) and what differs (`-difference`).
    """
    same = FONT.is_file() and FONT.read_text(encoding="utf-8").strip() == font_words()
    count, found = 0, {}
    for name, picture in pictures(studio, world, compared, only):
        count += 1
        seen, before = reduced(picture), kept(ACCEPTED / f"{name}.png")
        new = [Change("no accepted picture", 0, 0, picture.width(), picture.height())]
        changed = new if before.isNull() else changes(before, seen, SAME_FONT if same else OTHER_FONT)
        if changed:
            found[name] = changed
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(str(folder / f"{name}.png"))
            if not before.isNull():
                before.save(str(folder / f"{name}-accepted.png"))
                difference(before, seen, changed).save(str(folder / f"{name}-difference.png"))
    return count, found
