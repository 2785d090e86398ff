"""Counted pairs of person files → precision, recall, F1, calibration and losses. Driver only: no Spark here."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from linkage_spark.evaluation.figures import Proportion
from linkage_spark.evaluation.intervals import proportion, wilson_interval

Row = Mapping[str, Any]

FINE_EDGES: tuple[float, ...] = (0.995, 0.999, 0.9999, 0.99999)
"""Edges above 0.99."""

PROBABILITY_EDGES: tuple[float, ...] = (*(step / 100 for step in range(100)), *FINE_EDGES)
"""Lower edges of the bins of match_probability; each is a threshold too: at least this."""

COARSE_EDGES: tuple[float, ...] = (0.0, 0.01, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99, 0.999)
"""Some of PROBABILITY_EDGES: bins for the histogram and for mean probability against the true share."""

PARTS = 1_000_000_000
"""Probabilities are added as whole numbers of this part."""

CEILING_NOTE = "The threshold was chosen with the truth: no run could have known it."


class WeightBin(TypedDict):
    """Scored pairs of one whole bit of match weight: at_least_bits <= weight < at_least_bits + 1."""

    at_least_bits: int
    pairs: int
    linked: int


class ProbabilityBin(TypedDict):
    """Scored pairs with at_least <= match_probability < below; the last bin has no ``below``."""

    at_least: float
    below: float | None
    pairs: int
    linked: int


class ScoredFigures(TypedDict):
    """What the scores say by themselves; ``expected_*`` are sums of probabilities, over all scored pairs."""

    pairs: int
    linked: int
    expected_matches: float
    expected_false_links: float
    by_weight: list[WeightBin]
    by_probability: list[ProbabilityBin]


class F1Share(TypedDict):
    """F1 with its 95 % interval; null when there is neither a link nor a true pair."""

    value: float | None
    low: float | None
    high: float | None


class DecisionAccuracy(TypedDict):
    """The default decision, column ``linked``."""

    linked: int
    true_linked: int
    precision: Proportion
    recall: Proportion
    f1: F1Share


class ThresholdAccuracy(TypedDict):
    """All pairs with ``measure`` of at least ``at_least``, whatever was linked; null for 0/0."""

    measure: Literal["match_probability", "match_weight"]
    at_least: float
    linked: int
    true_linked: int
    precision: float | None
    recall: float | None
    f1: float | None


class Ceiling(ThresholdAccuracy):
    """The best threshold by F1, and the warning that belongs to it."""

    note: str


class CalibrationBin(TypedDict):
    """Labelled pairs of one bin: what the model said on average, and what is true of them."""

    at_least: float
    below: float | None
    pairs: int
    mean_probability: float
    true_share: Proportion


class LossAccuracy(TypedDict):
    """Where true pairs went; the parts that are known add up to true_pairs - true_linked.

    ``lost_by_reading``: a record was refused, or is in no file. Null where the input was not given; what
    could not be told apart is in ``lost_before_scoring``, which covers reading, blocking and floor.
    """

    true_pairs: int
    true_candidates: int | None
    true_scored: int
    true_linked: int
    lost_by_reading: int | None
    lost_by_blocking: int | None
    lost_by_floor: int | None
    lost_before_scoring: int
    lost_by_decision: int
    blocking_recall: Proportion | None


class PairFigures(TypedDict):
    """Figures of scored pairs against the truth; unlabelled pairs are in ``unlabelled`` alone."""

    labelled: int
    unlabelled: int
    unlabelled_linked: int
    true_pairs: int
    default: DecisionAccuracy
    ceiling: Ceiling | None
    expected_matches: float
    true_scored: int
    thresholds: list[ThresholdAccuracy]
    calibration: list[CalibrationBin]
    loss: LossAccuracy


def scored_figures(rows: Iterable[Row]) -> ScoredFigures:
    """What the scores say without any truth: pairs, links, expected matches, and both histograms.

    Args:
        rows: of ``pair_counts.count_by_threshold``, labelled or not.
    """
    counted = list(rows)
    linked = [row for row in counted if row["linked"]]
    weights = {row["weight_bit"] for row in counted}
    bins = {_coarse(row["probability_bin"]) for row in counted}
    return {
        "pairs": _pairs(counted),
        "linked": _pairs(linked),
        "expected_matches": _expected(counted),
        "expected_false_links": round(_pairs(linked) - _expected(linked), 6),
        "by_weight": [
            {
                "at_least_bits": bit,
                "pairs": _pairs(row for row in counted if row["weight_bit"] == bit),
                "linked": _pairs(row for row in linked if row["weight_bit"] == bit),
            }
            for bit in sorted(weights)
        ],
        "by_probability": [
            {
                "at_least": COARSE_EDGES[place],
                "below": _upper(place),
                "pairs": _pairs(row for row in counted if _coarse(row["probability_bin"]) == place),
                "linked": _pairs(row for row in linked if _coarse(row["probability_bin"]) == place),
            }
            for place in sorted(bins)
        ],
    }


def pair_figures(
    rows: Iterable[Row], *, true_pairs: int, true_pairs_read: int | None = None, true_candidates: int | None = None
) -> PairFigures:
    """Figures of scored pairs against the truth.

    Recall counts every true pair, those lost by blocking or by reading too. Intervals are Wilson's, 95 %;
    that of F1 = 2·J / (1 + J) comes from J = true links / (links or true pairs), which is a counted share.

    Args:
        rows: of ``pair_counts.count_by_threshold``.
        true_pairs: of ``pair_counts.count_truth``.
        true_pairs_read: the same; None: records that take part were not given.
        true_candidates: of ``pair_counts.count_true_candidates``; None: candidates were not kept.

    Raises:
        ValueError: more true pairs were scored than there are: a pair was scored twice.
    """
    counted = list(rows)
    labelled = [row for row in counted if row["is_true"] is not None]
    unknown = [row for row in counted if row["is_true"] is None]
    true_scored = _pairs(row for row in labelled if row["is_true"])
    if true_scored > true_pairs:
        raise ValueError(f"{true_scored} true pairs were scored, the truth holds {true_pairs}")
    linked = [row for row in labelled if row["linked"]]
    default = _decision(_pairs(linked), _pairs(row for row in linked if row["is_true"]), true_pairs)
    thresholds = _thresholds(labelled, true_pairs)
    return {
        "labelled": _pairs(labelled),
        "unlabelled": _pairs(unknown),
        "unlabelled_linked": _pairs(row for row in unknown if row["linked"]),
        "true_pairs": true_pairs,
        "default": default,
        "ceiling": _ceiling(thresholds),
        "expected_matches": _expected(labelled),
        "true_scored": true_scored,
        "thresholds": thresholds,
        "calibration": _calibration(labelled),
        "loss": _loss(true_pairs, true_pairs_read, true_candidates, true_scored, default["true_linked"]),
    }


def f1_share(true_linked: int, linked: int, true_pairs: int) -> F1Share:
    """F1 = 2·true links / (links + true pairs), with an interval by way of their overlap (see ``pair_figures``)."""
    either = linked + true_pairs - true_linked
    interval = wilson_interval(true_linked, either)
    if interval is None:
        return {"value": None, "low": None, "high": None}
    low, high = (2 * share / (1 + share) for share in interval)
    return {
        "value": round(2 * true_linked / (linked + true_pairs), 6),
        "low": round(low, 6),
        "high": round(high, 6),
    }


def _pairs(rows: Iterable[Row]) -> int:
    return sum(int(row["pairs"]) for row in rows)


def _expected(rows: Iterable[Row]) -> float:
    return round(sum(int(row["probability_parts"]) for row in rows) / PARTS, 6)


def _coarse(probability_bin: int) -> int:
    """The place in COARSE_EDGES of a bin of PROBABILITY_EDGES."""
    return bisect_right(COARSE_EDGES, PROBABILITY_EDGES[probability_bin]) - 1


def _upper(place: int) -> float | None:
    """The next of COARSE_EDGES; None after the last."""
    return COARSE_EDGES[place + 1] if place + 1 < len(COARSE_EDGES) else None


def _decision(linked: int, true_linked: int, true_pairs: int) -> DecisionAccuracy:
    return {
        "linked": linked,
        "true_linked": true_linked,
        "precision": proportion(true_linked, linked),
        "recall": proportion(true_linked, true_pairs),
        "f1": f1_share(true_linked, linked, true_pairs),
    }


def _thresholds(labelled: Sequence[Row], true_pairs: int) -> list[ThresholdAccuracy]:
    """Every edge of probability from the lowest, then every whole bit that a pair has."""
    bits = sorted({row["weight_bit"] for row in labelled})
    return [
        *_running(labelled, "match_probability", "probability_bin", dict(enumerate(PROBABILITY_EDGES)), true_pairs),
        *_running(labelled, "match_weight", "weight_bit", {bit: float(bit) for bit in bits}, true_pairs),
    ]


def _running(
    labelled: Sequence[Row],
    measure: Literal["match_probability", "match_weight"],
    column: str,
    edges: Mapping[int, float],
    true_pairs: int,
) -> list[ThresholdAccuracy]:
    """Running counts from the highest edge down, told from the lowest up."""
    pairs: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for row in labelled:
        pairs[row[column]] += row["pairs"]
        right[row[column]] += row["pairs"] if row["is_true"] else 0
    points: list[ThresholdAccuracy] = []
    linked = found = 0
    for place in sorted(edges, reverse=True):
        linked += pairs[place]
        found += right[place]
        points.append(
            {
                "measure": measure,
                "at_least": edges[place],
                "linked": linked,
                "true_linked": found,
                "precision": _ratio(found, linked),
                "recall": _ratio(found, true_pairs),
                "f1": _ratio(2 * found, linked + true_pairs),
            }
        )
    return points[::-1]


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _ceiling(thresholds: Sequence[ThresholdAccuracy]) -> Ceiling | None:
    """The best F1; of equals the one by probability, then the lowest."""
    known = [point for point in thresholds if point["f1"] is not None]
    if not known:
        return None
    best = min(known, key=lambda point: (-(point["f1"] or 0.0), point["measure"], point["at_least"]))
    return {**best, "note": CEILING_NOTE}


def _calibration(labelled: Sequence[Row]) -> list[CalibrationBin]:
    """Bins that hold a pair, from the lowest."""
    bins: list[CalibrationBin] = []
    for place in sorted({_coarse(row["probability_bin"]) for row in labelled}):
        rows = [row for row in labelled if _coarse(row["probability_bin"]) == place]
        pairs = _pairs(rows)
        bins.append(
            {
                "at_least": COARSE_EDGES[place],
                "below": _upper(place),
                "pairs": pairs,
                "mean_probability": round(_expected(rows) / pairs, 6),
                "true_share": proportion(_pairs(row for row in rows if row["is_true"]), pairs),
            }
        )
    return bins


def _loss(
    true_pairs: int, true_pairs_read: int | None, true_candidates: int | None, true_scored: int, true_linked: int
) -> LossAccuracy:
    readable = true_pairs if true_pairs_read is None else true_pairs_read
    return {
        "true_pairs": true_pairs,
        "true_candidates": true_candidates,
        "true_scored": true_scored,
        "true_linked": true_linked,
        "lost_by_reading": None if true_pairs_read is None else true_pairs - true_pairs_read,
        "lost_by_blocking": None if true_candidates is None else readable - true_candidates,
        "lost_by_floor": None if true_candidates is None else true_candidates - true_scored,
        "lost_before_scoring": true_pairs - true_scored,
        "lost_by_decision": true_scored - true_linked,
        "blocking_recall": None if true_candidates is None else proportion(true_candidates, true_pairs),
    }
