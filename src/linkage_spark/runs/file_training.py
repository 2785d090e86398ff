"""Estimating a model on an analyst's own files: the actions; what is computed stands in ``linkage.training``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from pyspark.sql import DataFrame

from linkage_spark.flows.file_comparisons import Comparisons
from linkage_spark.linkage.frequencies import count_values, frequencies_of
from linkage_spark.linkage.training.diagnosis import Diagnosis, diagnose
from linkage_spark.linkage.training.estimate import Counted, Estimate, estimate
from linkage_spark.linkage.training.fitted_model import Trained
from linkage_spark.linkage.training.patterns import copies_by_value
from linkage_spark.linkage.training.rarity import rarity, with_rarity
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.runs.figures import dict_rows
from linkage_spark.runs.progress import Progress

DRAWS = 1_000_000
"""Pairs drawn from those that no rule proposes."""

COPY_PASSES = 3
"""How often a person's own copies are counted; each pass moves less than the one before."""

METHOD = "Estimated without labels from the files themselves, see docs/matching.md."


class TrainingFigures(TypedDict):
    """How the estimate went; shares are of all pairs of the whole space."""

    patterns: int
    sampled_pairs: int
    sampled_pair_stands_for: float
    rounds: int
    settled: bool
    log_likelihood: float
    shares: dict[str, float]
    expected_matches: float
    expected_from_other_starts: list[float]
    sure_share: float
    used: bool
    faults: list[str]
    doubts: list[str]
    pooled: list[str]


@dataclass(frozen=True)
class PairSpace:
    """The pairs of an analyst's files.

    Attributes:
        left, right: PERSON rows with further columns; the same frame for one file.
        candidates: pairs that rules propose: ``person_ref_l``, ``person_ref_r``, ``rule_mask``, and more.
        comparisons: the same pairs, compared.
        records: rows of ``left`` and ``right``.
        candidate_pairs: rows of ``candidates``.
        pairs: all pairs there are.
        within: one file against itself.
    """

    left: DataFrame
    right: DataFrame
    candidates: DataFrame
    comparisons: Comparisons
    records: tuple[int, int]
    candidate_pairs: int
    pairs: int
    within: bool


def train_on(
    space: PairSpace, *, base: Model, share: float, progress: Progress
) -> tuple[tuple[Trained, Frequencies] | None, TrainingFigures]:
    """Estimate probabilities and frequencies from the files themselves, without labels.

    Args:
        space: the files' pairs.
        base: rules, thresholds, and probabilities to start from.
        share: share of matches among all pairs to start from.
        progress: tells what is going on.

    Returns:
        The model and its frequencies, None where the files do not support an estimate; and how it went.
    """
    with progress.stage("count patterns") as stage:
        rows = dict_rows(space.comparisons.patterns(base))
        sampled = _sampled_rows(space, base)
        stage.counts["patterns of candidates"] = len(rows)
        stage.counts["other pairs sampled"] = sum(row["pairs"] for row in sampled)
    with progress.stage("estimate") as stage:
        counted = Counted.of(rows, sampled, model=base, pairs=space.pairs, candidate_pairs=space.candidate_pairs)
        found = estimate(counted, base=base, share=share)
        figures = _figures(found, diagnose(found, share=share, dwarfed_is_fault=False))
        stage.counts["rounds"] = figures["rounds"]
        stage.counts["expected matches"] = round(figures["expected_matches"])
    if figures["faults"]:
        return None, figures
    with progress.stage("count values") as stage:
        trained, frequencies = _with_frequencies(space, found)
        figures["pooled"] = list(trained.pooled)
        stage.counts["values"] = sum(len(table.shares) for table in frequencies.by_attribute.values())
    return (trained, frequencies), figures


def _sampled_rows(space: PairSpace, base: Model) -> list[dict[str, Any]]:
    """Patterns of a sample of the pairs that no rule proposes; none where every pair is a candidate."""
    if space.candidate_pairs >= space.pairs:
        return []
    return dict_rows(space.comparisons.other_patterns(base, min(DRAWS, 2 * space.pairs)))


def _figures(found: Estimate, diagnosis: Diagnosis) -> TrainingFigures:
    """How the estimate went."""
    counted, fitted = found.counted, found.fitted
    return {
        "patterns": len(counted.codes),
        "sampled_pairs": counted.sampled,
        "sampled_pair_stands_for": round(counted.one_stands_for, 6),
        "rounds": len(fitted.log_likelihood),
        "settled": fitted.settled,
        "log_likelihood": round(fitted.log_likelihood[-1], 3),
        "shares": fitted.shares,
        "expected_matches": round(diagnosis.starts[0], 3),
        "expected_from_other_starts": [round(value, 3) for value in diagnosis.starts[1:]],
        "sure_share": round(diagnosis.sure_share, 6),
        "used": not diagnosis.faults,
        "faults": list(diagnosis.faults),
        "doubts": list(diagnosis.doubts),
        "pooled": [],
    }


def _with_frequencies(space: PairSpace, found: Estimate) -> tuple[Trained, Frequencies]:
    """The model, and how common each value is with a person's own copies taken off.

    Which pairs are copies is told without frequencies first, and then with what came of it: without them a rare
    name is taken for a common one, and its bearer's own records for those of others.
    """
    trained, frequencies = found.model_at({}, method=METHOD), Frequencies.none()
    further = tuple(trained.model.further)
    persons = space.left if space.within else space.left.unionByName(space.right)
    counts = [
        (row["attribute"], row["value"], row["bearers"]) for row in dict_rows(count_values(persons, further=further))
    ]
    for _ in range(COPY_PASSES):
        copied = space.comparisons.copies(trained.model, frequencies)
        copies = copies_by_value(dict_rows(copied))
        counted = frequencies_of(counts, copies)
        rare = rarity(counted, copies)
        trained, frequencies = found.model_at(rare, method=METHOD), with_rarity(counted, rare)
    return trained, frequencies
