"""The trained run that was opened last in this process, which a warm worker uses for one task after the other."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.feed_map import FeedMap, read_feed_map
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.runner.bundle_file import is_bundle
from seqdec_gui.runner.opened_bundle import OpenedBundle, open_bundle
from seqdec_gui.runner.opened_run import open_trained
from seqdec_gui.runner.sampler import Sampler
from seqdec_gui.runner.scoring import Scorer
from seqdec_gui.runs.trained_files import stamps


class LoadedRun:
    """A trained run, or a bundle, with what was compiled for it."""

    def __init__(self, trained: Any) -> None:
        """`trained` is an `OpenedRun` or an `OpenedBundle`."""
        self.trained = trained
        self._samplers: dict[FeedMap | None, Sampler] = {}

    @cached_property
    def fitted(self) -> Fitted:
        """The codecs that were fitted to the data. Raises InvalidInput."""
        found: Fitted = self.trained.fitted()
        return found

    @property
    def sampler(self) -> Sampler:
        """Raises InvalidInput where the design cannot generate."""
        return self.sampler_with("")

    def sampler_with(self, feed_map: str) -> Sampler:
        """Return the sampler with a file that says what is fed after each prediction, or with "". Raises InvalidInput."""
        mapping = read_feed_map(Path(feed_map)) if feed_map else None
        if mapping not in self._samplers:
            opened = cache(self.trained.dataset)

            def training_rows(port: str) -> Any:
                dataset = opened()
                return np.asarray(dataset.arrays[port][dataset.training])

            recorded = self.trained.recorded if isinstance(self.trained, OpenedBundle) else None
            self._samplers[mapping] = Sampler(
                self.trained.design, self.trained.models, self.fitted, training_rows, recorded, mapping
            )
        return self._samplers[mapping]

    def scorer_with(self, feed_map: str) -> Scorer:
        """Raises InvalidInput where the design gives no probabilities."""
        return Scorer(self.trained.design, self.trained.models, self.fitted, self.sampler_with(feed_map))


def load_beside(run: Path, checkpoint: str, scratch: Path) -> LoadedRun:
    """Return a second run or bundle, to compare with the one of `load`, which stays loaded. Raises InvalidInput."""
    stamp = None if is_bundle(run) else stamps(str(run), checkpoint)
    if stamp is not None and stamp in _last:
        return _last[stamp]
    if stamp is None or stamp not in _beside:
        folder = scratch / "beside"
        folder.mkdir(exist_ok=True)
        opened = open_bundle(run, folder) if stamp is None else open_trained(run, checkpoint, folder)
        _beside.clear()
        if stamp is None:
            return LoadedRun(opened)
        _beside[stamp] = LoadedRun(opened)
    return _beside[stamp]


_beside: dict[Hashable, LoadedRun] = {}
"""The run that another was compared with last, by the stamps of its files."""
_last: dict[Hashable, LoadedRun] = {}
"""The run that was loaded last, by the stamps of its files; empty in a new process."""


def load(run: Path, checkpoint: str, scratch: Path) -> LoadedRun:
    """Return a run with the weights of a checkpoint, opened anew if one of its files has changed since; or a bundle.

    Raises InvalidInput.
    """
    if is_bundle(run):
        return LoadedRun(open_bundle(run, scratch))
    stamp = stamps(str(run), checkpoint)
    if stamp not in _last:
        loaded = LoadedRun(open_trained(run, checkpoint, scratch))
        _last.clear()
        _last[stamp] = loaded
    return _last[stamp]
