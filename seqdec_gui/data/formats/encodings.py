"""Converts the bytes of a text file to UTF-8, and reports the character encoding that was detected."""

from __future__ import annotations

import codecs
import contextlib
import math
import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from seqdec_gui.data.formats.encoding_candidates import TWO_BYTES, Candidate, candidates, is_thin, named
from seqdec_gui.data.formats.encoding_proposals import by_letters, lines_of
from seqdec_gui.data.formats.letter_evidence import weighed
from seqdec_gui.domain.bindings import WrongBytes
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

_BLOCK_BYTES = 16 * 2**20
"""The number of bytes that are converted at a time."""

_STRAY_SHARE = 0.2
"""The share of zeros below which text that is UTF-8 without them is not taken for UTF-16."""

_CONTROL_BYTES = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""A control character other than tab and line ends, as a byte."""

_WIDE_SAMPLE_BYTES = 2**20
"""The number of bytes that are tried as UTF-16 or UTF-32 if there is no byte order mark."""

_SHOWN_CHARACTERS = 40
"""The length, in characters, of the example in a message."""

_MARKS = (  # UTF-32 before UTF-16, whose mark is the beginning of that of UTF-32
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The byte order marks and the encodings that they show."""

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""A control character, which shows that text was decoded in the wrong encoding."""

_UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{3}"
)
"""A character outside ASCII in UTF-8."""

_LETTERS = rb"\x83\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff"
"""The letters of cp1252 that are not ASCII."""

_SYMBOLS = rb"\x80-\x82\x84\x86-\x89\x8b\x95\x98\x99\x9b\xa2-\xac\xae-\xb3\xb5\xb6\xb8-\xba\xbc-\xbf\xd7\xf7"
"""The signs of cp1252 that do not occur in words: neither letters nor quotes, dashes and soft hyphens."""

_NO_WORD = re.compile(
    rb"[" + _LETTERS + rb"]{3,}|(?=[\x80-\xff]*[" + _SYMBOLS + rb"][\x80-\xff]*[" + _SYMBOLS + rb"])[\x80-\xff]{4,}"
)
"""A sequence of letters or symbols that Western words hardly have, unlike words of other alphabets read as cp1252."""

_SYMBOL_IN_WORD = re.compile(rb"(?<=[A-Za-z" + _LETTERS + rb"])[" + _SYMBOLS + rb"](?=[A-Za-z" + _LETTERS + rb"])")
"""A symbol between two letters."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_PROOF_RUNS = 50_000
"""The largest number of runs of bytes outside ASCII that are examined for their alphabet."""

_UTF8_SHARE = 0.5
"""The share of valid UTF-8 in the bytes outside ASCII from which text is taken for UTF-8 with a few wrong bytes."""

_NO_WORD_SHARE = 0.5
"""The share of bytes outside ASCII without words of Western European text from which text is taken for another alphabet."""

_IN_WORD_SHARE = 0.1
"""The share of symbols inside words in the bytes outside ASCII from which text is taken for another alphabet."""

_FEWEST_IN_WORDS = 3
"""The least number of symbols inside words for which `_IN_WORD_SHARE` applies."""

_NEAR = 9.0
"""The logarithm of the ratio of likelihoods below which a reading beside cp1252 is named: it may be the right one."""

STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""A control character other than tab and line ends."""

_STRAY_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
"""The same in UTF-8."""

MARKS: dict[WrongBytes, str] = {"replace": "\N{REPLACEMENT CHARACTER}", "mark": "\x7f"}
"""What stands for bytes that are no text. U+007F is a control character, and so no symbol; JSON allows it."""

WRONG_BYTES = (
    "data.wrong_bytes=replace puts U+FFFD for such bytes, and data.wrong_bytes=mark with data.faulty_rows=leave_out leaves "
    "their rows out"
)
"""The part of a hint that says what can be done with bytes that are no text."""

PROPOSED = "data.wrong_bytes=replace"

_ASCII = bytes(range(0x80))
_WIDE_UNITS = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
"""The encodings that are tried for a file with zero bytes and without a byte order mark."""


class Decoded(NamedTuple):
    """The text of a file as UTF-8 without a byte order mark; `encoding` is the encoding that its bytes were read in."""

    content: bytes
    encoding: str
    problems: tuple[Problem, ...] = ()


def decoded(raw: bytes, name: str, encoding: str = "auto", wrong_bytes: WrongBytes = "refuse") -> Decoded:
    """Decode the bytes of the file `name`. `encoding` is Python's name of an encoding, or `auto` to detect it.

    `auto` tries, in this order: the byte order mark; UTF-16 and UTF-32 by their zero bytes; UTF-8, if all of the file is
    valid; Windows cp1252, if it assigns all bytes. Raises InvalidInput for binary content, for bytes that are not valid in the
    chosen encoding, and with `auto` for text that is UTF-8 except for a few bytes, that has no Western European words, or
    whose bytes are not all those of cp1252: in Latin-1 they would be control characters. Otherwise `wrong_bytes` says what
    stands for such bytes.
    """
    if wrong_bytes != "refuse":
        return _with_marks(raw, name, encoding, wrong_bytes)
    if encoding != "auto":
        return Decoded(_converted(raw, name, _with_byte_order(raw, codecs.lookup(encoding).name)), encoding)
    marked = next((encoding_of_mark for mark, encoding_of_mark in _MARKS if raw.startswith(mark)), "")
    if marked:
        return Decoded(_converted(raw, name, marked), marked)
    if b"\0" in raw:
        wide = _wide_encoding(raw)
        if not wide:
            raise not_text(f"{name} holds binary data (bytes of value 0); expected text with one row per line.")
        text = f"{name} has no byte order mark; its zero bytes show that it is {wide.upper()}."
        return Decoded(_converted(raw, name, wide), wide, (Problem("info", "encoding_detected", "data", text),))
    if is_utf8(raw):
        return Decoded(raw, "utf-8")
    doubt = _fail_if_not_western(raw, name)
    content = _converted(raw, name, "cp1252")
    text = f"{name} is not valid UTF-8, so it was read as Windows Western European text (cp1252): {_example(content)!r}."
    hint = "If these letters are wrong, set data.encoding or save the file as UTF-8."
    if doubt:
        said = named(doubt, "cp1252")
        guess = f"With so few letters outside ASCII that is a guess: {said}. " if is_thin(raw) else f"It may be {said}. "
        proposed = f"data.encoding={next(each.encoding for each in doubt if each.encoding != 'cp1252')}"
        return Decoded(content, "cp1252", (Problem("warning", "not_utf8", "data", text, guess + hint, proposed=proposed),))
    return Decoded(content, "cp1252", (Problem("warning", "not_utf8", "data", text, hint),))


def not_text(text: str) -> InvalidInput:
    """Return the refusal of a file that is no text, for the reason that is given as a sentence."""
    hint = f"Choose a text file, or set data.encoding; {WRONG_BYTES}."
    return InvalidInput([Problem("error", "not_text", "data", text, hint, proposed=PROPOSED)])


def _with_marks(raw: bytes, name: str, encoding: str, wrong_bytes: WrongBytes) -> Decoded:
    """Decode the bytes as `decoded` does, with a mark for each that is no text, and a warning of these.

    With `replace` these are control characters too.
    """
    mark, count = MARKS[wrong_bytes], 0
    plain = None
    if encoding == "auto":
        with contextlib.suppress(InvalidInput):
            plain = decoded(raw, name)
    if plain is None:
        found = next((each for start, each in _MARKS if raw.startswith(start)), "utf-8") if encoding == "auto" else encoding
        marked = Marked(mark)
        text = marked.decode(raw, _with_byte_order(raw, codecs.lookup(found).name)).removeprefix("\ufeff")
        count = marked.count + text.count("\0")
        plain = Decoded(text.replace("\0", mark).encode("utf-8", "replace"), found)
    if wrong_bytes == "replace" and _STRAY_BYTES.search(plain.content):
        text, controls = STRAY.subn(mark, plain.content.decode())
        count, plain = count + controls, plain._replace(content=text.encode())
    if not count:
        return plain
    line = line_at(plain.content, plain.content.find(mark.encode()))
    words = (
        f"{counted(count, 'byte')} of {name} that {'is' if count == 1 else 'are'} no text in {plain.encoding} became "
        f"U+{ord(mark):04X}; the first is in line {line}."
    )
    hint = "data.encoding sets another encoding, if letters are among them."
    return plain._replace(problems=(*plain.problems, Problem("warning", "wrong_bytes", "data", words, hint)))


class Marked:
    """Decodes bytes with a mark for each that is not valid, and counts these."""

    def __init__(self, mark: str) -> None:
        self.count = 0
        self._mark = mark

    def decode(self, raw: bytes, encoding: str) -> str:
        """Return the text of the bytes."""
        text = raw.decode(encoding, f"seqdec-gui-{ord(self._mark):x}")
        if self._mark in text:
            self.count += text.count(self._mark) - raw.decode(encoding, "ignore").count(self._mark)
        return text


def _marking(mark: str) -> Callable[[UnicodeError], tuple[str, int]]:
    def stand_in(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return mark * (error.end - error.start), error.end

    return stand_in


for _mark in MARKS.values():
    codecs.register_error(f"seqdec-gui-{ord(_mark):x}", _marking(_mark))


def decoded_texts(values: list[bytes | None]) -> tuple[list[str | None], str]:
    """Return the values as text, and the encoding of those that are not UTF-8: cp1252, latin-1, or empty if all are UTF-8."""
    texts: list[str | None] = []
    fallback = ""
    for value in values:
        if value is None:
            texts.append(None)
            continue
        try:
            texts.append(value.decode("utf-8"))
        except UnicodeDecodeError:
            western = "cp1252" if _is_valid(value, "cp1252") else "latin-1"
            texts.append(value.decode(western))
            fallback = western if fallback != "latin-1" else fallback
    return texts, fallback


def is_western(raw: bytes) -> bool:
    """Return whether bytes that are not UTF-8 may be Western European text.

    They are if they form words in cp1252, and if their letters are not clearly those of another language of one byte a letter.
    """
    return _forms_western_words(raw) and ((evidence := weighed(raw)) is None or not evidence.is_clear)


def _forms_western_words(raw: bytes) -> bool:
    foreign = _foreign(raw)
    total = len(foreign.translate(None, delete=_ASCII))
    no_words = sum(len(run[0]) for run in _NO_WORD.finditer(foreign))
    in_words = sum(1 for _ in _SYMBOL_IN_WORD.finditer(foreign))
    return no_words < _NO_WORD_SHARE * total and (in_words < _FEWEST_IN_WORDS or in_words < _IN_WORD_SHARE * total)


def _foreign(raw: bytes) -> bytes:
    """Return the first runs of bytes that are not ASCII, one a line, each with the byte before and the byte after it."""
    runs = islice(_NOT_ASCII.finditer(raw), _PROOF_RUNS)
    return b"\n".join(raw[max(0, run.start() - 1) : run.end() + 1] for run in runs)


def _fail_if_not_western(raw: bytes, name: str) -> list[Candidate]:
    """Raise InvalidInput for text that is UTF-8 except for a few bytes, or in an alphabet or with bytes that cp1252 lacks.

    Returns cp1252 and the encodings that the text may have as well; empty where there are no others.
    """
    foreign = _foreign(raw)
    valid = sum(len(letter[0]) for letter in _UTF8_LETTER.finditer(foreign))
    if valid and valid >= _UTF8_SHARE * len(foreign.translate(None, delete=_ASCII)) and by_letters(raw) not in TWO_BYTES:
        at, found_byte = _first_wrong(raw)
        text = f"Most letters of {name} are UTF-8, but byte 0x{found_byte:02x} in line {line_at(raw, at)} is not valid in it."
        hint = f"Correct that line, or set data.encoding if the file is written in another encoding; {WRONG_BYTES}."
        if is_thin(raw) and (possible := candidates(raw)):
            hint = f"That is a guess with so few letters outside ASCII; it may be that {named(possible)}. {hint}"
        raise InvalidInput([Problem("error", "wrong_encoding", "data", text, hint, proposed=PROPOSED)])
    if not (in_cp1252 := _is_valid(raw, "cp1252")) or not is_western(raw):
        text = f"{name} is not UTF-8, and "
        if not in_cp1252:
            text += "it has bytes that Western European text (cp1252) has not."
        else:
            text += (
                f"as Western European text (cp1252) its letters make no words: {_example(_converted(raw, name, 'cp1252'))!r}."
            )
        found = proposal(raw)
        if (evidence := weighed(raw)) is not None and evidence.is_clear and in_cp1252 and _forms_western_words(raw):
            text = (
                f"{name} is not UTF-8, and its letters are likelier those of {evidence.language} ({evidence.encoding}) than of "
                f"a Western European language, as which it would read {_example(_converted(raw, name, 'cp1252'))!r}."
            )
        hint = f"Save it as UTF-8, or set data.encoding to its encoding. If the bytes are no text, {WRONG_BYTES}."
        if in_cp1252:
            hint = (
                "Save it as UTF-8, or set data.encoding: cp1251 or koi8-r for Cyrillic, shift-jis or euc-jp for Japanese, "
                "gb18030 or big5 for Chinese, cp1250 for Central European text; cp1252 if it is right as shown. "
                f"If the bytes are no text, {WRONG_BYTES}."
            )
        hint = (found.hint if found else "") + hint
        proposed = f"data.encoding={found.encoding}" if found else PROPOSED
        raise InvalidInput([Problem("error", "wrong_encoding", "data", text, hint, proposed=proposed)])
    others = [each for each in candidates(raw) if _is_valid(raw, each.encoding)]
    western = next((each.score for each in others if each.encoding == "cp1252"), -math.inf)
    near = [each for each in others if each.encoding == "cp1252" or each.score > western - _NEAR]
    return near if any(each.encoding != "cp1252" for each in near) and (is_thin(raw) or _is_open(raw)) else []


def _is_open(raw: bytes) -> bool:
    return (evidence := weighed(raw)) is not None and evidence.is_open


class EncodingProposal(NamedTuple):
    """An encoding by Python's name, and a hint that shows how the text reads in it."""

    encoding: str
    hint: str


def proposal(raw: bytes) -> EncodingProposal | None:
    """Return the encoding in which the letters make words, or else that of charset-normalizer; None without one.

    Where there are few letters, the hint says that it is a guess and names the others that may be right.
    """
    possible = [each for each in candidates(raw) if _is_valid(raw, each.encoding)]
    name = by_letters(raw)
    evidence = weighed(raw)
    if evidence is not None and evidence.is_clear and (evidence.is_latin or _forms_western_words(raw)):
        name = evidence.encoding
    if is_thin(raw):
        name = next((each.encoding for each in possible if each.encoding != "cp1252"), "")
        if name and len(possible) > 1:
            hint = f"With so few letters outside ASCII that is a guess; others: {named(possible, name)}. "
            return EncodingProposal(name, _proposed(raw, name).hint + hint)
    if not name or not _is_valid(raw, name):
        import logging

        from charset_normalizer import from_bytes

        logging.getLogger("charset_normalizer").setLevel(logging.ERROR)
        best = from_bytes(lines_of(raw)).best()
        if best is None or best.encoding in ("utf_8", "ascii", "cp1252", "latin_1") or not _is_valid(raw, best.encoding):
            if not possible or possible[0].encoding == "cp1252":
                return None
            name = possible[0].encoding
        else:
            name = best.encoding.replace("_", "-")
    return _proposed(raw, name)


def _proposed(raw: bytes, name: str) -> EncodingProposal:
    example = _example(_converted(raw, "", name))
    hint = f"It may be {name}, in which it reads {example!r}: set data.encoding={name} if that is right. "
    return EncodingProposal(name, hint)


def _first_wrong(raw: bytes) -> tuple[int, int]:
    """The offset of the first byte that is not valid UTF-8, and this byte. Raises ValueError where all are."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start, raw[error.start]
    raise ValueError("expected bytes that are not UTF-8, received UTF-8")


def line_at(content: bytes, offset: int) -> int:
    """Return the number, from 1, of the physical line of the byte at this offset."""
    before = content[:offset]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def _converted(raw: bytes, name: str, encoding: str) -> bytes:
    """Decode bytes in this encoding and return them as UTF-8. Raises InvalidInput at the first byte that is not valid."""
    if encoding in ("utf-8", "utf-8-sig", "ascii") and raw.isascii():
        return raw
    decoder = codecs.getincrementaldecoder(encoding)()
    pieces = []
    at = 0
    try:
        for at in range(0, len(raw), _BLOCK_BYTES):
            pieces.append(decoder.decode(raw[at : at + _BLOCK_BYTES]).encode())
        pieces.append(decoder.decode(b"", final=True).encode())
    except UnicodeDecodeError as error:
        line = line_at(raw, min(len(raw), at + error.start))
        offender = f"byte 0x{error.object[error.start]:02x}" if error.start < len(error.object) else "the end of the file"
        text = f"{name} cannot be read as {encoding}: near line {line}, {offender} is not valid in it."
        hint = f"Set data.encoding to the encoding of the file, or to auto; {WRONG_BYTES}."
        raise InvalidInput([Problem("error", "wrong_encoding", "data", text, hint, proposed=PROPOSED)]) from error
    return b"".join(pieces).removeprefix(codecs.BOM_UTF8)


def _with_byte_order(raw: bytes, encoding: str) -> str:
    """Return the encoding with a byte order: for UTF-16 and UTF-32 without a mark, the order that the zero bytes show."""
    if encoding not in ("utf-16", "utf-32") or any(raw.startswith(mark) for mark, _ in _MARKS[1:]):
        return encoding
    wide = _wide_encoding(raw)
    return wide if wide.startswith(encoding) else f"{encoding}-le"


def _wide_encoding(raw: bytes) -> str:
    """Return the UTF-16 or UTF-32 encoding in which the start has line ends and no control characters; empty if none."""
    sample = raw[: min(len(raw), _WIDE_SAMPLE_BYTES) // 4 * 4 or len(raw)]
    if _has_stray_zeros(raw[:_WIDE_SAMPLE_BYTES]):
        return ""
    for encoding in _WIDE_UNITS:
        if len(raw) % (4 if encoding.startswith("utf-32") else 2):
            continue
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            text = decoder.decode(sample)
        except UnicodeDecodeError:
            continue
        if ("\n" in text or "\r" in text) and not _CONTROLS.search(text) and not re.search("[\ufffe\uffff]", text):
            return encoding
    return ""


def _has_stray_zeros(sample: bytes) -> bool:
    """Return whether bytes are text of one byte a letter with a few zeros in it, which would be other letters in UTF-16.

    In UTF-16 each line end has a zero, and text is no UTF-8 without its zeros, unless about every other byte is one.
    """
    zeros, ends = sample.count(b"\0"), sample.count(b"\n") + sample.count(b"\r")
    others = sample.replace(b"\0", b"")
    return 2 * zeros < ends or (zeros < _STRAY_SHARE * len(sample) and is_utf8(others) and not _CONTROL_BYTES.search(others))


def is_utf8(raw: object) -> bool:
    """Return whether the value is valid UTF-8, or is no bytes object."""
    return not isinstance(raw, bytes) or raw.isascii() or _is_valid(raw, "utf-8")


def _is_valid(raw: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for at in range(0, len(raw), _BLOCK_BYTES):
            decoder.decode(raw[at : at + _BLOCK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _example(content: bytes) -> str:
    """Return the text around the first letter that is not ASCII."""
    match = re.search(rb"[^\r\n]*[\x80-\xff][^\r\n]*", content)
    text = match[0].decode() if match else ""
    at = next((i for i, letter in enumerate(text) if not letter.isascii()), 0)
    first = max(0, at - _SHOWN_CHARACTERS // 2)
    return text[first : first + _SHOWN_CHARACTERS]
