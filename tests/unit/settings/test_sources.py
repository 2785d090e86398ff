"""Source mappings: what loads, and what each mistake in one is told."""

import shutil
from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.settings.sources import feeds_of, format_pattern, load_sources

CONF = Path(__file__).resolve().parents[3] / "conf"


@pytest.fixture
def conf(tmp_path):
    shutil.copytree(CONF / "sources", tmp_path / "sources")
    return tmp_path


def change(conf, source, old, new):
    path = conf / "sources" / f"{source}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def message(conf):
    with pytest.raises(SettingsError) as caught:
        load_sources(conf)
    return str(caught.value)


def test_the_shipped_mappings_load():
    keys = [feed.key for feed in feeds_of(load_sources(CONF))]
    assert len(keys) == 11
    assert "hr.extract" in keys


def test_only_the_roster_has_an_allow_list():
    assert [feed.key for feed in feeds_of(load_sources(CONF)) if feed.allow_list] == ["hr.extract"]


def test_free_text_is_never_read():
    never = {feed.key: feed.never_read for feed in feeds_of(load_sources(CONF)) if feed.never_read}
    assert never == {"crime.occurrence": ("FREE_TEXT",), "intel.report": ("SANITISED_TEXT",)}


def test_an_unknown_key_is_named(conf):
    change(conf, "crime", 'path = "crime/nominal"\n', 'path = "crime/nominal"\nformatt = "delta"\n')
    assert message(conf) == (
        "conf/sources/crime.toml: unknown key 'feeds.nominal.formatt'; remove it or correct its name"
    )


def test_an_unknown_input_is_named(conf):
    change(conf, "custody", "name = ", "full_name = ")
    text = message(conf)
    assert text.startswith("conf/sources/custody.toml: key 'feeds.record.produces.0'")
    assert "unknown input 'full_name' for table person" in text


def test_a_table_without_its_key_is_named(conf):
    change(conf, "intel", 'event_ref = "REPORT_NO"\nrecorded_at', "recorded_at")
    assert "table event needs input 'event_ref'; map a column to it" in message(conf)


def test_an_age_needs_the_day_on_which_it_was_stated(conf):
    change(conf, "intel", 'date_of_birth = "SUBJECT_DOB"\n', 'date_of_birth = "SUBJECT_DOB"\nage = "SUBJECT_AGE"\n')
    assert "input 'age' says nothing alone; map both age and age_as_of" in message(conf)
    change(conf, "intel", 'age = "SUBJECT_AGE"\n', 'age = "SUBJECT_AGE"\nage_as_of = "SEEN_ON"\n')
    subject = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "intel.subject")
    assert {"SUBJECT_AGE", "SEEN_ON"} <= set(subject.needed_columns)


def test_a_disposal_date_is_a_column_that_must_be_there_and_the_roster_has_none(conf):
    add(conf, "custody", '[feeds.record.disposal]\ncolumn = "DISPOSE_ON"\ndate_formats = ["dd/MM/yyyy"]\n')
    record = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "custody.record")
    assert record.disposal is not None
    assert record.disposal.date_formats == ("dd/MM/yyyy",)
    assert "DISPOSE_ON" in record.needed_columns
    add(conf, "hr", '[feeds.extract.disposal]\ncolumn = "END_DATE"\n')
    assert "the roster may have no 'disposal'" in message(conf)


NUMBERS = """
[[feeds.record.produces]]
table = "person_identifier"
verified = { "Y" = true }
[feeds.record.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = "PNC_ID"
verified = "FINGERPRINTED"
version = "UPDATED_AT"
"""


def add(conf, source, text):
    path = conf / "sources" / f"{source}.toml"
    path.write_text(path.read_text() + text)


def test_numbers_are_mapped_like_any_other_table(conf):
    add(conf, "custody", NUMBERS)
    record = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "custody.record")
    block = record.produces[-1]
    assert (block.table, block.verified) == ("person_identifier", {"Y": True})
    assert {"PNC_ID", "FINGERPRINTED"} <= set(record.needed_columns)
    assert record.makes_too(block, "person", "person_ref")
    assert record.number_columns == {"PNC_ID"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('pnc_id = "PNC_ID"\n', "", "table person_identifier needs one of pnc_id, cro; map a column to it"),
        ('version = "UPDATED_AT"\n', "", "give both blocks the same 'version'"),
        ('person_ref = "CUSTODY_NO"\n', "", "table person_identifier needs input 'person_ref'"),
        (
            'verified = { "Y" = true }\n',
            'constants = { verified = "yes" }\n',
            "constant 'verified' may be true or false",
        ),
        ('verified = { "Y" = true }\n', "constants = { verified = 1 }\n", "constant 'verified' may be true or false"),
        ('pnc_id = "', 'name = "', "unknown input 'name' for table person_identifier"),
    ],
)
def test_a_mapping_of_numbers_that_makes_no_sense_is_refused(conf, old, new, told):
    assert old in NUMBERS
    add(conf, "custody", NUMBERS.replace(old, new, 1))
    assert told in message(conf)


def test_whether_all_numbers_of_a_feed_are_verified_may_be_a_constant(conf):
    add(conf, "custody", NUMBERS.replace('verified = { "Y" = true }', "constants = { verified = true }"))
    record = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "custody.record")
    assert record.produces[-1].constants == {"verified": True}


def test_the_roster_has_no_numbers_and_the_shipped_mappings_name_none(conf):
    made = {block.table for feed in feeds_of(load_sources(CONF)) for block in feed.produces}
    assert "person_identifier" not in made
    numbers = NUMBERS.replace("record", "extract").replace("CUSTODY_NO", "PERSON_NUMBER")
    add(conf, "hr", numbers.replace('version = "UPDATED_AT"\n', ""))
    assert "the roster may not produce person_identifier" in message(conf)


def test_the_example_in_the_shipped_mapping_can_be_put_to_use(conf):
    path = conf / "sources" / "custody.toml"
    head, example = path.read_text().split("(docs/nominals.md).\n")
    path.write_text(head + "\n" + "".join(line.removeprefix("# ") for line in example.splitlines(keepends=True)))
    record = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "custody.record")
    assert record.produces[-1].table == "person_identifier"


def test_a_strange_format_is_named(conf):
    change(conf, "custody", '"dd/MM/yyyy"', '"dd.MON.yyyy"')
    assert "a format is made of yyyy, yy, MMM, MM, dd, HH, mm, ss and punctuation" in message(conf)


def test_a_strange_zone_is_named(conf):
    change(conf, "incident", '"Europe/London"', '"Europe/Brum"')
    assert "no such time zone" in message(conf)


def test_a_feed_has_a_path_or_a_table(conf):
    change(conf, "custody", 'path = "custody/record"\n', "")
    assert "a hive feed has 'table' and no 'path'" in message(conf)


def test_a_hive_table_is_a_place(conf):
    change(
        conf,
        "custody",
        'path = "custody/record"\nformat = "parquet"',
        'table = "pol.custody"\nformat = "hive"',
    )
    record = next(feed for feed in feeds_of(load_sources(conf)) if feed.key == "custody.record")
    assert (record.table, record.path) == ("pol.custody", None)


def test_free_text_cannot_be_mapped_by_accident(conf):
    change(conf, "crime", 'offence_title = "OFFENCE_TITLE"', 'offence_title = "FREE_TEXT"')
    assert "column FREE_TEXT is mapped and in never_read; take it out of one of them" in message(conf)


def test_there_is_exactly_one_roster(conf):
    change(conf, "hr", "roster = true", "roster = false")
    assert message(conf) == "conf/sources: 0 sources have roster = true (none); exactly one must"


def test_no_mapping_at_all(tmp_path):
    assert message(tmp_path) == "conf/sources: no mapping file; add one TOML file per source"


def test_a_file_that_is_no_toml(conf):
    (conf / "sources" / "hr.toml").write_text("roster = \n")
    assert message(conf).startswith("hr.toml: not valid TOML")


def test_format_pattern_reads_signs():
    assert format_pattern("dd/MM/yyyy") == r"(?P<dd>\d{1,2})/(?P<MM>\d{1,2})/(?P<yyyy>\d{4})"
