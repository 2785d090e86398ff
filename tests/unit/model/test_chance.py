"""The shipped u of date levels follow from chance alone, as the model's provenance says."""

from __future__ import annotations

import numpy as np
import pytest

from linkage_spark.linkage.comparison.dates import LEVELS, Dates, compare_dates
from linkage_spark.model.schema import DATE_LEVELS
from tests.unit.linkage.comparison.knowledge import model

PAIRS = 1_000_000


def random_dates(chance: np.random.Generator) -> Dates:
    """Births even over sixty years, one in a hundred dates set to 1 January."""
    first, end = (int(np.datetime64(day).astype(np.int64)) for day in ("1946-01-01", "2006-01-01"))
    days = chance.integers(first, end, PAIRS).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    default = chance.random(PAIRS) < 0.01
    return Dates(
        year=days.astype("datetime64[Y]").astype(np.int64) + 1970,
        month=np.where(default, 1, months.astype(np.int64) % 12 + 1),
        day=np.where(default, 1, (days - months).astype(np.int64) + 1),
    )


def test_u_of_each_date_level_is_its_share_among_random_pairs() -> None:
    chance = np.random.default_rng(20261121)
    found = compare_dates(random_dates(chance), random_dates(chance))
    counts = dict(zip(LEVELS, np.bincount(found.level, minlength=len(LEVELS)).tolist(), strict=True))
    for level in DATE_LEVELS:
        expected = model().date_of_birth[level].u * PAIRS
        assert counts[level] == pytest.approx(expected, rel=0.03, abs=5 * expected**0.5 + 3), level
