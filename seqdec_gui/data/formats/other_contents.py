"""Finds text whose lines are no rows though it is read by the line: sequences, molecules, JSON, pages, other columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence

from seqdec_gui.data.formats.encodings import line_at
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import counted

TO_LINES = (
    "Write one object a line: a list of them in Python with pandas.read_json(FILE).to_json(OUT, orient='records', lines=True), "
    "objects one after the other with jq -c . FILE > OUT."
)
"""What to do with JSON that is not divided into lines."""

_SAMPLE_BYTES = 2**16
"""The number of bytes that are looked at."""

_SEARCHED_BYTES = 2**24
"""The number of bytes in which signs that stand for other letters are looked for."""

_FEWEST_LINES = 5
"""The number of lines from which their pattern shows something."""

_MOST = 0.9
"""The share of lines that must follow a pattern."""

_SEQUENCE = re.compile(r"[A-Za-z*.\-]{3,}\s*")
"""A line of a sequence in a FASTA file."""

_RESIDUES = re.compile(r"[ACDEFGHIKLMNPQRSTUVWY*\-Xacgtun]+\s*")
_PAGE = re.compile(r"\s*<(!doctype|html|\?xml|svg)\b", re.IGNORECASE)
_JSON_WHOLE = re.compile(r'\s*(\[\s*(\{\s*"|\[\s*["\d\-])|\{\s*("|\r?\n))')
_DASHES = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*")
"""The line below the names of a table of Markdown."""

_FEWEST_GAPS = 2
"""The number of lines with gaps of several spaces from which equally many words a line are columns."""

_OTHER_MARKS = {"^": "^", "~": "~", ":": ":", "\x01": r"\x01", "\x1e": r"\x1e", "\x1f": r"\x1f", "=": "="}
"""What divides cells in some files and is no delimiter here, as a message writes it."""

_INVISIBLE = {
    0xFEFF: "a mark of byte order, as files have at their beginning",
    0x200B: "a space of no width",
    0x2060: "a word joiner",
}
"""Characters that cannot be seen and mean nothing in a text; joiners that letters of some scripts need are not among them."""

_SPOILT = (
    (
        (b"\xc3", rb"\xc3[\x82\x83]\xc2[\x80-\xbf]|\xc3\xa2\xe2\x82\xac"),
        "which are the bytes of one letter in UTF-8, read as two in cp1252 by an earlier program",
        "In Python, text.encode('cp1252').decode('utf-8') gives the letters back where all of a text is so.",
    ),
    (
        (b"\xef\xbf\xbd", rb"\xef\xbf\xbd"),
        "which stands where an earlier program could not read a letter",
        "Take the file from where it came, or leave these rows out: the letters are lost in it.",
    ),
    (
        (b";", rb"&(?:amp|lt|gt|quot|nbsp|apos|[aeioucnAEIOUCN](?:uml|acute|grave|circ|tilde|cedil)|#\d{2,5});"),
        "as HTML writes a character",
        "In Python, html.unescape(text) gives the characters.",
    ),
)
"""Signs that stand for other letters: a byte that they have, their pattern, what they come of and what helps."""

_WORDS = re.compile(r'"[^"]*"|\S+')
_GAPS = re.compile(r" {2,}|\t+")

_SEQUENCES = (
    "One sequence a row: write them into a .csv file, with their names beside them; with Biopython, SeqIO.parse(FILE, {!r})."
)
_LINES = "data.delimiter=none confirms that its lines are the rows."
_TO_CSV = "In Python, pandas.read_csv(FILE, sep={!r}).to_csv(OUT, index=False) writes it with commas"


def other_content_problems(content: bytes, name: str) -> list[Problem]:
    """Warn of text that a reader of rows cuts into pieces: the lines of FASTA, FASTQ, SDF, JSON, HTML and Markdown."""
    lines = _first_lines(content)
    for kind, is_of, remedy in _KINDS:
        if lines and is_of(lines):
            text = f"{name} looks like {kind}, whose lines are no rows; it is read line by line."
            return [Problem("warning", "other_content", "data", text, f"{remedy} {_LINES}")]
    return []


def what_helps(content: bytes) -> str:
    """Return what to do with text whose lines are no rows; "" if it is not known as such."""
    return next((problem.hint for problem in other_content_problems(content, "")), "")


def character_problems(content: bytes, name: str) -> list[Problem]:
    """Warn of characters without width, and of signs that come of a wrong encoding or of HTML in the place of letters."""
    problems = []
    for code, what in {} if content.isascii() else _INVISIBLE.items():
        mark = chr(code).encode()
        if (at := content.find(mark)) >= 0:
            text = f"{counted(content.count(mark), 'character')} U+{code:04X} ({what}) of {name} cannot be seen and "
            text += f"{'is a symbol' if content.count(mark) == 1 else 'are symbols'} here; the first is in line "
            text += f"{line_at(content, at)} of the table."
            hint = f"Remove it: in Python, text.replace({chr(code)!a}, '')."
            problems.append(Problem("warning", "invisible_characters", "data", text, hint))
            break
    for sign, what, hint in _SPOILT:
        if sign[0] in content and (found := re.compile(sign[1]).search(content, 0, _SEARCHED_BYTES)):
            shown = found[0].decode("utf-8", "replace")
            text = f"{name} holds {shown!r} in line {line_at(content, found.start())} of the table, {what}."
            problems.append(Problem("warning", "spoilt_letters", "data", text, hint))
    return problems


def other_mark_problems(content: bytes, name: str, delimiters: Sequence[str]) -> list[Problem]:
    """Warn where lines that are read as one cell form columns: by one of these delimiters, by another mark, or by spaces."""
    lines = [line for line in _first_lines(content) if line.strip()]
    if len(lines) < _FEWEST_LINES:
        return []
    for mark in delimiters:
        if _divides(lines, mark):
            written = {"\t": "tab", " ": "space"}.get(mark, mark)
            return [
                _assumed(name, f"{written!r} divides all of them into equally many cells", f"Set data.delimiter={written}.")
            ]
    for mark, written in _OTHER_MARKS.items():
        if _divides(lines, mark):
            hint = f"{_TO_CSV.format(mark)}, if it is a table."
            return [_assumed(name, f"{written} divides all of them into equally many cells", hint)]
    if _is_aligned(lines):
        hint = "In Python, pandas.read_fwf(FILE).to_csv(OUT, index=False) writes it with commas, if it is a table."
        return [_assumed(name, "they look like columns of a fixed width, or with several spaces between them", hint)]
    widths = [len(_WORDS.findall(line)) for line in lines]
    if widths[0] > 1 and len(lines) > _FEWEST_LINES and set(widths[1:]) == {widths[0] + 1}:
        said = f"the first has {widths[0]} words and each of the others {widths[1]}, as R's write.table writes names of rows"
        hint = f"In R: write.csv(table, FILE, row.names = FALSE). {_TO_CSV.format(chr(92) + 's+')}."
        return [_assumed(name, said, hint)]
    return []


def _assumed(name: str, said: str, hint: str) -> Problem:
    text = f"Every line of {name} is read as one cell, though {said}."
    return Problem("warning", "delimiter_assumed", "data", text, f"{hint} data.delimiter=none confirms that each is one text.")


def _divides(lines: list[str], mark: str) -> bool:
    """Return whether a mark stands equally often in all lines, with something before it and behind it."""
    counts = {line.count(mark) for line in lines}
    return counts != {0} and len(counts) == 1 and all(line.strip().strip(mark) == line.strip() for line in lines)


def _is_aligned(lines: list[str]) -> bool:
    """Return whether gaps of several spaces cut most lines into equally many cells."""
    parts = [len(_GAPS.split(line.strip())) for line in lines]
    width, times = Counter(parts).most_common(1)[0]
    if width > 1 and times >= _MOST * len(lines):
        return True
    words = {len(line.split()) for line in lines}
    return len(words) == 1 and words != {1} and sum("  " in line.strip() for line in lines) >= _FEWEST_GAPS


def _first_lines(content: bytes) -> list[str]:
    """Return the first lines; the last of the bytes that are looked at is left out if it may be incomplete."""
    lines = content[:_SAMPLE_BYTES].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if len(content) > _SAMPLE_BYTES or not lines[-1] else lines


# -- kinds
def _is_fasta(lines: list[str]) -> bool:
    if len(lines) < 2 or not re.match(r">\s*[^>\s]", lines[0]):
        return False
    below = [line for line in lines[1:] if line.strip() and not line.startswith((">", ";"))]
    return bool(below) and sum(map(bool, map(_SEQUENCE.fullmatch, below))) >= _MOST * len(below)


def _is_fastq(lines: list[str]) -> bool:
    groups = [lines[at : at + 4] for at in range(0, len(lines) - 3, 4)]
    return bool(groups) and all(
        group[0][:1] == "@" and group[2][:1] == "+" and len(group[1]) == len(group[3]) and _RESIDUES.fullmatch(group[1])
        for group in groups
    )


def _is_molfile(lines: list[str]) -> bool:
    return any(line.rstrip().endswith(("V2000", "V3000")) for line in lines[:6]) or lines[0].startswith("@<TRIPOS>")


def _is_page(lines: list[str]) -> bool:
    return _PAGE.match(lines[0]) is not None


def _is_markdown(lines: list[str]) -> bool:
    return len(lines) > 2 and "|" in lines[0] and _DASHES.fullmatch(lines[1]) is not None and "|" in lines[1]


def _is_json_lines(lines: list[str]) -> bool:
    try:
        return len(lines) > 1 and all(isinstance(json.loads(line), dict) for line in lines[:_FEWEST_LINES] if line.strip())
    except ValueError:
        return False


def _is_json(lines: list[str]) -> bool:
    return _JSON_WHOLE.match("\n".join(lines[:_FEWEST_LINES])) is not None


_KINDS: tuple[tuple[str, Callable[[list[str]], bool], str], ...] = (
    ("FASTA", _is_fasta, _SEQUENCES.format("fasta")),
    ("FASTQ", _is_fastq, _SEQUENCES.format("fastq")),
    ("molecules with coordinates (SDF or MOL2)", _is_molfile, "Save them as .smi: obabel FILE -O OUT.smi."),
    ("HTML or XML", _is_page, "It may be the error message of a download: open it in a browser, and save the data."),
    ("JSON lines", _is_json_lines, "Give it the ending .jsonl."),
    ("JSON", _is_json, TO_LINES),
    ("a table of Markdown", _is_markdown, "Remove the line of dashes, and the bars at both ends of each line."),
)
"""Kinds of text, how each is known by its first lines, and what to do."""
