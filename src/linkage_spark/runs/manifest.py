"""RUN: what a run stood on, what it pins, and which run readers see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from pyspark.sql import functions as F

import linkage_spark
from linkage_spark.errors import LinkageError
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.results import RUN

ENDED_WELL: Final = (RunStatus.PUBLISHED.value, RunStatus.UNCHANGED.value)
"""How a run ends whose tables and snapshot stand."""


@dataclass(frozen=True)
class MadeFrom:
    """Fingerprints of everything that decides a run's result; two equal ones give equal results.

    Attributes:
        code: version of this package and the digest of its sources.
        settings: SHA-256 of settings, mappings, reference lists and wording.
        model: SHA-256 of the model.
        feeds: SHA-256 over every feed's version or listing.
    """

    code: str
    settings: str
    model: str
    feeds: str

    @property
    def digest(self) -> str:
        """One SHA-256 over all four."""
        return fingerprint(asdict(self))


@dataclass(frozen=True)
class GoodRun:
    """The last run that ended well.

    Attributes:
        run_id: the run itself.
        day: the day that it was for.
        shown_run_id: the run whose snapshot readers see.
        model_id: the model it used.
        made_from: what it was made from.
        versions: Delta version per table that it pins.
        counts_json: its figures.
    """

    run_id: str
    day: date
    shown_run_id: str
    model_id: str
    made_from: MadeFrom
    versions: Mapping[str, int]
    counts_json: str


def new_run_id(now: datetime, kind: str) -> str:
    """Start in UTC and kind, such as ``20261121T053000Z-backfill``; sorts by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{kind}"


def run_numbers(store: DeltaStore) -> dict[str, int]:
    """``run_no`` of every run by its id: the order in which they ended, whatever the clocks said."""
    if not store.exists(RUN):
        return {}
    return {row["run_id"]: int(row["run_no"]) for row in store.read(RUN).select("run_id", "run_no").collect()}


def latest_end(store: DeltaStore) -> datetime | None:
    """When the run ended that ended latest by its own clock, which may have gone back since; None before the first."""
    if not store.exists(RUN):
        return None
    ended: datetime | None = store.read(RUN).agg(F.max("finished_at")).collect()[0][0]
    return None if ended is None else ended.astimezone(UTC)


def runs_since_backfill(store: DeltaStore) -> dict[str, int]:
    """``run_numbers`` from the last backfill that ended well on: what came before was made from another model, source or software."""
    good = F.col("status").isin(*ENDED_WELL)
    backfills = store.read(RUN).where(good & (F.col("kind") == RunKind.BACKFILL.value))
    first = backfills.agg(F.max("run_no")).collect()[0][0] or 0
    return {run_id: number for run_id, number in run_numbers(store).items() if number >= first}


def published_runs(store: DeltaStore) -> frozenset[str]:
    """Ids of all runs that readers were ever moved to."""
    if not store.exists(RUN):
        return frozenset()
    rows = store.read(RUN).where(F.col("status") == RunStatus.PUBLISHED.value).select("run_id").collect()
    return frozenset(row["run_id"] for row in rows)


def unused_run_id(store: DeltaStore, run_id: str) -> str:
    """The id, with a number after it where a clock that went back has brought it up a second time."""
    known = run_numbers(store)
    if run_id not in known:
        return run_id
    return next(f"{run_id}-{no}" for no in range(2, len(known) + 3) if f"{run_id}-{no}" not in known)


@cache
def code_version() -> str:
    """Version of the package and the first 12 digits of the SHA-256 of its source files.

    The digest changes with any change of code, whether or not a repository is at hand.
    """
    digest = hashlib.sha256()
    sources = sorted(_python_files(files("linkage_spark"), ""))
    if not sources:
        raise LinkageError("the package's own sources cannot be read, so this build cannot be told from another")
    for name, content in sources:
        digest.update(name.encode())
        digest.update(content)
    return f"{linkage_spark.__version__}+{digest.hexdigest()[:12]}"


def _python_files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every Python file below a folder, also inside a wheel."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _python_files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{prefix}{entry.name}", entry.read_bytes()


def fingerprint(parts: Mapping[str, str]) -> str:
    """SHA-256 over named parts, whatever their order."""
    return hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()


def last_good_run(store: DeltaStore, *, model_id: str | None = None) -> GoodRun | None:
    """The newest RUN row that published, or found nothing changed; of one model when asked; None before the first."""
    if not store.exists(RUN):
        return None
    of_model = F.lit(True) if model_id is None else F.col("model_id") == model_id
    rows = (
        store.read(RUN).where(F.col("status").isin(*ENDED_WELL) & of_model).orderBy(F.desc("run_no")).limit(1).collect()
    )
    return good_run(rows[0]) if rows else None


def good_run(row: Any) -> GoodRun:
    """What a row of RUN says of a run that ended well."""
    return GoodRun(
        run_id=row.run_id,
        day=row.run_day,
        shown_run_id=row.shown_run_id,
        model_id=row.model_id,
        made_from=MadeFrom(
            code=row.code_version,
            settings=row.settings_fingerprint,
            model=row.model_fingerprint,
            feeds=row.input_fingerprint,
        ),
        versions=json.loads(row.table_versions_json),
        counts_json=row.counts_json,
    )


def write_run(store: DeltaStore, row: Mapping[str, Any]) -> None:
    """Append one RUN row: the switch. Its ``run_no`` is the next one.

    Raises:
        ContractError: when the row lacks a column.
    """
    last = store.read(RUN).agg(F.max("run_no")).collect()[0][0] if store.exists(RUN) else None
    values = tuple({**row, "run_no": (last or 0) + 1}[name] for name in RUN.names)
    store.append(RUN, local_frame(store.spark, [values], schema=RUN.schema))


def drop_unfinished(
    store: DeltaStore,
    contracts: Iterable[TableContract],
    pinned: Mapping[str, int],
    say: Callable[[str], None],
) -> tuple[TableContract, ...]:
    """Put back every table that an unfinished run moved past what the last good run pins.

    Readers never read such versions; this keeps them from piling up. A table that the last good run
    does not know is removed.

    Returns:
        The tables that were put back.
    """
    put_back = []
    for contract in contracts:
        if contract.name == RUN.name or not store.exists(contract):
            continue
        if contract.name not in pinned:
            store.drop(contract)
            say(f"removed {contract.name}, which an unfinished run had begun")
        elif store.restore(contract, pinned[contract.name]):
            say(f"put {contract.name} back to version {pinned[contract.name]}, where the last good run left it")
            put_back.append(contract)
    return tuple(put_back)
