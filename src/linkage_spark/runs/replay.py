"""What reviewers could see on a day, from rows kept for good; and that day scored again, compared row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.errors import GateError, UsageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import FORCE_ZONE, emptied, scratch, settings_digest
from linkage_spark.runs.csv_files import write_csv
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.manifest import ENDED_WELL, GoodRun, code_version, good_run, run_numbers
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.replay_nominals import KEY, NOMINALS_THEN, nominals_then
from linkage_spark.runs.rescreen import as_judged, load_frozen, screen_again
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import ItemChange, RunStatus, Tier
from linkage_spark.tables.governance import REMOVAL
from linkage_spark.tables.lifecycle import HIT_HISTORY, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.results import HIT, LOCATION_HIT, RUN

SHOWN: Final[tuple[tuple[TableContract, TableContract], ...]] = (
    (HIT, HIT_HISTORY),
    (LOCATION_HIT, LOCATION_HIT_HISTORY),
    (LINK, LINK_HISTORY),
)
"""What was shown, and the history that keeps it."""

_WRITTEN: Final = (*(contract.name for contract, _ in SHOWN), "nominal", "differences")
"""The files; one of an earlier replay that this one does not write is deleted."""


_COMPARED: Final = ("tier", "match_weight_millibits", "policy_reason", "evidence_fingerprint")


@dataclass(frozen=True)
class ThatDay:
    """What readers saw at the end of a day.

    Attributes:
        shown: the run whose snapshot they saw.
        told: the run that said so; another one where that run found nothing new, or went back to an earlier one.
        up_to: ``run_no`` of the run that they saw: later rows of the histories were not there yet.
        code: the software of the run that they saw.
        held: version of every table as the last good run of today pins it. What is newer is of a run that has not ended, or that was
            stopped. A table that is not named is read as it stands.
    """

    shown: GoodRun
    told: str
    up_to: int
    code: str
    held: Mapping[str, int] = field(default_factory=dict)


def run_replay(*, root: str, as_of: date, out: str, employee_id: str | None = None) -> int:
    """Write what was shown on a day as CSV, score the day again, and say how the two compare.

    Args:
        root: output root.
        as_of: the day, Europe/London.
        out: folder for ``hit.csv``, ``location_hit.csv``, ``link.csv``, ``nominal.csv`` and ``differences.csv``. Personal data.
        employee_id: one employee alone; None: all.

    Returns:
        0: shown, and scored again to the same, or it is said why it cannot be.

    Raises:
        UsageError: nothing had been shown by then.
        GateError: the same software scores that day otherwise now.
    """
    conf, env = conf_dir(), environment()
    settings = load_settings(conf, env)
    wording = load_wording(conf)
    with open_session("replay") as spark:
        files, progress = Files(spark), Progress()
        store = DeltaStore(spark, files.absolute(root))
        out = files.absolute(out)
        that_day = shown_on(store, as_of)
        progress.say(f"on {as_of} readers saw {that_day.shown.run_id} (as {that_day.told} says)")
        show_day(store, files, that_day, employee_id, out=out, progress=progress)
        like_then = that_day.shown.made_from.settings == settings_digest(settings)
        if not like_then:
            progress.say("settings, mappings or reference lists are others than then: differences may be theirs")
        with emptied(files, scratch(store.root, "replay")) as work:
            differing = score_again(store, files, that_day, employee_id, work=work, out=out, progress=progress)
        progress.say(f"written to {out}")
        print(f"\n{wording.advisory}", flush=True)
        if differing and like_then and that_day.code == code_version():
            raise GateError(
                f"{differing} links of that day are scored otherwise by the same software; see differences.csv"
            )
    return 0


def shown_on(store: DeltaStore, as_of: date) -> ThatDay:
    """The run that readers saw at the end of a day.

    Raises:
        UsageError: nothing had been published by then.
    """
    rows = store.read(RUN).collect() if store.exists(RUN) else []
    good = sorted((row for row in rows if row["status"] in ENDED_WELL), key=lambda row: row["run_no"])
    then = [row for row in good if _told_on(row) <= as_of]
    if not then:
        raise UsageError(f"--as-of {as_of}: nothing had been published by the end of that day")
    told = then[-1]
    shown = next(
        row for row in rows if row["run_id"] == told["shown_run_id"] and row["status"] == RunStatus.PUBLISHED.value
    )
    # A backfill pins no nominals: theirs stand as the last good run pinned them that named them.
    held: dict[str, int] = {}
    for row in good:
        held |= json.loads(row["table_versions_json"])
    return ThatDay(
        shown=good_run(shown),
        told=told["run_id"],
        up_to=int(shown["run_no"]),
        code=str(shown["code_version"]),
        held=held,
    )


def _told_on(row: Any) -> date:
    """The day from which on a run says what readers see: that on which it ended, whichever day it was for."""
    moment: datetime = row["finished_at"]
    return moment.astimezone(FORCE_ZONE).date()


def show_day(
    store: DeltaStore, files: Files, that_day: ThatDay, employee_id: str | None, *, out: str, progress: Progress
) -> None:
    """Write what was shown as CSV; what may be missing there is said before.

    Args:
        store: the tables.
        files: the file system.
        that_day: the day.
        employee_id: one employee alone; None: all.
        out: folder of the files; those of an earlier replay are deleted.
        progress: says what was written.
    """
    if removed_since(store, that_day):
        progress.say(
            "rows were removed since, under retention or erasure: what is written may lack some that were shown then"
        )
    for name in _WRITTEN:
        files.delete(f"{out}/{name}.csv")
    for contract, history in SHOWN:
        rows = of_employee(shown_rows(store, contract, history, that_day), employee_id)
        count = _write_csv(files, f"{out}/{contract.name}.csv", rows, contract.names, contract.key)
        progress.say(f"  {contract.name}: {count:,} rows")
    _show_nominals(store, files, that_day, employee_id, out=out, progress=progress)
    for missing in no_longer_held(store, that_day, employee_id):
        progress.say(f"  {missing}")


def shown_rows(store: DeltaStore, contract: TableContract, history: TableContract, that_day: ThatDay) -> DataFrame:
    """Rows of a table as a run left them, from its history: of every key the last row up to that run, unless it was withdrawn.

    Args:
        store: the tables.
        contract: the table.
        history: its history.
        that_day: the run that readers saw, and the version of the history that holds now.
    """
    runs = store.read(RUN).select("run_id", "run_no").where(F.col("run_no") <= F.lit(that_day.up_to))
    last = Window.partitionBy(*contract.key).orderBy(F.desc("run_no"))
    told = store.read(history, version=that_day.held.get(history.name)).join(F.broadcast(runs), on=["run_id"])
    rows = told.withColumn("place", F.row_number().over(last))
    held = rows.where((F.col("place") == 1) & (F.col("item_change") != ItemChange.WITHDRAWN.value))
    return contract.conform(held)


def of_employee(rows: DataFrame, employee_id: str | None) -> DataFrame:
    """Rows of one employee, by a join: an id never stands as a literal in a plan."""
    if employee_id is None:
        return rows
    wanted = local_frame(rows.sparkSession, [(employee_id,)], schema="employee_id string")
    return rows.join(F.broadcast(wanted), on=["employee_id"], how="left_semi").select(*rows.columns)


def _show_nominals(
    store: DeltaStore, files: Files, that_day: ThatDay, employee_id: str | None, *, out: str, progress: Progress
) -> None:
    """Write the nominals of the shown links, where that run showed any."""
    links = of_employee(shown_rows(store, LINK, LINK_HISTORY, that_day), employee_id)
    found = nominals_then(store, links, up_to=that_day.up_to, held=that_day.held)
    if found is None:
        progress.say("  nominals: that run showed none")
        return
    count = _write_csv(files, f"{out}/nominal.csv", found, NOMINALS_THEN, KEY)
    progress.say(f"  nominal: {count:,} rows, one for each link to a record that belonged to one")
    if removed_since(store, that_day):
        progress.say("  rows were removed since, under retention or erasure: nominals may have had more records then")


def no_longer_held(store: DeltaStore, that_day: ThatDay, employee_id: str | None) -> list[str]:
    """What the run counted then and is not in the histories any more: retention has removed it since."""
    if employee_id is not None:
        return []
    counted = json.loads(that_day.shown.counts_json)
    then = {
        HIT: sum(row["hits"] for row in counted.get("hits", [])),
        LOCATION_HIT: sum(row["hits"] for row in counted.get("location_hits", [])),
    }
    found = []
    for contract, history in SHOWN:
        if contract in then:
            now = shown_rows(store, contract, history, that_day).count()
            if now != then[contract]:
                found.append(
                    f"{then[contract] - now:,} of the {then[contract]:,} rows of {contract.name} shown then are no longer held: "
                    "they were removed since, under retention or erasure"
                )
    return found


def score_again(
    store: DeltaStore,
    files: Files,
    that_day: ThatDay,
    employee_id: str | None,
    *,
    work: str,
    out: str,
    progress: Progress,
) -> int:
    """Score the stored persons of that day with the stored model again; how many links differ."""
    run = that_day.shown
    try:
        person = store.read(PERSON, version=run.versions[PERSON.name])
        frozen = load_frozen(
            files,
            store,
            model_id=run.model_id,
            fingerprint=run.made_from.model,
            refined_key=store.read(REFINED_KEY, version=run.versions[REFINED_KEY.name]),
            frequency=store.read(FREQUENCY, version=run.versions[FREQUENCY.name]),
        )
        judged = as_judged(store, run.versions)
        person.limit(1).collect()
    except (UsageError, PySparkException) as error:
        why = str(error) if isinstance(error, UsageError) else "the tables of that day are no longer stored"
        progress.say(f"it cannot be scored again: {why}")
        return 0
    if that_day.code != code_version():
        progress.say(
            f"scored again by other software ({code_version()}) than then ({that_day.code}): differences may be its own"
        )
    links = screen_again(person, frozen, work=work, with_proposed=False, change=judged).links
    now = of_employee(links.where(F.col("tier") != Tier.NON_MATCH.value), employee_id)
    then = of_employee(shown_rows(store, LINK, LINK_HISTORY, that_day), employee_id)
    if removed_since(store, that_day):
        progress.say(
            "rows were removed since, under retention or erasure: links that are no longer held are not compared"
        )
        now = now.join(then.select(*LINK.key), on=list(LINK.key), how="left_semi").select(*now.columns)
    rows = _differences(then, now)
    count = _write_csv(files, f"{out}/differences.csv", rows, rows.columns, LINK.key)
    progress.say(f"scored again: {then.count():,} links then, {now.count():,} now, {count:,} differ")
    return count


def removed_since(store: DeltaStore, that_day: ThatDay) -> bool:
    """A later run of retention has removed rows."""
    if not store.exists(REMOVAL):
        return False
    removed = {row["run_id"] for row in store.read(REMOVAL).where("rows > 0").select("run_id").distinct().collect()}
    return any(number > that_day.up_to for run_id, number in run_numbers(store).items() if run_id in removed)


def _differences(then: DataFrame, now: DataFrame) -> DataFrame:
    """Links that are not the same on both sides: their key, and what each side says."""
    sides = [
        frame.select(*LINK.key, *[F.col(name).alias(f"{name}_{side}") for name in _COMPARED])
        for frame, side in ((then, "then"), (now, "now"))
    ]
    both = sides[0].join(sides[1], on=list(LINK.key), how="full")
    same = [F.col(f"{name}_then").eqNullSafe(F.col(f"{name}_now")) for name in _COMPARED]
    differ = ~same[0]
    for one in same[1:]:
        differ = differ | ~one
    return both.where(differ).drop("evidence_fingerprint_then", "evidence_fingerprint_now")


def _write_csv(files: Files, path: str, rows: DataFrame, names: Sequence[str], key: Iterable[str]) -> int:
    """One CSV file, in order of key; how many rows."""
    found: list[Any] = rows.orderBy(*key).collect()
    write_csv(files, path, names, [[row[name] for name in names] for row in found])
    return len(found)
