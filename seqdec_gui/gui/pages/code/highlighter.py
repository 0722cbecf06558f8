"""Syntax highlighting of Python in the colours of the theme."""

from __future__ import annotations

import builtins
import keyword

from PyQt5.QtCore import QRegularExpression
from PyQt5.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from seqdec_gui.gui.look import theme

_QUOTES = '"""'
"""The quotes that begin and end a docstring."""
_IN_DOCSTRING = 1
"""The state of a text block that ends inside a docstring."""


class PythonHighlighter(QSyntaxHighlighter):
    """Colours keywords, defined names, arguments, numbers, strings, docstrings and comments."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        names = "|".join(sorted({"print", "range", "len", "list", "dict", "tuple", "str", "int"} & set(dir(builtins))))
        self._patterns = [
            (QRegularExpression(rf"\b(?:{names})\b"), "builtin", 0),
            (QRegularExpression(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b"), "number", 0),
            (QRegularExpression(r"\b([A-Za-z_]\w*)(?==[^=])"), "argument", 1),
            (QRegularExpression(rf"\b(?:{'|'.join(keyword.kwlist)})\b"), "keyword", 0),
            (QRegularExpression(r"\b(?:def|class)\s+(\w+)"), "definition", 1),
            (QRegularExpression(r"""f?"[^"\n]*"|f?'[^'\n]*'"""), "string", 0),
            (QRegularExpression(r"#[^\n]*"), "comment", 0),
        ]
        self._formats: dict[str, QTextCharFormat] = {}
        self.recolour()

    def recolour(self) -> None:
        """Use the colours of the theme in use."""
        look = theme.current()
        colours = {
            "keyword": look.category["Decoders"],
            "definition": look.category["Encoders"],
            "builtin": look.category["Inputs"],
            "number": look.category["Training"],
            "string": look.ok,
            "comment": look.text_dim,
            "argument": look.text_dim,
        }
        for name, colour in colours.items():
            looks = QTextCharFormat()
            looks.setForeground(theme.color(colour))
            self._formats[name] = looks
        self.rehighlight()

    def highlightBlock(self, text: str | None) -> None:
        line = text or ""
        if self.previousBlockState() != _IN_DOCSTRING and _QUOTES not in line:
            self._highlight_code(line)
            self.setCurrentBlockState(0)
            return
        start = 0 if self.previousBlockState() == _IN_DOCSTRING else line.index(_QUOTES)
        search = start if self.previousBlockState() == _IN_DOCSTRING else start + len(_QUOTES)
        end = line.find(_QUOTES, search)
        self._highlight_code(line[:start])
        stop = len(line) if end < 0 else end + len(_QUOTES)
        self.setFormat(start, stop - start, self._formats["string"])
        self.setCurrentBlockState(_IN_DOCSTRING if end < 0 else 0)

    def _highlight_code(self, line: str) -> None:
        for pattern, name, group in self._patterns:
            matches = pattern.globalMatch(line)
            while matches.hasNext():
                match = matches.next()
                self.setFormat(match.capturedStart(group), match.capturedLength(group), self._formats[name])
