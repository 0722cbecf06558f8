"""The form that chooses how the values of a bound column are written as numbers: the codec and its options."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import msgspec
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QSpinBox, QWidget

from seqdec_gui.data.codecs import FittedBits, FittedCategory, FittedCodec, FittedIds, FittedNumbers, FittedText
from seqdec_gui.domain.bindings import BitsCodec, CategoryCodec, Codec, IdsCodec, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox

KINDS: dict[str, tuple[str, type[Any]]] = {
    "text": ("Text to symbols", TextCodec),
    "category": ("Labels to one-hot", CategoryCodec),
    "ids": ("Ids of symbols", IdsCodec),
    "vector": ("Vector of numbers", VectorCodec),
    "values": ("Numbers as they are", ValuesCodec),
    "bits": ("Digits to bits", BitsCodec),
}
"""The codecs to choose from: the words shown and the class, by the codec's tag."""
OPTIONS = {
    "text": (
        "tokens",
        "length",
        "longer",
        "marks",
        "padding",
        "reverse",
        "lowercase",
        "normalise",
        "strip",
        "max_symbols",
        "min_count",
        "unknown",
        "numbering",
        "random_order",
    ),
    "vector": ("standardise", "scaling", "components", "missing"),
    "values": ("missing",),
    "ids": ("pad_id",),
    "bits": ("bits",),
}
"""The options shown for each codec, by the codec's tag."""
LABELS = {
    "tokens": "Symbols are",
    "length": "Length",
    "marks": "Begin and end",
    "padding": "Padding on the",
    "reverse": "Back to front",
    "lowercase": "Fold to lower case",
    "numbering": "Ids of symbols are",
    "standardise": "Standardised",
    "pad_id": "Id of padding",
    "longer": "Longer rows are",
    "normalise": "Unicode form",
    "strip": "Stripped",
    "max_symbols": "Symbols at most",
    "min_count": "Each occurs at least",
    "unknown": "Unknown symbol for others",
    "random_order": "Molecules in a random order of atoms, other in each epoch",
    "scaling": "Scaled to",
    "components": "Principal components",
    "missing": "A missing number is",
    "bits": "Digits of a row",
}
"""The words before an option's field, by the option's name."""
WORDS = {
    "both": "begin and end",
    "begin": "begin only",
    "end": "end only",
    "none": "none",
    "auto": "automatic",
    "shared": "alike in columns that belong together",
    "own": "counted by this column alone",
    "smiles": "atoms of SMILES",
    "selfies": "SELFIES",
    "graphemes": "letters with accents (graphemes)",
    "bpe": "subwords (BPE)",
    "unigram": "subwords (unigram model)",
    "refuse": "refused",
    "truncate": "cut at their ends",
    "nfc": "composed (NFC)",
    "nfkc": "composed, variants united (NFKC)",
    "newlines": "line ends",
    "spaces": "all white space",
    "mean": "the mean",
    "standard": "mean 0, deviation 1",
    "minmax": "0 to 1",
    True: "yes",
    False: "no",
}
"""The words of the choices of all options, by their value."""

NO_VALUE = {
    "length": "as the block needs",
    "pad_id": "none: every id counts",
    "max_symbols": "all symbols (subwords: 4,000)",
    "bits": "as the first row",
    "components": "none: all numbers",
}
"""The words of an empty number, by the option's name; others have one."""


def chosen_for(fitted: FittedCodec | None) -> Codec | None:
    """Return the codec that was fitted, with its options at their defaults: the choice that "automatic" made."""
    if isinstance(fitted, FittedText):
        return TextCodec()
    if isinstance(fitted, FittedCategory):
        return CategoryCodec()
    if isinstance(fitted, FittedIds):
        return IdsCodec()
    if isinstance(fitted, FittedBits):
        return BitsCodec()
    if isinstance(fitted, FittedNumbers):
        return VectorCodec() if fitted.mean else ValuesCodec()
    return None


class CodecForm(QWidget):
    """The choice of a codec and its options. Emits `codec_changed` with a Codec, or None for automatic.

    `name` ends the object names of its fields.
    """

    codec_changed = pyqtSignal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._codec: Codec | None = None
        self._shown: Codec | None = None
        self._fields: dict[str, QWidget] = {}
        self._filling = False
        self.kind = QComboBox(objectName=f"codec_{name}")
        self.kind.setAccessibleName("Written as")
        self.kind.addItem("Automatic", "")
        for key, (title, _) in KINDS.items():
            self.kind.addItem(title, key)
        self.kind.currentIndexChanged.connect(self._on_kind_current_index_changed)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, theme.SPACE, 0, theme.SPACE)
        self._form.setHorizontalSpacing(3 * theme.SPACE)
        self._form.setVerticalSpacing(theme.SPACE)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldsStayAtSizeHint)
        self._form.setLabelAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        self._form.addRow(_label("Written as"), self.kind)

    def show_codec(self, codec: Codec | None, automatic: Codec | None) -> None:
        """Show the codec of the binding; for None, the codec that automatic chose."""
        shown = codec if codec is not None else automatic
        self._filling = True
        try:
            self._codec = codec
            self.kind.setCurrentIndex(self.kind.findData("" if codec is None else _kind(codec)))
            title = f"Automatic ({KINDS[_kind(automatic)][0].lower()})" if automatic is not None else "Automatic"
            self.kind.setItemText(0, title)
            if shown is None or self._shown is None or type(shown) is not type(self._shown):
                self._rebuild(shown)
            self._shown = shown
            for option, field in self._fields.items():
                _show(field, getattr(shown, option))
        finally:
            self._filling = False

    def _rebuild(self, codec: Codec | None) -> None:
        while self._form.rowCount() > 1:
            self._form.removeRow(1)
        self._fields.clear()
        for option in () if codec is None else OPTIONS.get(_kind(codec), ()):
            field = self._field(type(codec), option)
            field.setObjectName(f"codec_{self._name}_{option}")
            field.setAccessibleName(LABELS[option])
            self._fields[option] = field
            if isinstance(field, QCheckBox):
                self._form.addRow("", field)
            else:
                self._form.addRow(_label(LABELS[option]), field)

    def _field(self, codec: type[Any], option: str) -> QWidget:
        hint = get_type_hints(codec)[option]
        if hint is bool:
            box = QCheckBox(LABELS[option])
            box.toggled.connect(self._on_field_changed)
            return box
        values = get_args(hint)
        if bool in values:  # true or false, or one of some words
            values = (*(word for part in values for word in get_args(part)), True, False)
        if str in map(type, values):
            choice = QComboBox()
            for value in values:
                choice.addItem(WORDS.get(value, value), value)
            choice.currentIndexChanged.connect(self._on_field_changed)
            return choice
        if float in (hint, *values):
            share = DecimalBox()
            share.setRange(0.0, 8192.0)
            share.setDecimals(4)
            share.setSpecialValueText(NO_VALUE[option])
            share.valueChanged.connect(self._on_field_changed)
            return share
        number = WholeNumberBox()
        if option in NO_VALUE:
            number.setRange(*((-1, 2**31 - 1) if option == "pad_id" else (0, 1_000_000)))
            number.setSpecialValueText(NO_VALUE[option])
        else:
            number.setRange(1, 1_000_000)
            number.setSuffix(" times")
        number.valueChanged.connect(self._on_field_changed)
        return number

    @pyqtSlot(int)
    def _on_kind_current_index_changed(self, _index: int) -> None:
        if not self._filling:
            key = self.kind.currentData()
            self.codec_changed.emit(KINDS[key][1]() if key else None)

    def _on_field_changed(self, _value: object) -> None:
        if self._filling or self._shown is None:
            return
        values = {option: _value_of(field) for option, field in self._fields.items()}
        self.codec_changed.emit(msgspec.structs.replace(self._shown, **values))


def _kind(codec: Codec) -> str:
    return str(type(codec).__struct_config__.tag)


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "dim")
    label.setMinimumHeight(theme.CONTROL_HEIGHT)
    return label


def _show(field: QWidget, value: Any) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(value)
    elif isinstance(field, QComboBox):
        same = (i for i in range(field.count()) if field.itemData(i) == value)  # Qt takes "auto" and True for equal
        field.setCurrentIndex(next(same, -1))
    elif isinstance(field, QSpinBox | QDoubleSpinBox):
        field.setValue(field.minimum() if value is None else value)


def _value_of(field: QWidget) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QComboBox):
        return field.currentData()
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    return None if field.specialValueText() and field.value() == field.minimum() else field.value()
