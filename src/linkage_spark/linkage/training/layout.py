"""How the levels of each attribute are laid out for estimation: by code, in groups that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from linkage_spark.linkage.comparison import addresses, dates, names
from linkage_spark.linkage.comparison import further as further_levels
from linkage_spark.linkage.comparison.levels import PART_NAMES
from linkage_spark.linkage.scoring import name_cells
from linkage_spark.model.schema import (
    CROSSED_LEVELS,
    DATE_LEVELS,
    MISSING,
    PART_LEVELS,
    PARTIAL_DATE_LEVELS,
    PLACE_PREFIX,
    Model,
    Probabilities,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Role = Literal["name", "date", "place", "extra"]

PARTS = len(PART_LEVELS)
_WIDTH = len(PART_NAMES)
CROSSED_FROM = _WIDTH * _WIDTH
SINGLE_GIVEN_FROM = CROSSED_FROM + len(CROSSED_LEVELS)
SINGLE_SURNAME_FROM = SINGLE_GIVEN_FROM + len(CROSSED_LEVELS)

STRAIGHT: Ints = np.arange(PARTS)[:, None] * _WIDTH + np.arange(PARTS)[None, :]
"""Codes of the straight cells of two whole names, given level by surname level."""

CROSSED: Ints = CROSSED_FROM + np.arange(len(CROSSED_LEVELS))
GIVEN_ONLY: Ints = np.arange(PARTS) * _WIDTH + PARTS
SURNAME_ONLY: Ints = PARTS * _WIDTH + np.arange(PARTS)
SINGLE_GIVEN: Ints = SINGLE_GIVEN_FROM + np.arange(len(CROSSED_LEVELS))
SINGLE_SURNAME: Ints = SINGLE_SURNAME_FROM + np.arange(len(CROSSED_LEVELS))


@dataclass(frozen=True)
class Attribute:
    """One attribute by level code.

    Attributes:
        name: its column among the patterns.
        role: what the classes household and context make of it.
        levels: level names by code.
        groups: codes that exclude each other, one group per pattern of missing values; probabilities sum
            to one inside a group. A code in no group is missing and says nothing.
        m, u: probabilities by code to start from, one inside no group.
    """

    name: str
    role: Role
    levels: tuple[str, ...]
    groups: tuple[Ints, ...]
    m: Floats
    u: Floats


def lay_out(model: Model) -> tuple[Attribute, ...]:
    """The attributes of a model in the order of ``pattern_columns``, with its probabilities to start from."""
    dates_m, dates_u = _by_code(dates.LEVELS, {**model.partial_date_of_birth, **model.date_of_birth}.get)
    places_m, places_u = _by_code(addresses.LEVELS, model.address.get)
    cells_m, cells_u = _by_code(names.CELL_NAMES, {**name_cells(model), MISSING: None}.get)
    codes = np.arange
    parts = len(PARTIAL_DATE_LEVELS)
    date_groups = (1 + codes(parts), 1 + parts + codes(len(DATE_LEVELS)))
    whole = np.concatenate([STRAIGHT.ravel(), CROSSED])
    name_groups = (
        whole,
        np.concatenate([GIVEN_ONLY, SINGLE_SURNAME]),
        np.concatenate([SURNAME_ONLY, SINGLE_GIVEN]),
    )
    held = [
        Attribute("name", "name", names.CELL_NAMES, name_groups, cells_m, cells_u),
        Attribute("date_of_birth", "date", dates.LEVELS, date_groups, dates_m, dates_u),
        Attribute("address", "place", addresses.LEVELS, (1 + codes(len(addresses.LEVELS) - 1),), places_m, places_u),
    ]
    for name, attribute in model.further.items():
        levels = further_levels.LEVELS[attribute.kind]
        m, u = _by_code(levels, attribute.levels.get)
        role: Role = "place" if name.startswith(PLACE_PREFIX) else "extra"
        held.append(Attribute(name, role, levels, (1 + codes(len(levels) - 1),), m, u))
    return tuple(_normalised(attribute) for attribute in held)


def _by_code(levels: tuple[str, ...], find: Callable[[str], Probabilities | None]) -> tuple[Floats, Floats]:
    """M and u by level code; 1 for a level that is not listed (missing)."""
    found = [find(level) or Probabilities(m=1.0, u=1.0) for level in levels]
    return np.array([level.m for level in found]), np.array([level.u for level in found])


def _normalised(attribute: Attribute) -> Attribute:
    """Probabilities that sum to one inside each group."""
    m, u = attribute.m.copy(), attribute.u.copy()
    for group in attribute.groups:
        m[group] /= m[group].sum()
        u[group] /= u[group].sum()
    return Attribute(attribute.name, attribute.role, attribute.levels, attribute.groups, m, u)
