"""The design that a tab of the window shows, with its problems, its selection and its undo steps."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QUndoCommand, QUndoStack

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Block, Design, new_id
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.validation import Report, check

_EDIT = 1
"""The command id that lets Qt try to merge one edit with the next."""


class DesignDocument(QObject):
    """One open design. Views read it and call `edit`; they hear `design_changed` and never keep a design of their own.

    An undo step is the pair (old, new) of the frozen design, so whatever an edit did is undone exactly. The design's id stays
    through all edits: a design that begins by `new` has a new one, one from a file without an id gets it when it is saved, and
    saving under another name makes another design with an id of its own.
    """

    design_changed = pyqtSignal(Design, Design)  # old, new
    replaced = pyqtSignal()  # `new` or `open` brought another design; emitted after design_changed
    selection_changed = pyqtSignal(frozenset)  # block ids
    path_changed = pyqtSignal(object)  # Path or None
    clean_changed = pyqtSignal(bool)
    repaired = pyqtSignal(str)  # what `open` had to change, a sentence

    def __init__(self, design: Design | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._design = Design(id=new_id()) if design is None else design
        self._path: Path | None = None
        self._on_disk = b""
        self._title = ""
        self._selection: frozenset[str] = frozenset()
        self._report: Report | None = None
        self._mergeable = True
        self._stack = QUndoStack(self)
        self._stack.cleanChanged.connect(self._on_stack_clean_changed)

    # -- state
    @property
    def design(self) -> Design:
        return self._design

    @property
    def path(self) -> Path | None:
        """Return the file that the design was opened from or saved to; None if it has none."""
        return self._path

    @property
    def folder(self) -> Path:
        """Return the folder that relative paths of the design start from: that of its file, or the home folder."""
        return Path.home() if self._path is None else self._path.parent

    @property
    def name(self) -> str:
        """Return the file's name without suffix; of a design without a file its title, or "Untitled"."""
        return self._path.stem if self._path is not None else self._title or "Untitled"

    @property
    def title(self) -> str:
        """Return what a design without a file was called when it began; empty if it has a file or no such name."""
        return self._title if self._path is None else ""

    @property
    def undo_stack(self) -> QUndoStack:
        return self._stack

    @property
    def clean(self) -> bool:
        """Return whether the design is equal to the one in its file."""
        return self._stack.isClean()

    @property
    def report(self) -> Report:
        """Return shapes, parameter counts and problems of the current design, computed at most once per change.

        Moving blocks keeps the report, so the positions of the blocks in it may be older than the design's.
        """
        if self._report is None:
            self._report = check(self._design)
        return self._report

    @property
    def changed_elsewhere(self) -> bool:
        """Return whether the file holds something else by now than was read from it or written to it here."""
        now = design_file.fingerprint(self._path) if self._path is not None else b""
        return bool(now and self._on_disk) and now != self._on_disk

    @property
    def selection(self) -> frozenset[str]:
        """Return the ids of the selected blocks, all of which are in the design."""
        return self._selection

    # -- edits
    def edit(self, new: Design, text: str, merge_key: Hashable | None = None, select: Iterable[str] | None = None) -> None:
        """Make `new` the design as one undo step called `text`; nothing happens if it equals the present one.

        Consecutive edits with equal `merge_key` become one step, as with typing a number or nudging a block.
        `select` names the blocks to select afterwards.
        """
        new = new.with_id(self._design.id)
        if new is not self._design and new != self._design:
            joins, self._mergeable = self._mergeable, True
            self._stack.push(_Edit(self, self._design, new, text, merge_key, joins))
        if select is not None:
            self.select(select)

    def end_merge(self) -> None:
        """Let the next edit be an undo step of its own whatever its merge key, as the user has moved on to something else."""
        self._mergeable = False

    def rename(self, old: str, new: str) -> None:
        """Change a block's id everywhere. Raises ValueError with a sentence if `rename_fault` finds one."""
        fault = self.rename_fault(old, new)
        if fault:
            raise ValueError(fault)
        if old != new:
            selection = {new if block_id == old else block_id for block_id in self._selection}
            self.edit(self._design.renamed(old, new), f"Rename {old} to {new}", select=selection)

    def rename_fault(self, old: str, new: str) -> str:
        """Return why a block cannot have this id, in a sentence; empty if it can."""
        if problem := name_problem(new):
            return f"{problem.text} {problem.hint}"
        if new != old and self._design.has(new):
            return f"Another block is called {new!r}; names must differ."
        return ""

    # -- selection
    def select(self, block_ids: Iterable[str]) -> None:
        """Select these blocks and no others; unknown ids are left out."""
        ids = {block.id for block in self._design.blocks}
        selection = frozenset(block_ids) & ids
        if selection != self._selection:
            self._selection = selection
            self._mergeable = False
            self.selection_changed.emit(selection)

    # -- files
    def new(self, design: Design | None = None, title: str = "") -> None:
        """Show another design that has no file, called `title`. The undo steps of the former design are dropped."""
        self._become(_identified(Design() if design is None else design), None, title)

    def open(self, path: Path | str, loaded: Design | None = None) -> None:
        """Read a design file, unless `loaded` is what it contains. Raises InvalidInput and then changes nothing.

        Blocks of one name, which only a file written by hand can have, are given different ones; `repaired` says so.
        """
        path = Path(path)
        design, renamed = with_distinct_ids(design_file.load(path) if loaded is None else loaded)
        self._become(design, path)
        if renamed:
            self._stack.resetClean()
            self.repaired.emit(f"Several blocks had the same name; these were renamed: {', '.join(renamed)}.")

    def load_again(self, path: Path) -> None:
        """Show what the design's own file holds now, as an edit that can be undone. Raises InvalidInput and changes nothing."""
        loaded, renamed = with_distinct_ids(design_file.load(path))
        on_disk = design_file.fingerprint(path)
        self.edit(loaded, f"Load {path.name} again")
        self._on_disk = on_disk
        if renamed:
            self._stack.resetClean()
        else:
            self._stack.setClean()

    def save(self, path: Path | str | None = None, keep_id: bool = False) -> None:
        """Write the design to `path`, or to its own file. Raises InvalidInput, or ValueError if there is no path at all.

        Under another name it becomes a design of its own, with a new id. It stays the same design with `keep_id`, if its former
        file is gone, and if the file at `path` is already one of this design.
        """
        path = self._path if path is None else Path(path)
        if path is None:
            raise ValueError("the design has no file yet: pass a path")
        another = not keep_id and self._path is not None and self._is_another(path)
        design = self._design.with_id(new_id() if another or not self._design.id else self._design.id)
        design_file.save(design, path)
        self._on_disk = design_file.fingerprint(path)
        self._design = design
        self._stack.setClean()
        if path != self._path:
            self._path = path
            self.path_changed.emit(path)

    def separate(self) -> None:
        """Give the design and its file a new id: it was a copy, and is a design of its own from now on. Raises InvalidInput.

        Changes that have not been saved are not written.
        """
        id = new_id()
        if self._path is not None:
            changed = self.changed_elsewhere
            design_file.save(design_file.load(self._path).with_id(id), self._path)
            if not changed:
                self._on_disk = design_file.fingerprint(self._path)
        self._replace(self._design, id)

    def _is_another(self, path: Path) -> bool:
        """Return whether a file at `path` would be another design than the one in the file of this one."""
        if self._path is None or _same_file(path, self._path) or not self._path.exists():
            return False
        return not self._design.id or design_file.id_in(path) != self._design.id

    def _become(self, design: Design, path: Path | None, title: str = "") -> None:
        self._stack.clear()
        self._on_disk = b"" if path is None else design_file.fingerprint(path)
        renamed = title != self._title
        self._title = title
        self._replace(design, design.id)
        if path != self._path or renamed:
            self._path = path
            self.path_changed.emit(path)
        self.replaced.emit()

    def _replace(self, design: Design, id: str | None = None) -> None:
        """Show another design; every change goes through here. Without `id` it keeps the id of the former design."""
        old = self._design
        self._design = design = design.with_id(old.id if id is None else id)
        if self._report is not None and not _only_moved(old, design):
            self._report = None
        selection = self._selection & {block.id for block in design.blocks}
        pruned, self._selection = selection != self._selection, selection
        self.design_changed.emit(old, design)
        if pruned:
            self.selection_changed.emit(self._selection)

    @pyqtSlot(bool)
    def _on_stack_clean_changed(self, clean: bool) -> None:
        self.clean_changed.emit(clean)


class _Edit(QUndoCommand):
    """An undo step: the designs before and after an edit."""

    def __init__(
        self, document: DesignDocument, old: Design, new: Design, text: str, merge_key: Hashable | None, joins: bool
    ) -> None:
        super().__init__(text)
        self._document = document
        self._old = old
        self._new = new
        self._merge_key = merge_key
        self._joins = joins

    def id(self) -> int:
        return -1 if self._merge_key is None else _EDIT

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        if not isinstance(other, _Edit) or not other._joins or other._merge_key != self._merge_key:
            return False
        self._new = other._new
        self.setText(other.text())
        self.setObsolete(self._new == self._old)  # moved there and back: no undo step
        return True

    def redo(self) -> None:
        self._document._replace(self._new)

    def undo(self) -> None:
        self._document.end_merge()
        self._document._replace(self._old)


def _identified(design: Design) -> Design:
    """Return the design with a new id if it has none."""
    return design if design.id else design.with_id(new_id())


def _same_file(first: Path, second: Path) -> bool:
    """Return whether two paths lead to one file."""
    try:
        return first == second or first.samefile(second)
    except OSError:
        return False


def _only_moved(old: Design, new: Design) -> bool:
    """Return whether only positions differ, so that the report on the old design still holds."""
    if old.links != new.links or old.data != new.data or old.training != new.training or len(old.blocks) != len(new.blocks):
        return False
    return all(a.id == b.id and a.parameters == b.parameters for a, b in zip(old.blocks, new.blocks, strict=True))


def with_distinct_ids(design: Design) -> tuple[Design, tuple[str, ...]]:
    """Return the design with a new id for every block whose id occurs before it, and those new ids.

    Links keep the first block.
    """
    taken = {block.id for block in design.blocks}
    seen: set[str] = set()
    blocks: list[Block] = []
    renamed: list[str] = []
    for block in design.blocks:
        if block.id in seen:
            number = 2
            while f"{block.id}_{number}" in taken:
                number += 1
            block = msgspec.structs.replace(block, id=f"{block.id}_{number}")
            taken.add(block.id)
            renamed.append(block.id)
        seen.add(block.id)
        blocks.append(block)
    return (msgspec.structs.replace(design, blocks=tuple(blocks)), tuple(renamed)) if renamed else (design, ())
