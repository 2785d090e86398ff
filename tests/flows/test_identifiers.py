"""PNC ids and CRO numbers: standard forms, and how mapped feeds become PERSON_IDENTIFIER. All numbers are made up."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.check_sources import _describe
from linkage_spark.settings.sources import load_sources
from linkage_spark.standardise.columns import column_faults, count_filled
from linkage_spark.standardise.identifiers import CHECK_LETTERS, standard_cro, standard_pnc
from linkage_spark.standardise.profile import profile_feed
from linkage_spark.standardise.stage import rows_by_table, standardise
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from tests.support.feeds import CONF, CUSTODY_COLUMNS, raw_feeds, schema_of
from tests.support.numbers import cro, letter, pnc

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AS_OF = date(2026, 11, 21)


def forms(spark: SparkSession, column: Any, *raw: str | None) -> list[tuple[str | None, str | None]]:
    """What becomes of each text, in order."""
    frame = local_frame(spark, list(enumerate(raw)), schema="place int, raw string")
    rows = frame.select("place", column(F.col("raw")).alias("form")).orderBy("place").collect()
    return [(row.form.identifier, row.form.identifier_issue) for row in rows]


def test_check_letters_are_those_worked_out_by_hand(spark: SparkSession) -> None:
    """Year and serial number modulo 23: 11 0000023 gives 16, R; 79 0163001 gives 2, B; 85 000123 gives 12, M."""
    assert (110000023 % 23, 790163001 % 23, 85000123 % 23) == (16, 2, 12)
    assert (letter(2011, "0000023"), letter(1979, "0163001"), letter(1985, "000123")) == ("R", "B", "M")
    assert forms(spark, lambda raw: standard_pnc(raw, as_of=AS_OF), "2011/0000023R", "79/163001B") == [
        ("2011/0000023R", None),
        ("1979/0163001B", None),
    ]
    assert forms(spark, standard_cro, "123/85M") == [("000123/85M", None)]


def test_ways_of_writing_a_pnc_id_give_one_form(spark: SparkSession) -> None:
    full = pnc(2004, 123)
    written = [
        full,
        full.lower(),
        f" {full[:5]} {full[5:]} ",
        f"04/{full[5:]}",
        f"04/123{full[-1]}",
        full.replace("/", ""),
    ]
    assert forms(spark, lambda raw: standard_pnc(raw, as_of=AS_OF), *written) == [(full, None)] * len(written)


def test_a_year_of_two_digits_is_of_this_century_up_to_this_year(spark: SparkSession) -> None:
    two = [pnc(year, 4711)[2:] for year in (2000, 2026, 1927, 1999)]
    found = forms(spark, lambda raw: standard_pnc(raw, as_of=AS_OF), *two)
    assert [form and form[:4] for form, _ in found] == ["2000", "2026", "1927", "1999"]
    assert forms(spark, lambda raw: standard_pnc(raw, as_of=None), two[0], pnc(2000, 4711)) == [
        (None, "malformed"),
        (pnc(2000, 4711), None),
    ]


def test_what_is_no_pnc_id_has_no_form_and_says_why(spark: SparkSession) -> None:
    full = pnc(2004, 123)
    wrong = CHECK_LETTERS[(CHECK_LETTERS.index(full[-1]) + 1) % 23]
    told = {
        None: None,
        "": "malformed",
        "NOT KNOWN": "malformed",
        "2004/123": "malformed",
        "04000123" + full[-1]: "malformed",
        full + "X": "malformed",
        full + "\n/": "malformed",
        f"2004/00000123{full[-1]}": "malformed",
        pnc(2027, 123): "malformed",
        pnc(1804, 123): "malformed",
        full[:-1] + wrong: "check_letter_wrong",
        full[:-1] + "I": "check_letter_wrong",
        "2004/0000132" + full[-1]: "check_letter_wrong",
        "0000/0000000Z": "dummy",
        pnc(2004, 0): "dummy",
        "04/0Z": "dummy",
    }
    found = forms(spark, lambda raw: standard_pnc(raw, as_of=AS_OF), *told)
    assert found == [(None, issue) for issue in told.values()]


def test_cro_numbers_of_both_forms(spark: SparkSession) -> None:
    full, old = cro(1998, 123), f"SF39/1234{letter(1939, '1234')}"
    told = {
        full: (full, None),
        f"123/98{full[-1]}".lower(): (full, None),
        old: (old, None),
        old.lower(): (old, None),
        "000000/00Z": (None, "dummy"),
        "000000/98Q": (None, "dummy"),
        "SF39/0000A": (None, "dummy"),
        full[:-1] + CHECK_LETTERS[(CHECK_LETTERS.index(full[-1]) + 1) % 23]: (None, "check_letter_wrong"),
        f"0{full}": (None, "malformed"),
        "123/1998A": (None, "malformed"),
        "98/123": (None, "malformed"),
        "-": (None, "malformed"),
        None: (None, None),
    }
    assert forms(spark, standard_cro, *told) == list(told.values())


# ---- feeds -------------------------------------------------------------------------------------------------


INLINE = """
[[feeds.record.produces]]
table = "person_identifier"
verified = { "Y" = true, "N" = false }
[feeds.record.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = "PNC_ID"
cro = "CRO"
verified = "FINGERPRINTED"
version = "UPDATED_AT"
"""
LIST = """
[feeds.number]
path = "custody/number"
format = "parquet"
[[feeds.number.produces]]
table = "person_identifier"
constants = { verified = true }
[feeds.number.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = ["PNC_YEAR", "PNC_SERIAL"]
"""


def mapped(tmp_path: Path, *blocks: str) -> Any:
    """The roster, and custody with more blocks in its mapping."""
    shutil.copytree(CONF / "sources", tmp_path / "sources")
    path = tmp_path / "sources" / "custody.toml"
    path.write_text(path.read_text() + "".join(blocks))
    return tuple(source for source in load_sources(tmp_path) if source.roster or source.source_system == "custody")


def custody(spark: SparkSession, *numbers: tuple[str, str | None, str | None, str | None, int]) -> DataFrame:
    """Custody rows: reference, PNC id, CRO number, whether fingerprinted, the day in 2024 of the row."""
    first = raw_feeds(spark)["custody.record"].first()
    assert first is not None
    rows = []
    for ref, pnc_id, cro_no, told, day in numbers:
        amended = first["UPDATED_AT"].replace(year=2024, month=1, day=day)
        row = {**first.asDict(), "CUSTODY_NO": ref, "UPDATED_AT": amended}
        rows.append((*[row[name] for name in CUSTODY_COLUMNS], pnc_id, cro_no, told))
    return local_frame(
        spark, rows, schema=schema_of("custody.record") + ", PNC_ID string, CRO string, FINGERPRINTED string"
    )


def standard(feeds: dict[str, DataFrame], sources: Any) -> Any:
    return standardise(feeds, sources=sources, reference=load_reference(CONF), as_of=AS_OF)


def numbers_of(made: Any) -> set[tuple[Any, ...]]:
    names = ("person_ref", "kind", "identifier", "identifier_issue", "verified")
    return {tuple(row[name] for name in names) for row in made.person_identifier.collect()}


def reconciled(feeds: dict[str, DataFrame], sources: Any, made: Any) -> tuple[int, int]:
    """Numbers in, by the feeds; numbers out and refused, by the tables."""
    counts = count_filled(feeds, sources).collect()
    told = rows_by_table(
        {row["feed"]: row["rows"] for row in counts}, sources, numbers={row["feed"]: row["numbers"] for row in counts}
    )
    refused = made.refused.where("produces = 'person_identifier'").count()
    return sum(n for (_, _, table), n in told.items() if table == "person_identifier"), (
        made.person_identifier.count() + refused
    )


def test_without_a_mapping_the_table_is_empty_and_has_its_shape(spark: SparkSession) -> None:
    made = standard(raw_feeds(spark), load_sources(CONF))
    assert PERSON_IDENTIFIER.check(made.person_identifier).count() == 0


def test_numbers_inline_are_kept_with_what_the_source_says_of_them(spark: SparkSession, tmp_path: Path) -> None:
    sources = mapped(tmp_path, INLINE)
    good, other = pnc(2004, 123), cro(1998, 77)
    feeds = raw_feeds(spark) | {
        "custody.record": custody(
            spark,
            ("K1", f"04/123{good[-1]}", other, "Y", 1),
            ("K2", good, None, "N", 1),
            ("K3", None, "000000/00Z", "Y", 1),
            ("K4", "none", "", None, 1),
            ("K5", None, None, "Y", 1),
        )
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {
        ("K1", "pnc_id", good, None, True),
        ("K1", "cro", other, None, True),
        ("K2", "pnc_id", good, None, False),
        ("K3", "cro", None, "dummy", True),
        ("K4", "pnc_id", None, "malformed", False),
    }
    assert reconciled(feeds, sources, made) == (5, 5)
    described = list(_describe(made, whole=True))
    assert "custody: 2 numbers of kind pnc_id in standard form, 1 of them verified" in described
    assert "custody: 1 numbers of kind cro dummy, 1 of them verified" in described
    assert not any(number in line for line in described for number in (good, other))


def test_of_rows_that_make_the_person_the_newest_version_holds_with_or_without_a_number(
    spark: SparkSession, tmp_path: Path
) -> None:
    sources = mapped(tmp_path, INLINE)
    old, new = pnc(2004, 123), pnc(2011, 5)
    feeds = raw_feeds(spark) | {
        "custody.record": custody(
            spark,
            ("K1", old, None, "Y", 1),
            ("K1", new, None, "Y", 2),
            ("K2", old, None, "Y", 1),
            ("K2", None, None, "Y", 2),
        )
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {("K1", "pnc_id", new, None, True)}
    refused = made.refused.where("produces = 'person_identifier'").collect()
    assert Counter((row["row_key"], row["reason"]) for row in refused) == {
        ("K1", "superseded_version"): 1,
        ("K2", "superseded_version"): 1,
    }
    assert reconciled(feeds, sources, made) == (3, 3)


def test_a_feed_of_numbers_may_give_a_record_several_and_strangers_are_refused(
    spark: SparkSession, tmp_path: Path
) -> None:
    sources = mapped(tmp_path, LIST)
    one, other = pnc(2004, 123), pnc(2011, 5)
    listed = [("C1", *one.split("/")), ("C1", *other.split("/")), ("C1", *one.split("/")), ("C1", None, None)]
    listed += [("GONE", *one.split("/")), (None, *one.split("/")), ("C1", "2004", None)]
    feeds = raw_feeds(spark) | {
        "custody.number": local_frame(spark, listed, schema="CUSTODY_NO string, PNC_YEAR string, PNC_SERIAL string")
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {
        ("C1", "pnc_id", one, None, True),
        ("C1", "pnc_id", other, None, True),
        ("C1", "pnc_id", None, "malformed", True),
    }
    refused = made.refused.where("produces = 'person_identifier'").collect()
    assert sorted((row["row_key"], row["reason"], row["column_name"]) for row in refused) == [
        ("", "missing_key", "CUSTODY_NO"),
        ("C1", "duplicate_row", None),
        ("GONE", "unknown_person", "CUSTODY_NO"),
    ]
    assert reconciled(feeds, sources, made) == (6, 6)


TOLD_LIST = LIST.replace("constants = { verified = true }", 'verified = { "Y" = true, "N" = false }').replace(
    'pnc_id = ["PNC_YEAR", "PNC_SERIAL"]', 'pnc_id = "PNC_ID"\nverified = "FINGERPRINTED"'
)


def reasons_of(made: Any) -> Counter[tuple[str, str]]:
    """Refused numbers by key and reason."""
    refused = made.refused.where("produces = 'person_identifier'").collect()
    return Counter((row["row_key"], row["reason"]) for row in refused)


def test_a_list_that_has_a_number_verified_and_not_verified_keeps_it_verified(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Eight numbers, so that no hash of the rows favours the verified ones by chance."""
    sources = mapped(tmp_path, TOLD_LIST)
    found = [pnc(2004, serial) for serial in range(1, 9)]
    listed = [("C1", number, told) for number in found for told in ("N", "Y", None)]
    feeds = raw_feeds(spark) | {
        "custody.number": local_frame(spark, listed, schema="CUSTODY_NO string, PNC_ID string, FINGERPRINTED string")
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {("C1", "pnc_id", number, None, True) for number in found}
    assert reasons_of(made) == {("C1", "duplicate_row"): 16}
    assert reconciled(feeds, sources, made) == (24, 24)


def test_versions_of_a_number_are_compared_within_a_list(spark: SparkSession, tmp_path: Path) -> None:
    sources = mapped(tmp_path, TOLD_LIST + 'version = "SEQ"\n')
    one, other = pnc(2004, 123), pnc(2011, 5)
    listed = [("C1", one, "Y", 1), ("C1", one, "N", 2), ("C1", other, "N", 1), ("C1", other, "Y", 2)]
    schema = "CUSTODY_NO string, PNC_ID string, FINGERPRINTED string, SEQ int"
    feeds = raw_feeds(spark) | {"custody.number": local_frame(spark, listed, schema=schema)}
    made = standard(feeds, sources)
    assert numbers_of(made) == {("C1", "pnc_id", one, None, False), ("C1", "pnc_id", other, None, True)}
    assert reasons_of(made) == {("C1", "superseded_version"): 2}
    assert reconciled(feeds, sources, made) == (4, 4)


def test_a_version_of_one_feed_outdoes_no_number_of_another(spark: SparkSession, tmp_path: Path) -> None:
    """Inline rows have a time as version, the list has none: K1 is verified by the list alone, K2 inline alone."""
    sources = mapped(tmp_path, INLINE, TOLD_LIST)
    good = pnc(2004, 123)
    schema = "CUSTODY_NO string, PNC_ID string, FINGERPRINTED string"
    feeds = raw_feeds(spark) | {
        "custody.record": custody(spark, ("K1", good, None, "N", 1), ("K2", good, None, "Y", 1)),
        "custody.number": local_frame(spark, [("K1", good, "Y"), ("K2", good, "N")], schema=schema),
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {("K1", "pnc_id", good, None, True), ("K2", "pnc_id", good, None, True)}
    refused = made.refused.where("produces = 'person_identifier'").collect()
    assert sorted((row["row_key"], row["feed"], row["reason"]) for row in refused) == [
        ("K1", "record", "duplicate_row"),
        ("K2", "number", "duplicate_row"),
    ]
    assert reconciled(feeds, sources, made) == (4, 4)


ARCHIVE = """
[feeds.archive]
path = "custody/archive"
format = "parquet"
[[feeds.archive.produces]]
table = "person"
[feeds.archive.produces.columns]
person_ref = "CUSTODY_NO"
name = "DETAINEE_NAME"
version = "UPDATED_AT"
[[feeds.archive.produces]]
table = "person_identifier"
constants = { verified = true }
[feeds.archive.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = "PNC_ID"
version = "UPDATED_AT"
"""


def test_of_two_feeds_that_make_the_person_the_newest_version_holds(spark: SparkSession, tmp_path: Path) -> None:
    """PERSON and its number come from one row: K1 and K2 from the record, K3 from the archive, which names no CRO number."""
    sources = mapped(tmp_path, INLINE, ARCHIVE)
    old, new, other = pnc(2004, 123), pnc(2011, 5), cro(1998, 77)
    feeds = raw_feeds(spark) | {
        "custody.record": custody(
            spark, ("K1", new, None, "Y", 3), ("K2", None, None, "Y", 3), ("K3", old, other, "Y", 1)
        ),
        "custody.archive": custody(
            spark, ("K1", old, None, None, 1), ("K2", old, None, None, 1), ("K3", new, None, None, 3)
        ),
    }
    made = standard(feeds, sources)
    assert numbers_of(made) == {
        ("K1", "pnc_id", new, None, True),
        ("K3", "pnc_id", new, None, True),
        ("K3", "cro", other, None, True),
    }
    newest = {
        row["person_ref"]: row["source_version"] for row in made.person.where("source_system = 'custody'").collect()
    }
    shown = made.person_identifier.where("kind = 'pnc_id'").collect()
    assert all(row["source_version"] == newest[row["person_ref"]] for row in shown)
    assert reasons_of(made) == {
        ("K1", "superseded_version"): 1,
        ("K2", "superseded_version"): 1,
        ("K3", "superseded_version"): 1,
    }
    assert reconciled(feeds, sources, made) == (6, 6)


def test_two_columns_of_one_row_may_each_hold_a_number_of_the_same_kind(spark: SparkSession, tmp_path: Path) -> None:
    second = INLINE.replace('pnc_id = "PNC_ID"\ncro = "CRO"\n', 'pnc_id = "CRO"\n')
    sources = mapped(tmp_path, INLINE.replace('cro = "CRO"\n', ""), second)
    one, other, old = pnc(2004, 123), pnc(2011, 5), pnc(1999, 8)
    feeds = raw_feeds(spark) | {"custody.record": custody(spark, ("K1", one, other, "Y", 2), ("K1", old, None, "Y", 1))}
    made = standard(feeds, sources)
    assert numbers_of(made) == {("K1", "pnc_id", one, None, True), ("K1", "pnc_id", other, None, True)}
    assert reconciled(feeds, sources, made) == (3, 3)


def test_columns_are_looked_for_and_the_profile_counts_them_without_a_value(
    spark: SparkSession, tmp_path: Path
) -> None:
    sources = mapped(tmp_path, INLINE)
    feed = next(source for source in sources if source.source_system == "custody").feeds["record"]
    faults = column_faults(feed, raw_feeds(spark)["custody.record"])
    assert any("column PNC_ID is missing (it becomes pnc_id of person_identifier)" in fault for fault in faults)
    frame = custody(spark, ("K1", pnc(2004, 123), None, "Y", 1), ("K2", None, None, "Y", 1))
    assert column_faults(feed, frame) == []
    told = {
        row["column_name"]: row
        for row in profile_feed(frame, feed, reference=load_reference(CONF), as_of=AS_OF).collect()
    }
    assert (told["PNC_ID"]["inputs"], told["PNC_ID"]["rows"], told["PNC_ID"]["missing"]) == (
        "person_identifier.pnc_id",
        2,
        1,
    )
    assert pnc(2004, 123) not in str(told)


def test_a_boolean_column_says_itself_whether_a_number_is_verified(spark: SparkSession, tmp_path: Path) -> None:
    sources = mapped(tmp_path, INLINE.replace('verified = { "Y" = true, "N" = false }\n', ""))
    rows = custody(
        spark,
        ("K1", pnc(2004, 123), None, "Y", 1),
        ("K2", pnc(2004, 123), None, "N", 1),
        ("K3", pnc(2004, 123), None, None, 1),
    )
    feeds = raw_feeds(spark) | {
        "custody.record": rows.withColumn("FINGERPRINTED", F.col("FINGERPRINTED") == F.lit("Y"))
    }
    assert {(row[0], row[-1]) for row in numbers_of(standard(feeds, sources))} == {
        ("K1", True),
        ("K2", False),
        ("K3", False),
    }


def test_no_other_table_knows_a_mapped_number(spark: SparkSession, tmp_path: Path) -> None:
    """Persons, events and involvements are the same with and without the mapping."""
    sources, plain = (mapped(tmp_path / str(len(blocks)), *blocks) for blocks in ([INLINE], []))
    feeds = raw_feeds(spark) | {"custody.record": custody(spark, ("K1", pnc(2004, 123), cro(1998, 77), "Y", 1))}
    with_numbers, without = standard(feeds, sources), standard(feeds, plain)
    for name in ("person", "event", "involvement"):
        rows = [sorted(map(str, getattr(made, name).collect())) for made in (with_numbers, without)]
        assert rows[0] == rows[1], name
        assert not any("2004/0000123" in row for row in rows[0]), name
    assert with_numbers.person_identifier.count() == 2


def test_refused_rows_of_other_tables_are_kept_without_numbers(spark: SparkSession, tmp_path: Path) -> None:
    """Two rows that differ in their numbers alone are two versions all the same, not one row twice."""
    sources = mapped(tmp_path, INLINE)
    one, other = pnc(2004, 123), pnc(2011, 5)
    feeds = raw_feeds(spark) | {
        "custody.record": custody(spark, ("K1", one, cro(1998, 77), "Y", 1), ("K1", other, cro(1999, 78), "Y", 1))
    }
    refused = standard(feeds, sources).refused.where("row_key in ('K1', 'K1/K1')").collect()
    others = [row for row in refused if row["produces"] != "person_identifier"]
    assert sorted((row["produces"], row["reason"]) for row in others) == [
        ("event", "superseded_version"),
        ("involvement", "superseded_version"),
        ("person", "superseded_version"),
    ]
    told = [json.loads(row["row_json"]) for row in others]
    assert all(row["CUSTODY_NO"] == "K1" and row["FINGERPRINTED"] == "Y" for row in told)
    assert not any({"PNC_ID", "CRO"} & set(row) for row in told)
    numbers = [json.loads(row["row_json"]) for row in refused if row["produces"] == "person_identifier"]
    assert len(numbers) == 2
    assert all(row["PNC_ID"] in (one, other) for row in numbers)
