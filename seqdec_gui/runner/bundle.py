"""A trained model in one file, for Python: `seqdec_gui.load_bundle(path).generate([...])`."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.decoding import UNCONSTRAINED, Constraints, Strategy, at_temperature
from seqdec_gui.domain.decoding_settings import LARGEST_TEMPERATURE
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.bundle_file import CARD
from seqdec_gui.runner.opened_bundle import OpenedBundle, choose_backend, no_rows, open_bundle

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runner.sampler import Sample, Sampler


class Bundle:
    """A trained model that was exported as a bundle.

    `models` are its Keras models by the names of their blocks, and the stacked one as `full`. They take numbers as `encode`
    makes them of rows.
    """

    def __init__(self, path: Path) -> None:
        """Open a bundle. Raises InvalidInput."""
        choose_backend()
        folder = tempfile.TemporaryDirectory(prefix="seqdec-gui-bundle-")
        weakref.finalize(self, folder.cleanup)
        self._folder = folder
        self._opened: OpenedBundle = open_bundle(path, Path(folder.name))
        self._fitted = self._opened.fitted()
        self._made: Sampler | None = None

    def __repr__(self) -> str:
        return f"<Bundle {self.name!r}: {', '.join(self.models)}>"

    @property
    def name(self) -> str:
        """The name of the design."""
        return self._opened.contents.name

    @property
    def folder(self) -> Path:
        """The folder into which the bundle was unpacked; it is removed with this object."""
        return self._opened.folder

    @property
    def models(self) -> dict[str, keras.Model]:
        return self._opened.models

    @property
    def design(self) -> Design:
        return self._opened.design

    @property
    def fitted(self) -> Fitted:
        """Alphabets, labels, lengths, mean and deviation, as fitted to the training rows."""
        return self._fitted

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        file = self._opened.folder / CARD
        return file.read_text("utf-8") if file.is_file() else ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the values that a row has to give to `generate`; none for a language model."""
        sampler = self._sampler()
        return (*sampler.inputs, *[name for name in [sampler.first_step_from] if name])

    def encode(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The arrays of some rows, by input, as the training stored them. Raises InvalidInput with every faulty row."""
        from seqdec_gui.runner.bundle_rows import as_list, encoded

        return encoded(as_list(rows), self._fitted, self.inputs, self._sampler().first_step_from)

    def generate(
        self,
        rows: Sequence[Any] = (),
        n: int = 1,
        temperature: float | None = None,
        seed: int = 0,
        faulty: MutableMapping[int, str] | None = None,
        strategy: Strategy | None = None,
        constraints: Constraints = UNCONSTRAINED,
        unique: bool = False,
    ) -> list[Sample]:
        """Sequences for rows, `n` each, ordered by row: what `seqdec-gui generate` gives for the run with the same arguments.

        Args:
            rows: For each row a mapping from input to value, or from the columns of the training to their values, as
                `csv.DictReader` gives it; or the value alone if there is one input. A data frame is taken too. A language
                model takes no rows.
            n: Sequences for each row.
            temperature: 0 takes the likeliest symbol (default for one sequence), 1 draws as the model says (for several).
            seed: Seed of the random numbers.
            faulty: Gets the reason, by number from 0, of each row that cannot be decoded, while the others are decoded. Without
                it such a row raises InvalidInput.
            strategy: In the place of a temperature: `Greedy`, `Sampling` or `Beam` of `seqdec_gui.domain.decoding`. A beam
                search gives its `n_best` for each row.
            constraints: Symbols that are allowed or forbidden, a prefix, the least length.
            unique: Different samples of each row, fewer where there are no more.

        Each result has `row`, `sample`, `text`, `log_probability` and `finished`. Raises InvalidInput.
        """
        from seqdec_gui.runner.bundle_rows import as_list, encoded_where_good

        if strategy is not None and temperature is not None:
            raise InvalidInput("Expected a temperature or a strategy, received both.", "bad_decoding")
        if strategy is None:
            if temperature is not None and not 0 <= temperature <= LARGEST_TEMPERATURE:
                raise InvalidInput(f"Expected temperature >= 0, received {temperature}.", "bad_value")
            strategy = at_temperature((1.0 if n > 1 or unique else 0.0) if temperature is None else temperature)
        sampler = self._sampler()
        rows = as_list(rows)
        if not self.inputs:
            if rows:
                raise InvalidInput(
                    f"{self.name} takes no rows, received {len(rows)}; use n for several sequences.", "bad_value"
                )
            return self._sampled({}, 1, n, strategy, seed, constraints, unique)
        if not rows:
            return []
        if faulty is None:
            arrays: dict[str, Any] = self.encode(rows)
            numbers: Any = len(rows)
        else:
            found = encoded_where_good(rows, self._fitted, self.inputs, sampler.first_step_from)
            faulty.update(found.reasons)
            arrays, numbers = found.arrays, found.good
            if not len(numbers):
                return []
        return self._sampled(arrays, numbers, n, strategy, seed, constraints, unique)

    def _sampled(self, arrays: dict[str, Any], rows: Any, *how: Any) -> list[Sample]:
        """Sequences for encoded rows; `how` are the further arguments of `Sampler.generate`.

        Raises InvalidInput, also where the files of the bundle do not go together.
        """
        try:
            return [sample for part in self._sampler().generate(arrays, rows, *how) for sample in part]
        except (ValueError, IndexError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:300].rstrip(".")
            text = f"The parts of the bundle {self.name!r} do not go together: {reason}."
            hint = "Get it again from whoever made it."
            raise InvalidInput([Problem("error", "damaged_bundle", "bundle", text, hint)]) from error

    def _sampler(self) -> Sampler:
        if self._made is None:
            from seqdec_gui.runner.sampler import Sampler

            opened = self._opened
            self._made = Sampler(opened.design, opened.models, self._fitted, no_rows, opened.recorded)
        return self._made


def load_bundle(path: Path | str) -> Bundle:
    """Open a bundle that `seqdec-gui export --format bundle` wrote. No code of it is run. Raises InvalidInput."""
    return Bundle(Path(path))
