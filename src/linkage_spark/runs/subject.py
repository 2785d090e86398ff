"""Everything that is held on one person, with its source and logic, as files: for a request of access, or before an erasure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.governance.holdings import NOT_SHOWN, Way, keys_of_employee, keys_of_record, rows_on, ways_of
from linkage_spark.hits.build import stable_id
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.nominals.records import record_id
from linkage_spark.report.subject import Holding, subject_page
from linkage_spark.runs.csv_files import write_csv
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.main_stages import ALL_TABLES
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.nominals import former_nominals
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.reviewers_words import OF_REVIEWERS, read_words
from linkage_spark.runs.session import open_session
from linkage_spark.runs.why import parse_person
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import INVOLVEMENT
from linkage_spark.tables.lifecycle import HIT_HISTORY, LINK_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_RECORD, NOMINALS
from linkage_spark.tables.results import RUN


def run_subject(*, root: str, out: str, employee_id: str | None = None, person: str | None = None) -> int:
    """Write every row that is held on one person: a CSV file per table, and one page.

    Args:
        root: output root.
        out: folder for the files; readable by its owner alone. Personal data.
        employee_id: the employee, by HR's reference; else ``person``.
        person: a police person record as SOURCE:REF.

    Returns:
        0: written, also where nothing is held.

    Raises:
        UsageError: nothing has been published under the root, or not exactly one person was asked for.
    """
    if (employee_id is None) == (person is None):
        raise UsageError("name one person: --employee, or --person as SOURCE:REF")
    police = parse_person(person) if person is not None else None
    conf = conf_dir()
    settings, wording = load_settings(conf, environment()), load_wording(conf)
    with open_session("subject") as spark:
        files, progress = Files(spark), Progress()
        store, out = DeltaStore(spark, files.absolute(root)), files.absolute(out)
        good = last_good_run(store)
        if good is None:
            raise UsageError(f"--out {root}: no run has been published there; run the backfill first")
        versions = _versions(store, good.versions)
        keys = _keys(spark, store, versions, employee_id=employee_id, police=police)
        held = []
        for table in held_tables():
            read = partial(read_words, store) if table in OF_REVIEWERS else store.read
            if (
                table.name in versions
                and (rows := rows_on(read(table, version=versions[table.name]), table, keys)) is not None
            ):
                found = [row.asDict() for row in rows.orderBy(*table.key).collect()]
                progress.say(f"  {table.name}: {len(found):,} rows")
                if found:
                    write_csv(files, f"{out}/{table.name}.csv", table.names, [_in_order(row, table) for row in found])
                    held.append(Holding(table, [_as_text(row) for row in found]))
        run = next(row for row in store.read(RUN).where(F.col("run_id") == F.lit(good.run_id)).collect())
        page = subject_page(
            whom=f"employee {employee_id}" if employee_id is not None else f"police person record {person}",
            held=held,
            run=_as_text(run.asDict()),
            retention=settings.retention,
            advisory=wording.advisory,
            written_at=f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC",
        )
        files.write_text(f"{out}/{PAGE}", page, mode="600")
        total = sum(len(part.rows) for part in held)
        progress.say(f"{total:,} rows of {len(held)} tables written to {out}; {PAGE} shows them all")
        print(f"\n{wording.advisory}", flush=True)
    return 0


PAGE = "subject.html"
"""The page that shows every row."""


def held_tables() -> tuple[TableContract, ...]:
    """The tables that can name somebody, in the order in which they come about."""
    every = (*ALL_TABLES, *NOMINALS, *OF_REVIEWERS)
    return tuple(table for table in every if ways_of(table) and table not in NOT_SHOWN)


def _versions(store: DeltaStore, pinned: Mapping[str, int]) -> dict[str, int]:
    """Versions of all tables: those of the last good run, of nominals those of the run that made them last."""
    former = former_nominals(store)
    of_nominals = {} if former is None else dict(former.good.versions)
    newest = {table.name: store.version(table) for table in OF_REVIEWERS}
    said = {name: version for name, version in newest.items() if version is not None}
    made = {name: version for name, version in (of_nominals | dict(pinned)).items() if name not in newest}
    return {**made, **said}


def _keys(
    spark: SparkSession,
    store: DeltaStore,
    versions: Mapping[str, int],
    *,
    employee_id: str | None,
    police: tuple[str, str] | None,
) -> dict[Way, DataFrame]:
    """The keys of the one person; an id never stands as a literal in a plan."""
    if police is None:
        return keys_of_employee(local_frame(spark, [(employee_id,)], schema="employee_id string"))
    one = local_frame(spark, [police], schema="source_system string, person_ref string")
    members = (
        store.read(NOMINAL_RECORD, version=versions[NOMINAL_RECORD.name])
        if NOMINAL_RECORD.name in versions
        else local_frame(spark, [], schema=NOMINAL_RECORD.schema)
    )
    involvement = store.read(INVOLVEMENT, version=versions[INVOLVEMENT.name])
    links, hits = (store.read(table, version=versions[table.name]) for table in (LINK_HISTORY, HIT_HISTORY))
    record = ("source_system", "person_ref")
    items = links.select(*record, stable_id(*LINK.key).alias("item_id")).unionByName(
        hits.select(*record, F.col("hit_id").alias("item_id"))
    )
    return keys_of_record(one.withColumn("record_id", record_id()), involvement, members, items)


def _as_text(row: Mapping[str, Any]) -> dict[str, str]:
    """A row's values as text; a column without one is left out."""
    return {name: _text(value) for name, value in row.items() if value is not None and value != []}


def _text(value: object) -> str:
    """One value."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | Decimal | str | int | float):
        return str(value)
    return json.dumps(value, default=str)


def _in_order(row: Mapping[str, Any], table: TableContract) -> list[str]:
    """A row's values in the order of the table's columns."""
    return ["" if row[name] is None else _text(row[name]) for name in table.names]
