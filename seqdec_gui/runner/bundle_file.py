"""The file of a bundle: a zip archive with models, fit, design and a model card, which is read with bounds and never run.

bundle.json     what this is, check sums of the other files, what the sampler has to know (`Contents`)
README.md       the model card
design.seqdec   the design that was trained; its script is generated again where the bundle is used
model.py        that script, for reading
data.json       alphabet, labels, lengths, mean and deviation, as in a run
models/NAME.keras   each submodel by the name of its block, and one-step.keras
NAME.keras, NAME.h5 imported Keras files that the script opens
"""

from __future__ import annotations

import hashlib
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.decoding.recorded import Recorded

FORMAT = 1
CONTENTS, CARD, DESIGN, SCRIPT, FITTED = "bundle.json", "README.md", "design.seqdec", "model.py", "data.json"
CERTIFICATE = "certificate.json"
MODELS = "models"
MOST_FILES = 1_000
"""Most files in a bundle; a design has some ten blocks."""
MOST_TEXT_BYTES = 64 << 20
"""Most bytes of a file that is no model."""
MOST_BYTES = 32 << 30
"""Most bytes of all files together, unpacked."""
MOST_RATIO = 100
"""Largest ratio of a file's bytes to those in the archive, above `FREE_BYTES`."""
FREE_BYTES = 1 << 20


class Contents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bundle.json`.

    `files` are the SHA-256 check sums of all other files. `recorded` is what the sampler has learnt from the training rows,
    None where the design cannot generate, with the reason in `cannot_generate`. `versions` are those of the training.
    """

    format: int = FORMAT
    name: str
    created: float
    product_version: str
    checkpoint: str
    versions: dict[str, str] = {}
    recorded: Recorded | None = None
    cannot_generate: str = ""
    files: dict[str, str] = {}


class _Version(msgspec.Struct):
    format: int


def is_bundle(path: Path) -> bool:
    """Whether this looks like a bundle: a zip archive with a `bundle.json`."""
    try:
        if not path.is_file() or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return CONTENTS in archive.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def pack(path: Path, contents: Contents, folder: Path, names: Iterable[str]) -> None:
    """Write the archive of these files of a folder. Models are stored as they are, since they are archives. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        listed = list(names)
        contents = msgspec.structs.replace(contents, files={name: _sha256(folder / name) for name in listed})
        archive.writestr(CONTENTS, msgspec.json.format(msgspec.json.encode(contents), indent=1))
        for name in listed:
            stored = zipfile.ZIP_STORED if name.startswith(f"{MODELS}/") else zipfile.ZIP_DEFLATED
            archive.write(folder / name, name, stored)


def unpack(path: Path, folder: Path) -> Contents:
    """Check a bundle and unpack it into an empty folder; nothing of it is run.

    Raises InvalidInput: no bundle, written by a newer version, damaged, a name or a link that leads out of the folder, or more
    than `MOST_FILES` files and `MOST_BYTES` bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if CONTENTS not in archive.namelist():
                raise _refused(path, f"it has no {CONTENTS}", "Give the .zip that `seqdec-gui export --format bundle` wrote.")
            if why := _fault(entries):
                raise _refused(path, why, "Get it again from whoever made it.")
            contents = _contents(path, archive.read(CONTENTS))
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(archive, entry, target)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        raise _refused(path, f"it is damaged or no bundle ({error})", "Get it again from whoever made it.") from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.", "no_bundle") from error
    if gone := sorted(set(contents.files) - {entry.filename for entry in entries}):
        raise _refused(path, f"{gone[0][:80]} in it is missing", "Get it again from whoever made it.")
    for name in {entry.filename for entry in entries} - {CONTENTS}:
        if contents.files.get(name) != _sha256(folder / name):
            raise _refused(path, f"{name} in it is not what was packed", "Get it again from whoever made it.")
    return contents


def _fault(entries: list[zipfile.ZipInfo]) -> str:
    """Why an archive is not unpacked, as the end of a sentence; empty if it is harmless."""
    if len(entries) > MOST_FILES:
        return f"it has {len(entries):,} files"
    seen: set[str] = set()
    for entry in entries:
        name, shown = entry.filename, repr(entry.filename[:80])
        place = PurePosixPath(name)
        outside = place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name
        if outside or len(place.parts) > 2 or (len(place.parts) == 2 and place.parts[0] != MODELS):
            return f"the name {shown} in it leads to another place than its folder"
        if entry.is_dir() or stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            return f"{shown} in it is a link or a folder"
        if name.lower() in seen:
            return f"it has {shown} twice"
        seen.add(name.lower())
        if entry.file_size > max(FREE_BYTES, MOST_RATIO * entry.compress_size):
            return f"{shown} in it claims {entry.file_size:,} bytes, of which {entry.compress_size:,} are stored"
        if place.suffix not in (".keras", ".h5") and entry.file_size > MOST_TEXT_BYTES:
            return f"{shown} in it has {entry.file_size:,} bytes"
    total = sum(entry.file_size for entry in entries)
    return f"it has {total:,} bytes" if total > MOST_BYTES else ""


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file, and no more bytes than it claims."""
    left = entry.file_size
    with archive.open(entry) as source, target.open("xb") as file:
        while left and (part := source.read(min(left, 1 << 20))):
            file.write(part)
            left -= len(part)


def _contents(path: Path, text: bytes) -> Contents:
    try:
        version = msgspec.json.decode(text, type=_Version).format
        if version > FORMAT:
            raise _refused(path, f"it has format {version}, and this version reads {FORMAT}", "Update seqdec-gui.")
        return msgspec.json.decode(text, type=Contents)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(path, f"its {CONTENTS} is damaged ({error})", "Get it again from whoever made it.") from error


def _refused(path: Path, why: str, hint: str) -> InvalidInput:
    return InvalidInput([Problem("error", "damaged_bundle", "bundle", f"{path.name} is not opened as a bundle: {why}.", hint)])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
