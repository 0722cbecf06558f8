"""Proposals for a design whose file has columns that nobody has bound yet: taken where they speak for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqdec_gui.data.candidates import Candidate
from seqdec_gui.data.proposals import Proposal, propose, with_proposals
from seqdec_gui.data.tables import inspect
from seqdec_gui.data.text_facts import text_facts
from seqdec_gui.domain.bindings import TextCodec
from seqdec_gui.domain.data_edits import shown_name
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded, path_fault
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.validation import check, unbound

MOST_NAMED = 4
"""The number of columns to choose from that a hint names."""


def proposals_for(design: Design, folder: Path) -> tuple[Proposal, ...]:
    """Return what the design's file offers for its unbound ports; nothing for a design with errors or an unreadable file."""
    report = check(design)
    if not report.ok or not design.data.file or path_fault(design.data.file) or not unbound(design, report.inference):
        return ()
    try:
        table = inspect(folder / expanded(design.data.file), design.data.reading, [])
        facts = text_facts(table)
    except (InvalidInput, OSError):
        return ()  # the check of the data says what is wrong with the file
    return propose(design, data_ports(design, report.inference), table.columns, facts)


def bound_if_clear(design: Design, proposals: Sequence[Proposal]) -> Design | None:
    """Return the design with the proposals bound, if they leave no port open and nothing to choose; else None.

    One column for both ends of the model is not clear: it may be what is wanted, or the targets are missing.
    """
    if not proposals or any(proposal.taken is None or proposal.shared for proposal in proposals):
        return None
    bound = with_proposals(design, data_ports(design), proposals)
    return None if unbound(bound) else bound


def in_words(proposal: Proposal) -> str:
    """Return a sentence about a proposal that was taken: `latent.output is bound to X: 11 numbers a row; nothing else fits.`"""
    assert proposal.taken is not None
    reason = proposal.reason[0].lower() + proposal.reason[1:]
    return f"{shown_name(proposal.port)} is bound to {', '.join(proposal.taken.columns)}: {reason}"


def options_of(port: DataPort, candidate: Candidate) -> str:
    """Return the options of the command line that bind these columns to the port."""
    name, columns = shown_name(port), ",".join(candidate.columns)
    bind = f"--bind {_quoted(f'{name}={columns}')}"
    if isinstance(candidate.codec, TextCodec):
        bind += f" --set {name}.codec.tokens={candidate.codec.tokens}"
    return bind


def with_hints(problems: Sequence[Problem], proposals: Sequence[Proposal]) -> tuple[Problem, ...]:
    """Return the problems, those of ports without a column with what is proposed for them as the hint."""
    by_port = {proposal.port.port: proposal for proposal in proposals}
    followed = {proposal.follows: proposal for proposal in proposals if proposal.follows}
    hinted = []
    for problem in problems:
        proposal = by_port.get(problem.where) if problem.code == "unbound_port" else None
        if proposal is not None:
            problem = msgspec.structs.replace(problem, hint=_hint(proposal))
        elif problem.code == "unbound_port" and problem.where in followed:
            hint = f"The column of {shown_name(followed[problem.where].port)} gives it too, one step ahead."
            problem = msgspec.structs.replace(problem, hint=hint)
        hinted.append(problem)
    return tuple(hinted)


def _hint(proposal: Proposal) -> str:
    if proposal.taken is not None:
        return f"Proposed: {options_of(proposal.port, proposal.taken)} ({proposal.reason.rstrip('.')})."
    listed = [options_of(proposal.port, candidate) for candidate in proposal.choices[:MOST_NAMED]]
    return f"{proposal.reason} {' or '.join(listed)}."


def _quoted(text: str) -> str:
    return f"'{text}'" if any(character in text for character in ' ;&|<>()$`\\"*?#~') else text
