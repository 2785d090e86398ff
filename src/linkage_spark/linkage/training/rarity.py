"""How rare the values are that one person's records share, and a fit told at that rarity.

A weight of exact agreement stands for a value of some frequency; a value that is rarer or commoner is corrected from
there. Told at the chance agreement of all values, which the few commonest make, *exact* can weigh less than *variant*, and
putting the levels in order takes from both. Told at the rarity that matches show, the order holds of itself more
often. Where no level is pooled and no correction clipped a pair's score is the same: what the weight gains the correction loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from linkage_spark.linkage.comparison.levels import PART_NAMES
from linkage_spark.linkage.training.em import RANDOM, Fitted
from linkage_spark.linkage.training.layout import (
    CROSSED,
    SINGLE_GIVEN,
    SINGLE_SURNAME,
    STRAIGHT,
    Attribute,
    Floats,
)
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import CROSSED_LEVELS, Further

LEAST_COPIES = 20.0
"""Expected matches that agree on an attribute below which its rarity is not told apart from chance."""

_PLACES = ("same_premises", "same_building", "same_postcode")
_NEAR = ("near", "one_slip")


def rarity(frequencies: Frequencies, copies: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """By attribute: the share of a value that matches agree on, over the chance agreement of all values; at most 1.

    The share is the geometric mean over expected matches. An attribute on which fewer than LEAST_COPIES expected
    matches agree has 1.

    Args:
        frequencies: shares of values, a person's own copies taken off.
        copies: summed match probabilities of pairs that agree, by (attribute, value).
    """
    found: dict[str, float] = {}
    for attribute, table in frequencies.by_attribute.items():
        agreeing = [(value, count) for (name, value), count in sorted(copies.items()) if name == attribute]
        total = sum(count for _, count in agreeing)
        if total < LEAST_COPIES:
            found[attribute] = 1.0
            continue
        bits = sum(count * np.log2(table.share(value)) for value, count in agreeing) / total
        found[attribute] = float(min(np.exp2(bits) / table.chance_agreement, 1.0))
    return found


def at_rarity(
    fitted: Fitted,
    attributes: Sequence[Attribute],
    rare: Mapping[str, float],
    *,
    fuzzy_share: float,
    further: Mapping[str, Further],
) -> Fitted:
    """The fit with u of every level as often as the correction of its values is taken.

    u of *exact* is multiplied by the rarity, u of a level that takes a share of the correction by that power of it;
    within attributes other than the name u is brought to sum to one again.

    Args:
        fitted: what EM found.
        attributes: the columns it was fitted on.
        rare: from ``rarity``; an attribute that is not in it stays.
        fuzzy_share: share of the correction where values agree, but not exactly.
        further: further attributes by name.
    """
    random = []
    for attribute, table in zip(attributes, fitted.tables[RANDOM], strict=True):
        factor = np.exp2(_corrections(attribute, rare, fuzzy_share, further))
        scaled = table * factor
        if attribute.role != "name":
            for group in attribute.groups:
                scaled[group] *= table[group].sum() / scaled[group].sum()
        random.append(scaled)
    return replace(fitted, tables={**fitted.tables, RANDOM: random})


def with_rarity(frequencies: Frequencies, rare: Mapping[str, float]) -> Frequencies:
    """The frequencies with the share at which a weight is told as ``typical_agreement``."""
    return Frequencies(
        {
            name: replace(table, typical_agreement=table.chance_agreement * rare.get(name, 1.0))
            for name, table in frequencies.by_attribute.items()
        }
    )


def _corrections(
    attribute: Attribute, rare: Mapping[str, float], fuzzy_share: float, further: Mapping[str, Further]
) -> Floats:
    """By level code: log2 of the rarity, as often as the level takes it."""
    bits = {name: float(np.log2(share)) for name, share in rare.items()}
    found = np.zeros(len(attribute.levels))
    if attribute.role == "name":
        return _name_corrections(len(found), bits, fuzzy_share)
    own = attribute.name if attribute.name in further else {"address": "postcode"}.get(attribute.name, attribute.name)
    exact = _PLACES if attribute.name == "address" else ("exact",)
    for code, level in enumerate(attribute.levels):
        if level in exact:
            found[code] = bits.get(own, 0.0)
        elif level in _NEAR and attribute.name in further:
            found[code] = bits.get(own, 0.0) * fuzzy_share
    if attribute.name in further and further[attribute.name].kind == "house":
        found[:] = 0.0
    return found


def _name_corrections(size: int, bits: Mapping[str, float], fuzzy_share: float) -> Floats:
    """By name cell: exchanged whole names take the fuzzy share of both, a single name that of its part.

    What whole names say beside their parts is taken once where both parts agree exactly, by the fuzzy share where
    they agree not exactly (``linkage.whole_names``).
    """
    given, surname = bits.get("given", 0.0), bits.get("surname", 0.0)
    of_part = {**dict.fromkeys(CROSSED_LEVELS, fuzzy_share), "exact": 1.0}
    parts = np.array([of_part.get(part, 0.0) for part in PART_NAMES])
    ends = np.array([of_part[level] for level in CROSSED_LEVELS])
    found = np.zeros(size)
    width = len(PART_NAMES)
    found[: width * width] = (parts[:, None] * given + parts[None, :] * surname).ravel()
    found[CROSSED] = fuzzy_share * (given + surname)
    beside_parts = bits.get("name", given + surname) - (given + surname)
    for cells in (STRAIGHT[-len(CROSSED_LEVELS) :, -len(CROSSED_LEVELS) :], CROSSED):
        found[cells] += fuzzy_share * beside_parts
    found[STRAIGHT[-1, -1]] += (1.0 - fuzzy_share) * beside_parts
    found[SINGLE_GIVEN] = ends * given
    found[SINGLE_SURNAME] = ends * surname
    return found
