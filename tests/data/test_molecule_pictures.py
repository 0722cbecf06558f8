"""Which data may be molecules, by the symbols of their texts."""

from __future__ import annotations

import pytest

from seqdec_gui.data.molecule_pictures import may_be_smiles


@pytest.mark.parametrize(
    ("symbols", "may"),
    [
        ("CNOF()=#1c", True),
        (["C", "Cl", "[nH]", "[C@@H]", "(", ")"], True),
        ("C[]Sei+-", True),
        ("IVXLCDM", False),  # Roman numerals have C and I
        ("abcdefghijklmnopqrstuvwxyz", False),
        ('{"C": 1}', False),
        ("0123456789", False),
        ("ON", False),
        ("", False),
    ],
)
def test_only_texts_of_elements_with_carbon_may_be_smiles(symbols: list[str] | str, may: bool) -> None:
    assert may_be_smiles(symbols) is may
