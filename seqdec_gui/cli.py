"""The command line `seqdec-gui`. A command's module is imported only when the command is asked for.

To add a command: write a module in `seqdec_gui/commands`, and add one line to `COMMANDS`.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import os
import sys
import time
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from seqdec_gui import __version__, screen
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.wording import printable

COMMANDS: dict[str, tuple[str, str]] = {
    "templates": ("templates", "list the designs to start from"),
    "new": ("new", "write a design from a template"),
    "import": ("import_model", "make a design of a trained Keras model"),
    "weights": ("weights", "let a block begin with the weights of a file or a run"),
    "catalog": ("catalog", "list every block kind with its parameters and ports"),
    "check": ("check", "show shapes, parameter counts and every problem of a design"),
    "devices": ("devices", "list the devices to train on"),
    "hosts": ("hosts", "list, add and prepare machines that are reached through ssh"),
    "advise": ("advise", "measure how much several devices speed up a design"),
    "certify": ("certify", "show that several devices train the same model as one"),
    "train": ("train", "train a design"),
    "queue": ("queue", "let runs wait for devices"),
    "sweep": ("sweep", "search for the best parameters of a design"),
    "resume": ("resume", "resume a run from its last checkpoint"),
    "fork": ("fork", "start a new run from a checkpoint of another one, under other settings"),
    "pause": ("pause", "save a run and free its devices until it is resumed"),
    "stop": ("stop", "stop a run at the end of the interval, saving it"),
    "attach": ("attach", "follow a run that was started elsewhere"),
    "runs": ("runs", "list runs and how they went"),
    "evaluate": ("evaluate", "measure a trained model on another file"),
    "export": ("export", "write a trained model for use elsewhere"),
    "generate": ("generate", "make sequences with a trained model"),
    "errors": ("errors", "show where a trained model goes wrong: symbols, positions, worst rows"),
    "score": ("score", "compute how likely given sequences are"),
    "attention": ("attention", "write which steps a model attends to, symbol by symbol"),
    "encode": ("encode", "write the codes of rows"),
    "answer": ("answer", "answer another machine over ssh; what `--on HOST` runs there"),
    "mirror": ("mirror", "write the curves of a run into the files of TensorBoard or MLflow"),
    "bench": ("bench", "measure samples per second beside plain Keras and others"),
}
"""The module of `seqdec_gui.commands` and the summary of each command."""

INTERRUPTED = 130
"""The exit status of a command that the user stopped with Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 bad arguments or design, 130 stopped by the user."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _print_anything(sys.stdout)
    try:
        _fail_unless_text(words)
        status = _dispatch(words)
        sys.stdout.flush()
        return status
    except SystemExit as ending:  # argparse: help (0), bad arguments (2)
        return ending.code if isinstance(ending.code, int) else 1
    except SeqdecError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: `seqdec-gui runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(_about_files(error), 1)
    except Exception as error:
        return _fail(f"Unexpected {type(error).__name__}: {error}. This is a bug; the details are in {_write_log()}.", 1)


def _dispatch(words: list[str]) -> int:
    """Run the command that the first word names, or open the window, and return the exit status."""
    if words and words[0] in COMMANDS:
        module = importlib.import_module(f"seqdec_gui.commands.{COMMANDS[words[0]][0]}")
        parser = argparse.ArgumentParser(
            f"seqdec-gui {words[0]}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(parser)
        arguments = parser.parse_intermixed_args(words[1:])
        if getattr(arguments, "there", False):
            from seqdec_gui.commands.there import run_there

            return run_there(words[0], words[1:], arguments)
        if getattr(arguments, "on", None) is not None:
            from seqdec_gui.commands.train_on_host import train_on_host

            return train_on_host(arguments)
        if words[0] == "train" and (arguments.cluster or "").startswith("hosts:"):
            from seqdec_gui.commands.train_on_hosts import train_on_hosts

            return train_on_hosts(arguments)
        return int(module.run(arguments))
    parser = _top_parser()
    arguments = parser.parse_args(words)
    if arguments.design is not None and not Path(arguments.design).exists():
        parser.error(_no_such(arguments.design))
    return _open_window(arguments.design)


def _print_anything(stream: TextIO) -> None:
    """Make a stream print the code of a letter that the terminal's encoding lacks, instead of raising an error."""
    if isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
        stream.reconfigure(errors="backslashreplace")


def _fail_unless_text(words: Sequence[str]) -> None:
    """Raise InvalidInput for an argument that is not valid in this locale: such a file name cannot be written to JSON."""
    for argument in words:
        if not argument.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in argument):
            text = f"Expected arguments in the encoding {sys.getfilesystemencoding()}, received {argument!r}."
            hint = "Rename the file, or choose a UTF-8 locale (export LANG=C.UTF-8)."
            raise InvalidInput([Problem("error", "not_text", "", text, hint)])


def _top_parser() -> argparse.ArgumentParser:
    """Return the parser of a call without a command, whose help lists the commands."""
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        "seqdec-gui",
        usage="seqdec-gui [DESIGN]\n       seqdec-gui COMMAND [...]",
        description="Design stacked Keras models, train them on several devices, export them.\n"
        "Without a command the window opens.",
        epilog=f"commands:\n{listed}\n\n`seqdec-gui COMMAND --help` describes a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("design", metavar="DESIGN", nargs="?", help="a .seqdec file to open in the window")
    parser.add_argument("--version", action="version", version=f"seqdec-gui {__version__}")
    return parser


def _no_such(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f"Did you mean {near[0]!r}?" if near else "`seqdec-gui --help` lists the commands."
    return f"there is no command and no file {name!r}. {hint}"


def _open_window(design: str | None) -> int:
    missing = [name for name in ("PyQt5", "pyqtgraph", "qtawesome") if importlib.util.find_spec(name) is None]
    if missing:
        return _fail(f"The window needs {missing[0]}: pip install 'seqdec-gui[gui]'. The commands work without.", 2)
    if trouble := screen.trouble():
        return _fail(trouble, 2)
    from seqdec_gui.gui.app import main as open_window

    return int(open_window(design))


def _about_files(error: OSError) -> str:
    """Return a sentence for an operating system error that no command has explained itself."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "The working directory has been deleted: change to a folder that exists (cd), and try again."
    return f"{error.filename or 'A file'} cannot be used: {error.strerror or error}."


def _fail(sentence: str, status: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"{printable(sentence)}\n")
    return status


def _write_log() -> Path:
    """Write the traceback of the exception being handled to the user's log folder, and return the path of the file."""
    import tempfile

    import platformdirs

    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    text = f"seqdec-gui {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n{traceback.format_exc()}"
    folder = Path(platformdirs.user_log_dir("seqdec-gui"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        folder = Path(tempfile.gettempdir())
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return folder / name
