"""Damages a bundle in many ways and generates with each: a refusal or an answer may come of it, nothing else.

python tools/fuzz_bundles.py BUNDLE INPUT... [--inputs 300] [--seed 1] [--first N]

`BUNDLE` is one that `seqdec-gui export RUN --format bundle` wrote, `INPUT` are texts that its model generates from. Damaged
are the bytes of the whole file, of one of its files, or of one file within a Keras file within it; the latter two are
packed again, mostly with check sums that fit, as a stranger would. The same seed makes the same files.

Prints what was tried and what was wrong. Exits with 1 if a process died, an error was no sentence, a bundle took too long
or too much memory, or answers differed though the check sums were left as they were.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.fuzz.inputs import damaged  # noqa: E402

LONGEST_S = 60.0
"""The longest that one bundle may take, the first with the import of Keras apart."""
MOST_BYTES = 3 << 29
"""The most memory above what the process took before."""
A_CHILD = 100
"""The number of bundles after which a fresh process goes on."""


class Damaged(NamedTuple):
    """`forged`: its check sums fit."""

    what: str
    forged: bool
    content: bytes


def damage(bundle: bytes, chance: random.Random) -> Damaged:
    """Return the bundle with something damaged."""
    depth = chance.choice((0, 1, 1, 2, 2))
    if not depth:
        return Damaged("the file", False, damaged(bundle, chance))
    files = unpacked(bundle)
    name = chance.choice([name for name in files if depth == 1 or name.endswith(".keras")])
    what, forged = name, False
    if depth == 1:
        files[name] = damaged(files[name], chance)
    else:
        inner = unpacked(files[name])
        part = chance.choice(list(inner))
        inner[part] = damaged(inner[part], chance)
        files[name], what = packed(inner), f"{part} in {name}"
    if name != "bundle.json" and chance.random() < 0.8:
        contents = json.loads(files["bundle.json"])
        contents["files"][name] = hashlib.sha256(files[name]).hexdigest()
        files["bundle.json"], forged = json.dumps(contents).encode(), True
    elif name == "bundle.json":
        forged = True
    return Damaged(what, forged, packed(files))


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def child(bundle: Path, texts: list[str], seed: int, first: int, last: int) -> None:
    """Try these numbers, and print a line of JSON for each."""
    import seqdec_gui
    from seqdec_gui.domain.problems import SeqdecError

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    right = answers(seqdec_gui.load_bundle(bundle).generate(texts))
    print(json.dumps({"ready": True}), file=out, flush=True)
    content = bundle.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        for number in range(first, last):
            broken = damage(content, random.Random(seed * 1_000_003 + number))
            path.write_bytes(broken.content)
            before, began = peak(), time.monotonic()
            try:
                found = answers(seqdec_gui.load_bundle(path).generate(texts))
                outcome = "same" if found == right else "other, forged" if broken.forged else f"other answers: {found}"[:300]
            except SeqdecError as error:
                outcome = "refused" if str(error) else "an empty sentence"
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"[:300]
            took = peak() - before
            if took > MOST_BYTES:
                outcome = f"{took >> 20} MiB of memory"
            line = {"number": number, "what": broken.what, "outcome": outcome, "seconds": time.monotonic() - began}
            print(json.dumps(line), file=out, flush=True)


def answers(generated: Any) -> str:
    return repr(generated)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def tried(command: list[str], first: int, last: int) -> list[dict[str, Any]]:
    """Try these numbers in a process; a number that ends it, or takes too long, is the last of the results."""
    results: list[dict[str, Any]] = []
    with subprocess.Popen([*command, str(first), str(last)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        fault = ""
        while not fault:
            ready, _, _ = select.select([process.stdout], [], [], LONGEST_S)
            line = process.stdout.readline() if ready else b""
            if not line:
                fault = "the end" if ready else f"more than {LONGEST_S:.0f} s"
            elif "number" in (found := json.loads(line)):
                results.append(found)
        if fault != "the end":
            process.kill()
    if len(results) < last - first:
        outcome = fault if fault != "the end" else f"the process ended with status {process.returncode}"
        results.append({"number": first + len(results), "what": "?", "outcome": outcome, "seconds": LONGEST_S})
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("texts", nargs="+", metavar="INPUT")
    parser.add_argument("--inputs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first bundle, to try one again")
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.bundle, asked.texts, asked.seed, *asked.child)
        return 0
    command = [sys.executable, __file__, str(asked.bundle), *asked.texts, "--seed", str(asked.seed), "--child"]
    results: list[dict[str, Any]] = []
    at, end = asked.first, asked.first + asked.inputs
    while at < end:
        results += tried(command, at, min(end, at + A_CHILD))
        at = results[-1]["number"] + 1
    wrong = [each for each in results if each["outcome"] not in ("same", "refused", "other, forged")]
    for each in wrong:
        print(f"bundle {each['number']} ({each['what']}): {each['outcome']}")
    count = Counter(each["outcome"] for each in results)
    print(
        f"bundles tried: {len(results):,} ({count['refused']:,} refused, {count['same']:,} with the same answers, "
        f"{count['other, forged']:,} forged with other answers), wrong: {len(wrong):,}"
    )
    print(f"longest: {max(each['seconds'] for each in results):.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
