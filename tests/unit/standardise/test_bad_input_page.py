"""docs/bad-input.md says what the code says."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark.sql.types import BooleanType, StringType, StructField, StructType, TimestampType

from linkage_spark.errors import SettingsError
from linkage_spark.settings.sources import Produces, feeds_of, load_sources
from linkage_spark.standardise.columns import check_words, choose_fill_faults, column_faults
from linkage_spark.tables.enums import DobIssue, RefusalReason

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "bad-input.md").read_text(encoding="utf-8")
SOURCES = load_sources(ROOT / "conf")
FEEDS = {feed.key: feed for feed in feeds_of(SOURCES)}


def frame(names, **types):
    """As much of a DataFrame as checking columns needs."""
    fields = [StructField(name, types.get(name, StringType())) for name in names]
    return SimpleNamespace(columns=list(names), schema=StructType(fields))


def known(key, *, without=(), further=()):
    return [name for name in FEEDS[key].known_columns if name not in without] + list(further)


@pytest.mark.parametrize(
    ("key", "there"),
    [
        ("crime.nominal", frame(known("crime.nominal", without=["SURNAME", "UPDATED_AT"], further=["CREATED_AT"]))),
        ("hr.extract", frame(known("hr.extract", further=["ETHNICITY"]))),
        ("crime.nominal", frame(known("crime.nominal"), DOB=BooleanType())),
        ("crime.occurrence", frame(["OCC_FROM"])),
        ("intel.report", None),
    ],
)
def test_messages_on_columns_stand_on_the_page(key, there):
    faults = [fault for fault in column_faults(FEEDS[key], there) if f"`{fault}`" in PAGE]
    assert len(faults) == 1


def test_the_message_on_verified_without_words_stands_on_the_page():
    record = FEEDS["custody.record"]
    columns = {"person_ref": "CUSTODY_NO", "pnc_id": "PNC_ID", "verified": "FINGERPRINTED", "version": "UPDATED_AT"}
    block = Produces.model_validate({"table": "person_identifier", "columns": columns})
    feed = record.model_copy(update={"produces": (*record.produces, block)})
    there = frame(known("custody.record", further=["PNC_ID", "FINGERPRINTED"]), UPDATED_AT=TimestampType())
    found = [fault for fault in column_faults(feed, there) if "FINGERPRINTED" in fault]
    assert len(found) == 1
    assert f"`{found[0]}`" in PAGE


def test_messages_on_content_stand_on_the_page():
    counts = [
        {"feed": "intel.subject", "rows": 0, "filled": {"REPORT_NO": 0}},
        {"feed": "crime.nominal", "rows": 15, "filled": {"SURNAME": 0, "NOMINAL_URN": 14}},
    ]
    faults = choose_fill_faults(counts, SOURCES)
    assert len(faults) == 2
    assert all(f"`{fault}`" in PAGE for fault in faults)


def test_the_message_on_an_unknown_role_stands_on_the_page():
    crime = next(source for source in SOURCES if source.source_system == "crime")
    wrong = crime.model_copy(update={"roles": {"SUSPECT": "suspekt"}})
    with pytest.raises(SettingsError) as caught:
        check_words([wrong])
    assert f"`{caught.value}`" in PAGE


def test_the_shipped_mappings_use_known_words():
    check_words(SOURCES)


def test_every_reason_on_the_page_exists_and_every_reason_is_on_the_page():
    table = PAGE.split("## What refuses a row")[1].split("## ")[0]
    named = set(re.findall(r"\| `([a-z_]+)` \|", table))
    assert named == {str(reason) for reason in RefusalReason}
    assert str(DobIssue.FIRST_OF_JANUARY) in PAGE
