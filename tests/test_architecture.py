"""The rules that keep the packages apart, the start quick and the house in order (docs/architecture.md)."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import seqdec_gui

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "seqdec_gui"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 450
FRAMEWORKS = ("keras", "tensorflow", "tf_keras", "jax", "jaxlib", "optree")
SCREEN = ("PyQt5", "pyqtgraph", "qtawesome")


PUBLIC_DESPITE_ITS_NAME = {
    "_replace": "of a named tuple, documented under this name so that no field clashes with it",
    "_asdict": "of a named tuple, likewise",
    "_fields": "of a named tuple, likewise",
    "_make": "of a named tuple, likewise",
    "_exit": "os._exit, documented",
}
FOREIGN_PRIVATES = {
    ("domain/bindings.py", "_is_text_encoding"): "the standard library says nowhere else whether a codec turns bytes into text",
    ("runner/normalization.py", "_flatten_layers"): "Keras has no public walk over nested models; `all_layers` is ours",
    ("runner/keras2/transplant.py", "_flatten_layers"): "likewise",
    ("runner/exports/onnx_attention.py", "_use_gate"): "Keras keeps what a MultiHeadAttention was made with to itself",
    ("runner/exports/onnx_attention.py", "_dropout"): "likewise",
    ("runner/exports/onnx_attention.py", "_sliding_window"): "likewise",
    ("runner/exports/onnx_attention.py", "_inverse_sqrt_key_dim"): "likewise",
    ("runner/randomness.py", "_seed_generators"): "Keras has no public list of a layer's random generators",
    ("runner/keras_files.py", "_keras_history"): "Keras names the layer behind a tensor nowhere else",
    ("runner/program.py", "_keras_history"): "likewise",
    ("runner/splitting/pieces.py", "_nodes_by_depth"): "Keras has no public list of the calls of a model",
    ("runner/program.py", "_nodes_by_depth"): "Keras has no public way to the outputs of a call inside a model",
    ("runner/exports/base.py", "_keras_history"): "likewise",
    ("runner/exports/graph_walk.py", "_nodes_by_depth"): "likewise",
    ("runner/exports/graph_walk.py", "_functional"): "Keras keeps the graph of a Sequential nowhere else",
    ("runner/exports/keras2.py", "_keras_mask"): "Keras 2 has no public way to the mask of a tensor",
    ("runner/keras2/stock.py", "_inbound_nodes"): "Keras has no public list of the calls of an operation",
    ("runner/decoding/step_layers.py", "_inbound_nodes"): "likewise",
    ("runner/keras_bounds.py", "_inbound_nodes"): "likewise",
    ("runner/engines/jax/engine.py", "_available"): "keeps Keras from importing TensorFlow to ask whether it is there",
    (
        "runner/engines/jax/compilation_cache.py",
        "_CACHE_SUFFIX",
    ): "JAX's cache writes its files in place",
    ("runner/engines/tensorflow.py", "_all_reduce_sum_gradients"): "Keras's optimizer would sum gradients a second time",
}
"""Private attributes of other projects that are used, by file, and why."""
NAMES_AN_ENGINE = (
    "runs/engines.py",
    "runner/engines/",
    "runner/bench/",
    "commands/contenders.py",
    "runs/export_formats.py",
    "runner/exports/saved_model.py",
)
"""Where an engine's name may stand: the registry, the engines, the peers that measurements compare them with, and the export
formats of the framework of that name."""
KINDS_MADE_OUTSIDE = {
    ("domain/adapters.py", "Bottleneck"),
    ("domain/adapters.py", "DenseStates"),
    ("domain/adapters.py", "LayerStack"),
    ("domain/adapters.py", "RecurrentEncoder"),
    ("runner/reinvent/opening.py", "Loss"),
    ("runner/reinvent/opening.py", "RecurrentDecoder"),
    ("runner/reinvent/opening.py", "TokenSequence"),
    ("runner/splitting/guesses.py", "Add"),
    ("runner/splitting/guesses.py", "Concatenate"),
    ("runner/splitting/guesses.py", "DenseStates"),
    ("runner/splitting/guesses.py", "LayerStack"),
    ("runner/splitting/guesses.py", "RecurrentDecoder"),
    ("runner/splitting/guesses.py", "RecurrentEncoder"),
    ("runner/splitting/split.py", "KerasModel"),
    ("runs/import_design.py", "FloatSequence"),
    ("runs/import_design.py", "LayerStack"),
    ("runs/import_design.py", "Loss"),
    ("runs/import_design.py", "TokenSequence"),
    ("runs/import_design.py", "Vector"),
    ("runs/imports.py", "KerasModel"),
}
"""The classes of block kinds that modules outside `domain/kinds` and the catalog import, to make blocks of them."""
SHARED_NAMES = {"vector", "loss", "add", "concatenate"}
"""Names of block kinds that codecs, curves and methods have too."""

NAMES_AN_EXPORT_FORMAT = ("runs/export_formats.py", "runner/exports/", "gui/window/")
"""Where an export format's name may stand: the registry, the writers, and the window's action for the usual one."""


@cache
def nodes() -> list[tuple[Path, list[ast.AST]]]:
    """Of each module the nodes that a rule here is about, which are few: a walk over all takes a second."""
    kinds = ast.Import | ast.ImportFrom | ast.ClassDef | ast.Attribute | ast.Call | ast.Constant
    parsed = [(source.relative_to(ROOT), ast.parse(source.read_text(encoding="utf-8"))) for source in SOURCES]
    return [(path, [node for node in ast.walk(tree) if isinstance(node, kinds)]) for path, tree in parsed]


def nodes_in(package: str) -> list[tuple[Path, list[ast.AST]]]:
    return [(path, found) for path, found in nodes() if (ROOT / path).is_relative_to(PACKAGE / package)]


def imported(found: list[ast.AST]) -> set[str]:
    """Top-level names of the packages that a module imports, those inside functions included."""
    names = set()
    for node in found:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def loaded_after(statements: str, unwanted: tuple[str, ...]) -> list[str]:
    """Those of the unwanted packages that a fresh interpreter has loaded after these statements."""
    # It ends at once: the threads of a window that is still open would return to an interpreter during its shutdown.
    code = f"{statements}\nimport os, sys\nprint(*sorted(set({unwanted!r}) & set(sys.modules)), flush=True)\nos._exit(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def import_all(*packages: str) -> str:
    """Statements that import every module of these packages."""
    modules = [
        ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for source in SOURCES
        if any(source.is_relative_to(PACKAGE / package) for package in packages) and source.name != "__main__.py"
    ]
    return "import " + ", ".join(modules)


def test_import_contracts_hold() -> None:
    # exit status 1 for a broken contract; the text names the import that breaks it
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and those for types alone count too: who reads one of the modules has to read them all."""
    graph = grimp.build_graph("seqdec_gui", exclude_type_checking_imports=False, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert sum(map(len, imports.values())) > 1000  # the graph is that of the program
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_packages_of_the_window_import_nothing_themselves() -> None:
    # what imports one module of a package would load what its `__init__` imports, and could close a circle that nobody sees
    importing = [
        str(path)
        for path, found in nodes_in("gui")
        if path.name == "__init__.py" and imported(found) - {"__future__"} and "pages/design" not in str(path)
    ]
    assert importing == []


def test_modules_of_the_window_need_the_screen() -> None:
    """A module of gui imports Qt, or a module of gui; what needs neither goes to domain, data or runs."""
    free = []
    for path, found in nodes_in("gui"):
        modules = [node.module or "" for node in found if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in found if isinstance(node, ast.Import) for alias in node.names]
        on_screen = imported(found) & set(SCREEN) or any(f"{module}.".startswith("seqdec_gui.gui.") for module in modules)
        if path.name != "__init__.py" and not on_screen:
            free.append(str(path))
    assert free == []


def test_every_package_is_under_the_contracts_that_concern_it() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    sources = {name: config[f"importlinter:contract:{name}"]["source_modules"].split() for name in ("frameworks", "qt")}
    packages = {f"seqdec_gui.{init.parent.name}" for init in PACKAGE.glob("*/__init__.py")}
    assert packages - set(sources["frameworks"]) == packages & {"seqdec_gui.runner"}, (
        "name it in contract:frameworks of setup.cfg"
    )
    assert packages - set(sources["qt"]) == packages & {"seqdec_gui.gui"}, "name it in contract:qt of setup.cfg"


def test_the_domain_needs_only_the_standard_library_and_msgspec() -> None:
    allowed = sys.stdlib_module_names | {"msgspec", "seqdec_gui"}
    foreign = {str(path): sorted(imported(found) - allowed) for path, found in nodes_in("domain")}
    assert {path: names for path, names in foreign.items() if names} == {}


def test_domain_data_and_runs_load_no_framework_and_no_screen() -> None:
    assert loaded_after(import_all("domain", "data", "runs"), FRAMEWORKS + SCREEN) == []


def test_the_domain_loads_no_arrays() -> None:
    assert loaded_after(import_all("domain"), ("numpy", "h5py", "pyarrow", "rich", "platformdirs", "pynvml")) == []


def test_the_command_line_loads_nothing_slow_before_it_knows_the_command() -> None:
    slow = ("numpy", "h5py", "pyarrow", "rich", "platformdirs", "pynvml", "asyncio")
    assert loaded_after("import seqdec_gui.cli", FRAMEWORKS + SCREEN + slow) == []


def test_the_window_loads_no_framework_and_no_data_format() -> None:
    opened = (
        "from PyQt5.QtWidgets import QApplication\n"
        "application = QApplication([])\n"
        "from seqdec_gui.gui.window.main_window import open_window\n"
        "window = open_window()\n"
        "application.processEvents()\n"
    )
    assert loaded_after(opened, (*FRAMEWORKS, "h5py")) == []


def test_the_program_runs_without_the_windows_libraries() -> None:
    hidden = f"import sys\nfor name in {SCREEN!r}: sys.modules[name] = None\n"
    assert loaded_after(hidden + import_all("domain", "data", "runs"), FRAMEWORKS) == []


def test_files_stay_readable() -> None:
    long = {str(path): lines for path in SOURCES if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert long == {}


def test_no_class_is_called_manager_helper_or_util() -> None:
    vague = re.compile(r"(Manager|Helper|Utils?|Data)$")
    named = [
        f"{path}: {node.name}"
        for path, found in nodes()
        for node in found
        if isinstance(node, ast.ClassDef) and vague.search(node.name)
    ]
    assert named == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def own_privates(tree: ast.AST) -> set[str]:
    """Private attributes that the classes of a module define: in the class body, as a method, or on `self`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    found.add(statement.name)
                targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            found.add(node.attr)
    return found


def is_own(value: ast.AST) -> bool:
    """Whether an expression is `self`, `cls` or `super()`."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def foreign_privates(source: str) -> list[tuple[int, str]]:
    """Line and name of every private attribute or import of another module that a module's code uses."""
    tree = ast.parse(source)
    own = own_privates(tree) | PUBLIC_DESPITE_ITS_NAME.keys()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [(node.lineno, alias.name) for alias in node.names if is_private(alias.name)]
        elif isinstance(node, ast.Attribute) and not is_own(node.value):
            found += [(node.lineno, node.attr)]
        elif isinstance(node, ast.Call) and len(node.args) > 1 and not is_own(node.args[0]):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            asked = node.args[1]
            if name.strip("_") in ("getattr", "setattr", "hasattr", "delattr") and isinstance(asked, ast.Constant):
                found += [(node.lineno, str(asked.value))]
    return [(line, name) for line, name in found if is_private(name) and name not in own]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from seqdec_gui.runner.probe import _make_timer", ["_make_timer"]),
        ("def f(engine):\n    return engine._steps", ["_steps"]),
        ("def f(engine):\n    return getattr(engine, '_steps', None)", ["_steps"]),
        ("def f(layer):\n    object.__setattr__(layer, '_gather', None)", ["_gather"]),
        ("class A:\n    def f(self):\n        return self.engine._steps", ["_steps"]),
        ("class A:\n    def __init__(self, other):\n        self._x = other._x", []),
        ("class A:\n    _x: int = 0\n\ndef f(a):\n    return a._x, a.__class__, a._replace(b=1)", []),
    ],
)
def test_a_private_name_of_another_module_is_seen(source: str, found: list[str]) -> None:
    assert [name for _, name in foreign_privates(source)] == found


def test_no_module_reads_what_is_private_to_another() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), name): line
        for path in SOURCES
        for line, name in foreign_privates(path.read_text(encoding="utf-8"))
    }
    assert {f"{file}:{line} {name}" for (file, name), line in found.items() if (file, name) not in FOREIGN_PRIVATES} == set()
    assert FOREIGN_PRIVATES.keys() - found.keys() == set(), "no longer used: take them off the list"


def test_an_engine_is_named_in_its_module_and_its_row_alone() -> None:
    from seqdec_gui.runs.engines import ENGINES

    found = [
        f"{path}:{node.lineno} {node.value!r}"
        for path, in_module in nodes()
        for node in in_module
        if isinstance(node, ast.Constant) and node.value in ENGINES
        if not str(path.relative_to("seqdec_gui")).startswith(NAMES_AN_ENGINE)
    ]
    assert found == []


def test_a_data_format_is_named_in_its_module_and_its_row_alone() -> None:
    """Seen by endings that the program reads alone: `.h5` is Keras's too, and `.csv` and `.npz` are written as well."""
    found = [
        f"{path}:{node.lineno} {node.value!r}"
        for path, in_module in nodes()
        for node in in_module
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if ".tsv" in node.value or ".parquet" in node.value
        if not str(path.relative_to("seqdec_gui")).startswith("data/formats/")
    ]
    assert found == []


def test_an_export_format_is_named_in_its_module_and_its_row_alone() -> None:
    found = [
        f"{path}:{node.lineno} {node.value!r}"
        for path, in_module in nodes()
        for node in in_module
        if isinstance(node, ast.Constant) and node.value in {"h5", "script", "keras2-h5", "savedmodel", "tflite"}
        if not str(path.relative_to("seqdec_gui")).startswith(NAMES_AN_EXPORT_FORMAT)
    ]
    assert found == []


def outside_of_the_kinds() -> list[tuple[str, list[ast.AST]]]:
    found = [(path.relative_to("seqdec_gui").as_posix(), in_module) for path, in_module in nodes()]
    return [(path, in_module) for path, in_module in found if not path.startswith(("domain/kinds/", "domain/catalog.py"))]


def test_a_kind_of_block_is_asked_for_its_members_and_never_for_its_class() -> None:
    """A check for a class of kind leaves out the kinds that are added later."""
    from seqdec_gui.domain.catalog import KINDS

    classes = {(kind.__module__, kind.__name__) for kind in KINDS.values()}
    imports = {
        (path, alias.name)
        for path, in_module in outside_of_the_kinds()
        for node in in_module
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module, alias.name) in classes
    }
    assert imports == KINDS_MADE_OUTSIDE
    asked = [
        f"{path}:{node.lineno}"
        for path, in_module in outside_of_the_kinds()
        if path in {place for place, _ in imports}
        for node in in_module
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "cast")
        for part in (part for argument in node.args for part in ast.walk(argument))
        if isinstance(part, ast.Name) and (path, part.id) in imports
    ]
    assert asked == []


def test_no_module_but_its_own_names_a_kind_of_block() -> None:
    from seqdec_gui.domain.catalog import KINDS

    named = {
        (path, node.value)
        for path, in_module in outside_of_the_kinds()
        if not path.startswith("runner/bench/")
        for node in in_module
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in KINDS.keys() - SHARED_NAMES
    }
    assert named == {("gui/panels/palette.py", "keras_model")}  # a click on it asks for a file first


def test_the_event_loop_is_never_pumped_or_nested() -> None:
    """In the window: no `processEvents`, no `terminate`, and `exec_()` only in notify.py and where the application starts."""
    loops = {"exec_", "exec"}
    found = []
    for path, in_module in nodes_in("gui"):
        forbidden = {"processEvents", "terminate"} | (set() if path.name in {"notify.py", "app.py"} else loops)
        found += [
            f"{path}:{node.lineno} {node.attr}"
            for node in in_module
            if isinstance(node, ast.Attribute) and node.attr in forbidden
        ]
    assert found == []


def test_every_package_is_found_by_setup() -> None:
    # a folder without __init__.py would work from the checkout and be missing in the wheel
    missing = {source.parent for source in SOURCES if not (source.parent / "__init__.py").exists()}
    assert {str(folder.relative_to(ROOT)) for folder in missing} == set()


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {seqdec_gui.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_is_declared() -> None:
    """What the package imports stands in install_requires or in an extra."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"] + "".join(config["options.extras_require"].values())
    declared = {name.lower().replace("-", "_") for name in re.findall(r"^([A-Za-z0-9_-]+)", lines, re.MULTILINE)}
    imports_as = {"nvidia_ml_py": "pynvml", "mlflow_skinny": "mlflow"}
    known = (
        {imports_as.get(name, name) for name in declared} | {"seqdec_gui"} | {name.lower() for name in sys.stdlib_module_names}
    )
    unknown = {str(path): sorted(name for name in imported(found) if name.lower() not in known) for path, found in nodes()}
    assert {path: names for path, names in unknown.items() if names} == {}
