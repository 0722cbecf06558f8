"""Tries damaged files of every kind that may come from strangers, each within limits of memory and time.

python tools/fuzz_inputs.py [--inputs 10000] [--seed 1] [--keep FOLDER]

Prints the inputs tried, crashes, the longest time and the most memory; exits with 1 if anything but a sentence came of one.
The same seed makes the same files.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from seqdec_gui.domain.problems import SeqdecError
from tools.fuzz.inputs import damaged, write_seeds
from tools.fuzz.readers import READERS

LONGEST_S = 30.0
"""The longest that one file may take."""
MOST_BYTES = 3 << 29
"""The most memory that one file may take; as much again is left for addresses that are never written to."""
A_CHILD = 250
"""The number of files after which a fresh process goes on."""
LONGEST_SENTENCE = 20_000


def _import_all() -> None:
    import h5py  # noqa: F401
    import openpyxl  # noqa: F401
    import scipy.io  # noqa: F401


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _try(number: int, seed: int, seeds: list[tuple[str, Path]], folder: Path) -> dict[str, object]:
    """Damage a file and read it. Returns the kind, the outcome, the seconds and the bytes of memory."""
    chance = random.Random(seed * 1_000_003 + number)
    kind, source = seeds[chance.randrange(len(seeds))]
    target = folder / ("run" if kind == "run" else "")
    if kind == "run":
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source.parent, target)
    path = target / source.name
    path.write_bytes(damaged(source.read_bytes(), chance))
    Path("/proc/self/clear_refs").write_text("5")
    before, began, outcome = _peak(), time.monotonic(), "read"
    try:
        READERS[kind](path)
    except SeqdecError as error:
        faults = [problem for problem in getattr(error, "problems", ()) if problem.code == "program_fault"]
        outcome = "refused" if 0 < len(str(error)) <= LONGEST_SENTENCE else f"a sentence of {len(str(error)):,} characters"
        if faults:
            outcome = faults[0].text
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"[:300] + "".join(traceback.format_tb(error.__traceback__)[-2:])
    seconds, took = time.monotonic() - began, _peak() - before
    if took > MOST_BYTES:
        outcome = f"{took >> 20} MiB of memory"
    return {"number": number, "file": source.name, "outcome": outcome, "seconds": seconds, "bytes": took}


def _child(first: int, last: int, seed: int, seeds: list[tuple[str, Path]], folder: Path, out: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    most = used + 2 * MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for number in range(first, last):
        os.write(out, json.dumps(_try(number, seed, seeds, folder)).encode() + b"\n")


def _run(first: int, last: int, seed: int, seeds: list[tuple[str, Path]], folder: Path) -> list[dict[str, object]]:
    """Try these numbers in one process; a number that ends it, or takes too long, is the last of the results."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        try:
            _child(first, last, seed, seeds, folder, send)
        finally:
            os._exit(0)
    os.close(send)
    results: list[dict[str, object]] = []
    data, fault = b"", ""
    while not fault:
        ready, _, _ = select.select([receive], [], [], LONGEST_S)
        part = os.read(receive, 1 << 16) if ready else b""
        data += part
        *lines, data = data.split(b"\n")
        results += [json.loads(line) for line in lines]
        if not part:
            fault = "the end" if ready else f"more than {LONGEST_S:.0f} s"
    os.close(receive)
    if fault != "the end":
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if len(results) < last - first:
        what = fault if fault != "the end" else f"ended by signal {status & 0x7F}"
        results.append({"number": first + len(results), "file": "?", "outcome": what, "seconds": LONGEST_S, "bytes": 0})
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input, to try one again")
    asked = parser.parse_args()
    _import_all()
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        good, work = Path(name) / "good", Path(name) / "work"
        good.mkdir()
        work.mkdir()
        seeds = write_seeds(good)
        at, end = asked.first, asked.first + asked.inputs
        while at < end:
            results += _run(at, min(end, at + A_CHILD), asked.seed, seeds, work)
            at = int(str(results[-1]["number"])) + 1
    wrong = [each for each in results if each["outcome"] not in ("read", "refused")]
    for each in wrong:
        print(f"input {each['number']} ({each['file']}): {each['outcome']}")
    refused = sum(each["outcome"] == "refused" for each in results)
    longest, most = max(float(str(each["seconds"])) for each in results), max(int(str(each["bytes"])) for each in results)
    print(f"inputs tried: {len(results):,} ({refused:,} refused), crashes: {len(wrong):,}")
    print(f"longest: {longest:.1f} s, most memory: {most >> 20:,} MiB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
