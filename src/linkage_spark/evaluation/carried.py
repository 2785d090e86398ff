"""Recall over what true links carry: by the tier that the policy grants on the values as recorded. Driver only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from linkage_spark.evaluation.figures import CarriedFigures, CarriedTier
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.tables.enums import Tier

Row = Mapping[str, Any]

NOT_COMPARED = "not_compared"
"""A side was refused, not screened, or is not there: the policy was not asked."""

AIM_RECALL = 0.97
"""Of true links that carry match: in tier match; of those that carry possible at least: shown."""

AIM_PAIRS_PER_TRUE = 3.0
"""Shown pairs per true one among them, at most."""

_SHOWN = frozenset({Tier.MATCH.value, Tier.POSSIBLE.value})


def carried_figures(patterns: Iterable[Row]) -> CarriedFigures:
    """Recall bounded by what the records carry.

    A true link *carries* a tier when the policy's clauses, read off both records' values by the screening's own
    comparator, grant at least that tier; blocking, thresholds and rivals do not count. The policy is the force's,
    fixed beforehand. Since the comparator itself reads the values, whatever it cannot see shrinks the
    denominator and is no miss here; so the coarse bound stands beside it: *supportable* asks only whether the
    record holds a name and a full date of birth or a dwelling, whatever the values are.

    Args:
        patterns: rows of ``judged.count_patterns`` with ``claim_tier``.
    """
    rows = list(patterns)
    true = [row for row in rows if row["is_true"]]
    all_true = _pairs(true)
    match = [row for row in true if row["claim_tier"] == Tier.MATCH.value]
    some = [row for row in true if row["claim_tier"] in _SHOWN]
    supportable = [row for row in true if row["supportable"]]
    shown = _shown(rows)
    true_shown = _shown(true)
    return {
        "tiers": [_tier(true, tier, all_true) for tier in (*(tier.value for tier in Tier), NOT_COMPARED)],
        "match_of_match": proportion(_pairs(row for row in match if row["tier"] == Tier.MATCH.value), _pairs(match)),
        "carry_match": proportion(_pairs(match), all_true),
        "shown_of_possible": proportion(_shown(some), _pairs(some)),
        "carry_possible": proportion(_pairs(some), all_true),
        "shown_of_supportable": proportion(_shown(supportable), _pairs(supportable)),
        "supportable": proportion(_pairs(supportable), all_true),
        "shown_pairs": shown,
        "true_shown_pairs": true_shown,
        "shown_pairs_per_true": round(shown / true_shown, 6) if true_shown else None,
    }


def carried_tier(row: Row) -> str:
    """The tier that a true pair carries, or that nobody asked."""
    return row["claim_tier"] or NOT_COMPARED


def _tier(true: Sequence[Row], tier: str, all_true: int) -> CarriedTier:
    """One row: true links that carry a tier, and where they are shown."""
    rows = [row for row in true if carried_tier(row) == tier]
    return {
        "carries": tier,
        "true_links": proportion(_pairs(rows), all_true),
        "shown_match": _pairs(row for row in rows if row["tier"] == Tier.MATCH.value),
        "shown_possible": _pairs(row for row in rows if row["tier"] == Tier.POSSIBLE.value),
    }


def _pairs(rows: Iterable[Row]) -> int:
    return sum(int(row["pairs"]) for row in rows)


def _shown(rows: Iterable[Row]) -> int:
    return _pairs(row for row in rows if row["tier"] in _SHOWN)
