"""Expected against true matches, and the calibration error."""

from __future__ import annotations

from typing import Any

import pytest

from linkage_spark.evaluation.calibration import calibration_figures, expected_calibration_error
from linkage_spark.evaluation.pair_figures import PARTS, PROBABILITY_EDGES


def row(is_true: bool, probability: float, pairs: int) -> dict[str, Any]:
    place = max(no for no, edge in enumerate(PROBABILITY_EDGES) if edge <= probability)
    parts = round(probability * PARTS) * pairs
    return {
        "is_true": is_true,
        "linked": True,
        "probability_bin": place,
        "weight_bit": 0,
        "pairs": pairs,
        "probability_parts": parts,
    }


ROWS = [row(True, 0.9, 80), row(False, 0.9, 20), row(True, 0.25, 25), row(False, 0.25, 75)]


def test_expected_matches_stand_beside_true_ones() -> None:
    found = calibration_figures(ROWS, true_links=120, covers="all_scored")
    assert (found["expected_matches"], found["true_pairs"], found["pairs"]) == (115.0, 105, 200)
    assert found["off_by"] == pytest.approx(115 / 105 - 1, abs=1e-6)


def test_the_calibration_error_is_the_mean_distance_weighted_by_pairs() -> None:
    found = calibration_figures(ROWS, true_links=120, covers="shown")
    assert [(one["mean_probability"], one["true_share"]["value"]) for one in found["bins"]] == [
        (0.25, 0.25),
        (0.9, 0.8),
    ]
    assert found["expected_calibration_error"] == pytest.approx((100 * 0 + 100 * 0.1) / 200)
    assert expected_calibration_error([]) is None
