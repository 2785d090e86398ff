"""What a training tells of itself: the shape of its figures, and the parts that come out of the fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from linkage_spark.linkage.scoring import name_cells
from linkage_spark.linkage.training.diagnosis import Diagnosis
from linkage_spark.linkage.training.estimate import Estimate
from linkage_spark.model.schema import MISSING, Model, Probabilities


class LevelFigures(TypedDict):
    """One level of one attribute, trained beside shipped.

    ``expected_pairs``: matches expected to show it, could the attribute be compared in each of them.
    """

    attribute: str
    level: str
    m: float
    u: float
    weight: float
    base_m: float
    base_u: float
    base_weight: float
    expected_pairs: float


class FrequencyFigures(TypedDict):
    """Frequencies of one attribute: values that keep their own, and the share at which its weight is told (1 in n)."""

    attribute: str
    values_kept: int
    records: int
    told_at_one_in: float


class CalibrationBin(TypedDict):
    """Candidate pairs by match probability, from ``at_least`` up to the next bin: how many, and the matches expected."""

    at_least: float
    pairs: int
    expected_matches: float


class WeightBin(TypedDict):
    """Candidate pairs by match weight, from ``at_least_bits`` to a half bit more."""

    at_least_bits: float
    pairs: int
    expected_matches: float


class ForceTrainingFigures(TypedDict):
    """How a training on the force's records went.

    ``starts``: expected matches from each start, before frequencies, the first the one that counts. ``classes``:
    expected pairs of each class in the whole space. ``log_likelihood``: per round, natural logarithm, less that of the
    last round. ``expected_matches``: after frequencies, of candidate pairs. ``faults``: why the estimate is not
    used; then the shipped parameters stand in the model. ``doubts``: why probabilities are weak.
    """

    model_id: str
    base_model_id: str
    run_id: str
    fingerprint: str
    trained_at: str
    code_version: str
    used: bool
    faults: list[str]
    doubts: list[str]
    employees: int
    records: int
    pairs: int
    candidate_pairs: int
    sampled_pairs: int
    sampled_pair_stands_for: float
    patterns: int
    rounds: int
    settled: bool
    log_likelihood: list[float]
    classes: dict[str, float]
    starts: list[float]
    sure_share: float
    prior_bits: float
    base_prior_bits: float
    expected_before_frequencies: float
    expected_matches: float
    pooled: list[str]
    levels: list[LevelFigures]
    frequencies: list[FrequencyFigures]
    refined_keys: int
    calibration: list[CalibrationBin]
    weights: list[WeightBin]
    seconds: dict[str, float]


def level_figures(model: Model, base: Model, *, matches: float) -> list[LevelFigures]:
    """Every level of every attribute as the model lists them; name cells in the order of their weight."""
    found: list[LevelFigures] = []
    for attribute in ("date_of_birth", "partial_date_of_birth", "address"):
        found += _levels(attribute, getattr(model, attribute), getattr(base, attribute), matches)
    cells, base_cells = name_cells(model), name_cells(base)
    cells.pop(MISSING), base_cells.pop(MISSING)
    ordered = dict(sorted(cells.items(), key=lambda item: (item[1].weight, item[0])))
    return found + _levels("name", ordered, base_cells, matches)


def _levels(
    attribute: str, trained: Mapping[str, Probabilities], base: Mapping[str, Probabilities], matches: float
) -> list[LevelFigures]:
    return [
        {
            "attribute": attribute,
            "level": level,
            "m": at.m,
            "u": at.u,
            "weight": round(at.weight, 3),
            "base_m": base[level].m,
            "base_u": base[level].u,
            "base_weight": round(base[level].weight, 3),
            "expected_pairs": round(at.m * matches, 1),
        }
        for level, at in trained.items()
    ]


def fit_figures(found: Estimate, diagnosis: Diagnosis) -> dict[str, object]:
    """The part of the figures that the fit and its diagnosis tell."""
    fitted, counted = found.fitted, found.counted
    last = fitted.log_likelihood[-1]
    return {
        "faults": list(diagnosis.faults),
        "doubts": list(diagnosis.doubts),
        "pairs": counted.pairs,
        "sampled_pairs": counted.sampled,
        "sampled_pair_stands_for": round(counted.one_stands_for, 6),
        "patterns": len(counted.codes),
        "rounds": len(fitted.log_likelihood),
        "settled": fitted.settled,
        "log_likelihood": [round(value - last, 6) for value in fitted.log_likelihood],
        "classes": {name: round(share * counted.pairs, 3) for name, share in fitted.shares.items()},
        "starts": [round(value, 3) for value in diagnosis.starts],
        "sure_share": round(diagnosis.sure_share, 6),
        "expected_before_frequencies": round(found.expected_matches, 3),
    }
