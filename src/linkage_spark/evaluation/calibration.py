"""Whether stated probabilities are right: bins against the truth, expected against true matches. Driver only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from linkage_spark.evaluation.figures import CalibrationFigures
from linkage_spark.evaluation.pair_figures import CalibrationBin, pair_figures

Row = Mapping[str, Any]
Covers = Literal["all_scored", "shown"]


def calibration_figures(rows: Iterable[Row], *, true_links: int, covers: Covers) -> CalibrationFigures:
    """Expected matches beside true ones, and a bin's mean probability beside its share of true pairs.

    Args:
        rows: of ``pair_counts.count_by_threshold`` over judged pairs, every one labelled.
        true_links: all true links, scored or not.
        covers: which pairs these are: all that were scored, or those shown alone, which are a selection.
    """
    found = pair_figures(rows, true_pairs=true_links)
    true_scored = found["true_scored"]
    return {
        "covers": covers,
        "pairs": found["labelled"],
        "true_pairs": true_scored,
        "expected_matches": found["expected_matches"],
        "off_by": round(found["expected_matches"] / true_scored - 1, 6) if true_scored else None,
        "expected_calibration_error": expected_calibration_error(found["calibration"]),
        "bins": found["calibration"],
    }


def expected_calibration_error(bins: Iterable[CalibrationBin]) -> float | None:
    """Mean distance of a bin's mean probability from its share of true pairs, bins weighted by their pairs.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI 29, 2901-2907. Between 0 and 1; None without pairs.
    """
    known = [(one["pairs"], one["mean_probability"], one["true_share"]["value"]) for one in bins]
    pairs = sum(count for count, _, _ in known)
    if not pairs:
        return None
    return round(sum(count * abs(mean - (share or 0.0)) for count, mean, share in known) / pairs, 6)
