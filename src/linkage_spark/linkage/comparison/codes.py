"""A compared pair as a few numbers: strings are compared once, and whatever asks later starts from the codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from linkage_spark.linkage.comparison.addresses import AddressComparison
from linkage_spark.linkage.comparison.dates import DateComparison, Ints
from linkage_spark.linkage.comparison.names import NameComparison
from linkage_spark.linkage.comparison.pair import PairComparison

LEVEL_BITS = 8
"""A level stands in the lowest bits of its code, claims that do not follow from it above them."""

LEVEL_MASK = (1 << LEVEL_BITS) - 1

_CONTRADICTS = 1 << LEVEL_BITS
_SAME_PREMISES, _SAME_POSTCODE, _POSTCODES_EQUAL = (1 << (LEVEL_BITS + no) for no in range(3))


def code_columns(further: Iterable[str]) -> tuple[str, ...]:
    """Names of the columns that hold the codes: name, date of birth, address, then each further attribute."""
    return ("code_name", "code_date_of_birth", "code_address", *(f"code_{name}" for name in further))


def to_codes(found: PairComparison) -> list[Ints]:
    """The columns of ``code_columns``: integers below 2^15. ``from_codes`` gives the same comparison again."""
    date, address = found.date, found.address
    claims = (
        (address.same_premises, _SAME_PREMISES),
        (address.same_postcode, _SAME_POSTCODE),
        (address.postcodes_equal, _POSTCODES_EQUAL),
    )
    return [
        found.name.cell,
        date.level + date.contradicts * _CONTRADICTS,
        address.level + sum(holds * bit for holds, bit in claims),
        *(np.ascontiguousarray(levels) for levels in found.further.T),
    ]


def from_codes(codes: Sequence[Ints]) -> PairComparison:
    """The comparison behind the columns of ``code_columns``."""
    cell, date, address, *further = codes
    flags = [(address & bit) != 0 for bit in (_SAME_PREMISES, _SAME_POSTCODE, _POSTCODES_EQUAL)]
    return PairComparison(
        name=NameComparison.of_cells(cell),
        date=DateComparison.of_levels(date & LEVEL_MASK, (date & _CONTRADICTS) != 0),
        address=AddressComparison(address & LEVEL_MASK, *flags),
        further=np.stack(further, axis=1) if further else np.zeros((len(cell), 0), dtype=np.int64),
    )
