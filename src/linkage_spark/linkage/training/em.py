"""Expectation-maximisation over counted agreement patterns, without labels.

A mixture of four classes of pairs, levels independent inside each: match (one person), random, household
(relatives and housemates) and context (neighbours, people of one town or trade). Household and context are
held to what sets them apart, else they would take true matches:

* household: the surname is free; forename and date of birth agree as by chance but for a small leak (father
  and son, twins); the place behaves as one person's, in one pooled estimate, or is free where the caller says so;
* context: name and date of birth agree as by chance; place and further columns are free.

Counts come from all candidate pairs and a weighted sample of all others, so that the shares of the classes are
shares of the whole space of pairs, and the prior comes out of the same fit. Sources: Fellegi and Sunter
(1969); Winkler (1988) for EM; docs/matching.md for the constraints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linkage_spark.linkage.training.layout import (
    CROSSED,
    GIVEN_ONLY,
    PARTS,
    SINGLE_GIVEN,
    SINGLE_SURNAME,
    STRAIGHT,
    SURNAME_ONLY,
    Attribute,
    Bools,
    Floats,
    Ints,
)

MATCH, RANDOM, HOUSEHOLD, CONTEXT = "match", "random", "household", "context"

_PRIOR_PAIRS = 10.0
"""Pairs that each table but that of the class random starts with, spread as the start says (Dirichlet smoothing)."""

FAR: tuple[str, ...] = ("differ", "same_area", "same_district", "same_sector")
"""Levels of an address that are no home's."""

_FAR_FROM_HOME = 0.01
"""Share of household pairs whose places are recorded so far apart, where the household's place is its own: one has moved."""

_LEAST = 1e-12


@dataclass(frozen=True)
class Restraint:
    """What is held fixed while the rest is estimated.

    Attributes:
        garbled_share: share of one person's pairs in which one part of the name is garbled or replaced.
        forename_leak, date_leak: share of household pairs that agree there as one person's do.
        surname: start of the surname levels among household pairs, weakest first.
        tied_place: the place of household pairs is one person's, in one pooled estimate; else it is their own.
        free_forename_leak: ``forename_leak`` is where the share of relatives of one forename starts; it is estimated. That
            needs ``date_most``, or they pass for one person.
        date_most: by level code, the most of one person's pairs that may differ so in their dates of birth; None: any.
            Without a bound a father and son of one name pass for one person whose date was replaced.
        replaced_dates: a level may be commoner than ``date_most`` where dates were replaced (``_as_replaced``).
        part_differs_most: the most of one person's pairs whose given names differ, and whose surnames do; None: any. Without
            dates of birth a bound is all that keeps relatives of one home from passing for one person.
        most_rounds: rounds after which estimation stops, settled or not.
        tolerance: relative change of the share of matches, and a hundred times that of the log-likelihood,
            below which it has settled.
    """

    garbled_share: float
    forename_leak: float
    date_leak: float
    surname: Floats
    tied_place: bool = True
    free_forename_leak: bool = False
    date_most: Floats | None = None
    replaced_dates: bool = False
    part_differs_most: float | None = None
    most_rounds: int = 500
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Fitted:
    """What came out.

    Attributes:
        tables: by class, one array of probabilities by level code per attribute.
        shares: share of each class among all pairs.
        household_surname: surname levels among household pairs, weakest first.
        forename_leak: share of household pairs whose given names behave as one person's.
        log_likelihood: natural logarithm, per round.
        settled: share of matches and likelihood stopped changing.
    """

    tables: dict[str, list[Floats]]
    shares: dict[str, float]
    household_surname: Floats
    forename_leak: float
    log_likelihood: tuple[float, ...]
    settled: bool


def fit(
    codes: Ints,
    weight: Floats,
    attributes: Sequence[Attribute],
    *,
    share: float,
    classes: Sequence[str],
    sample_weight: float,
    restraint: Restraint,
    by_chance: Bools | None = None,
) -> Fitted:
    """Estimate the mixture.

    Args:
        codes: one row per pattern, one level code per attribute.
        weight: pairs that each pattern stands for.
        attributes: the columns of ``codes``, with probabilities to start from.
        share: share of matches among all pairs to start from.
        classes: which classes take part; match and random always.
        sample_weight: pairs that one sampled pair stands for; scales the smoothing of the class random.
        restraint: what is held fixed.
        by_chance: patterns that belong to the class random, whatever they look like; None: none.

    Returns:
        The fit; deterministic, and the same for any order of the patterns up to rounding. Where there is no pattern, the start.
    """
    state = _start(codes, weight, attributes, share, classes, restraint)
    if not len(codes):
        return Fitted(state.tables, state.shares, state.household_surname, state.forename_leak, (0.0,), settled=True)
    likelihood: list[float] = []
    settled = False
    while not settled and len(likelihood) < restraint.most_rounds:
        logs = np.stack([log_density(state.tables[name], state.shares[name], codes) for name in state.shares])
        if by_chance is not None:
            logs[:, by_chance] = _outside_random(logs[:, by_chance], tuple(state.shares))
        top = logs.max(axis=0)
        total = top + np.log(np.exp(logs - top).sum(axis=0))
        likelihood.append(float(np.dot(weight, total)))
        held = {name: weight * np.exp(row - total) for name, row in zip(state.shares, logs, strict=True)}
        before = state.shares
        state = _maximise(state, held, codes, attributes, sample_weight, restraint)
        gained = abs(likelihood[-1] - likelihood[-2]) / max(abs(likelihood[-1]), 1.0) if len(likelihood) > 1 else 1.0
        moved = abs(state.shares[MATCH] / before[MATCH] - 1.0)
        settled = moved < restraint.tolerance and gained < restraint.tolerance / 100
    return Fitted(state.tables, state.shares, state.household_surname, state.forename_leak, tuple(likelihood), settled)


@dataclass(frozen=True)
class _State:
    """Tables and shares between two rounds."""

    tables: dict[str, list[Floats]]
    shares: dict[str, float]
    household_surname: Floats
    forename_leak: float


def _start(
    codes: Ints, weight: Floats, attributes: Sequence[Attribute], share: float, classes: Sequence[str], held: Restraint
) -> _State:
    """Tables to start from: m as given, u as the pairs at large agree."""
    m = [attribute.m for attribute in attributes]
    u = [
        _chance_table(_count(codes[:, no], weight, len(attribute.u)), attribute, 1.0)
        for no, attribute in enumerate(attributes)
    ]
    shares = {MATCH: share, RANDOM: 1.0 - share}
    tables = {MATCH: m, RANDOM: u}
    for name in classes:
        if name not in shares:
            shares[name] = share
            shares[RANDOM] -= share
    if HOUSEHOLD in shares:
        tables[HOUSEHOLD] = _household(m, u, attributes, held.surname, held.forename_leak, held)
    if CONTEXT in shares:
        # Half of one person's agreement and half of chance's: what is between them is what the class is for.
        middle = [(a + b) / 2 for a, b in zip(m, u, strict=True)]
        tables[CONTEXT] = _context(u, middle, attributes)
    return _State(tables, shares, held.surname, held.forename_leak)


def log_density(tables: Sequence[Floats], share: float, codes: Ints) -> Floats:
    """Log of share times probability of each pattern in one class."""
    bits: Floats = np.full(len(codes), np.log(max(share, _LEAST)))
    for no, table in enumerate(tables):
        bits = bits + np.log(np.maximum(table, _LEAST))[codes[:, no]]
    return bits


def _outside_random(logs: Floats, classes: Sequence[str]) -> Floats:
    """The same with every class but random impossible."""
    held = np.full_like(logs, -np.inf)
    no = classes.index(RANDOM)
    held[no] = logs[no]
    return held


def _maximise(
    state: _State,
    held: dict[str, Floats],
    codes: Ints,
    attributes: Sequence[Attribute],
    sample_weight: float,
    restraint: Restraint,
) -> _State:
    """One M-step: tables and shares from the pairs that each class holds."""
    total = sum(float(part.sum()) for part in held.values())
    shares = {name: max(float(part.sum()) / total, _LEAST) for name, part in held.items()}
    match, random = [], []
    for no, attribute in enumerate(attributes):
        size = len(attribute.m)
        column = codes[:, no]
        counted_u = _count(column, held[RANDOM], size)
        random.append(_chance_table(counted_u, attribute, sample_weight))
        counted_m = _count(column, held[MATCH], size)
        if attribute.role == "place" and restraint.tied_place and HOUSEHOLD in held:
            counted_m = counted_m + _count(column, held[HOUSEHOLD], size)
        towards = _name_prior(counted_m, attribute, attribute.m) if attribute.role == "name" else attribute.m
        table = _table(counted_m, attribute, towards, _PRIOR_PAIRS)
        if attribute.role == "date" and restraint.date_most is not None:
            most = restraint.date_most
            if restraint.replaced_dates:
                most = _as_replaced(table, random[no], attribute, most)
            table = _bounded(table, attribute, most)
        match.append(table)
    tables = {MATCH: match, RANDOM: random}
    for no, attribute in enumerate(attributes):
        if attribute.role == "name":
            if restraint.part_differs_most is not None:
                match[no] = _parts_bounded(match[no], restraint.part_differs_most)
            match[no] = _with_garbled(match[no], random[no], restraint.garbled_share)
    surname, leak = state.household_surname, state.forename_leak
    if HOUSEHOLD in held:
        surname = _household_surname(codes, held[HOUSEHOLD], attributes, restraint)
        if restraint.free_forename_leak:
            leak = _forename_leak(codes, held[HOUSEHOLD], attributes, match, random, leak, restraint)
        tables[HOUSEHOLD] = _household(match, random, attributes, surname, leak, restraint)
        for no, attribute in enumerate(attributes):
            if attribute.role == "extra" or (attribute.role == "place" and not restraint.tied_place):
                counted = _count(codes[:, no], held[HOUSEHOLD], len(attribute.m))
                own = _table(counted, attribute, random[no], _PRIOR_PAIRS)
                tables[HOUSEHOLD][no] = _near_home(own, random[no], attribute) if attribute.name == "address" else own
    if CONTEXT in held:
        free = [
            _table(_count(codes[:, no], held[CONTEXT], len(at.m)), at, random[no], _PRIOR_PAIRS)
            for no, at in enumerate(attributes)
        ]
        tables[CONTEXT] = _context(random, free, attributes)
    return _State(tables, shares, surname, leak)


def _count(column: Ints, held: Floats, size: int) -> Floats:
    """Pairs by level code."""
    counted: Floats = np.bincount(column, weights=held, minlength=size).astype(np.float64)
    return counted


def _table(counted: Floats, attribute: Attribute, towards: Floats, prior_pairs: float) -> Floats:
    """Probabilities by code inside each group, smoothed towards another table; one outside of all groups."""
    table = np.ones(len(counted))
    for group in attribute.groups:
        share = towards[group] / towards[group].sum()
        table[group] = (counted[group] + prior_pairs * share) / (counted[group].sum() + prior_pairs)
    return table


def _bounded(table: Floats, attribute: Attribute, most: Floats) -> Floats:
    """No level above its bound; what is over it goes to the levels that have none, as their shares are."""
    held = table.copy()
    for group in attribute.groups:
        free = group[np.isinf(most[group])]
        bound = group[np.isfinite(most[group])]
        kept = np.minimum(table[bound], most[bound])
        held[bound] = kept
        held[free] = table[free] * (1.0 - kept.sum()) / table[free].sum()
    return held


_NEAR, _APART = "within_two_years", "within_ten_years"
_NEITHER_SLIP_NOR_GENERATION = (_APART, _NEAR, "year_only", "two_digits")
"""Levels that no slip of writing explains, and at which no father and son of one name stand."""


def _as_replaced(table: Floats, random: Floats, attribute: Attribute, most: Floats) -> Floats:
    """Bounds that let through the dates that were replaced by any other.

    A replaced date falls anywhere, on every level as often as chance; a wrong one grows rarer the farther it is from the right
    one. So how many there are a generation apart is told by the level on which the fewest are seen, beside chance, of those
    that neither a slip nor a father and son explain; and where they grow rarer from one or two years to ten, they are
    taken to grow rarer as much once more. Two people of one name and home whose dates agree as by chance look like replaced
    dates: the diagnosis says so.
    """
    beside_chance = dict(zip(attribute.levels, (table / random).tolist(), strict=True))
    fewest = min(beside_chance[level] for level in _NEITHER_SLIP_NOR_GENERATION)
    replaced = min(fewest, beside_chance[_APART] ** 2 / beside_chance[_NEAR])
    return np.where(np.isfinite(most), np.maximum(most, replaced * random), most)


def _chance_table(counted: Floats, attribute: Attribute, one_pair: float) -> Floats:
    """Probabilities of the class random by code, one outside of all groups.

    Every level gets, beside its count, what the start (for straight names the product of the parts) would put
    there, but no more than one pair of the sample: a level that chance has not shown yet is not impossible.
    """
    towards = _name_prior(counted, attribute, attribute.u) if attribute.role == "name" else attribute.u
    table = np.ones(len(counted))
    for group in attribute.groups:
        pairs = counted[group].sum()
        expected = pairs * towards[group] / towards[group].sum()
        filled = counted[group] + np.minimum(expected, one_pair)
        table[group] = filled / filled.sum() if pairs > 0 else towards[group] / towards[group].sum()
    return table


def _name_prior(counted: Floats, attribute: Attribute, start: Floats) -> Floats:
    """The start's table, with the straight cells as the product of the parts' own shares."""
    prior = start.copy()
    straight = counted[STRAIGHT] + _PRIOR_PAIRS * start[STRAIGHT]
    whole = straight.sum()
    product = straight.sum(axis=1)[:, None] * straight.sum(axis=0)[None, :] / (whole * whole)
    prior[STRAIGHT] = start[STRAIGHT].sum() * product
    return prior


def part_shares(table: Floats) -> tuple[Floats, Floats]:
    """Shares of the levels of given names and of surnames among the straight cells of a name table."""
    straight = table[STRAIGHT]
    return straight.sum(axis=1) / straight.sum(), straight.sum(axis=0) / straight.sum()


def _parts_bounded(match: Floats, most: float) -> Floats:
    """The straight name cells with the level 'differ' of either part at a share of at most ``most``."""
    table = match.copy()
    for part in (0, 1):
        straight = np.moveaxis(table[STRAIGHT], part, 0).copy()
        share = float(straight[0].sum() / straight.sum())
        if share > most:
            straight[0] *= most / share
            straight[1:] *= (1.0 - most) / (1.0 - share)
            table[STRAIGHT] = np.moveaxis(straight, 0, part)
    return table


def _with_garbled(match: Floats, random: Floats, share: float) -> Floats:
    """Mix in the share of pairs whose given name, or surname, is garbled and agrees as by chance (docs/matching.md)."""
    table = match.copy()
    whole = match[STRAIGHT].sum()
    given_m, surname_m = part_shares(match)
    given_u, surname_u = part_shares(random)
    garbled = given_u[:, None] * surname_m[None, :] + given_m[:, None] * surname_u[None, :]
    table[STRAIGHT] = (1 - 2 * share) * match[STRAIGHT] + share * whole * garbled
    return table


def _household_surname(codes: Ints, held: Floats, attributes: Sequence[Attribute], restraint: Restraint) -> Floats:
    """Surname levels among household pairs, over names with both parts."""
    no = next(no for no, attribute in enumerate(attributes) if attribute.role == "name")
    counted = _count(codes[:, no], held, len(attributes[no].m))[STRAIGHT].sum(axis=0)
    share: Floats = (counted + _PRIOR_PAIRS * restraint.surname) / (counted.sum() + _PRIOR_PAIRS)
    return share


def _near_home(table: Floats, random: Floats, attribute: Attribute) -> Floats:
    """A household's address with all levels from the sector outwards at _FAR_FROM_HOME together, shared out as by chance.

    Else the class grows into everybody of one surname in one town, who are told from matches without it.
    """
    far = np.array([no for no, level in enumerate(attribute.levels) if level in FAR], dtype=np.int64)
    held = table.copy()
    near = np.setdiff1d(attribute.groups[0], far)
    held[far] = _FAR_FROM_HOME * random[far] / random[far].sum()
    held[near] = (1.0 - _FAR_FROM_HOME) * table[near] / table[near].sum()
    return held


def _forename_leak(
    codes: Ints,
    held: Floats,
    attributes: Sequence[Attribute],
    match: Sequence[Floats],
    random: Sequence[Floats],
    leak: float,
    restraint: Restraint,
) -> float:
    """Share of household pairs whose given names behave as one person's, over names with both parts."""
    no = next(no for no, attribute in enumerate(attributes) if attribute.role == "name")
    counted = _count(codes[:, no], held, len(attributes[no].m))[STRAIGHT].sum(axis=1)
    as_one, as_chance = leak * part_shares(match[no])[0], (1 - leak) * part_shares(random[no])[0]
    leaked = float((counted * as_one / (as_one + as_chance)).sum())
    whole = float(counted.sum())
    return (leaked + _PRIOR_PAIRS * restraint.forename_leak) / (whole + _PRIOR_PAIRS)


def _household(
    match: Sequence[Floats],
    random: Sequence[Floats],
    attributes: Sequence[Attribute],
    surname: Floats,
    forename_leak: float,
    held: Restraint,
) -> list[Floats]:
    """Tables of the household class; the name as ``linkage.scoring`` weighs it."""
    tables = []
    for m, u, attribute in zip(match, random, attributes, strict=True):
        if attribute.role == "name":
            tables.append(_household_name(m, u, surname, forename_leak))
        elif attribute.role == "date":
            tables.append((1 - held.date_leak) * u + held.date_leak * m)
        else:
            tables.append(m if attribute.role == "place" else u)
    return tables


def _household_name(m: Floats, u: Floats, surname: Floats, leak: float) -> Floats:
    """Name cells of two of one household; the surname has its own shares, the forename a leak."""
    table = np.ones(len(m))
    given_m, surname_m = part_shares(m)
    given_u, _ = part_shares(u)
    given = (1 - leak) * given_u + leak * given_m
    crossed = np.arange(PARTS - len(CROSSED), PARTS)
    table[STRAIGHT] = given[:, None] * surname[None, :]
    table[CROSSED] = given[crossed] * surname[crossed] * m[CROSSED] / (given_m[crossed] * surname_m[crossed])
    table[GIVEN_ONLY], table[SURNAME_ONLY] = given, surname
    table[SINGLE_GIVEN], table[SINGLE_SURNAME] = given[crossed], surname[crossed]
    return table


def _context(random: Sequence[Floats], free: Sequence[Floats], attributes: Sequence[Attribute]) -> list[Floats]:
    """Tables of the context class: place and further columns free, name and date as by chance."""
    return [
        one if attribute.role in ("place", "extra") else u
        for u, one, attribute in zip(random, free, attributes, strict=True)
    ]
