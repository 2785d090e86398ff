"""Gaps between naming traditions, and the limit on them. Driver only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Any, Literal

from linkage_spark.evaluation.figures import GapFigures, GroupGap, Proportion
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.tables.enums import Tier

Row = Mapping[str, Any]
Measure = Literal["recall", "precision"]

_SETTING = {"recall": "evaluation.max_tradition_gap", "precision": "evaluation.max_tradition_precision_gap"}
_SHOWN = frozenset({Tier.MATCH.value, Tier.POSSIBLE.value})


def tradition_gaps(patterns: Iterable[Row], *, max_gap: float, max_precision_gap: float, min_links: int) -> GapFigures:
    """How far each naming tradition lies below the best one, in recall and in precision of all that is shown.

    Recall is over supportable true links (the bound that does not depend on the comparator, so that what it cannot
    read in one tradition's names counts as a gap); precision over links shown in the default view: those with an on-duty
    sign stand outside it, and rest on a name alone. The tradition is the employee's.
    Groups with fewer than ``min_links`` in the denominator are shown and neither judged nor the best. A gap is
    too wide when it is above its limit and its 95 % interval leaves 0 out.

    Args:
        patterns: rows of ``judged.count_patterns``.
        max_gap: the limit on recall, a share of 1.
        max_precision_gap: the limit on precision.
        min_links: least number of true links (recall) or shown links (precision) of a group that is judged.
    """
    by_group: dict[str, list[Row]] = {}
    for row in patterns:
        by_group.setdefault(row["naming_tradition"], []).append(row)
    shares: dict[Measure, dict[str, Proportion]] = {"recall": {}, "precision": {}}
    for group, rows in by_group.items():
        shown = [row for row in rows if row["tier"] in _SHOWN]
        supportable = [row for row in rows if row["is_true"] and row["supportable"]]
        shares["recall"][group] = proportion(
            _pairs(row for row in supportable if row["tier"] in _SHOWN), _pairs(supportable)
        )
        by_default = [row for row in shown if not row["on_duty_sign"]]
        shares["precision"][group] = proportion(_pairs(row for row in by_default if row["is_true"]), _pairs(by_default))
    limits: dict[Measure, float] = {"recall": max_gap, "precision": max_precision_gap}
    return {
        "min_links": min_links,
        "groups": [gap for measure, most in limits.items() for gap in _gaps(measure, shares[measure], most, min_links)],
    }


def gap_faults(gaps: GapFigures) -> list[str]:
    """One sentence per gap that is too wide: groups and figures, no person."""
    return [
        f"accuracy by naming tradition: {row['measure']} of {row['group']} is {_points(row['gap'])} points below that of "
        f"{row['best_group']} ({_of(row['share'])} against {_of(row['best_share'])}), the limit is "
        f"{_points(row['limit'])}; the report's table of naming traditions shows all; mend what makes the gap, or set "
        f"{_SETTING[row['measure']]} in conf/settings and write down why"
        for row in gaps["groups"]
        if row["too_wide"]
    ]


def difference(best: Proportion, share: Proportion) -> tuple[float, float, float] | None:
    """The best share less another with its 95 % interval; None when one was not counted.

    The limits are made of both Wilson intervals: R. G. Newcombe (1998), "Interval estimation for the difference
    between independent proportions: comparison of eleven methods", Statistics in Medicine 17 (8), 873-890, method 10.
    """
    p, low_p, high_p = best["value"], best["low"], best["high"]
    q, low_q, high_q = share["value"], share["low"], share["high"]
    if p is None or low_p is None or high_p is None or q is None or low_q is None or high_q is None:
        return None
    below = sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    above = sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return p - q, max(-1.0, p - q - below), min(1.0, p - q + above)


def _gaps(measure: Measure, shares: Mapping[str, Proportion], max_gap: float, min_links: int) -> list[GroupGap]:
    """One measure, the widest gap first; the best group's own gap is 0."""
    judged = {group: share for group, share in shares.items() if share["denominator"] >= max(1, min_links)}
    best_group = min(judged, key=lambda group: (-(judged[group]["value"] or 0.0), group), default=None)
    rows = [
        _gap(measure, group, share, shares, best_group, group in judged, max_gap) for group, share in shares.items()
    ]
    return sorted(rows, key=lambda row: (-(row["gap"] if row["gap"] is not None else -2.0), row["group"]))


def _gap(
    measure: Measure,
    group: str,
    share: Proportion,
    shares: Mapping[str, Proportion],
    best_group: str | None,
    judged: bool,
    max_gap: float,
) -> GroupGap:
    """One group against the best; it is not compared with itself."""
    best = shares[best_group] if best_group is not None else proportion(0, 0)
    found = difference(best, share)
    if group == best_group:
        found = (0.0, 0.0, 0.0)
    gap, low, high = (None, None, None) if found is None else found
    wide = judged and gap is not None and low is not None and gap > max_gap and low > 0
    return {
        "measure": measure,
        "group": group,
        "share": share,
        "best_group": best_group or "",
        "best_share": best,
        "limit": max_gap,
        "gap": _rounded(gap),
        "low": _rounded(low),
        "high": _rounded(high),
        "judged": judged,
        "too_wide": wide,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _points(share: float | None) -> str:
    """A share as percentage points with one decimal."""
    return f"{100 * (share or 0.0):.1f}"


def _of(share: Proportion) -> str:
    return f"{share['numerator']:,} of {share['denominator']:,}"


def _pairs(rows: Iterable[Row] | Sequence[Row]) -> int:
    return sum(int(row["pairs"]) for row in rows)
