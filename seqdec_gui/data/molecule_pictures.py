"""Draws the structures of SMILES with rdkit, an extra. Nothing of it is imported before the first picture."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from importlib.util import find_spec

_OUTSIDE = frozenset("BCNOPSFIlrbcnops0123456789()=#$:~-+/\\.%*@")
"""The characters of SMILES outside brackets; within them is any element."""
_lock = threading.Lock()


def can_draw() -> bool:
    """Return whether rdkit is installed."""
    return find_spec("rdkit") is not None


def may_be_smiles(symbols: Iterable[str]) -> bool:
    """Return whether texts of these symbols, such as `Cl` or `[nH]`, can be SMILES: carbon, and no letter but of elements."""
    letters = set("".join(symbols))
    elements = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz[]>") if {"[", "]"} <= letters else set[str]()
    return bool(letters & {"C", "c"}) and letters <= _OUTSIDE | elements


def structure_png(smiles: str, width: int, height: int, dark: bool = False) -> bytes:
    """Return a picture of a structure as PNG with a transparent ground; empty if the text is no SMILES.

    It is slow the first time (rdkit is imported), so call it in a thread. `dark`: light lines for a dark ground.
    """
    from rdkit import Chem, RDLogger
    from rdkit.Chem.Draw import rdMolDraw2D

    with _lock:
        RDLogger.DisableLog("rdApp.*")  # that a text is no SMILES is no news
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
        if molecule is None or not molecule.GetNumAtoms():
            return b""
        canvas = rdMolDraw2D.MolDraw2DCairo(width, height)
        options = canvas.drawOptions()
        if dark:
            rdMolDraw2D.SetDarkMode(options)
        options.setBackgroundColour((0, 0, 0, 0))
        options.maxFontSize, options.fixedBondLength = 14, 22
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
        canvas.FinishDrawing()
        return bytes(canvas.GetDrawingText())
