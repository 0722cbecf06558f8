"""Arguments that say how symbols are chosen, and the strategy and constraints that they mean."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.numbers import number, whole_number
from seqdec_gui.domain.decoding import GREEDY, Beam, Constraints, Sampling, Strategy
from seqdec_gui.domain.decoding_settings import LARGEST_BEAM, LARGEST_TEMPERATURE
from seqdec_gui.domain.problems import InvalidInput


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `strategy_of` and `constraints_of`, and `--unique`. The parser has `count` of its own."""
    choosing = parser.add_argument_group("how symbols are chosen")
    choosing.add_argument(
        "--temperature",
        metavar="T",
        type=number(0, LARGEST_TEMPERATURE),
        help="0: the likeliest symbol (default for one sample); 1: as the model says (default for several)",
    )
    choosing.add_argument("--top-k", metavar="K", type=whole_number(1), help="draw among the K likeliest symbols")
    choosing.add_argument("--top-p", metavar="P", type=number(0, 1), help="then among the likeliest that sum to P")
    choosing.add_argument("--min-p", metavar="P", type=number(0, 1), help="then among those P times as likely as the likeliest")
    choosing.add_argument("--unique", action="store_true", help="different samples of each row, fewer where there are no more")
    choosing.add_argument(
        "--beam", metavar="K", type=whole_number(1, LARGEST_BEAM), help="search with a beam of K; -n of the best are written"
    )
    choosing.add_argument(
        "--length-penalty", metavar="A", type=number(-100, 100), help="rank by log-likelihood / length ** A (default: 0)"
    )
    choosing.add_argument("--groups", metavar="G", type=whole_number(1), help="divide the beam into groups that differ")
    choosing.add_argument(
        "--diversity", metavar="D", type=number(0), help="what a symbol loses for each earlier group that chose it (default: 1)"
    )
    limits = parser.add_argument_group("what sequences must be like")
    limits.add_argument("--allow", metavar="SYMBOLS", default="", help="the only symbols to choose: a text, or ids with spaces")
    limits.add_argument("--forbid", metavar="SYMBOLS", default="", help="symbols not to choose")
    limits.add_argument("--prefix", metavar="TEXT", default="", help="what each sequence begins with")
    limits.add_argument("--prefix-column", metavar="COLUMN", default="", help="the column of the input with each row's prefix")
    limits.add_argument("--min-length", metavar="N", type=whole_number(0), default=0, help="symbols that each has at least")


def strategy_of(arguments: argparse.Namespace) -> Strategy:
    """Return the strategy. Raises InvalidInput for arguments that do not go together."""
    drawing = {"top_k": arguments.top_k, "top_p": arguments.top_p, "min_p": arguments.min_p}
    given = {name: value for name, value in drawing.items() if value is not None}
    searching = {name: getattr(arguments, name) for name in ("length_penalty", "groups", "diversity")}
    searched = {name: value for name, value in searching.items() if value is not None}
    if arguments.beam is not None:
        wrong = [*(["temperature"] if arguments.temperature is not None else []), *given]
        if wrong:
            raise _apart("--beam", wrong[0], "a beam search draws nothing at random")
        if searched.get("groups", 1) > 1:
            searched.setdefault("diversity", 1.0)
        return Beam(arguments.beam, n_best=arguments.count, **searched)
    if searched:
        raise InvalidInput(f"{_flag(next(iter(searched)))} is for a beam search; expected --beam K too.", "bad_decoding")
    temperature = arguments.temperature
    if temperature is None:
        temperature = 1.0 if given or arguments.unique or arguments.count > 1 else 0.0
    if not temperature:
        if given:
            raise _apart("--temperature 0", next(iter(given)), "temperature 0 always takes the likeliest symbol")
        return GREEDY
    return Sampling(temperature, **given)


def constraints_of(arguments: argparse.Namespace) -> Constraints:
    """Return the constraints."""
    return Constraints(
        arguments.allow, arguments.forbid, arguments.prefix, arguments.prefix_column, arguments.min_length
    )  # fmt: skip


def _apart(one: str, other: str, why: str) -> InvalidInput:
    return InvalidInput(f"{one} and {_flag(other)} do not go together: {why}.", "bad_decoding")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
