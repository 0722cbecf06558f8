"""Proposes columns for the ports that have none, with the reason; where several would do, they are a choice.

What is proposed does not depend on the order of the columns. Only columns with equally many rows are proposed together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from seqdec_gui.data.candidates import Candidate, candidates, has_whole_shape
from seqdec_gui.data.column_fit import is_symbolic, steps_of
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.name_evidence import ALIKE, SAME, is_named_for, side_of_name, side_of_port
from seqdec_gui.data.text_facts import TextFacts
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.data_edits import Ports
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.design import Design

MOST_CHOICES = 6
"""The number of columns among which a port lets the user choose."""

MUCH_SHORTER = 10
"""How many times longer other columns have to be before a column that would do as well is left out, as a list of names is."""


class Proposal(msgspec.Struct, frozen=True):
    """What is proposed for a port. `taken` is what speaks for itself, `choices` are several that would do, or none that fits.

    `reason` is a sentence about either. `follows` names the port of the loss that gets its targets from the same column.
    `shared` says that the column feeds both ends of the model, which may be what is wanted (an autoencoder) or a lack of data.
    """

    port: DataPort
    reason: str
    taken: Candidate | None = None
    choices: tuple[Candidate, ...] = ()
    follows: str = ""
    shared: bool = False


class _Search:
    """Finds columns for the open ports: by name, then by elimination, again and again until nothing follows any more."""

    def __init__(
        self, ports: Ports, open_ports: Sequence[DataPort], columns: Sequence[Column], used: Mapping[str, tuple[str, ...]],
        facts: Mapping[str, TextFacts],
    ) -> None:  # fmt: skip
        self.ports, self.columns, self.facts = ports, columns, facts
        self.open = list(open_ports)
        self.used = dict(used)
        """The columns of every port that has some, by the name of the port."""
        self.taken: dict[str, tuple[Candidate, str, bool]] = {}
        self._known: dict[str, list[Candidate]] = {}
        self._known_for = -1

    def run(self) -> None:
        while self.open and (self._by_name() or self._by_elimination()):
            pass

    # -- which columns are left
    def left(self) -> list[Column]:
        """Return the columns that no port has, with as many rows as those that some port has."""
        named = {name for names in self.used.values() for name in names}
        rows = {column.rows for column in self.columns if column.name in named}
        return [column for column in self.columns if column.name not in named and (not rows or column.rows in rows)]

    def of(self, port: DataPort) -> list[Candidate]:
        """Return the candidates of an open port among the columns that are left, those named for the other side left out."""
        if self._known_for != len(self.used):
            self._known, self._known_for = {}, len(self.used)
        if port.name not in self._known:
            self._known[port.name] = self._of(port)
        return self._known[port.name]

    def _of(self, port: DataPort) -> list[Candidate]:
        left = self.left()
        if is_symbolic(port) and steps_of(port):
            left = self._text_first(left)
        found = candidates(port, self.ports, left, self.facts)
        whole = {(column.name,) for column in left if has_whole_shape(port, column)}
        other = {(column.name,) for column in left if column.kind == "array"} - whole
        found = [each for each in found if not whole or each.columns not in other or each.likeness == SAME]
        proper = [each for each in found if _side(each) in (None, side_of_port(port)) or each.likeness >= ALIKE]
        return proper or found

    def _text_first(self, columns: list[Column]) -> list[Column]:
        """Leave out single whole numbers where there is a column of text for every port that takes a sequence of symbols."""
        wanting = sum(1 for port in self.open if is_symbolic(port) and steps_of(port))
        texts = sum(1 for column in columns if column.kind == "text")
        return [column for column in columns if texts < wanting or column.kind != "integer"]

    def sound(self, port: DataPort) -> list[Candidate]:
        return [each for each in self.of(port) if not each.flaw]

    # -- steps
    def _by_name(self) -> bool:
        """Give a port the one column that has its name, shares a word with it, or is named for its side of the model."""
        for level, why in enumerate(("it has the same name", "the names are alike", "its name says that it is for this side")):
            wanted = {port.name: [each for each in self.sound(port) if _names_agree(port, each, level)] for port in self.open}
            times = Counter(each.columns for several in wanted.values() for each in several)
            for port in self.open:
                if len(wanted[port.name]) == 1 and times[wanted[port.name][0].columns] == 1:
                    self._take(port, wanted[port.name][0], why)
                    return True
        return False

    def _by_elimination(self) -> bool:
        """Give a port the only column that fits it, if no other port needs the same one."""
        fitting = {port.name: self.sound(port) for port in self.open}
        for port in self.open:
            found, all_found = fitting[port.name], self.of(port)
            if not all_found:
                shared = self._shared_with(port)
                if shared is not None:
                    self._take(
                        port, shared, f"{_names(shared)} is the only column that fits, and both ends read it", shared=True
                    )
                    return True
                continue
            if len(found) != 1 or any(_may_be_meant(port, each) for each in all_found if each != found[0]):
                continue
            rivals = [other for other in self.open if other is not port and _overlap(fitting[other.name], found[0])]
            if any(_may_share(port, rival) and len(fitting[rival.name]) == 1 for rival in rivals) and len(rivals) == 1:
                why = f"{_names(found[0])} is the only column that fits, and both ends read it"
                self._take(rivals[0], fitting[rivals[0].name][0], why, shared=True)
                self._take(port, found[0], why, shared=True)
                return True
            if any(_leaves_none(fitting[rival.name], found[0]) for rival in rivals) or self._might_repeat(port, found[0]):
                continue
            self._take(port, found[0], "nothing else fits" if not self.taken and not self.used else "nothing else is left")
            return True
        return False

    def _take(self, port: DataPort, candidate: Candidate, why: str, shared: bool = False) -> None:
        self.open = [other for other in self.open if other is not port]
        self.used[port.name] = candidate.columns
        self.taken[port.name] = candidate, why, shared

    # -- one column for both ends
    def _shared_with(self, port: DataPort) -> Candidate | None:
        """Return the column of the other end of the model, if this port could take it too, as in an autoencoder."""
        others = [other for other in self.ports if other.name in self.used and _may_share(port, other)]
        names = {self.used[other.name] for other in others}
        columns = [column for column in self.columns if (column.name,) in names]
        found = [each for each in candidates(port, self.ports, columns, self.facts) if not each.flaw]
        return found[0] if len(found) == 1 else None

    def _might_repeat(self, port: DataPort, last: Candidate) -> bool:
        """Return whether the other end takes just the same, so that its column might be meant here too."""
        others = [other for other in self.ports if other.name in self.used and _may_share(port, other)]
        alike = any(other.type == port.type for other in others)
        return alike and last.likeness < ALIKE and _side(last) is None and self._shared_with(port) is not None

    def choices(self, port: DataPort) -> list[Candidate]:
        """Return what the user may choose from: what fits, also the column of the other end, else what nearly fits."""
        found = self.of(port)
        shared = self._shared_with(port)
        found = [*found, shared] if shared is not None and shared not in found else found
        return sorted(found, key=lambda each: (bool(each.flaw), -each.likeness, _side(each) != side_of_port(port)))


def propose(design: Design, ports: Ports, columns: Sequence[Column], facts: Mapping[str, TextFacts]) -> tuple[Proposal, ...]:
    """Return a proposal for every port without a column of this file; none for a port that nothing in the file suits.

    `facts` are those of `data.text_facts`; empty where the rows have not been read.
    """
    names = {column.name for column in columns}
    used, open_ports = {}, []
    for port in ports:
        binding = edits.binding_of(design, ports, port)
        if binding is not None and (binding.file or names.issuperset(binding.columns)):
            used[port.name] = () if binding.file else binding.columns
        else:
            open_ports.append(port)
    apart = _apart(ports, columns, used, facts)
    own, ports = ports, tuple(msgspec.structs.replace(port, taught="") if port.name in apart else port for port in ports)
    taught = {port.taught for port in ports}
    open_ports = [port for port in ports if port in open_ports or (port.name in apart and port.name not in used)]
    open_ports = [port for port in open_ports if port.name not in taught]
    split = design.data.split.column if design.data.split.kind == "column" else None
    usable = _equally_long([column for column in columns if column.name != split], ports, open_ports, used, facts)
    search = _Search(ports, open_ports, usable, used, facts)
    search.run()
    found = {port.name: _proposal(search, port, usable) for port in open_ports}
    return tuple(msgspec.structs.replace(each, port=port) for port in own if (each := found.get(port.name)) is not None)


def _apart(
    ports: Ports, columns: Sequence[Column], used: Mapping[str, tuple[str, ...]], facts: Mapping[str, TextFacts]
) -> set[str]:
    """Return the names of the decoder inputs whose loss has, or is to have, a column of its own.

    Usually one column gives both, one step ahead. An old script keeps two arrays, each of the length that the model takes:
    then no column suits both, and there is one for each.
    """
    losses = {port.name: port for port in ports}
    apart, arrays = set(), [column for column in columns if column.kind == "array"]
    for port in (port for port in ports if port.taught in losses):
        alone, loss = msgspec.structs.replace(port, taught=""), losses[port.taught]
        some = [column for column in arrays if port.name not in used or (column.name,) == used[port.name]]
        fitting = {each.columns for each in candidates(alone, ports, some, facts) if not each.flaw}
        both = any(not each.flaw for each in candidates(port, ports, columns if port.name not in used else some, facts))
        targets = {each.columns for each in candidates(loss, ports, arrays, facts) if not each.flaw}
        if loss.name in used or (fitting and not both and any(targets - {each} for each in fitting)):
            apart.add(port.name)
    return apart


def with_proposals(design: Design, ports: Ports, proposals: Sequence[Proposal]) -> Design:
    """Return the design with the columns of `taken` bound to the ports."""
    for proposal in proposals:
        if proposal.taken is not None:
            design = with_candidate(design, ports, proposal.port, proposal.taken)
    return design


def with_candidate(design: Design, ports: Ports, port: DataPort, candidate: Candidate) -> Design:
    """Return the design with these columns bound to the port, which keeps the codec that it has."""
    bound = edits.binding_of(design, ports, port)
    design = edits.with_columns(design, ports, port, candidate.columns)
    if candidate.codec is None or (bound is not None and bound.codec is not None):
        return design
    return edits.with_codec(design, ports, port, candidate.codec)


def _proposal(search: _Search, port: DataPort, columns: Sequence[Column]) -> Proposal | None:
    follows = next((f"{other.port}" for other in search.ports if other.name == port.taught), "")
    if port.name in search.taken:
        taken, why, shared = search.taken[port.name]
        return Proposal(port, f"{_capital(taken.holds)}; {why}.", taken, (), follows, shared)
    choices = tuple(search.choices(port)[:MOST_CHOICES])
    if not choices:
        return None
    if all(each.flaw for each in choices):
        flaws = "; ".join(f"{_names(each)} holds {each.holds}, but {each.flaw}" for each in choices[:2])
        return Proposal(port, f"{flaws}.", None, choices, follows)
    if len(choices) == 1:
        return Proposal(port, f"{_names(choices[0])} holds {choices[0].holds}; another port could take it too.", None, choices,
                        follows)  # fmt: skip
    return Proposal(port, f"{len(choices)} columns would do. Which one is it?", None, choices, follows)


def _equally_long(
    columns: Sequence[Column], ports: Ports, open_ports: Sequence[DataPort], used: Mapping[str, tuple[str, ...]],
    facts: Mapping[str, TextFacts],
) -> list[Column]:  # fmt: skip
    """Return the columns with the number of rows that suits most ports; all, where several numbers do about equally well."""
    bound = {name for names in used.values() for name in names}
    if any(column.name in bound for column in columns):
        return list(columns)
    by_rows: dict[int, list[Column]] = {}
    for column in columns:
        by_rows.setdefault(column.rows, []).append(column)
    suited = {
        rows: sum(
            any(not each.flaw or _may_be_meant(port, each) for each in candidates(port, ports, some, facts))
            for port in open_ports
        )
        for rows, some in by_rows.items()
    }
    best = [rows for rows, count in suited.items() if count == max(suited.values())]
    longest = max(best, default=0)
    clear = all(rows == longest or rows * MUCH_SHORTER <= longest for rows in best)
    return by_rows[longest] if best and clear else list(columns)


def _may_be_meant(port: DataPort, candidate: Candidate) -> bool:
    """Return whether this is perhaps the column for the port although the blocks have other sizes, which a click can mend."""
    return not candidate.flaw or candidate.likeness == SAME or (is_symbolic(port) and bool(steps_of(port)))


def _may_share(first: DataPort, second: DataPort) -> bool:
    """Return whether one column can be both what goes in and what is to come out, as in an autoencoder."""
    if {side_of_port(first), side_of_port(second)} != {"source", "target"}:
        return False
    sequences = all(is_symbolic(port) and bool(steps_of(port)) for port in (first, second))
    return sequences or first.type == second.type


def _names_agree(port: DataPort, candidate: Candidate, level: int) -> bool:
    """Return whether the names have this much in common: 0 all, 1 a telling word, 2 the side of the model."""
    if level == 2:
        return all(is_named_for(side_of_port(port), name) for name in candidate.columns)
    return candidate.likeness == (SAME, ALIKE)[level]


def _overlap(several: Sequence[Candidate], one: Candidate) -> bool:
    return any(set(each.columns) & set(one.columns) for each in several)


def _leaves_none(several: Sequence[Candidate], one: Candidate) -> bool:
    return all(set(each.columns) & set(one.columns) for each in several)


def _side(candidate: Candidate) -> str | None:
    sides = {side_of_name(name) for name in candidate.columns}
    return sides.pop() if len(sides) == 1 else None


def _names(candidate: Candidate) -> str:
    names = candidate.columns
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
