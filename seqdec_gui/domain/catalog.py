"""The table of block kinds, and descriptions of them for forms, for `seqdec-gui catalog` and for the palette."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from seqdec_gui.domain.conversion import range_text
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.kinds.bottleneck import Bottleneck
from seqdec_gui.domain.kinds.conv_encoder import ConvEncoder
from seqdec_gui.domain.kinds.dense_states import DenseStates
from seqdec_gui.domain.kinds.inputs import FloatSequence, TokenSequence, Vector
from seqdec_gui.domain.kinds.keras_model import KerasModel
from seqdec_gui.domain.kinds.layer_stack import LayerStack
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.merge import Add, Concatenate
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.domain.kinds.transformer_decoder import TransformerDecoder
from seqdec_gui.domain.kinds.transformer_encoder import TransformerEncoder

_ORDER: tuple[type[Kind], ...] = (
    Vector, FloatSequence, TokenSequence, DenseStates, RecurrentEncoder, ConvEncoder, TransformerEncoder, Bottleneck,
    RecurrentDecoder, TransformerDecoder, LayerStack, Concatenate, Add, KerasModel, Loss,
)  # fmt: skip
"""The kinds in the order of the palette."""

KINDS: dict[str, type[Kind]] = {kind.kind(): kind for kind in _ORDER}
"""Every kind by its name in design files."""

FieldType = Literal["integer", "number", "boolean", "text", "choice", "integers", "numbers", "texts", "choices", "table"]


class Field(msgspec.Struct, frozen=True):
    """One parameter as a form needs it.

    `minimum` and `maximum` are inclusive unless `open_minimum` / `open_maximum` say otherwise; for lists they bound each
    item and `min_items`, `max_items` the length. `optional` fields may be empty (None). `rows` describes a table: the fields of
    each row type by name.
    """

    name: str
    type: FieldType
    default: Any
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    min_items: int | None = None
    max_items: int | None = None
    optional: bool = False
    rows: dict[str, tuple[Field, ...]] = {}

    def range_text(self) -> str:
        """Return the range as text: `1 to 65,536`, `above 0, below 1`; empty without bounds."""
        return range_text(self.minimum, self.maximum, self.open_minimum, self.open_maximum)


def fields(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the parameters of a kind, of a layer of a stack, or of the training, in the order of the form."""
    known = _fields.get(struct)
    if known is None:
        hints = get_type_hints(struct, include_extras=True)
        known = tuple(_field(info.name, hints[info.name], info) for info in msgspec.structs.fields(struct))
        _fields[struct] = known
    return known


_fields: dict[type[msgspec.Struct], tuple[Field, ...]] = {}


def _field(name: str, hint: Any, info: msgspec.structs.FieldInfo) -> Field:
    default = info.default
    if default is msgspec.NODEFAULT:
        default = None if info.default_factory is msgspec.NODEFAULT else info.default_factory()
    return _described(name, hint, default)


def _described(name: str, hint: Any, default: Any) -> Field:
    """Return the field of a parameter from its type hint and its default."""
    properties: dict[str, Any] = {}
    hint, metas = _unwrapped(hint)
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        properties["optional"] = True
        (hint,) = (part for part in get_args(hint) if part is not type(None))
        hint, inner = _unwrapped(hint)
        metas = [*metas, *inner]
    for meta in metas:
        properties |= _bounds(meta)
    if get_origin(hint) is tuple:
        item, item_metas = _unwrapped(get_args(hint)[0])
        for meta in item_metas:
            properties |= {key: value for key, value in _bounds(meta).items() if key != "help"}
        if get_origin(item) in (Union, types.UnionType) and all(issubclass(row, msgspec.Struct) for row in get_args(item)):
            rows = {row.__struct_config__.tag: fields(row) for row in get_args(item)}
            return Field(name, "table", default, rows=rows, **properties)
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return Field(name, "table", default, rows={item.__name__: fields(item)}, **properties)
        if get_origin(item) is Literal:
            return Field(name, "choices", default, choices=get_args(item), **properties)
        lists: dict[Any, FieldType] = {str: "texts", float: "numbers"}
        return Field(name, lists.get(item, "integers"), default, **properties)
    if get_origin(hint) is Literal:
        return Field(name, "choice", default, choices=get_args(hint), **properties)
    if get_origin(hint) in (Union, types.UnionType):  # true or false, or one of some words
        words = [word for part in get_args(hint) if get_origin(part) is Literal for word in get_args(part)]
        return Field(name, "boolean", default, choices=(*words, "true", "false"), **properties)
    names: dict[Any, FieldType] = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return Field(name, names[hint], default, **properties)


def _unwrapped(hint: Any) -> tuple[Any, list[msgspec.Meta]]:
    if get_origin(hint) is Annotated:
        base, *metas = get_args(hint)
        return base, [meta for meta in metas if isinstance(meta, msgspec.Meta)]
    return hint, []


def _bounds(meta: msgspec.Meta) -> dict[str, Any]:
    """Return the bounds and the help text in `meta` as arguments of `Field`."""
    properties: dict[str, Any] = {}
    for key, name, is_open in (
        ("ge", "minimum", False),
        ("gt", "minimum", True),
        ("le", "maximum", False),
        ("lt", "maximum", True),
    ):
        value = getattr(meta, key)
        if value is not None:
            properties[name] = value
            if is_open:
                properties[f"open_{name}"] = True
    properties |= {} if meta.min_length is None else {"min_items": meta.min_length}
    properties |= {} if meta.max_length is None else {"max_items": meta.max_length}
    properties |= {} if meta.description is None else {"help": meta.description}
    return properties


def describe() -> dict[str, Any]:
    """Return every kind as plain data: parameters (name, type, range, default, help), ports and example layer names."""
    return {name: _describe_kind(kind) for name, kind in KINDS.items()}


def _describe_kind(kind: type[Kind]) -> dict[str, Any]:
    default = kind()
    return {
        "title": kind.title,
        "summary": kind.summary,
        "category": kind.category,
        "parameters": [_plain(field) for field in fields(kind)],
        "inputs": [msgspec.to_builtins(port) for port in default.inputs()],
        "outputs": [msgspec.to_builtins(port) for port in default.outputs()],
        "layer_names": list(_example_layer_names(default)),
    }


def _plain(field: Field) -> dict[str, Any]:
    plain = {"name": field.name, "type": field.type, "default": msgspec.to_builtins(field.default), "help": field.help}
    plain |= {"range": field.range_text()} if field.range_text() else {}
    plain |= {"choices": list(field.choices)} if field.choices else {}
    for key in ("minimum", "maximum", "open_minimum", "open_maximum", "min_items", "max_items", "optional"):
        if getattr(field, key) not in (None, False):
            plain[key] = getattr(field, key)
    if field.rows:
        plain["rows"] = {row: [_plain(inner) for inner in inners] for row, inners in field.rows.items()}
    return plain


def _example_layer_names(kind: Kind) -> tuple[str, ...]:
    """Return the layer names with default hyperparameters and the example inputs of the kind."""
    submodel = kind.submodel(kind.example_inputs())
    return () if submodel is None else submodel.layer_names()
