"""Open and save: loading and saving the design of a tab, with the questions to ask before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QCheckBox

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.file_dialog import FileDialog
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.runs import known
from seqdec_gui.runs.run_design import with_absolute_paths

Then = Callable[[], None]


class DesignFiles(QObject):
    """Loads and saves the design of one tab: it asks about unsaved changes, reports failures, and remembers recent designs."""

    recovery_found = pyqtSignal(autosave.Recovery)
    recents_changed = pyqtSignal()

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.autosave = autosave.Autosave(document, self)
        self.taken: Callable[[Path], bool] = lambda _path: False
        """Returns whether another tab shows the design in this file, which must not be written from here then."""

    def open(self, path: Path, loaded: Design) -> None:
        """Show the design that was read from `path`, and offer its recovery file if there is one."""
        self._document.open(path, loaded)
        self._remember(path)
        recovery = autosave.left_behind(path)
        if recovery is not None:
            self.recovery_found.emit(recovery)

    def restore(self, recovery: autosave.Recovery) -> None:
        """Show the design of a recovery file as an unsaved change of the open one."""
        try:
            design = design_file.load(recovery.file)
        except SeqdecError as error:
            notify.failure(self, error, "The recovered design cannot be read")
            return
        if recovery.design is None:
            self._document.new(Design(id=design.id))
        self._document.edit(design, "Restore the unsaved changes")
        recovery.remove()

    def save(self, then: Then | None = None) -> None:
        """Save the design to its file; the user is asked for one if it has none."""
        path = self._document.path
        if path is None:
            self.save_as(then)
        elif self._document.changed_elsewhere:
            self._ask_before_replacing(path, then)
        else:
            self._save(path, then)

    def _ask_before_replacing(self, path: Path, then: Then | None) -> None:
        """Ask what to do with a file that another window or program has written since it was read here."""

        def on_answered(answer: notify.Answer) -> None:
            if answer == "accept":
                self.save_as(then)
            elif answer == "discard":
                self._save(path, then)
            elif answer == "other":
                self._load_again(path)

        notify.ask(
            self,
            f"{path.name} was changed elsewhere",
            "Another window or program has saved the file since it was opened here. If you replace it, those changes are lost. "
            "If you load it again, your changes are an undo step (Ctrl+Z).",
            on_answered,
            accept="Save under Another Name…",
            discard="Replace It",
            other="Load It Again",
        )

    def _load_again(self, path: Path) -> None:
        """Show what is in the file now. The design that was shown until then is the step before, for Undo."""
        try:
            self._document.load_again(path)
        except SeqdecError as error:
            notify.failure(self, error, f"{path.name} cannot be opened")

    def save_as(self, then: Then | None = None) -> None:
        """Ask for a file and save the design to it.

        The dialog's box `keep_runs` decides whether the new file is the same design under another name, with the same runs.
        """
        name = f"{self._document.title or 'design'}{design_file.SUFFIX}".replace("/", "-")
        start = self._document.path or preferences.last_folder() / name
        kept: set[str] = set()

        def add_box(dialog: FileDialog) -> None:
            box = QCheckBox("Keep the runs: it is the same design under another name", objectName="keep_runs")
            box.setToolTip("Otherwise the new file is a design of its own without runs; they stay with the old file")
            box.setChecked(bool(kept))
            box.toggled.connect(lambda on: kept.add("runs") if on else kept.clear())
            dialog.add_below(box)

        notify.choose_target(
            self,
            "Save design",
            [notify.DESIGN_FILTER],
            design_file.SUFFIX[1:],
            lambda path: self._save(path, then, bool(kept)),
            start,
            self._replaces,
            None if self._document.path is None else add_box,
        )

    def _replaces(self, path: Path) -> bool:
        """Return whether something would be lost if the design were saved to this file."""
        if path == self._document.path:
            return self._document.changed_elsewhere
        return path.exists() and not self.taken(path)

    def _save(self, path: Path, then: Then | None, keep_id: bool = False) -> None:
        old = self._document.path
        if self.taken(path):
            notify.message(
                self,
                f"{path.name} is open in another tab",
                "Choose another name, or close that tab first: one of the two designs would be lost.",
            )
            return
        try:
            if old != path:
                self._rebase(old, path)
            self._document.save(path, keep_id)
        except SeqdecError as error:
            notify.failure(self, error, "The design was not saved")
            return
        self._remember(path)
        if then is not None:
            then()

    def _rebase(self, old: Path | None, new: Path) -> None:
        """Adjust relative paths of data files when the design moves to another folder."""
        if old is not None and old.parent != new.parent:
            design = with_absolute_paths(self._document.design, old.parent)
            self._document.edit(design, "Save in another folder")

    def after_asking(self, then: Then) -> None:
        """Call `then` after unsaved changes have been saved or given up; do not call it if the user cancels.

        The recovery file stays until the design is really closed (`autosave.forget`): another tab may still cancel.
        """
        document = self._document
        if document.clean:
            then()
            return

        def on_answered(answer: notify.Answer) -> None:
            if answer == "accept":
                self.save(then)
            elif answer == "discard":
                then()

        notify.ask(
            self,
            f"Save the changes to {document.name}?",
            "They are lost otherwise.",
            on_answered,
            accept="Save",
            discard="Don't save",
        )

    def _remember(self, path: Path) -> None:
        preferences.remember_design(path)
        preferences.remember_folder(path.parent)
        seen = (path, self._document.design.id)
        background.run(lambda: known.remember_designs([seen]))
        self.recents_changed.emit()


def new_design(path: Path) -> Design:
    """Return the design of a template or an example, without an id and with absolute paths. Raises SeqdecError."""
    return with_absolute_paths(design_file.load(path), path.parent).with_id("")


class Template(msgspec.Struct, frozen=True):
    """A design to start from, with its texts on the welcome page."""

    path: Path
    title: str
    summary: str

    @property
    def is_variant(self) -> bool:
        """Whether it is another one with attention: in the menu, but without a card, so that the cards fit on a laptop."""
        return self.path.stem in _VARIANTS


_VARIANTS = frozenset(
    {
        "conditional-language-model",
        "molecules-by-attention",
        "pronunciation-with-attention",
        "roman-attention",
        "sequence-to-sequence-with-attention",
    }
)

_WORDS = {
    "latent-to-sequence": ("Latent → states → decoder", "A vector sets the initial states of a stacked LSTM decoder."),
    "sequence-to-sequence": ("Sequence to sequence", "An encoder reads one sequence, a decoder writes another."),
    "sequence-to-sequence-with-attention": ("Sequence to sequence, attentive", "A decoder that looks back at the whole input."),
    "translator": ("Translator (transformer)", "Attention reads one sequence and writes another."),
    "sequence-autoencoder": ("Sequence autoencoder", "A sequence through a small code and back, to learn a latent space."),
    "image-to-sequence": ("Image to sequence", "Pixels to states to a text: captions, digits, formulas."),
    "language-model": ("Language model", "Predicts the next symbol; generates without an input."),
    "conditional-language-model": ("Language model with conditions", "A vector first, then symbol by symbol, by attention."),
    "blank": ("Blank design", "An empty canvas and the palette."),
    "roman": ("Roman numerals", "Numbers to Roman numerals: trains in a minute on a CPU."),
    "roman-attention": ("Roman numerals by attention", "The same with a Transformer."),
    "pronunciation": ("Pronunciation", "Spelling to phonemes, from the CMU dictionary."),
    "pronunciation-with-attention": ("Pronunciation by attention", "The same, looking back at the spelling."),
    "molecules": ("Molecules", "Descriptors to SMILES."),
    "molecules-by-attention": ("Molecules by attention", "Descriptors as the conditions of a language model of SMILES."),
    "digits": ("Digits", "Images of digits to their names."),
}
"""The title and the sentence of each bundled template and example, by the file's name."""


def templates() -> tuple[Template, ...]:
    """Return the bundled templates, the archetype first; none if the resources are missing."""
    return _bundled("templates")


def title_of(path: Path) -> str:
    """Return what a design that begins with this file is called: the title of an example; a template has none to give."""
    return next((example.title for example in examples() if example.path == path), "")


def examples() -> tuple[Template, ...]:
    """Return the bundled examples with their small data files."""
    return _bundled("examples")


def _bundled(folder: str) -> tuple[Template, ...]:
    try:
        paths = sorted(resource_files.path(folder).glob(f"*{design_file.SUFFIX}"))
    except FileNotFoundError:
        return ()
    order = list(_WORDS)
    paths.sort(key=lambda path: order.index(path.stem) if path.stem in order else len(order))
    named = [(path, _WORDS.get(path.stem, (path.stem.replace("-", " ").capitalize(), ""))) for path in paths]
    return tuple(Template(path, title, summary) for path, (title, summary) in named)
