from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_spark.evaluation.intervals import wilson_interval
from linkage_spark.evaluation.pair_figures import (
    COARSE_EDGES,
    PARTS,
    PROBABILITY_EDGES,
    f1_share,
    pair_figures,
    scored_figures,
)


def row(
    is_true: bool | None, probability: float, bit: int, pairs: int, *, linked: bool | None = None
) -> dict[str, Any]:
    """Pairs of one probability, which is an edge, as ``count_by_threshold`` tells them."""
    return {
        "is_true": is_true,
        "linked": probability >= 0.5 if linked is None else linked,
        "probability_bin": PROBABILITY_EDGES.index(probability),
        "weight_bit": bit,
        "pairs": pairs,
        "probability_parts": round(probability * PARTS) * pairs,
    }


ROWS = [
    row(True, 0.99, 7, 6),
    row(False, 0.99, 7, 1),
    row(True, 0.6, 0, 2),
    row(False, 0.6, 0, 1),
    row(True, 0.3, -2, 1),
    row(False, 0.3, -2, 4),
    row(None, 0.99, 8, 3),
    row(None, 0.3, -2, 2),
]
"""9 true pairs scored, 8 of them linked, with 2 false links; 5 pairs without label."""


def test_default_counts_linked_pairs_and_every_true_pair() -> None:
    found = pair_figures(ROWS, true_pairs=12)
    assert found["default"]["linked"] == 10
    assert found["default"]["true_linked"] == 8
    assert found["default"]["precision"]["value"] == 0.8
    assert found["default"]["recall"]["value"] == round(8 / 12, 6)
    assert found["default"]["f1"]["value"] == round(16 / 22, 6)


def test_unlabelled_pairs_are_in_no_figure_but_their_own_count() -> None:
    with_them, without = pair_figures(ROWS, true_pairs=12), pair_figures(ROWS[:6], true_pairs=12)
    assert (with_them["unlabelled"], with_them["unlabelled_linked"], with_them["labelled"]) == (5, 3, 15)
    for name in ("default", "ceiling", "thresholds", "calibration", "expected_matches", "loss", "true_scored"):
        assert with_them[name] == without[name]  # type: ignore[literal-required]


def test_thresholds_hold_every_pair_at_or_above_them() -> None:
    points = {(point["measure"], point["at_least"]): point for point in pair_figures(ROWS, true_pairs=12)["thresholds"]}
    at = points["match_probability", 0.6]
    assert (at["linked"], at["true_linked"], at["precision"], at["recall"]) == (10, 8, 0.8, round(8 / 12, 6))
    above = points["match_probability", 0.61]
    assert (above["linked"], above["true_linked"]) == (7, 6)
    assert points["match_probability", 0.0]["linked"] == 15
    assert points["match_probability", 0.995]["precision"] is None
    assert points["match_probability", 0.995]["recall"] == 0.0
    assert points["match_weight", -2.0]["f1"] == round(18 / 27, 6)
    assert points["match_weight", 0.0]["linked"] == 10
    assert points["match_weight", 7.0]["true_linked"] == 6


def test_ceiling_is_the_best_f1_and_says_that_the_truth_chose_it() -> None:
    ceiling = pair_figures(ROWS, true_pairs=12)["ceiling"]
    assert ceiling is not None
    # 16/22 at 0.31 to 0.6, 12/19 above, 18/27 below: the lowest of the equal ones.
    assert (ceiling["measure"], ceiling["at_least"], ceiling["f1"]) == ("match_probability", 0.31, round(16 / 22, 6))
    assert "chosen with the truth" in ceiling["note"]


def test_expected_matches_are_the_sum_of_probabilities_of_labelled_pairs() -> None:
    found = pair_figures(ROWS, true_pairs=12)
    assert found["expected_matches"] == pytest.approx(7 * 0.99 + 3 * 0.6 + 5 * 0.3)
    assert found["true_scored"] == 9


def test_calibration_holds_mean_probability_against_the_true_share() -> None:
    bins = {one["at_least"]: one for one in pair_figures(ROWS, true_pairs=12)["calibration"]}
    assert sorted(bins) == [0.3, 0.6, 0.99]
    assert [bins[place]["below"] for place in (0.3, 0.6, 0.99)] == [0.4, 0.7, 0.999]
    assert (bins[0.3]["mean_probability"], bins[0.3]["true_share"]["value"]) == (0.3, 0.2)
    assert (bins[0.99]["pairs"], bins[0.99]["true_share"]["value"]) == (7, round(6 / 7, 6))


def test_losses_add_up_to_the_true_pairs_that_were_not_linked() -> None:
    loss = pair_figures(ROWS, true_pairs=14, true_pairs_read=13, true_candidates=11)["loss"]
    parts = [loss[f"lost_by_{step}"] for step in ("reading", "blocking", "floor", "decision")]  # type: ignore[literal-required]
    assert parts == [1, 2, 2, 1]
    assert sum(parts) == loss["true_pairs"] - loss["true_linked"]
    assert loss["lost_before_scoring"] == 5
    assert loss["blocking_recall"] is not None
    assert loss["blocking_recall"]["value"] == round(11 / 14, 6)


def test_losses_that_cannot_be_told_apart_are_null() -> None:
    loss = pair_figures(ROWS, true_pairs=14)["loss"]
    assert loss["lost_by_reading"] is loss["lost_by_blocking"] is loss["lost_by_floor"] is None
    assert (loss["lost_before_scoring"], loss["lost_by_decision"]) == (5, 1)


def test_decision_may_differ_from_the_threshold() -> None:
    """One-to-one may leave a pair of probability 0.5 unlinked: a tie."""
    found = pair_figures([row(True, 0.5, 3, 2, linked=False)], true_pairs=2)
    assert found["default"]["linked"] == 0
    assert found["default"]["precision"]["value"] is None
    assert found["default"]["f1"] == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.793, abs=0.001)}


def test_nothing_scored_and_nothing_true_gives_nulls() -> None:
    found = pair_figures([], true_pairs=0)
    assert found["default"]["recall"]["value"] is found["default"]["f1"]["value"] is found["ceiling"] is None
    assert found["calibration"] == []
    json.dumps(found, allow_nan=False)


def test_more_true_pairs_scored_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="9 true pairs were scored, the truth holds 8"):
        pair_figures(ROWS, true_pairs=8)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_f1_lies_in_its_interval_and_equals_the_harmonic_mean(both: int, false: int, missed: int) -> None:
    found = f1_share(both, both + false, both + missed)
    if both + false + missed == 0:
        assert found == {"value": None, "low": None, "high": None}
        return
    assert found["value"] is not None and found["low"] is not None and found["high"] is not None
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    if both:
        precision, recall = both / (both + false), both / (both + missed)
        assert found["value"] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-6)


def test_f1_interval_is_wilsons_of_the_overlap() -> None:
    low, _ = wilson_interval(8, 14) or (0.0, 0.0)
    assert f1_share(8, 10, 12)["low"] == round(2 * low / (1 + low), 6)


def test_histograms_hold_every_pair_labelled_or_not() -> None:
    found = scored_figures(ROWS)
    assert (found["pairs"], found["linked"]) == (20, 13)
    assert found["by_weight"] == [
        {"at_least_bits": -2, "pairs": 7, "linked": 0},
        {"at_least_bits": 0, "pairs": 3, "linked": 3},
        {"at_least_bits": 7, "pairs": 7, "linked": 7},
        {"at_least_bits": 8, "pairs": 3, "linked": 3},
    ]
    assert [(one["at_least"], one["pairs"]) for one in found["by_probability"]] == [(0.3, 7), (0.6, 3), (0.99, 10)]
    assert found["expected_matches"] == pytest.approx(10 * 0.99 + 3 * 0.6 + 7 * 0.3)
    assert found["expected_false_links"] == pytest.approx(10 * 0.01 + 3 * 0.4)


def test_coarse_edges_are_among_the_fine_ones() -> None:
    assert set(COARSE_EDGES) <= set(PROBABILITY_EDGES)
    assert list(PROBABILITY_EDGES) == sorted(set(PROBABILITY_EDGES))
