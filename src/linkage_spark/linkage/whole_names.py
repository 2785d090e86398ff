"""How rare a whole name is: given name and surname together, which communities and families choose together.

Among random pairs the two parts of a name are not independent: *Mohammed* is far commoner beside *Khan* than the shares of
both say. Where a whole name has a frequency of its own, agreement on it is corrected by that beside the parts'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from linkage_spark.linkage.comparison.pair import Columns
from linkage_spark.model.frequencies import WholeNameFrequencies

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CLIPS = 2
"""An exact whole name's correction is at most that of two parts, each at its clip."""


def whole_names(side: Columns) -> pa.Array:
    """The whole name of every record: ``given_first``, a blank, ``surname_last``; null where either is."""
    return pc.binary_join_element_wise(side["given_first"], side["surname_last"], " ")


@dataclass(frozen=True)
class WholeNames:
    """Shares of whole names, and what their corrections are measured against.

    Attributes:
        table: shares of whole names.
        reference: share at which the weight of an exact whole name is told.
        of_parts: that of an exact given name times that of an exact surname.
        clip_bits: clip of one part's correction.
    """

    table: WholeNameFrequencies
    reference: float
    of_parts: float
    clip_bits: float

    def common(self, left: Columns, right: Columns, rows: Bools) -> Floats:
        """Share of the commoner of both sides' whole names; NaN outside ``rows`` and where neither is counted."""
        return self._of_both(left, right, rows, self.table.shares.get, np.fmax)

    def beside_parts(self, left: Columns, right: Columns, rows: Bools) -> Floats:
        """What whole names say beside their parts, bits, clipped; of both sides' counted names the less; 0 outside ``rows``.

        log2 of the share that the parts' own make over the share of the name, against the same of the references: below 0
        for a name that is commoner than its parts say. A name that is not counted is as common as they say.
        """

        def beside(name: str) -> float | None:
            return self.table.bits_beside_parts(name) if name in self.table.shares else None

        found = self._of_both(left, right, rows, beside, np.fmin)
        bits = self._clipped(np.where(np.isnan(found), 0.0, found) + self._told_beside_parts, clips=1)
        return np.where(rows, bits, 0.0)

    def exact(self, common: Floats, parts: Floats) -> Floats:
        """Corrections of whole names that agree exactly; symmetric, and the less the commoner the name.

        log2(reference/share), clipped at CLIPS times the clip of a part. A name that is not counted is as rare as the
        corrections of its parts say, and no commoner than the rarest that is: it has fewer bearers.

        Args:
            common: from ``common``.
            parts: sum of the parts' corrections, bits.
        """
        uncounted = np.maximum(parts + self._told_beside_parts, np.log2(self.reference / self.table.rare_share))
        counted = np.log2(self.reference / np.where(np.isnan(common), 1.0, common))
        return self._clipped(np.where(np.isnan(common), uncounted, counted), clips=CLIPS)

    def most_exact(self, parts: float) -> float:
        """The largest correction that any exact name can get, where the parts' sum is at most ``parts``."""
        return float(self.exact(np.array([np.nan]), np.array([parts]))[0])

    def most_beside_parts(self) -> float:
        """The most that ``beside_parts`` can give, at least 0."""
        most = np.array([max(self.table.most_bits_beside_parts, 0.0) + self._told_beside_parts])
        return max(0.0, float(self._clipped(most, clips=1)[0]))

    @property
    def _told_beside_parts(self) -> float:
        """How much rarer the name of the reference is than its parts, bits."""
        return float(np.log2(self.reference / self.of_parts))

    def _clipped(self, bits: Floats, *, clips: int) -> Floats:
        """Bits inside so many times the clip of a part."""
        clipped: Floats = np.clip(bits, -clips * self.clip_bits, clips * self.clip_bits)
        return clipped

    def _of_both(
        self,
        left: Columns,
        right: Columns,
        rows: Bools,
        value_of: Callable[[str], float | None],
        choose: Callable[[Floats, Floats], Floats],
    ) -> Floats:
        """One of what both sides' whole names have; NaN outside ``rows`` and where neither has anything."""
        found = np.full(len(rows), np.nan)
        places = np.flatnonzero(rows)
        if len(places):
            taken = pa.array(places)
            sides = [_each(side, taken, value_of) for side in (left, right)]
            found[places] = choose(*sides)
        return found


def _each(side: Columns, taken: pa.Array, value_of: Callable[[str], float | None]) -> Floats:
    """What some rows' whole names have; NaN for none."""
    names = whole_names({name: side[name].take(taken) for name in ("given_first", "surname_last")})
    encoded = pc.dictionary_encode(names)
    of_name = [value_of(name) for name in encoded.dictionary.to_pylist()]
    known = np.array([np.nan if value is None else value for value in of_name] + [np.nan])
    found: Floats = known[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
    return found
