"""Files, Delta tables, feeds and the published snapshot."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from linkage_spark.errors import ContractError, FeedNotThereError, LockError, SourceError
from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.feeds import feed_fingerprint, feed_version, read_feed, translate_read_error
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import (
    current_run_path,
    list_published_runs,
    move_current_run,
    published_path,
    read_current_run,
    snapshot_fingerprint,
    write_published,
)
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import FREQUENCY
from linkage_spark.tables.types import INT, LONG, STRING
from tests.support.contract_rows import contract_rows

NONSENSE = ("Vrumblatt", "qzxvorn", "1901-02-03", "ZZ99 9QX")
PUBLISHED = TableContract(
    name="thing",
    row="One thing.",
    key=("run_id", "thing_key"),
    fields=(
        Field("run_id", STRING, "Run."),
        Field("thing_key", STRING, "Key."),
        Field("thing_count", INT, "Count."),
    ),
)


@dataclass(frozen=True)
class Feed:
    path: str | None
    format: str
    source_system: str = "crime"
    name: str = "nominal"
    table: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@pytest.fixture(params=["operating system", "hadoop"])
def files(request, spark, monkeypatch):
    """Both ways that Files works: the second is the one that HDFS takes."""
    if request.param == "hadoop":
        monkeypatch.setattr(Files, "_local", lambda self, path: None)
    return Files(spark)


# --- files ---


def test_files_are_written_whole_listed_and_deleted(files, tmp_path) -> None:
    root = f"{tmp_path}/a b"
    files.mkdirs(f"{root}/secret", mode="700")
    files.write_text(f"{root}/secret/key", "Grüße", mode="600")
    files.write_text(f"{root}/secret/key", "Grüße, again", mode="600")
    assert files.read_text(f"{root}/secret/key") == "Grüße, again"
    assert stat.S_IMODE(Path(f"{root}/secret").stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(f"{root}/secret/key").stat().st_mode) == 0o600
    assert [(entry.name, entry.is_dir) for entry in files.list(root)] == [("secret", True)]
    assert [entry.name for entry in files.list(root, recursive=True)] == ["secret/key"]
    assert files.size_bytes(root) == len("Grüße, again".encode())
    assert files.list(f"{root}/nowhere") == ()
    assert files.delete(root) is True
    assert files.delete(root) is False
    assert not files.exists(root)


def test_of_two_that_create_the_same_file_one_gets_it(files, tmp_path) -> None:
    path = f"{tmp_path}/new/lock.json"
    assert files.create_exclusive(path, "first") is True
    assert files.create_exclusive(path, "second") is False
    assert files.read_text(path) == "first"


def test_a_rename_replaces_and_the_content_is_readable_by_hadoop(files, tmp_path) -> None:
    files.write_text(f"{tmp_path}/old", "old")
    files.write_text(f"{tmp_path}/new", "new")
    files.rename_overwrite(f"{tmp_path}/new", f"{tmp_path}/old")
    assert files.read_text(f"{tmp_path}/old") == "new"
    assert not files.exists(f"{tmp_path}/new")


# --- Delta ---


def person(ref: str, **others) -> dict:
    return {
        "source_system": "crime",
        "person_ref": ref,
        "variant_kind": "recorded",
        "address_kind": "unknown",
    } | others


def test_a_table_has_reader_version_1_and_its_log_holds_no_personal_value(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    planted = {"name_raw": "Vrumblatt qzxvorn", "date_of_birth": date(1901, 2, 3), "postcode": "ZZ99 9QX"}
    planted |= {
        "given_name": "qzxvorn",
        "surname": "Vrumblatt",
        "given_tokens": ["qzxvorn"],
        "dob_year": 1901,
    }
    rows = contract_rows(spark, PERSON, person("N1", **planted), person("N2", **planted))
    assert store.exists(PERSON) is False
    first = store.overwrite(PERSON, rows)
    spark.sql(f"alter table delta.`{store.path(PERSON)}` set tblproperties ('delta.checkpointInterval' = '2')")
    for _ in range(2):
        last = store.append(PERSON, rows.limit(1))
    counted = {"model_id": "m", "attribute": "surname", "value": "Vrumblatt", "bearers": 12}
    store.overwrite(FREQUENCY, contract_rows(spark, FREQUENCY, counted))
    assert last == first + 3
    assert store.read(PERSON).count() == 4
    rows.write.format("delta").save(f"{tmp_path}/plain")
    plain = "".join(file.read_text() for file in Path(tmp_path, "plain/_delta_log").glob("*.json"))
    assert [word for word in NONSENSE if word not in plain] == [], "the search must find what a plain table leaks"
    for contract in (PERSON, FREQUENCY):
        log = Path(store.path(contract), "_delta_log")
        entries = [json.loads(line) for file in sorted(log.glob("*.json")) for line in file.read_text().splitlines()]
        protocols = [entry["protocol"] for entry in entries if "protocol" in entry]
        assert {protocol["minReaderVersion"] for protocol in protocols} == {1}
        assert not any(entry["metaData"]["partitionColumns"] for entry in entries if "metaData" in entry)
        for file in log.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            if file.suffix == ".parquet":
                content += str(pq.read_table(file).to_pylist()).encode()
            assert [word for word in NONSENSE if word.encode() in content] == []
    assert list(Path(store.path(PERSON), "_delta_log").glob("*.checkpoint*.parquet"))


def test_overwriting_keeps_older_versions_readable_and_restorable(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    one = store.overwrite(PERSON, contract_rows(spark, PERSON, person("N1")))
    two = store.overwrite(PERSON, contract_rows(spark, PERSON, person("N2"), person("N3")))
    refs = [{row.person_ref for row in store.read(PERSON, version).collect()} for version in (one, two, None)]
    assert refs == [{"N1"}, {"N2", "N3"}, {"N2", "N3"}]
    assert store.restore(PERSON, two) is False
    assert store.restore(PERSON, one) is True
    assert {row.person_ref for row in store.read(PERSON).collect()} == {"N1"}
    assert store.version(PERSON) == two + 1
    with pytest.raises(ContractError, match="no version 99"):
        store.restore(PERSON, 99)
    assert store.drop(PERSON) is True
    assert store.version(PERSON) is None
    with pytest.raises(ContractError, match="has not been written yet"):
        store.read(PERSON)


def test_a_null_in_a_required_column_stops_the_write_without_repeating_the_row(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    store.overwrite(PERSON, contract_rows(spark, PERSON, person("N1")))
    rows = contract_rows(spark, PERSON, person("N2", name_raw="Vrumblatt")).withColumn(
        "variant_kind", F.when(F.col("person_ref") != "N2", F.col("variant_kind"))
    )
    with pytest.raises(ContractError, match="table person: null in variant_kind") as raised:
        store.overwrite(PERSON, rows)
    assert "Vrumblatt" not in str(raised.value)
    assert raised.value.__suppress_context__
    assert [row.person_ref for row in store.read(PERSON).collect()] == ["N1"]


def test_a_table_of_another_shape_is_never_written_over(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    key = Field("id", STRING, "Key.", required=True)
    old = TableContract("t", "One.", ("id",), (key, Field("gone", STRING, "Gone."), Field("kind", INT, "Changed.")))
    new = TableContract("t", "One.", ("id",), (key, Field("kind", LONG, "Changed."), Field("added", STRING, "New.")))
    store.overwrite(old, local_frame(spark, [("a", "b", 1)], schema=old.schema))
    with pytest.raises(ContractError, match="kind was int and is now bigint; added is new; gone is no longer written"):
        store.append(new, local_frame(spark, [("a", 1, "b")], schema=new.schema))
    with pytest.raises(ContractError, match="unexpected added"):
        new.check(local_frame(spark, [("a", 1, "b")], schema=new.schema)) and old.check(
            local_frame(spark, [("a", "g", 1, "b")], schema="id string, gone string, kind int, added string")
        )


# --- feeds ---


def test_feeds_of_every_format_read_alike(spark, tmp_path) -> None:
    rows = local_frame(
        spark,
        [("007", 'Zoë "Zo" O\'Neil, jr', None), ("8", "", "03/02/1984")],
        schema="A string, B string, C string",
    )
    rows.write.format("delta").save(f"{tmp_path}/d")
    rows.write.parquet(f"{tmp_path}/p")
    rows.write.option("header", True).option("escape", '"').csv(f"{tmp_path}/c")
    wanted = {tuple(row) for row in rows.collect()}
    for feed in (Feed("d", "delta"), Feed("p", "parquet"), Feed("c", "csv")):
        found = read_feed(spark, feed, str(tmp_path))
        assert found.columns == ["A", "B", "C"]
        assert {tuple(value or None for value in row) for row in found.collect()} == {
            tuple(value or None for value in row) for row in wanted
        }
        before = feed_fingerprint(spark, feed, str(tmp_path))
        assert before == feed_fingerprint(spark, feed, str(tmp_path))
        writer = rows.write.mode("append").option("header", True)
        writer.format(feed.format).save(f"{tmp_path}/{feed.path}")
        assert feed_fingerprint(spark, feed, str(tmp_path)) != before
    assert feed_version(spark, Feed("d", "delta"), str(tmp_path)) == 1
    assert feed_version(spark, Feed("c", "csv"), str(tmp_path)) is None
    assert read_feed(spark, Feed("d", "delta"), str(tmp_path), version=0).count() == 2


def test_a_csv_with_a_byte_order_mark_and_windows_line_ends_is_read(spark, tmp_path) -> None:
    Path(tmp_path, "x.csv").write_bytes("\ufeffA,B\r\n1,ü\r\n".encode())
    found = read_feed(spark, Feed("x.csv", "csv"), str(tmp_path))
    assert found.columns == ["A", "B"]
    assert [tuple(row) for row in found.collect()] == [("1", "ü")]


def csv_parts(tmp_path, *parts: str) -> Feed:
    folder = Path(tmp_path, "x")
    folder.mkdir()
    for number, part in enumerate(parts):
        Path(folder, f"part-{number}.csv").write_text(part)
    return Feed("x", "csv")


CUT = {
    "row cut off": ("A,B,C\n1,Vrumblatt,3\n2,Vrumblatt", "a row has more or fewer values"),
    "too many values": ("A,B,C\n1,Vrumblatt,3\n2,Vrumblatt,3,4\n", "a row has more or fewer values"),
}


@pytest.mark.parametrize("case", CUT)
def test_a_cut_off_csv_stops_the_run_and_says_so_without_the_row(case: str, spark, tmp_path) -> None:
    text, words = CUT[case]
    feed = csv_parts(tmp_path, text)
    frame = read_feed(spark, feed, str(tmp_path))
    with pytest.raises(Exception) as raised:  # noqa: PT011
        frame.select("A").write.format("noop").mode("overwrite").save()
    said = translate_read_error(raised.value, feeds=[feed], feeds_root=str(tmp_path))
    assert isinstance(said, SourceError)
    assert re.match(rf"crime\.nominal: file part-0\.csv: {words}", str(said))
    assert "Vrumblatt" not in str(said)


def test_a_file_that_was_changed_where_it_lies_is_told_from_one_that_cannot_be_read(spark, tmp_path) -> None:
    spark.sql("select 'Vrumblatt' A").coalesce(1).write.option("header", "true").csv(f"{tmp_path}/p")
    part = next(Path(tmp_path, "p").glob("part-*.csv"))
    part.write_text("A\nVrumblatt-Qzxv\n")
    with pytest.raises(Exception) as raised:  # noqa: PT011
        read_feed(spark, Feed("p", "csv"), str(tmp_path)).collect()
    said = str(translate_read_error(raised.value, feeds=[Feed("p", "csv")], feeds_root=str(tmp_path)) or raised.value)
    assert "a file does not match the checksum beside it (cut off, or changed where it lies)" in said
    assert "Vrumblatt" not in said


def test_part_files_with_their_columns_in_another_order_are_never_misread(spark, tmp_path) -> None:
    feed = csv_parts(tmp_path, "A,B\n1,2\n", "B,A\n2,1\n")
    frame = read_feed(spark, feed, str(tmp_path))
    with pytest.raises(Exception) as raised:  # noqa: PT011
        frame.collect()
    said = translate_read_error(raised.value, feeds=[feed], feeds_root=str(tmp_path))
    assert "differ in their header line" in str(said)


def test_a_truncated_parquet_file_is_a_fault_of_its_feed(spark, tmp_path) -> None:
    spark.range(100).repartition(1).write.parquet(f"{tmp_path}/p")
    part = next(Path(tmp_path, "p").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    next(Path(tmp_path, "p").glob(".*.parquet.crc")).unlink()
    with pytest.raises(SourceError, match=r"crime\.nominal:.* a file is not whole Parquet"):
        read_feed(spark, Feed("p", "parquet"), str(tmp_path))


def test_a_parquet_feed_whose_files_disagree_on_a_type_names_the_column(spark, tmp_path) -> None:
    spark.sql("select 'a' DOB").write.parquet(f"{tmp_path}/p")
    spark.sql("select 1 DOB").write.mode("append").parquet(f"{tmp_path}/p")
    with pytest.raises(SourceError, match=r"crime\.nominal: column DOB: .* in different types"):
        read_feed(spark, Feed("p", "parquet"), str(tmp_path))


def test_what_is_not_there_is_named_with_the_remedy(spark, tmp_path) -> None:
    Path(tmp_path, "empty").mkdir()
    Path(tmp_path, "zero.csv").touch()
    Path(tmp_path, "files").mkdir()
    Path(tmp_path, "files", "part.parquet").touch()
    there = [
        (Feed("zero.csv", "csv"), "it has no columns"),
        (Feed("files", "delta"), "is no Delta table; correct 'format' in conf/sources/crime.toml"),
    ]
    not_there = [
        (
            Feed("nowhere", "csv"),
            "nothing at nowhere under the feeds root; deliver the feed, or correct 'path'",
        ),
        (Feed("empty", "parquet"), "holds no data file"),
        (Feed("empty", "delta"), "is no Delta table; correct 'format' in conf/sources/crime.toml"),
        (Feed(None, "hive", table="nowhere.at_all"), "there is no Hive table nowhere.at_all"),
    ]
    for cases, is_there in ((there, True), (not_there, False)):
        for feed, words in cases:
            with pytest.raises(SourceError, match=words) as told:
                read_feed(spark, feed, str(tmp_path))
            assert isinstance(told.value, FeedNotThereError) != is_there, (
                "one that may be missing may be gone, and no more"
            )


def test_a_hive_feed_is_read_by_its_tables_name(spark, tmp_path) -> None:
    spark.sql(f"create table store_feed using parquet location '{tmp_path}/h' as select 'a' A")
    try:
        feed = Feed(None, "hive", table="store_feed")
        assert [row.A for row in read_feed(spark, feed, str(tmp_path)).collect()] == ["a"]
        assert feed_fingerprint(spark, feed, str(tmp_path)) == feed_fingerprint(spark, feed, str(tmp_path))
    finally:
        spark.sql("drop table store_feed")


# --- the published snapshot ---


def test_the_fingerprint_knows_rows_and_not_their_order(spark) -> None:
    base = local_frame(spark, [("a", 1), ("b", None), ("b", None)], schema="x string, y int")
    same = snapshot_fingerprint(base)
    assert snapshot_fingerprint(base.repartition(3, "x")) == same
    assert snapshot_fingerprint(base.select("y", "x")) == same
    assert snapshot_fingerprint(base.withColumn("run_id", F.lit("other"))) == same
    assert snapshot_fingerprint(base.distinct()) != same
    assert snapshot_fingerprint(base.fillna(0)) != same
    one, other = (local_frame(spark, [row], schema="x string, y string") for row in (("a", None), (None, "a")))
    assert snapshot_fingerprint(one) != snapshot_fingerprint(other)
    assert snapshot_fingerprint(base.limit(0)) == "0:0"


def test_a_published_table_is_replaced_whole_and_takes_no_type_that_some_reader_cannot_load(spark, tmp_path) -> None:
    files, root = Files(spark), str(tmp_path)
    rows = local_frame(spark, [("R1", "k", 1)], schema=PUBLISHED.schema)
    write_published(files, rows.union(rows), root, PUBLISHED, "R1")
    path = write_published(files, rows, root, PUBLISHED, "R1")
    write_published(files, rows, root, PUBLISHED, "R2")
    assert path == published_path(root, "thing", "R1")
    assert len(list(Path(path).glob("*.parquet"))) == 1
    assert pq.read_table(path, partitioning=None).to_pylist() == [{"run_id": "R1", "thing_key": "k", "thing_count": 1}]
    assert list_published_runs(files, root, "thing") == ("R1", "R2")
    assert {row.run_id for row in spark.read.parquet(f"{root}/published/thing").collect()} == {"R1", "R2"}
    odd = TableContract("odd", "One.", ("a",), (Field("a", LONG, "Key."),))
    with pytest.raises(ContractError, match="a is bigint"):
        write_published(files, spark.range(1).select(F.col("id").alias("a")), root, odd, "R1")


def test_readers_find_one_current_run_after_every_move(files, spark, tmp_path) -> None:
    root = str(tmp_path)
    assert read_current_run(files, root) is None
    folder = Path(current_run_path(root)).parent
    for number, name in enumerate(("R1", "a-run-with-a-much-longer-id", "R3")):
        published_at = datetime(2026, 11, 21, 7, number, tzinfo=UTC)
        move_current_run(files, root, name, published_at)
        found = read_current_run(files, root)
        assert (found.run_id, found.published_at) == (name, published_at)
        assert [row.run_id for row in spark.read.parquet(str(folder)).collect()] == [name]
        assert pq.read_table(folder)["run_id"].to_pylist() == [name]
        visible = [path.name for path in folder.iterdir() if not path.name.startswith((".", "_"))]
        assert visible == ["part.parquet"]


def test_a_reader_sees_one_row_while_current_run_moves(spark, tmp_path) -> None:
    files, root = Files(spark), str(tmp_path)
    moment = datetime(2026, 11, 21, 7, tzinfo=UTC)
    move_current_run(files, root, "R0", moment)
    for number in range(1, 30):
        opened = Path(current_run_path(root)).open("rb")  # noqa: SIM115
        move_current_run(files, root, f"R{number}", moment)
        with opened:  # a reader that began before the move ends with the former row
            assert pq.read_table(opened)["run_id"].to_pylist() == [f"R{number - 1}"]


# --- tables that grow ---

VISIT = TableContract(
    name="visit",
    row="One visit.",
    key=("place", "guest", "visit_no"),
    fields=(
        Field("place", STRING, "Place.", required=True),
        Field("guest", STRING, "Guest; null when unknown."),
        Field("visit_no", INT, "Number.", required=True),
        Field("said", STRING, "What was said.", required=True),
    ),
    unit=("place", "guest"),
)


def visits(spark, *rows) -> object:
    return local_frame(spark, rows, schema=VISIT.schema)


def units(spark, *rows) -> object:
    return local_frame(spark, rows, schema="place string, guest string")


def held(store: DeltaStore, version: int | None = None) -> list[tuple]:
    return sorted(map(tuple, store.read(VISIT, version).collect()), key=repr)


def test_a_batch_replaces_whole_units_and_earlier_versions_stay_as_they_were(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    whole = [("inn", "ann", 1, "a"), ("inn", "ann", 2, "b"), ("inn", None, 1, "c"), ("bar", "bob", 1, "d")]
    first = store.overwrite(VISIT, visits(spark, *whole))
    assert "_batch" not in spark.read.format("delta").load(store.path(VISIT)).columns
    replaced = units(spark, ("inn", "ann"), ("inn", None), ("bar", "eve"), ("bar", "eve"))
    second = store.grow(VISIT, visits(spark, ("inn", "ann", 2, "B"), ("bar", "eve", 1, "e")), replaced, onto=first)
    after = [("bar", "bob", 1, "d"), ("bar", "eve", 1, "e"), ("inn", "ann", 2, "B")]
    assert held(store) == held(store, second) == after
    third = store.grow(
        VISIT, visits(spark, ("inn", None, 1, "back")), units(spark, ("inn", None), ("bar", "bob")), onto=second
    )
    assert held(store) == [("bar", "eve", 1, "e"), ("inn", "ann", 2, "B"), ("inn", None, 1, "back")]
    assert held(store, first) == sorted(whole, key=repr)
    assert held(store, second) == after
    assert [store.has_batches(VISIT, version) for version in (first, second, third)] == [False, True, True]
    # Written whole again, it holds just that, and nothing is marked any more.
    fourth = store.overwrite(VISIT, store.read(VISIT, third))
    assert not store.has_batches(VISIT, fourth)
    assert held(store, fourth) == held(store, third)
    assert store.grow(VISIT, visits(spark), units(spark, ("nowhere", "x")), onto=fourth) > fourth
    assert held(store) == held(store, third)


def test_an_attempt_that_was_cut_off_leaves_no_trace_in_the_next(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    first = store.overwrite(VISIT, visits(spark, ("inn", "ann", 1, "a"), ("bar", "bob", 1, "d")))
    batch = visits(spark, ("inn", "ann", 1, "A")), units(spark, ("inn", "ann"))
    store.grow(VISIT, *batch, onto=first)
    store.grow(VISIT, visits(spark), units(spark, ("bar", "bob")), onto=first)
    assert held(store) == [("inn", "ann", 1, "a")], "the second attempt stands on the same version as the first"
    again = store.grow(VISIT, *batch, onto=first)
    assert held(store, again) == [("bar", "bob", 1, "d"), ("inn", "ann", 1, "A")]


def test_a_table_can_begin_with_a_batch(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    store.grow(VISIT, visits(spark, ("inn", "ann", 1, "a")), units(spark, ("inn", "ann")), onto=None)
    assert held(store) == [("inn", "ann", 1, "a")]
    with pytest.raises(ContractError, match="always written whole"):
        store.grow(FREQUENCY, visits(spark), units(spark), onto=None)


def test_rows_are_added_to_the_version_that_was_named(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    first = store.overwrite(VISIT, visits(spark, ("inn", "ann", 1, "a")))
    store.add(VISIT, visits(spark, ("inn", "ann", 2, "cut off")), onto=first)
    store.add(VISIT, visits(spark, ("inn", "ann", 2, "b")), onto=first)
    assert held(store) == [("inn", "ann", 1, "a"), ("inn", "ann", 2, "b")]


def test_a_run_that_lost_its_lock_changes_no_table(spark, tmp_path) -> None:
    store = DeltaStore(spark, str(tmp_path))
    first = store.overwrite(VISIT, visits(spark, ("inn", "ann", 1, "a")))
    second = store.append(VISIT, visits(spark, ("inn", "ann", 2, "b")))

    def lost() -> None:
        raise LockError("lost")

    store.refuse = lost
    rows, unit = visits(spark, ("bar", "bob", 1, "d")), units(spark, ("inn", "ann"))
    for change in (
        lambda: store.overwrite(VISIT, rows),
        lambda: store.append(VISIT, rows),
        lambda: store.add(VISIT, rows, onto=first),
        lambda: store.grow(VISIT, rows, unit, onto=second),
        lambda: store.restore(VISIT, first),
        lambda: store.drop(VISIT),
    ):
        with pytest.raises(LockError):
            change()
    assert store.version(VISIT) == second


def test_rows_that_somebody_else_put_in_at_the_same_moment_are_never_taken_for_ones_own(
    spark, tmp_path, monkeypatch
) -> None:
    store, other = DeltaStore(spark, str(tmp_path)), DeltaStore(spark, str(tmp_path))
    store.overwrite(VISIT, visits(spark, ("inn", "ann", 1, "a")))
    other.append(VISIT, visits(spark))  # an append of nothing is one version at most

    newest, beside = store.version, iter([visits(spark, ("bar", "eve", 1, "e"))])

    def version_then_another(contract: TableContract) -> int | None:
        found = newest(contract)
        for rows in beside:
            other.append(VISIT, rows)
        return found

    # The store has seen that the table is there; what it asks next is the version that it writes onto.
    monkeypatch.setattr(store, "_check_stored", lambda _: monkeypatch.setattr(store, "version", version_then_another))
    with pytest.raises(LockError, match="table visit: somebody else has written"):
        store.append(VISIT, visits(spark, ("bar", "bob", 1, "d")))
