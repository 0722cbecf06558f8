"""Python source of generated scripts: how names and values are written, and which constructs a script may contain.

A design file may come from anybody, and its script is executed. Every name in a script goes through `identifier` or
`Names`, every value through `literal` or `docstring`, and `verified` compares the finished text with what the generator can
make before anybody runs it.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterable, Set

from seqdec_gui.domain.problems import SeqdecError

LONGEST_NAME = 400
"""The number of characters to which a name that is derived from others is cut."""


class SourceError(SeqdecError):
    """A bug of the generator: a name or value that no script can contain, or a script that it cannot have generated."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The script of this design was not generated: {what}. This is a bug; please report it.")


# -- names and values
def is_identifier(name: str) -> bool:
    """Return whether a script can use this name. It must be ASCII, since Python treats some other letters as equal."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def identifier(name: str) -> str:
    """Return the name itself. Raises SourceError if a script cannot use it."""
    if not is_identifier(name):
        raise SourceError(f"{name[:60]!r} is no identifier")
    return name


def literal(value: object) -> str:
    """Return a value as Python source: `repr`, with the double quotes that formatters prefer.

    Takes None, truth values, finite numbers, text and tuples of these; raises SourceError for all else.
    """
    if type(value) is str:
        if not set(value) & set("'\"\\") and value.isprintable():
            return f'"{value}"'
        return repr(value)
    if type(value) is tuple:
        items = [literal(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise SourceError(f"{type(value).__name__} {str(value)[:60]!r} is no value that a script can hold")


def docstring(text: str) -> str:
    """Return the text in triple quotes, with its line breaks."""
    body = re.sub(r'[\\"](?="")|\\|"\Z', lambda match: "\\" + match[0], text)
    return '"""' + "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in body) + '"""'


class Names:
    """Hands out unique names for one script."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def new(self, wanted: str) -> str:
        """Return `wanted` as an identifier, with underscores added until it is unique."""
        name = wanted if is_identifier(wanted) else re.sub(r"\W+", "_", wanted, flags=re.ASCII)
        name = name[:LONGEST_NAME]
        if not is_identifier(name):  # a keyword, or a digit in front
            name = f"value_{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return identifier(name)


# -- the finished script
_IMPORTS = frozenset({"import math", "from pathlib import Path", "import keras", "from keras import layers"})
"""The import statements that a script may contain."""

_ANNOTATIONS = frozenset({"keras.Model", "dict[str, keras.Model]"})
"""The return types of functions of a script."""

_KERAS_CALLABLE = frozenset({"Input", "Model"})
"""The members of `keras` that a script may call."""

_SETTABLE = frozenset({"name", "trainable"})
"""The attributes of a model that a script may set."""

SINUSOID = '''def sinusoid(steps, width):
    """Sines and cosines of the places of steps, (steps, width): Vaswani et al., 2017, section 3.5."""
    rates = [10000.0 ** (-2 * (column // 2) / width) for column in range(width)]
    return [
        [
            math.cos(step * rate) if column % 2 else math.sin(step * rate)
            for column, rate in enumerate(rates)
        ]
        for step in range(steps)
    ]
'''
"""The only function with parameters that a script may contain: it computes the table of a `Sinusoid`."""

_SINUSOID_CALL = re.compile(r"sinusoid\(\d+, \d+\)")
_SINUSOID_CODE = ast.unparse(ast.parse(SINUSOID))
_MAIN = "if __name__ == '__main__':\n    build()['full'].summary(expand_nested=True)"
_FILE = re.compile(r"Path\(__file__\)\.with_name\((['\"])[A-Za-z0-9_]+\.(keras|h5|hdf5)\1\)")
_MODULES = frozenset({"keras", "layers", "Path"})
"""The names that no assignment and no function of a script may take."""

_PARSE_ATTEMPTS = 10
"""The number of times that parsing is tried; see `_parsed`."""

_CONSTANTS = (str, bool, int, float, type(None))
"""The types of constants that a script may contain."""


def verified(text: str, layer_classes: Set[str]) -> str:
    """Return the script if it contains only constructs that `codegen` writes; raises SourceError otherwise.

    These are imports of Keras, functions without parameters, assignments of calls of layers, of models and of those
    functions, plain values, `SINUSOID` word for word, and one `if __name__` that prints a summary.
    """
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"it is no Python ({error})") from None
    functions = frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef)) - {"sinusoid"}
    _Verifier(functions, layer_classes).module(tree)
    return text


def _parsed(text: str) -> ast.Module:
    """Parse a script.

    CPython 3.11 counts the depth of recursion once for all threads, so that `ast.parse` fails with a SystemError where another
    thread parses as well, as NumPy does for the head of every file.
    """
    for _ in range(_PARSE_ATTEMPTS - 1):
        try:
            return ast.parse(text)
        except SystemError:
            continue
    return ast.parse(text)


class _Verifier:
    """Walks a syntax tree and raises SourceError at the first node that no generated script has."""

    def __init__(self, functions: Set[str], layer_classes: Set[str]) -> None:
        self._functions = functions
        self._layer_classes = layer_classes
        self._variables: set[str] = set()

    def module(self, tree: ast.Module) -> None:
        for number, node in enumerate(tree.body):
            if isinstance(node, ast.FunctionDef) and node.name == "sinusoid":
                self._require(ast.unparse(node) == _SINUSOID_CODE, node)
            elif isinstance(node, ast.FunctionDef):
                self._function(node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self._require(ast.unparse(node) in _IMPORTS, node)
            elif isinstance(node, ast.If):
                self._require(node is tree.body[-1] and ast.unparse(node) == _MAIN, node)
            else:
                self._require(number == 0 and _is_docstring(node), node)

    def _function(self, function: ast.FunctionDef) -> None:
        """Check a function definition: no parameters or decorators, and only assignments and returns."""
        arguments = function.args
        plain = not (function.decorator_list or getattr(function, "type_params", []) or function.name.startswith("_"))
        without = not any((arguments.args, arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg))
        returns = function.returns is not None and ast.unparse(function.returns) in _ANNOTATIONS
        self._require(plain and without and returns and function.name not in _MODULES, function)
        self._variables = set()
        for number, statement in enumerate(function.body):
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                self._value(statement.value)
                self._target(statement.targets[0])
            elif isinstance(statement, ast.Return) and statement.value is not None:
                self._value(statement.value)
            else:
                self._require(number == 0 and _is_docstring(statement), statement)

    def _target(self, node: ast.expr) -> None:
        """Check the target of an assignment, and note its variables."""
        match node:
            case ast.Name(id=name):
                self._require(not name.startswith("__") and name not in _MODULES, node)
                self._require(name not in self._functions, node)
                self._variables.add(name)
            case ast.Tuple(elts=items):
                for item in items:
                    self._target(item)
            case ast.Starred(value=ast.Name() as name_node):
                self._target(name_node)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                self._require(name in self._variables and attribute in _SETTABLE, node)
            case _:
                self._require(False, node)

    def _value(self, node: ast.expr) -> None:
        """Check an expression: constants, known variables, lists, dictionaries and allowed calls."""
        match node:
            case ast.Constant(value=value):
                self._require(isinstance(value, _CONSTANTS), node)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
                self._require(type(value) in (int, float), node)
            case ast.Name(id=name):
                self._require(name in self._variables, node)
            case ast.Starred(value=ast.Name() as name_node):
                self._value(name_node)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                for item in items:
                    self._value(item)
            case ast.Dict(keys=keys, values=values):
                for key, item in zip(keys, values, strict=True):
                    self._require(isinstance(key, ast.Constant) and type(key.value) is str, node)
                    self._value(item)
            case ast.Call(func=ast.Attribute(value=ast.Call(), attr="with_name")):
                self._require(_FILE.fullmatch(ast.unparse(node)) is not None, node)
            case ast.Call(func=ast.Name(id="sinusoid")) if "sinusoid" not in self._variables:  # or a block has the name
                self._require(_SINUSOID_CALL.fullmatch(ast.unparse(node)) is not None, node)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                self._called(function)
                for argument in arguments:
                    self._value(argument)
                for named in keywords:
                    self._require(named.arg is not None, node)
                    self._value(named.value)
            case _:
                self._require(False, node)

    def _called(self, node: ast.expr) -> None:
        """Check the function of a call: a layer class, a layer, a submodel, or one of a few functions of Keras."""
        match node:
            case ast.Name(id=name):
                self._require(name in self._variables or name in self._functions, node)
            case ast.Attribute(value=ast.Name(id="layers"), attr=name):
                self._require(name in self._layer_classes, node)
            case ast.Attribute(value=ast.Name(id="keras"), attr=name):
                self._require(name in _KERAS_CALLABLE, node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="layers"))):  # layers.Dense(3)(x)
                self._value(node)
            case _:
                self._require(ast.unparse(node) == "keras.models.load_model", node)

    def _require(self, good: bool, node: ast.AST) -> None:
        if not good:
            raise SourceError(f"it would contain `{ast.unparse(node)[:80]}`")


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and type(node.value.value) is str
