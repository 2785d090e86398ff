"""Every table either names people in a way that is known, or names nobody."""

from __future__ import annotations

import pytest

from linkage_spark.governance.holdings import COLUMNS, Way, ways_of
from linkage_spark.kit.contract import TableContract
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.retain_files import FROZEN, PURGED
from linkage_spark.runs.subject import held_tables
from linkage_spark.tables.changes import FEED_STATE
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import BASELINE
from linkage_spark.tables.nominals import NOMINAL_RUN, NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import RUN
from linkage_spark.tables.review import LINK_JUDGEMENT

EVERY = (*ALL_TABLES, *NOMINALS, PERSON_JUDGEMENT, LINK_JUDGEMENT, REMOVAL)
NOBODY = (*FROZEN, FEED_STATE, BASELINE, RUN_METRIC, NOMINAL_RUN, RUN, REMOVAL)
"""Tables whose rows are of no person."""

BY_EVENT = ("location",)
"""Held under its event alone: a place is nobody's."""

REFERENCES = {name for columns in COLUMNS.values() for name in columns} - {"source_system"}


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.name)
def test_a_table_names_people_in_a_known_way_or_nobody(table: TableContract) -> None:
    if table in NOBODY or table.name in BY_EVENT:
        assert ways_of(table) == ()
    else:
        assert ways_of(table), "say how it names people, or that it names nobody"


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.name)
def test_no_column_names_somebody_in_a_way_that_is_not_known(table: TableContract) -> None:
    endings = ("_ref", "employee_id", "record_id", "nominal_id", "hit_id", "item_id")
    told = {column for way in COLUMNS.values() for column in way}
    # Ids that are made of the others, and stand only beside them; pairs that an edge's cut hangs on; where a nominal went.
    beside = {
        "hit_id",
        "location_hit_id",
        "because_left_record_id",
        "because_right_record_id",
        "other_nominal_id",
    }
    assert [name for name in table.names if name.endswith(endings) and name not in told | beside] == []


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.name)
def test_whatever_names_people_is_purged(table: TableContract) -> None:
    assert table in PURGED or table in NOBODY


def test_a_subject_report_looks_into_every_table_but_those_of_candidate_pairs() -> None:
    assert {table.name for table in EVERY if ways_of(table)} - {table.name for table in held_tables()} == {
        "scored_pair",
        "nominal_pair",
    }


def test_an_event_is_held_on_those_who_stand_in_it_in_the_table_of_events_alone() -> None:
    assert [table.name for table in EVERY if Way.EVENT in ways_of(table)] == ["event"]
