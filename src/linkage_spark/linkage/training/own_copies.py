"""How common a value is among other people's records: the counted frequencies without an employee's own records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from linkage_spark.model.frequencies import RARE_VALUE, WHOLE_NAME, AttributeFrequencies, Frequencies

Value = tuple[str, str]
"""Attribute and value."""


def without_own_copies(
    counted: Iterable[Mapping[str, Any]], *, bearers: Mapping[Value, int], copies: Mapping[Value, float]
) -> list[dict[str, Any]]:
    """FREQUENCY rows, their shares corrected.

    The share of a value is the chance that a police record of *another* person bears it, given that an employee does:
    f = (c - own + 0.5) / n with c its bearers among n police records and own the records that one of its e employees is
    expected to have among them: the summed match probability of pairs that agree on it, over e. A value that no employee
    bears keeps c / n. The row of the rarer values is corrected as one. Of a whole name dates of birth are counted, so that
    its own records are one at most.

    Args:
        counted: rows of ``linkage.frequencies.count_frequencies``.
        bearers: employees that bear each value.
        copies: summed match probability of the pairs that agree on each value.

    Returns:
        attribute, value, ``bearers`` as counted, ``share``; by attribute and value.
    """
    rows = sorted((dict(row) for row in counted), key=lambda row: (row["attribute"], row["value"]))
    listed = {(row["attribute"], row["value"]) for row in rows}
    rarer: dict[str, float] = {}
    for attribute, value in sorted(copies):
        if (attribute, value) not in listed:
            rarer[attribute] = rarer.get(attribute, 0.0) + _own((attribute, value), bearers, copies)
    corrected = []
    for row in rows:
        name = (row["attribute"], row["value"])
        count = float(row["bearers"])
        own = rarer.get(row["attribute"], 0.0) if row["value"] == RARE_VALUE else _own(name, bearers, copies)
        left = max(count - own, 0.0) + (0.5 if own else 0.0)
        corrected.append({**row, "share": row["share"] * min(left / count, 1.0)})
    return corrected


def at_roster(frequencies: Frequencies, bearers: Mapping[Value, int]) -> Frequencies:
    """The chance agreement as that of a random employee and a random police record.

    Args:
        frequencies: of the police records.
        bearers: employees that bear each value.
    """
    found: dict[str, AttributeFrequencies] = {}
    for attribute, table in frequencies.by_attribute.items():
        borne = [(value, count) for (name, value), count in sorted(bearers.items()) if name == attribute]
        total = sum(count for _, count in borne)
        chance = sum(count * table.share(value) for value, count in borne) / total if total else table.chance_agreement
        found[attribute] = replace(table, chance_agreement=chance)
    return Frequencies(found)


def _own(name: Value, bearers: Mapping[Value, int], copies: Mapping[Value, float]) -> float:
    """Records of one bearer among the police records."""
    employees = bearers.get(name, 0)
    own = copies.get(name, 0.0) / employees if employees else 0.0
    return min(own, 1.0) if name[0] == WHOLE_NAME else own
