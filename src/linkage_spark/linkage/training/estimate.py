"""From counted agreement patterns to a fit, and to the model that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, Restraint, fit
from linkage_spark.linkage.training.fitted_model import Trained, trained_model
from linkage_spark.linkage.training.layout import Attribute, Floats, Ints, lay_out
from linkage_spark.linkage.training.patterns import pattern_columns
from linkage_spark.linkage.training.rarity import at_rarity
from linkage_spark.model.schema import PART_LEVELS, Model

TWINS_AND_NAMESAKES = 0.005
"""Share of household pairs that share a date of birth, or a forename (docs/matching.md)."""

MOST_SHARE = 0.1
"""Estimation starts with no larger a share of matches among all pairs."""


@dataclass(frozen=True)
class Counted:
    """Patterns of the whole space of pairs: every candidate, and a weighted sample of all other pairs.

    Attributes:
        codes: one row per pattern, one level code per attribute (``pattern_columns``); sorted.
        weight: pairs that each pattern stands for.
        pairs: all pairs there are.
        sampled: pairs in the sample.
        one_stands_for: pairs that one sampled pair stands for; 1 where every pair is a candidate.
    """

    codes: Ints
    weight: Floats
    pairs: int
    sampled: int
    one_stands_for: float

    @classmethod
    def of(
        cls,
        candidates: Sequence[Mapping[str, Any]],
        sampled: Sequence[Mapping[str, Any]],
        *,
        model: Model,
        pairs: int,
        candidate_pairs: int,
    ) -> Counted:
        """Put collected rows of ``count_patterns`` together.

        Args:
            candidates: patterns of all candidate pairs.
            sampled: patterns of the sampled other pairs.
            model: names the attributes.
            pairs: all pairs there are.
            candidate_pairs: those among them that rules propose.
        """
        drawn = sum(row["pairs"] for row in sampled)
        one = (pairs - candidate_pairs) / drawn if drawn else 1.0
        columns = pattern_columns(model)
        together = [(*(row[name] for name in columns), row["pairs"] * 1.0) for row in candidates]
        together += [(*(row[name] for name in columns), row["pairs"] * one) for row in sampled]
        table = np.array(sorted(together), dtype=np.float64).reshape(len(together), len(columns) + 1)
        return cls(table[:, :-1].astype(np.int64), table[:, -1], pairs, drawn, one)


@dataclass(frozen=True)
class Estimate:
    """A fit and what it takes to make a model of it."""

    fitted: Fitted
    attributes: tuple[Attribute, ...]
    base: Model
    restraint: Restraint
    counted: Counted

    @property
    def expected_matches(self) -> float:
        """Pairs of one person in the whole space."""
        return self.fitted.shares[MATCH] * self.counted.pairs

    def model_at(self, rare: Mapping[str, float], *, method: str) -> Trained:
        """The model, its weights of exact agreement told at a rarity (``linkage.training.rarity``).

        Args:
            rare: from ``rarity``.
            method: how the numbers came about, in a sentence.
        """
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
            total_pairs=float(self.counted.pairs),
            sample_weight=max(self.counted.one_stands_for, 1.0),
            provenance={"method": method},
        )


def estimate(counted: Counted, *, base: Model, share: float) -> Estimate:
    """Fit the mixture by expectation-maximisation.

    Args:
        counted: the patterns.
        base: rules, thresholds, and probabilities to start from.
        share: share of matches among all pairs to start from.
    """
    attributes = lay_out(base)
    household = base.household.surname if base.household else dict.fromkeys(PART_LEVELS, 1 / len(PART_LEVELS))
    restraint = Restraint(
        garbled_share=base.name.garbled_share,
        forename_leak=TWINS_AND_NAMESAKES,
        date_leak=TWINS_AND_NAMESAKES,
        surname=np.array([household[level] for level in PART_LEVELS]),
    )
    return Estimate(_fit(counted, attributes, restraint, share), attributes, base, restraint, counted)


def estimate_again(found: Estimate, *, share: float, blunt: float = 0.0) -> Estimate:
    """The same fit from another start.

    Args:
        found: the fit.
        share: share of matches to start from.
        blunt: part of the way, 0 to 1, by which the start's m is moved towards its u.
    """
    moved = tuple(replace(at, m=(1 - blunt) * at.m + blunt * at.u) for at in found.attributes)
    return replace(found, fitted=_fit(found.counted, moved, found.restraint, share), attributes=found.attributes)


def classes_of(codes: Ints, attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """The classes that these patterns can tell apart.

    Household needs dates of birth and some place; context needs two columns beside name and date that can
    agree together: where there is one alone, neighbours are a part of what chance does to it.
    """
    seen = {
        attribute.name: bool(np.any(np.isin(codes[:, no], np.concatenate(attribute.groups))))
        for no, attribute in enumerate(attributes)
    }
    of_role = {role: sum(seen[at.name] for at in attributes if at.role == role) for role in ("date", "place", "extra")}
    if not (of_role["date"] and of_role["place"]):
        return MATCH, RANDOM
    if of_role["place"] + of_role["extra"] < 2:
        return MATCH, RANDOM, HOUSEHOLD
    return MATCH, RANDOM, HOUSEHOLD, CONTEXT


def _fit(counted: Counted, attributes: Sequence[Attribute], restraint: Restraint, share: float) -> Fitted:
    return fit(
        counted.codes,
        counted.weight,
        attributes,
        share=min(share, MOST_SHARE),
        classes=classes_of(counted.codes, attributes),
        sample_weight=max(counted.one_stands_for, 1.0),
        restraint=restraint,
    )
