"""Estimating a model on an analyst's own files: the actions; what is computed stands in ``linkage.training``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from pyspark.sql import DataFrame

from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.frequencies import count_values, frequencies_of
from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, Restraint, fit
from linkage_spark.linkage.training.fitted_model import Trained, trained_model
from linkage_spark.linkage.training.layout import Attribute, lay_out
from linkage_spark.linkage.training.patterns import MILLIONTHS, count_patterns, expected_copies, pattern_columns
from linkage_spark.linkage.training.rarity import at_rarity, rarity, with_rarity
from linkage_spark.linkage.training.sampling import sample_other_pairs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import PART_LEVELS, Model
from linkage_spark.runs.progress import Progress

DRAWS = 1_000_000
"""Pairs drawn from those that no rule proposes."""

COPY_PASSES = 3
"""How often a person's own copies are counted; a fourth pass moves next to nothing (docs/matching.md)."""

TWINS_AND_NAMESAKES = 0.005
"""Share of household pairs that share a date of birth, or a forename (docs/matching.md)."""


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
    pooled: list[str]


@dataclass(frozen=True)
class PairSpace:
    """The pairs of an analyst's files.

    Attributes:
        left, right: PERSON rows with further columns; the same frame for one file.
        candidates: pairs that rules propose, with compared columns.
        records: rows of ``left`` and ``right``.
        candidate_pairs: rows of ``candidates``.
        pairs: all pairs there are.
        within: one file against itself.
    """

    left: DataFrame
    right: DataFrame
    candidates: DataFrame
    records: tuple[int, int]
    candidate_pairs: int
    pairs: int
    within: bool


@dataclass(frozen=True)
class _Estimate:
    """A fit and what it takes to make a model of it."""

    fitted: Fitted
    attributes: Sequence[Attribute]
    base: Model
    restraint: Restraint
    pairs: float
    sample_weight: float

    def model_at(self, rare: Mapping[str, float]) -> Trained:
        """The model, its weights of exact agreement told at a rarity (``linkage.training.rarity``)."""
        told = at_rarity(
            self.fitted,
            self.attributes,
            rare,
            fuzzy_share=self.base.frequency.fuzzy_share,
            further=self.base.further,
        )
        return trained_model(
            told,
            self.attributes,
            base=self.base,
            restraint=self.restraint,
            total_pairs=self.pairs,
            sample_weight=self.sample_weight,
            provenance={"method": "Estimated without labels from the files themselves, see docs/matching.md."},
        )


def train_on(
    space: PairSpace, *, base: Model, share: float, names: NameKnowledge, progress: Progress
) -> tuple[Trained, Frequencies, TrainingFigures]:
    """Estimate probabilities and frequencies from the files themselves, without labels.

    Args:
        space: the files' pairs.
        base: rules, thresholds, and probabilities to start from.
        share: share of matches among all pairs to start from.
        names: nicknames, transliterations and sex-marked parts.
        progress: tells what is going on.
    """
    with progress.stage("count patterns") as stage:
        rows = _rows(count_patterns(space.candidates, model=base, names=names))
        sampled = _sampled_rows(space, base, names)
        stage.counts["patterns of candidates"] = len(rows)
        stage.counts["other pairs sampled"] = sum(row["pairs"] for row in sampled)
    with progress.stage("estimate") as stage:
        estimate, figures = _estimate(space, rows, sampled, base=base, share=share)
        stage.counts["rounds"] = figures["rounds"]
        stage.counts["expected matches"] = round(figures["expected_matches"])
    with progress.stage("count values") as stage:
        trained, frequencies = _with_frequencies(space, estimate, names)
        figures["pooled"] = list(trained.pooled)
        stage.counts["values"] = sum(len(table.shares) for table in frequencies.by_attribute.values())
    return trained, frequencies, figures


def _sampled_rows(space: PairSpace, base: Model, names: NameKnowledge) -> list[dict[str, Any]]:
    """Patterns of a sample of the pairs that no rule proposes; none where every pair is a candidate."""
    if space.candidate_pairs >= space.pairs:
        return []
    sample = sample_other_pairs(
        space.left,
        space.right,
        space.candidates,
        model=base,
        draws=min(DRAWS, 2 * space.pairs),
        records=space.records,
        within=space.within,
    )
    return _rows(count_patterns(sample, model=base, names=names))


def _estimate(
    space: PairSpace,
    rows: Sequence[dict[str, Any]],
    sampled: Sequence[dict[str, Any]],
    *,
    base: Model,
    share: float,
) -> tuple[_Estimate, TrainingFigures]:
    """EM on the driver."""
    drawn = sum(row["pairs"] for row in sampled)
    weight = (space.pairs - space.candidate_pairs) / drawn if drawn else 1.0
    columns = pattern_columns(base)
    together = [(*(row[name] for name in columns), row["pairs"] * 1.0) for row in rows]
    together += [(*(row[name] for name in columns), row["pairs"] * weight) for row in sampled]
    table = np.array(sorted(together), dtype=np.float64).reshape(len(together), len(columns) + 1)
    codes = table[:, :-1].astype(np.int64)
    attributes = lay_out(base)
    household = base.household.surname if base.household else dict.fromkeys(PART_LEVELS, 1 / len(PART_LEVELS))
    restraint = Restraint(
        garbled_share=base.name.garbled_share,
        forename_leak=TWINS_AND_NAMESAKES,
        date_leak=TWINS_AND_NAMESAKES,
        surname=np.array([household[level] for level in PART_LEVELS]),
    )
    fitted = fit(
        codes,
        table[:, -1],
        attributes,
        share=min(share, 0.1),
        classes=_classes(codes, attributes),
        sample_weight=max(weight, 1.0),
        restraint=restraint,
    )
    estimate = _Estimate(fitted, attributes, base, restraint, float(space.pairs), max(weight, 1.0))
    return estimate, {
        "patterns": len(together),
        "sampled_pairs": drawn,
        "sampled_pair_stands_for": round(weight, 6),
        "rounds": len(fitted.log_likelihood),
        "settled": fitted.settled,
        "log_likelihood": round(fitted.log_likelihood[-1], 3),
        "shares": fitted.shares,
        "expected_matches": round(fitted.shares[MATCH] * space.pairs, 3),
        "pooled": [],
    }


def _classes(codes: Any, attributes: Sequence[Any]) -> tuple[str, ...]:
    """Household and context can be told apart only where dates of birth and some place were compared."""
    seen = dict.fromkeys(("name", "date", "place", "extra"), False)
    for no, attribute in enumerate(attributes):
        seen[attribute.role] |= bool(np.any(np.isin(codes[:, no], np.concatenate(attribute.groups))))
    more = (HOUSEHOLD, CONTEXT) if seen["date"] and seen["place"] else ()
    return (MATCH, RANDOM, *more)


def _with_frequencies(space: PairSpace, estimate: _Estimate, names: NameKnowledge) -> tuple[Trained, Frequencies]:
    """The model, and how common each value is with a person's own copies taken off.

    Which pairs are copies is told without frequencies first, and then with what came of it: without them a rare
    name is taken for a common one, and its bearer's own records for those of others.
    """
    trained, frequencies = estimate.model_at({}), Frequencies.none()
    further = tuple(trained.model.further)
    persons = space.left if space.within else space.left.unionByName(space.right)
    counts = [(row["attribute"], row["value"], row["bearers"]) for row in _rows(count_values(persons, further=further))]
    for _ in range(COPY_PASSES):
        summed = _rows(expected_copies(space.candidates, model=trained.model, names=names, frequencies=frequencies))
        copies = {(row["attribute"], row["value"]): row["millionths"] / MILLIONTHS for row in summed}
        counted = frequencies_of(counts, copies)
        rare = rarity(counted, copies)
        trained, frequencies = estimate.model_at(rare), with_rarity(counted, rare)
    return trained, frequencies


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]
