"""From counted agreement patterns to a fit, and to the model that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, Restraint, fit
from linkage_spark.linkage.training.fitted_model import Trained, trained_model
from linkage_spark.linkage.training.layout import Attribute, Bools, Floats, Ints, lay_out
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
        by_chance: patterns whose pairs are of the class random whatever they look like: those of the sample, where one sampled
            pair stands for so many that a single one that looks like a match would outweigh all matches. None: none.
    """

    codes: Ints
    weight: Floats
    pairs: int
    sampled: int
    one_stands_for: float
    by_chance: Bools | None = None

    @classmethod
    def of(
        cls,
        candidates: Sequence[Mapping[str, Any]],
        sampled: Sequence[Mapping[str, Any]],
        *,
        model: Model,
        pairs: int,
        candidate_pairs: int,
        sample_is_chance: bool = False,
    ) -> Counted:
        """Put collected rows of ``count_patterns`` together.

        Args:
            candidates: patterns of all candidate pairs.
            sampled: patterns of the sampled other pairs.
            model: names the attributes.
            pairs: all pairs there are.
            candidate_pairs: those among them that rules propose.
            sample_is_chance: no sampled pair is a match, or of one household: what the rules miss is not estimated.
        """
        drawn = sum(row["pairs"] for row in sampled)
        one = (pairs - candidate_pairs) / drawn if drawn else 1.0
        columns = pattern_columns(model)
        together = [(*(row[name] for name in columns), row["pairs"] * 1.0, 0.0) for row in candidates]
        together += [(*(row[name] for name in columns), row["pairs"] * one, 1.0) for row in sampled]
        table = np.array(sorted(together), dtype=np.float64).reshape(len(together), len(columns) + 2)
        by_chance = table[:, -1] > 0 if sample_is_chance else None
        return cls(table[:, :-2].astype(np.int64), table[:, -2], pairs, drawn, one, by_chance)


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


PART_DIFFERS_MOST = 0.05
"""Where no dates of birth were compared: the most of one person's pairs whose given names, or surnames, differ. screening_v1 says
0.03 and 0.07; between 0.01 and 0.05 it made no difference on made-up families (bench/accuracy/robust.py)."""

BOUND_DATES: tuple[str, ...] = ("differ", "within_ten_years", "within_two_years", "year_only", "two_digits")
"""Date levels that no slip of writing explains: on a roster they are no commoner than the base says."""

GENERATION_APART = "differ"
"""The date level of a father and son of one name: more than ten years apart. In an analyst's file it is bounded, at the least by
the next."""

GENERATION_MOST = 0.01
"""In an analyst's file so many of one person's pairs may be a generation apart, whatever the base says; more where dates seem to
have been replaced. A father and son of one name at one address are otherwise more likely two people than one."""


def estimate(counted: Counted, *, base: Model, share: float, roster: bool = False) -> Estimate:
    """Fit the mixture by expectation-maximisation.

    Args:
        counted: the patterns.
        base: rules, thresholds, and probabilities to start from.
        share: share of matches among all pairs to start from.
        roster: employees against police records: unexplained dates no commoner than the base says, household pairs with
            places of their own, and how many of them share a forename estimated. In an analyst's file a date that was replaced
            could be taken for that; there a date a generation apart alone is bounded.
    """
    attributes = lay_out(base)
    date = next(attribute for attribute in attributes if attribute.role == "date")
    classes, seen = classes_of(counted.codes, attributes), _compared_by_role(counted.codes, attributes)
    bound = dict.fromkeys(BOUND_DATES, 0.0) if roster else {GENERATION_APART: GENERATION_MOST}
    most = np.array([max(date.m[no], bound[at]) if at in bound else np.inf for no, at in enumerate(date.levels)])
    household = base.household.surname if base.household else dict.fromkeys(PART_LEVELS, 1 / len(PART_LEVELS))
    restraint = Restraint(
        garbled_share=base.name.garbled_share,
        forename_leak=TWINS_AND_NAMESAKES,
        date_leak=TWINS_AND_NAMESAKES,
        surname=np.array([household[level] for level in PART_LEVELS]),
        tied_place=not roster,
        free_forename_leak=roster,
        date_most=most if HOUSEHOLD in classes else None,
        replaced_dates=not roster,
        part_differs_most=None if seen["date"] else PART_DIFFERS_MOST,
    )
    return Estimate(_fit(counted, attributes, restraint, share), attributes, base, restraint, counted)


def estimate_again(found: Estimate, *, share: float, blunt: float = 0.0, rough: bool = True) -> Estimate:
    """The same fit from another start: for comparison only.

    Args:
        found: the fit.
        share: share of matches to start from.
        blunt: part of the way, 0 to 1, by which the start's m is moved towards its u.
        rough: to a hundredth, which a start far away may not reach; else as far as ``found``.
    """
    moved = tuple(replace(at, m=(1 - blunt) * at.m + blunt * at.u) for at in found.attributes)
    restraint = replace(found.restraint, most_rounds=200, tolerance=1e-5) if rough else found.restraint
    return replace(found, fitted=_fit(found.counted, moved, restraint, share))


def classes_of(codes: Ints, attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """The classes that these patterns can tell apart.

    Household needs some place; context needs dates of birth and two columns beside name and date that can
    agree together: where there is one alone, neighbours are a part of what chance does to it.
    """
    of_role = _compared_by_role(codes, attributes)
    if not of_role["place"]:
        return MATCH, RANDOM
    if not of_role["date"] or of_role["place"] + of_role["extra"] < 2:
        return MATCH, RANDOM, HOUSEHOLD
    return MATCH, RANDOM, HOUSEHOLD, CONTEXT


def compared(levels: Ints, attribute: Attribute) -> bool:
    """Some pair has a level of the attribute."""
    return bool(np.any(np.isin(levels, np.concatenate(attribute.groups))))


def _compared_by_role(codes: Ints, attributes: Sequence[Attribute]) -> dict[str, int]:
    """Attributes by role of which some pair has a level."""
    seen = [compared(codes[:, no], at) for no, at in enumerate(attributes)]
    return {
        role: sum(here for here, at in zip(seen, attributes, strict=True) if at.role == role)
        for role in ("name", "date", "place", "extra")
    }


def _fit(counted: Counted, attributes: Sequence[Attribute], restraint: Restraint, share: float) -> Fitted:
    return fit(
        counted.codes,
        counted.weight,
        attributes,
        share=min(share, MOST_SHARE),
        classes=classes_of(counted.codes, attributes),
        sample_weight=max(counted.one_stands_for, 1.0),
        restraint=restraint,
        by_chance=counted.by_chance,
    )
