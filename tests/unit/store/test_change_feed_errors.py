"""What Delta says of a change feed that cannot be read, in our words: no later night mends it, a backfill does."""

from __future__ import annotations

from dataclasses import dataclass, field

from linkage_spark.errors import SourceError
from linkage_spark.store.feeds import translate_read_error


@dataclass(frozen=True)
class Feed:
    name: str
    format: str = "delta"
    source_system: str = "crime"
    table: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"{self.source_system}/{self.name}"


CSV, NOMINAL, EVENT = Feed("extract", format="csv"), Feed("nominal"), Feed("occurrence")
UNRECORDED = "[DELTA_MISSING_CHANGE_DATA] Error getting change data for range [4 , 6] as change data was not recorded for version [5]."
GONE = "[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file file:///data/feeds/crime/{}. File does not exist."


def told(message: str, *feeds: Feed) -> SourceError | None:
    return translate_read_error(RuntimeError(message), feeds=feeds, feeds_root="/data/feeds")


def test_change_files_that_were_removed_ask_for_the_backfill() -> None:
    said = str(told(GONE.format("nominal/_change_data/cdc-00000-5a.c000.snappy.parquet"), CSV, NOMINAL, EVENT))
    assert said.startswith("crime.nominal: file _change_data/cdc-00000-5a.c000.snappy.parquet: ")
    assert said.endswith("and run the backfill")
    assert "export" not in said


def test_any_other_file_that_is_gone_may_be_a_delivery_under_way() -> None:
    said = str(told(GONE.format("nominal/part-00000-5a.c000.snappy.parquet"), CSV, NOMINAL, EVENT))
    assert "start again when the export has ended" in said
    assert "where VACUUM has removed it from a Delta table, run the backfill" in said


def test_changes_that_were_not_recorded_name_the_tables_that_it_may_be_since_delta_names_none() -> None:
    said = str(told(UNRECORDED, CSV, NOMINAL, EVENT))
    assert said.startswith("crime.nominal or crime.occurrence: ")
    assert said.endswith("delta.enableChangeDataFeed is set, and run the backfill")
    assert told(UNRECORDED, CSV) is None


def test_change_files_of_another_folder_are_none_of_the_feeds() -> None:
    assert told(GONE.format("nominal_old/_change_data/cdc-00000.parquet"), CSV, NOMINAL, EVENT) is None
