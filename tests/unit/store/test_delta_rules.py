"""What Delta is told about a table, without a JVM."""

from __future__ import annotations

import pytest

from linkage_spark.store.delta import STATISTICS_COLUMNS, constraint_fault, table_properties
from linkage_spark.tables.canonical import CANONICAL, PERSON
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import FREQUENCY, LINK, LINKAGE
from linkage_spark.tables.results import RESULTS
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK


@pytest.mark.parametrize(
    "contract",
    [*CANONICAL, PERSON_IDENTIFIER, *LINKAGE, *RESULTS, LINK_JUDGEMENT, NEGATED_LINK],
    ids=lambda contract: contract.name,
)
def test_only_references_and_codes_get_statistics(contract) -> None:
    properties = table_properties(contract, kept_days=30)
    kept = set(filter(None, properties.get("delta.dataSkippingStatsColumns", "").split(",")))
    assert kept <= STATISTICS_COLUMNS & set(contract.key)
    assert kept or properties["delta.dataSkippingNumIndexedCols"] == "0"
    assert properties["delta.enableDeletionVectors"] == "false"
    assert "delta.appendOnly" not in properties


def test_a_frequency_keeps_no_statistics_on_the_value_counted() -> None:
    assert table_properties(FREQUENCY, kept_days=30)["delta.dataSkippingStatsColumns"] == "model_id,attribute"


def test_a_number_is_part_of_its_key_and_keeps_no_statistics() -> None:
    properties = table_properties(PERSON_IDENTIFIER, kept_days=30)
    assert properties["delta.dataSkippingStatsColumns"] == "source_system,person_ref"


@pytest.mark.parametrize(
    "name",
    ["identifier", "identifier_raw", "value", "key_hmac", "row_key", "name_raw", "date_of_birth", "premises_key"],
)
def test_no_personal_value_is_among_the_statistics_columns(name: str) -> None:
    assert name not in STATISTICS_COLUMNS


def test_a_null_is_told_by_column_and_without_the_row() -> None:
    message = (
        "[DELTA_NOT_NULL_CONSTRAINT_VIOLATED] NOT NULL constraint violated for column: variant_kind. qzxv Vrumblatt"
    )
    fault = constraint_fault(PERSON, message)
    assert str(fault) == "table person: null in variant_kind, which must never be null; nothing was written"


def test_a_check_is_told_without_its_values() -> None:
    message = "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint c violated by row with values: - x : Vrumblatt"
    assert "Vrumblatt" not in str(constraint_fault(LINK, message))


def test_another_error_is_no_constraint_fault() -> None:
    assert constraint_fault(LINK, "No space left on device") is None
