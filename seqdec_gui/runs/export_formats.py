"""The formats of exported models: everything the program knows about each without importing Keras.

A new format is a module with a writer (`runner.exports.base.Writer`) and one row here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput


class ExportFormat(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    - `name`: as in `--format` and in tasks. `title`: what users call it. `help`: a sentence or two for the dialog.
    - `suffixes`: the endings of its files in lower case with the dot, the usual one first.
    - `writer`: `"module:class"` of its `runner.exports.base.Writer`, which only a child imports.
    - `holds`, `opened_with`: what is in a file and the call that opens it, for the documentation.
    - `blocks`: whether a block can be exported by itself; otherwise a file always holds the whole model.
    - `folder_file`: the name of the file that is written where a folder is given as the output; "": a folder is refused.
    - `tried_at_start`: whether every run saves and reopens its untrained model in this format while it starts.
    - `instead`: the format to offer where this one cannot carry a model; "": none.
    - `use`: what people take it for, in a few words.
    - `opened_by`: the module with which files are opened again, in a process that has imported nothing else.
    - `extra`, `needs`: the extra that installs what the format needs besides Keras, and the modules of these packages.
    - `ending`: of the file that is proposed, where that is not the first of `suffixes`.
    - `tolerance`: the largest difference of a prediction p of the opened file, as a part of max(1, |p|).
    - `marker`: for a format that is a folder, a file that each of them has; "": the format is a file.
    - `step`: whether the one-step decoder can be exported by itself.
    - `scales_itself`: whether what opens a file standardises rows by itself, so that raw inputs do not concern the format.
    - `fills`: whether files can fill in missing numbers, which takes an operation of Keras that is no layer.
    """

    name: str
    title: str
    help: str
    suffixes: tuple[str, ...]
    writer: str
    holds: str
    opened_with: str
    blocks: bool = True
    folder_file: str = ""
    tried_at_start: bool = False
    instead: str = ""
    use: str = ""
    opened_by: str = "keras"
    extra: str = ""
    needs: tuple[str, ...] = ()
    ending: str = ""
    tolerance: float = 1e-5
    marker: str = ""
    step: bool = True
    scales_itself: bool = False
    fills: bool = False

    @property
    def code_name(self) -> str:
        """The name in codes of problems: `not_in_keras2_h5`."""
        return self.name.replace("-", "_")

    @property
    def proposed_ending(self) -> str:
        """What the name of a proposed file ends with."""
        return self.ending or self.suffixes[0]


ONE_STEP = "one-step"
"""The part that is one step of the decoder: a symbol and states in, predictions and states out."""
INITIAL_STATES = "initial-states"
"""The part that gives the states before the first step."""
STEP_PARTS = (ONE_STEP, INITIAL_STATES)

_KERAS_FILE = "seqdec_gui.runner.exports.keras_file:KerasFile"

EXPORT_FORMATS: dict[str, ExportFormat] = {
    row.name: row
    for row in (
        ExportFormat(
            name="h5",
            title="Keras .h5, one file",
            help="Architecture and weights in one file that plain Keras opens: keras.models.load_model(path).",
            suffixes=(".h5", ".hdf5"),
            writer=_KERAS_FILE,
            holds="architecture and weights",
            opened_with="keras.models.load_model(path, compile=False)",
            tried_at_start=True,
            instead="keras",
            use="Keras 3, one file",
        ),
        ExportFormat(
            name="keras",
            fills=True,
            title="Keras .keras, one file",
            help="Architecture and weights in Keras's own format; carries everything that a design can have.",
            suffixes=(".keras",),
            writer=_KERAS_FILE,
            holds="architecture and weights",
            opened_with="keras.models.load_model(path)",
            tried_at_start=True,
            use="Keras 3, everything kept",
        ),
        ExportFormat(
            name="keras2-h5",
            title="Keras 2 .h5, one file",
            help="The model rebuilt with the layers of Keras 2: for TensorFlow 2.15 and older, and for tf_keras.",
            suffixes=(".h5", ".hdf5"),
            writer="seqdec_gui.runner.exports.keras2_file:Keras2File",
            holds="architecture and weights, for Keras 2",
            opened_with="tf_keras.models.load_model(path, compile=False)",
            instead="keras",
            use="Keras 2, TensorFlow up to 2.15",
            opened_by="tf_keras",
            extra="keras2",
            needs=("tf_keras",),
            ending=".keras2.h5",
            tolerance=2e-7,
        ),
        ExportFormat(
            name="savedmodel",
            fills=True,
            title="TensorFlow SavedModel, a folder",
            help="For TensorFlow Serving and TensorFlow in C++, Java or Go: a signature with named inputs and outputs.",
            suffixes=(".savedmodel",),
            writer="seqdec_gui.runner.exports.saved_model:SavedModel",
            holds="computation and weights; a signature with names",
            opened_with='tf.saved_model.load(path).signatures["serving_default"]',
            instead="keras",
            use="TensorFlow Serving, C++, Java",
            opened_by="tensorflow",
            needs=("tensorflow",),
            marker="saved_model.pb",
        ),
        ExportFormat(
            name="onnx",
            title="ONNX .onnx, one file",
            help="For onnxruntime in Python, C#, Java, JavaScript and browsers, with ONNX's own LSTM and GRU; any number of "
            "rows and steps.",
            suffixes=(".onnx",),
            writer="seqdec_gui.runner.exports.onnx_file:OnnxFile",
            holds="computation and weights",
            opened_with="onnxruntime.InferenceSession(path)",
            instead="keras",
            use="onnxruntime, any language",
            opened_by="onnxruntime",
            extra="onnx",
            needs=("onnx", "onnxruntime"),
        ),
        ExportFormat(
            name="tflite",
            fills=True,
            title="LiteRT .tflite, one file",
            help="For phones and small devices: LiteRT (TensorFlow Lite) with its own operators alone.",
            suffixes=(".tflite",),
            writer="seqdec_gui.runner.exports.tflite:TfLite",
            holds="computation and weights",
            opened_with="ai_edge_litert.interpreter.Interpreter(path).get_signature_runner()",
            instead="keras",
            use="phones, LiteRT",
            opened_by="ai_edge_litert.interpreter",
            extra="tflite",
            needs=("tensorflow", "ai_edge_litert"),
        ),
        ExportFormat(
            name="reinvent",
            title="REINVENT 4 .prior, one file",
            help="A prior or agent for REINVENT 4, with its tokens and its history, of a design that was made of a prior.",
            suffixes=(".prior", ".model", ".chkpt"),
            writer="seqdec_gui.runner.exports.reinvent:PriorFile",
            holds="network, tokens and metadata of a de-novo model",
            opened_with="reinvent.runmodes.create_adapter(path, ...)",
            blocks=False,
            step=False,
            instead="bundle",
            use="REINVENT 4, molecules",
            opened_by="numpy",
            extra="reinvent",
            needs=("xxhash",),
            scales_itself=True,
        ),
        ExportFormat(
            name="bundle",
            title="Bundle .zip, everything in one file",
            help="Submodels, one-step decoder, alphabet and scaling, design, script and model card: whoever gets it can "
            "generate with seqdec_gui.load_bundle, without the data.",
            suffixes=(".zip",),
            writer="seqdec_gui.runner.exports.bundle:BundleFile",
            holds="all submodels, the one-step decoder, what was fitted to the data, design, script, model card",
            opened_with="seqdec_gui.load_bundle(path).generate(rows)",
            blocks=False,
            step=False,
            scales_itself=True,
            use="handing the whole over, generating",
            ending=".bundle.zip",
        ),
        ExportFormat(
            name="script",
            fills=True,
            title="Python script",
            help="The readable script of the design that was trained. It imports Keras alone and holds no weights.",
            suffixes=(".py",),
            writer="seqdec_gui.runner.exports.script:Script",
            holds="the Keras script without weights; imported Keras files lie beside it",
            opened_with='from model import build; build()["full"]',
            blocks=False,
            folder_file="model.py",
            use="reading, changing, training on",
        ),
    )
}
"""Every format by name, in the order in which the dialog and messages list them."""


def export_format(name: str) -> ExportFormat:
    """The row of a format. Raises InvalidInput with the formats that there are."""
    if name not in EXPORT_FORMATS:
        text = f"The format {name!r} is not available; available are {', '.join(EXPORT_FORMATS)}."
        raise InvalidInput(text, "no_such_format")
    return EXPORT_FORMATS[name]


def with_ending_of(path: Path, row: ExportFormat) -> Path:
    """The path with the ending of the format in place of that of another."""
    endings = {each for other in EXPORT_FORMATS.values() for each in (other.ending, *other.suffixes) if each}
    ending = max((each for each in endings if path.name.lower().endswith(each)), key=len, default="")
    return path.with_name(path.name[: len(path.name) - len(ending)] + row.proposed_ending)


def holds(row: ExportFormat, part: str) -> bool:
    """Whether a file of the format can hold this part alone."""
    return part == "full" or row.blocks or (part == ONE_STEP and row.step)


def not_installed(row: ExportFormat) -> str:
    """The sentence that packages for the format are missing, with the command that installs them; empty if none is."""
    missing = [name for name in row.needs if find_spec(name) is None]
    if not missing:
        return ""
    package = f"seqdec-gui[{row.extra}]" if row.extra else " ".join(missing)
    names = " and ".join(missing)
    return f"The format {row.name} needs {names}, which this Python does not have. Install it with: pip install '{package}'"


def fail_unless_installed(row: ExportFormat) -> None:
    """Raise InvalidInput with the command that installs what the format needs."""
    if sentence := not_installed(row):
        raise InvalidInput(sentence, "format_not_installed", "format")


def has_suffix_of(path: Path, row: ExportFormat) -> bool:
    """Whether the path ends as files of the format do, in capitals or not."""
    return path.suffix.lower() in row.suffixes


def file_to_write(output: Path, row: ExportFormat) -> Path:
    """The file that an export to `output` writes: in a folder if the format allows it, with its ending in lower case.

    Keras and Python recognise their files by endings in lower case alone, so that `MODEL.H5` becomes `MODEL.h5`.
    A format that is a folder takes any name. Raises InvalidInput where the path ends otherwise than files of the format do.
    """
    if row.marker:
        return output
    if row.folder_file and not has_suffix_of(output, row):
        output = output / row.folder_file
    if not has_suffix_of(output, row):
        wanted = " or ".join(row.suffixes)
        raise InvalidInput(f"Expected a file name that ends with {wanted}, got {output.name}.", "bad_suffix", "output")
    return output.with_suffix(output.suffix.lower())
