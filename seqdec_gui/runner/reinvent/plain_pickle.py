"""Follows a pickle of containers, numbers, text and tensors, and refuses every other.

Nothing that it names is imported or called: classes and functions are looked up in a table here, and what REINVENT's own
classes hold is kept as a `Record`. Python's `pickle` is not used, which would call what it is told to.
"""

from __future__ import annotations

import math
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

STORAGES = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4"}
"""The numbers in a storage of PyTorch, without the order of their bytes."""
RECORDED = ("ModelMetaData", "SMILESTokenizer", "Vocabulary")
"""Classes of REINVENT whose content is read as data."""
MOST_AXES, LARGEST_SIZE = 8, 2**48
"""Most axes of a tensor, and the bound of each size and stride."""


class Refused(Exception):
    """Why a file is not read, as the end of a sentence."""


class Storage(NamedTuple):
    """A storage of numbers: its name in the archive, what one number is, and how many there are."""

    key: str
    dtype: str
    size: int


class Record:
    """An object of a class of another program, and what it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: dict[Any, Any] = {}


class _Global(NamedTuple):
    """A class or function that a pickle names."""

    name: str


_MARK = object()
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_VALUES = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"})
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def content_of(data: bytes, numbers: Callable[[Storage], Array]) -> Any:
    """Return the object in a pickle, with tensors as arrays; `numbers` gives those of a storage. Raises Refused."""
    try:
        return _Machine(numbers).run(data)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, AssertionError, UnicodeDecodeError) as error:
        raise Refused("its description is damaged") from error


class _Machine:
    """The stack and the memory of a pickle."""

    def __init__(self, numbers: Callable[[Storage], Array]) -> None:
        self._numbers = numbers
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._read: dict[Storage, Array] = {}

    def run(self, data: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return self._stack.pop()
            self._do(opcode.name, argument)
        raise Refused("its description is cut off")

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            stack.append(tuple([stack.pop() for _ in range(_TUPLES[name])][::-1]))
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    stack.append(_MARK)
                case "TUPLE":
                    stack.append(tuple(self._to_mark()))
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_LIST":
                    stack.append([])
                case "APPEND" | "APPENDS":
                    items = self._to_mark() if name == "APPENDS" else [stack.pop()]
                    _expect(stack[-1], list).extend(items)
                case "SETITEM" | "SETITEMS":
                    items = self._to_mark() if name == "SETITEMS" else [stack.pop() for _ in range(2)][::-1]
                    _expect(stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))
                case "BINPUT" | "LONG_BINPUT":
                    self._memo[argument] = stack[-1]
                case "MEMOIZE":
                    self._memo[len(self._memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(self._memo[argument])
                case "GLOBAL":
                    stack.append(_global(*argument.split(" ", 1)))
                case "STACK_GLOBAL":
                    last, module = stack.pop(), stack.pop()
                    stack.append(_global(_expect(module, str), _expect(last, str)))
                case "BINPERSID":
                    stack.append(_storage(stack.pop()))
                case "REDUCE" | "NEWOBJ":
                    arguments, made = stack.pop(), stack.pop()
                    stack.append(self._made(_expect(made, _Global).name, _expect(arguments, tuple)))
                case "BUILD":
                    self._build(stack.pop())
                case _:
                    raise Refused(f"its description does more than hold data ({name.lower()})")

    def _to_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _build(self, state: Any) -> None:
        """Give an object its state. That of an ordered dictionary says of which version the layers are, and is not needed."""
        target = self._stack[-1]
        if isinstance(target, Record):
            target.state = _expect(state, dict)
        elif not isinstance(target, OrderedDict):
            raise Refused("its description changes an object that holds no data")

    def _made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "OrderedDict" and not arguments:
            return OrderedDict()
        if name == "_rebuild_tensor_v2":
            return self._tensor(*arguments[:4])
        if name == "_rebuild_parameter":
            return _expect(arguments[0], np.ndarray)
        if name in (*RECORDED, "UUID"):
            return Record(name)
        raise Refused(f"its description calls {name}")

    def _tensor(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        """Return the array of a tensor, in an order of its own."""
        storage = _expect(storage, Storage)
        if len(_expect(shape, tuple)) > MOST_AXES or len(shape) != len(_expect(strides, tuple)):
            raise Refused("a tensor in it is damaged")
        if not all(type(each) is int and 0 <= each < LARGEST_SIZE for each in (offset, *shape, *strides)):
            raise Refused("a tensor in it has a negative or very large size")
        count = math.prod(shape)
        last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
        if count and (count > storage.size or last >= storage.size):
            raise Refused(f"a tensor in it reaches beyond its {storage.size:,} numbers")
        if storage not in self._read:
            self._read[storage] = self._numbers(storage)
        flat = self._read[storage]
        if not count:
            return np.zeros(shape, flat.dtype)
        steps = tuple(step * flat.itemsize for step in strides)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False))


def _global(module: str, name: str) -> Any:
    if module == "torch" and name in STORAGES:
        return name
    if (module, name) in (("collections", "OrderedDict"), ("uuid", "UUID")):
        return _Global(name)
    if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        return _Global(name)
    if module.partition(".")[0] in ("reinvent", "reinvent_models") and name in RECORDED:
        return _Global(name)
    raise Refused(f"it names {f'{module}.{name}'[:80]}, which no prior needs and which could run code")


def _storage(pid: Any) -> Storage:
    match pid:
        case ("storage", str(kind), str(key), _, int(count)) if kind in STORAGES and count >= 0:
            return Storage(key, STORAGES[kind], count)
    raise Refused("it refers to something that is no storage of numbers")


def _expect(value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise Refused("its description is damaged")
    return value
