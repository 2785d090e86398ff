"""Which lane and purpose a role leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from linkage_spark.tables.enums import Lane, Purpose, Role

LANES: Final[Mapping[Role, tuple[Lane, Purpose]]] = {
    Role.SUSPECT: (Lane.CONDUCT, Purpose.LAW_ENFORCEMENT),
    Role.OFFENDER: (Lane.CONDUCT, Purpose.LAW_ENFORCEMENT),
    Role.DETAINED: (Lane.CONDUCT, Purpose.LAW_ENFORCEMENT),
    Role.VICTIM: (Lane.WELFARE, Purpose.PUBLIC_TASK),
    Role.WITNESS: (Lane.WELFARE, Purpose.PUBLIC_TASK),
    Role.ADDITIONAL_RELEVANT: (Lane.TRIAGE, Purpose.LAW_ENFORCEMENT),
    Role.INTELLIGENCE_SUBJECT: (Lane.TRIAGE, Purpose.LAW_ENFORCEMENT),
}
"""First lane and purpose per role; a reviewer may move a hit later."""

LOCATION_LANE: Final[tuple[Lane, Purpose]] = (Lane.TRIAGE, Purpose.LAW_ENFORCEMENT)
"""Lane and purpose of an incident at an employee's home."""


def lane_of(role: Column) -> Column:
    """Lane of a role; null for a value that is no Role."""
    return _look_up(role, {name.value: lane.value for name, (lane, _) in LANES.items()})


def purpose_of(role: Column) -> Column:
    """Purpose of a role; null for a value that is no Role."""
    return _look_up(role, {name.value: purpose.value for name, (_, purpose) in LANES.items()})


def _look_up(key: Column, values: Mapping[str, str]) -> Column:
    """A small mapping as an expression."""
    entries = [F.lit(part) for pair in values.items() for part in pair]
    return F.element_at(F.create_map(*entries), key)
