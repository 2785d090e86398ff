"""Counted patterns → precision and recall with intervals. Driver only: no Spark here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from linkage_spark.evaluation.carried import carried_figures
from linkage_spark.evaluation.figures import (
    AccuracyFigures,
    CurvePoint,
    GroupAccuracy,
    HardNegativeAccuracy,
    HitAccuracy,
    LossFigures,
    Proportion,
    ScopeAccuracy,
)
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.losses import losses_by_class, losses_by_stage
from linkage_spark.tables.enums import Tier

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]

SCOPES: dict[str, frozenset[str]] = {
    "match": frozenset({Tier.MATCH.value}),
    "match+possible": frozenset({Tier.MATCH.value, Tier.POSSIBLE.value}),
}
"""What is counted as shown: the upper tier alone, and both."""

CLEAN = "clean"
"""The group of person records without any recording error."""


def accuracy(
    patterns: Iterable[Row], *, weights: Iterable[Row], hard_negatives: Iterable[Row], hits: Iterable[Row]
) -> AccuracyFigures:
    """Figures from the four counts of ``evaluation.judged``.

    Precision = true links shown / links shown. Recall = true links shown / all true links;
    ``recall_supportable`` leaves out records that hold too little for any link; ``carried``, where the policy
    was asked, says what the other values would allow.

    Args:
        patterns: rows of ``count_patterns``.
        weights: rows of ``count_weights``.
        hard_negatives: rows of ``count_hard_negatives``.
        hits: rows of ``count_judged_hits``.
    """
    rows = list(patterns)
    true_links = _pairs(rows, _is_true)
    found: AccuracyFigures = {
        "true_links": true_links,
        "supportable_true_links": _pairs(rows, lambda row: row["is_true"] and row["supportable"]),
        "scopes": scopes(rows),
        "by_source": _by(rows, lambda row: [row["source_system"]]),
        "by_error_class": _by(rows, error_classes),
        "by_tradition": _by(rows, lambda row: [row["naming_tradition"]]),
        "by_address": _by(rows, lambda row: ["with_address_note" if row["address_noted"] else "without_address_note"]),
        "by_on_duty": _by(rows, lambda row: ["on_duty_sign" if row["on_duty_sign"] else "no_sign"]),
        "by_age_band": _by(rows, lambda row: [row["age_band"]]),
        "by_event_type": _by(rows, lambda row: row["event_types"].split("|")),
        "hard_negatives": _hard_negatives(rows, hard_negatives),
        "hits": _hits(list(hits)),
        "curve": _curve(weights, true_links),
        "loss": _loss(rows),
        "loss_by_stage": losses_by_stage(rows),
        "loss_by_class": losses_by_class(rows, error_classes),
    }
    if any(row["claim_tier"] for row in rows):
        found["carried"] = carried_figures(rows)
    return found


def scopes(patterns: Iterable[Row]) -> list[ScopeAccuracy]:
    """Precision and recall of what each scope shows, from rows of ``count_patterns``."""
    rows = list(patterns)
    return [_scope(rows, scope) for scope in SCOPES]


def _is_true(row: Row) -> bool:
    return bool(row["is_true"])


def error_classes(row: Row) -> list[str]:
    """A record may bear several classes, and counts under each."""
    return [name for name in row["error_classes"].split("|") if name] or [CLEAN]


def _pairs(rows: Iterable[Row], wanted: Predicate, measure: str = "pairs") -> int:
    return sum(row[measure] for row in rows if wanted(row))


def _precision_recall(rows: Sequence[Row], scope: str, measure: str = "pairs") -> tuple[Proportion, Proportion]:
    """Precision and recall of one scope over ``rows``."""
    tiers = SCOPES[scope]
    shown = _pairs(rows, lambda row: row["tier"] in tiers, measure)
    found = _pairs(rows, lambda row: row["tier"] in tiers and row["is_true"], measure)
    return proportion(found, shown), proportion(found, _pairs(rows, _is_true, measure))


def _scope(rows: Sequence[Row], scope: str) -> ScopeAccuracy:
    precision, recall = _precision_recall(rows, scope)
    _, supportable = _precision_recall([row for row in rows if row["supportable"]], scope)
    return {"scope": scope, "precision": precision, "recall": recall, "recall_supportable": supportable}


def _by(rows: Sequence[Row], groups_of: Callable[[Row], list[str]]) -> list[GroupAccuracy]:
    """Accuracy per group and scope; clean records first, then in alphabetical order."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for group in groups_of(row):
            grouped[group].append(row)
    figures: list[GroupAccuracy] = []
    for group, members in sorted(grouped.items(), key=lambda item: (item[0] != CLEAN, item[0])):
        for scope in SCOPES:
            precision, recall = _precision_recall(members, scope)
            figures.append(
                {
                    "group": group,
                    "scope": scope,
                    "precision": precision,
                    "recall": recall,
                    "false_links": precision["denominator"] - precision["numerator"],
                }
            )
    return figures


def _hard_negatives(rows: Sequence[Row], counted: Iterable[Row]) -> list[HardNegativeAccuracy]:
    """False links whose person record is a hard negative, per kind and tier."""
    return [
        {
            "hard_negative": kind,
            "records": records,
            "shown_match": _false_in(rows, kind, Tier.MATCH),
            "shown_possible": _false_in(rows, kind, Tier.POSSIBLE),
        }
        for kind, records in sorted((row["hard_negative"], row["records"]) for row in counted)
    ]


def _false_in(rows: Sequence[Row], kind: str, tier: Tier) -> int:
    return _pairs(rows, lambda row: row["hard_negative"] == kind and row["tier"] == tier.value and not row["is_true"])


def _hits(rows: Sequence[Row]) -> list[HitAccuracy]:
    """Accuracy of hits per event type, with and without on_duty_sign, and scope."""
    figures: list[HitAccuracy] = []
    for event_type, on_duty in sorted({(row["event_type"], row["on_duty_sign"]) for row in rows}):
        members = [row for row in rows if (row["event_type"], row["on_duty_sign"]) == (event_type, on_duty)]
        for scope in SCOPES:
            precision, recall = _precision_recall(members, scope, "hits")
            figures.append(
                {
                    "event_type": event_type,
                    "on_duty_sign": on_duty,
                    "scope": scope,
                    "precision": precision,
                    "recall": recall,
                }
            )
    return figures


def _curve(weights: Iterable[Row], true_links: int) -> list[CurvePoint]:
    """Running precision and recall from the highest half bit down."""
    scored: dict[float, int] = defaultdict(int)
    right: dict[float, int] = defaultdict(int)
    for row in weights:
        scored[row["at_least_bits"]] += row["pairs"]
        right[row["at_least_bits"]] += row["pairs"] if row["is_true"] else 0
    points: list[CurvePoint] = []
    links = found = 0
    for bits in sorted(scored, reverse=True):
        links += scored[bits]
        found += right[bits]
        points.append(
            {
                "at_least_bits": float(bits),
                "links": links,
                "precision": round(found / links, 6),
                "recall": round(found / true_links, 6) if true_links else 0.0,
            }
        )
    return points


def _loss(rows: Sequence[Row]) -> list[LossFigures]:
    """True links by outcome, the most frequent first."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["is_true"]:
            counted[row["outcome"]][0] += row["pairs"]
            counted[row["outcome"]][1] += row["pairs"] if row["supportable"] else 0
    return [
        {"outcome": outcome, "true_links": pairs, "supportable": supportable}
        for outcome, (pairs, supportable) in sorted(counted.items(), key=lambda item: (-item[1][0], item[0]))
    ]
