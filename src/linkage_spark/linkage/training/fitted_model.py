"""From a fit to a model: levels pooled where they came out of order, tables by name, prior and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, Restraint
from linkage_spark.linkage.training.layout import (
    CROSSED,
    GIVEN_ONLY,
    SINGLE_GIVEN,
    SINGLE_SURNAME,
    STRAIGHT,
    SURNAME_ONLY,
    Attribute,
    Floats,
    Ints,
)
from linkage_spark.model.schema import CROSSED_LEVELS, PART_LEVELS, Model

_LEAST, _MOST = 1e-12, 1.0
_SLACK = 1.0 + 1e-9
_PROJECTIONS, _SETTLED_BITS = 500, 1e-9


@dataclass(frozen=True)
class Trained:
    """A model out of a fit.

    Attributes:
        model: the model; its frequencies are counted apart.
        pooled: attributes of which levels came out of order and were pooled.
        expected_matches: pairs of one person that the fit expects in the whole space of pairs.
    """

    model: Model
    pooled: tuple[str, ...]
    expected_matches: float


def trained_model(
    fitted: Fitted,
    attributes: Sequence[Attribute],
    *,
    base: Model,
    restraint: Restraint,
    total_pairs: float,
    sample_weight: float,
    provenance: Mapping[str, str],
) -> Trained:
    """Put a fit into the form of a model.

    Args:
        fitted: what EM found.
        attributes: the columns it was fitted on.
        base: rules, thresholds and limits, and the tables of what was not fitted.
        restraint: what was held fixed.
        total_pairs: pairs in the whole space.
        sample_weight: pairs that one sampled pair stands for.
        provenance: how the numbers came about.

    Returns:
        A model under the base's id with ``-trained`` added. Within an attribute a stronger level never weighs less.
    """
    match, random = fitted.tables[MATCH], fitted.tables[RANDOM]
    pooled: list[str] = []
    content = base.model_dump(mode="json")
    for attribute, m, u in zip(attributes, match, random, strict=True):
        if attribute.role == "name":
            sure = _evidence(m, u, matches=fitted.shares[MATCH] * total_pairs, sampled=total_pairs / sample_weight)
            content["name"], changed = _name_tables(m, u, attribute, base, sure)
        else:
            tables, changed = _level_tables(m, u, attribute)
            _put(content, attribute, tables)
        if changed:
            pooled.append(attribute.name)
    share = fitted.shares
    content |= {
        "id": f"{base.id}-trained",
        "prior_bits": float(np.log2(share[MATCH] / share[RANDOM])),
        "household": _household(fitted, attributes, restraint),
        "context": _context(fitted, attributes),
    }
    content["frequency"]["reference"] = "data"
    content.update(provenance=dict(provenance))
    return Trained(Model.model_validate(content), tuple(pooled), share[MATCH] * total_pairs)


def monotone(m: Floats, u: Floats) -> tuple[Floats, bool]:
    """Pool neighbouring levels, weakest first, until no stronger one weighs less; sums stay.

    The pool-adjacent-violators algorithm on m over u with weight u: the pooled levels share one ratio, the
    sum of their m over the sum of their u.
    """
    blocks: list[list[float]] = []
    for one_m, one_u in zip(m.tolist(), u.tolist(), strict=True):
        blocks.append([one_m, one_u, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1] * _SLACK:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    ratios = np.concatenate([np.full(int(count), top / bottom) for top, bottom, count in blocks])
    return u * ratios, len(blocks) < len(m)


def monotone_cells(m: Floats, u: Floats, evidence: Floats) -> tuple[Floats, bool]:
    """The same in two directions: a cell never weighs less than one whose both parts are weaker or equal.

    The weights log2(m/u) move as little as they must: isotonic regression on the grid with the evidence as
    weight, by Dykstra's alternating projections on rows and columns. Given is the u that makes it so.

    Args:
        m: probabilities in one person's pairs, by given level and surname level, weakest first.
        u: the same in random pairs.
        evidence: how sure each cell's weight is, above 0: the inverse of its variance.
    """
    weight = np.log2(m / u)
    found, rows, columns = weight.copy(), np.zeros_like(weight), np.zeros_like(weight)
    for _ in range(_PROJECTIONS):
        before = found
        by_row = _each_row(found + rows, evidence)
        rows = found + rows - by_row
        found = _each_row((by_row + columns).T, evidence.T).T
        columns = by_row + columns - found
        if np.abs(found - before).max() < _SETTLED_BITS:
            break
    found = np.maximum.accumulate(np.maximum.accumulate(found, axis=0), axis=1)
    changed = bool(np.any(np.abs(found - weight) > _SETTLED_BITS))
    return m / np.exp2(found), changed


def _each_row(values: Floats, evidence: Floats) -> Floats:
    """Isotonic regression of every row."""
    return np.stack([isotonic_regression(row, weights=sure).x for row, sure in zip(values, evidence, strict=True)])


def _level_tables(m: Floats, u: Floats, attribute: Attribute) -> tuple[dict[str, dict[str, float]], bool]:
    """Probabilities by level name, weakest first, each group pooled apart."""
    tables: dict[str, dict[str, float]] = {}
    changed = False
    for group in attribute.groups:
        found, pooled = monotone(m[group], u[group])
        changed |= pooled
        tables |= {attribute.levels[code]: _pair(a, b) for code, a, b in zip(group, found, u[group], strict=True)}
    return tables, changed


def _put(content: dict[str, object], attribute: Attribute, tables: dict[str, dict[str, float]]) -> None:
    """Store level tables where the model keeps them."""
    if attribute.role == "date":
        partial = {name: pair for name, pair in tables.items() if name.startswith("partial_")}
        content["partial_date_of_birth"] = partial
        content["date_of_birth"] = {name: pair for name, pair in tables.items() if name not in partial}
    elif attribute.name == "address":
        content["address"] = tables
    else:
        further = content["further"]
        assert isinstance(further, dict)
        further[attribute.name]["levels"] = tables


def _evidence(m: Floats, u: Floats, *, matches: float, sampled: float) -> Floats:
    """Inverse variance of log(m/u) by code: both are shares of counted pairs."""
    return 1.0 / (1.0 / (m * matches + 1.0) + 1.0 / (u * sampled + 1.0))


def _name_tables(
    m: Floats, u: Floats, attribute: Attribute, base: Model, evidence: Floats
) -> tuple[dict[str, object], bool]:
    """The name's parts and cells."""
    # What moves is u: chance agreement on rare cells is what is least known, and m serves the other classes too.
    table, chance = m.copy(), u.copy()
    chance[STRAIGHT], changed = monotone_cells(m[STRAIGHT], u[STRAIGHT], evidence[STRAIGHT])
    for codes in (CROSSED, GIVEN_ONLY, SURNAME_ONLY, SINGLE_GIVEN, SINGLE_SURNAME):
        table[codes], pooled = monotone(table[codes], u[codes])
        changed |= pooled
    parts = {
        name: _part(m[STRAIGHT].sum(axis=axis), u[STRAIGHT].sum(axis=axis))
        for name, axis in (("given", 1), ("surname", 0))
    }
    cells = {
        attribute.levels[code]: _pair(table[code], chance[code])
        for group in attribute.groups
        for code in np.sort(group)
    }
    crossed = {level: cells[f"crossed: {level}"] for level in CROSSED_LEVELS}
    name = base.name.model_dump(mode="json")
    return name | parts | {"crossed": crossed, "cells": cells}, changed


def _part(m: Floats, u: Floats) -> dict[str, dict[str, float]]:
    """One part's levels out of the straight cells, summing to one."""
    found, _ = monotone(m / m.sum(), u / u.sum())
    return {level: _pair(a, b) for level, a, b in zip(PART_LEVELS, found, u / u.sum(), strict=True)}


def _pair(m: float, u: float) -> dict[str, float]:
    """Probabilities inside what a model allows, their ratio kept as far as that goes."""
    m, u = m / max(m, u, 1.0), u / max(m, u, 1.0)
    return {"m": float(np.clip(m, _LEAST, _MOST)), "u": float(np.clip(u, _LEAST, _MOST))}


def _household(fitted: Fitted, attributes: Sequence[Attribute], restraint: Restraint) -> dict[str, object] | None:
    """The household class; None where it took no part."""
    if HOUSEHOLD not in fitted.shares:
        return None
    at = next(no for no, attribute in enumerate(attributes) if attribute.name == "address")
    own_place = (
        {} if restraint.tied_place else _shares(fitted.tables[HOUSEHOLD][at], attributes[at].groups[0], attributes[at])
    )
    return {
        "pairs_per_match": fitted.shares[HOUSEHOLD] / fitted.shares[MATCH],
        "address": own_place,
        "forename_leak": fitted.forename_leak,
        "date_leak": restraint.date_leak,
        "surname": dict(zip(PART_LEVELS, fitted.household_surname.tolist(), strict=True)),
        "further": _class_tables(fitted, HOUSEHOLD, attributes, ("extra",)),
    }


def _context(fitted: Fitted, attributes: Sequence[Attribute]) -> dict[str, object] | None:
    """The context class; None where it took no part."""
    if CONTEXT not in fitted.shares:
        return None
    at = next(no for no, attribute in enumerate(attributes) if attribute.name == "address")
    group = attributes[at].groups[0]
    address = _shares(fitted.tables[CONTEXT][at], group, attributes[at])
    return {
        "pairs_per_match": fitted.shares[CONTEXT] / fitted.shares[MATCH],
        "address": address,
        "further": _class_tables(fitted, CONTEXT, attributes, ("place", "extra")),
    }


def _class_tables(
    fitted: Fitted, name: str, attributes: Sequence[Attribute], roles: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Level shares of the further attributes of these roles in one class."""
    return {
        attribute.name: _shares(table, attribute.groups[0], attribute)
        for attribute, table in zip(attributes, fitted.tables[name], strict=True)
        if attribute.role in roles and attribute.name != "address"
    }


def _shares(table: Floats, group: Ints, attribute: Attribute) -> dict[str, float]:
    """Level shares of one group, above 0 and summing to one."""
    share = np.maximum(table[group], _LEAST)
    return dict(zip((attribute.levels[code] for code in group), (share / share.sum()).tolist(), strict=True))
