"""What a prior says of itself: where it came from, when it was changed, and the hash by which REINVENT checks it."""

from __future__ import annotations

import pickle  # noqa: TID251  REINVENT hashes a pickle, which is made here, and neither stored nor opened
import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from seqdec_gui.runner.reinvent.plain_pickle import Record

LONGEST_TEXT, MOST_LINES = 10_000, 1_000
"""Most characters of a text and most lines of a list that are kept."""
PROTOCOL = 4
"""The protocol with which REINVENT pickles what it hashes: the default of Python 3.8 to 3.13."""


class Metadata(msgspec.Struct, frozen=True):
    """The fields of REINVENT's `ModelMetaData`, under its names, without the hash."""

    model_id: str = ""
    origina_data_source: str = "unknown"
    creation_date: float = 0.0
    date_format: str = "UNIX epoch"
    model_id_format: str = "uuid.uuid4"
    updates: tuple[float, ...] = ()
    comments: tuple[str, ...] = ()

    def changed(self, comment: str) -> Metadata:
        """Return what a prior says that has been trained further; one that had no identity gets one."""
        now = time.time()
        return msgspec.structs.replace(
            self,
            model_id=self.model_id or uuid.uuid4().hex,
            creation_date=self.creation_date or now,
            updates=(*self.updates, now),
            comments=(*self.comments, comment),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a prior has them, in REINVENT's order, without a hash."""
        return {
            "hash_id": None, "hash_id_format": None, "model_id": self.model_id, "origina_data_source": self.origina_data_source,
            "creation_date": self.creation_date, "date_format": self.date_format, "model_id_format": self.model_id_format,
            "updates": list(self.updates), "comments": list(self.comments),
        }  # fmt: skip


def metadata_of(found: Any) -> Metadata:
    """Return what a prior says of itself; what has another form than REINVENT gives it is left out."""
    held: Mapping[Any, Any] = found.state if isinstance(found, Record) else found if isinstance(found, dict) else {}
    plain = Metadata()
    texts = {}
    for name in ("model_id", "origina_data_source", "date_format", "model_id_format"):
        value = held.get(name)
        if isinstance(value, Record) and isinstance(value.state.get("int"), int):
            value = f"{value.state['int'] % (1 << 128):032x}"
        texts[name] = value[:LONGEST_TEXT] if isinstance(value, str) else getattr(plain, name)
    created = held.get("creation_date")
    updates, comments = (found if isinstance(found := held.get(name), list) else [] for name in ("updates", "comments"))
    return Metadata(
        **texts,
        creation_date=float(created) if isinstance(created, int | float) else 0.0,
        updates=tuple(float(each) for each in updates[:MOST_LINES] if isinstance(each, int | float)),
        comments=tuple(each[:LONGEST_TEXT] for each in comments[:MOST_LINES] if isinstance(each, str)),
    )


def with_hash(content: Mapping[str, Any], opened: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a prior with the hash that REINVENT computes of it; `opened` is the content as the file gives it.

    REINVENT pickles what it has opened, with arrays for tensors and without a hash, the names sorted. A pickle shows which
    objects are the same, so that only what has been opened can be hashed.
    """
    import xxhash

    data = pickle.dumps(dict(sorted(opened.items())), PROTOCOL)
    hashed = {"hash_id": xxhash.xxh3_128_hexdigest(data), "hash_id_format": f"xxhash.xxh3_128_hex {xxhash.VERSION}"}
    return {**content, "metadata": {**content["metadata"], **hashed}}
