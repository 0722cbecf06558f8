"""Makes the data of the bundled examples again.

`python make_examples.py` writes data/roman.csv; with a folder that holds `digits.npz`, `moses_le32_20k_11desc.npz` and
`cmudict.dict.gz` (origins: data/LICENSES.md) it writes all four files.
"""

import csv
import gzip
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
VALUES = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
NUMERALS = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")


def roman(number: int) -> str:
    """1 to 3999 as a Roman numeral."""
    text = ""
    for value, numeral in zip(VALUES, NUMERALS, strict=True):
        text += numeral * (number // value)
        number %= value
    return text


def write_csv(name: str, header: tuple[str, str], rows: Iterable[tuple[object, str]]) -> None:
    with (DATA / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def molecules(source: Path, rows: int = 5000) -> None:
    """The first molecules of the file, whose order is random already."""
    with np.load(source, allow_pickle=False) as file:
        np.savez_compressed(DATA / "molecules.npz", X=file["X"][:rows], smiles=file["smiles"][:rows], names=file["names"])


def pronunciations(source: Path, words: int = 20_000) -> None:
    """The first pronunciation, without stress, of words of 3 to 12 letters and at most 13 phones; a seeded choice, sorted."""
    found = {}
    with gzip.open(source, "rt", encoding="utf-8") as file:
        for line in file:
            word, *phones = line.partition(" #")[0].split()
            if re.fullmatch(r"[a-z']{3,12}", word) and len(phones) <= 13:
                found[word] = " ".join(phone.rstrip("012") for phone in phones)
    chosen = np.random.RandomState(0).choice(sorted(found), words, replace=False)
    write_csv("pronunciations.csv", ("word", "phones"), ((word, found[word]) for word in sorted(map(str, chosen))))


def main() -> None:
    DATA.mkdir(exist_ok=True)
    write_csv("roman.csv", ("number", "roman"), ((number, roman(number)) for number in range(1, 4000)))
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        shutil.copyfile(folder / "digits.npz", DATA / "digits.npz")
        molecules(folder / "moses_le32_20k_11desc.npz")
        pronunciations(folder / "cmudict.dict.gz")


if __name__ == "__main__":
    main()
