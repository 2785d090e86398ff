"""The job of nominals day after day in one session: its own stages, in its own order, over tables in memory.

Two stages are not run. What the first freezes is given, as to every run after the first; and there are no hits here that
persons would be described for: the tables of that stage are empty. Everything else, the check before publishing among it,
is what ``jobs/nominals.py`` runs.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.schema import Model
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import GoodRun, MadeFrom
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.nominals import STAGES
from linkage_spark.runs.progress import Progress, Stage
from linkage_spark.runs.stages import run_stage
from linkage_spark.settings.run import load_settings
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.nominals import (
    NOMINAL,
    NOMINAL_ALERT,
    NOMINAL_EDGE,
    NOMINAL_EVENT,
    NOMINAL_FREQUENCY,
    NOMINAL_MEMBER,
    NOMINAL_PAIR,
    NOMINAL_PORTRAIT,
    NOMINAL_RECORD,
    NOMINAL_REFINED_KEY,
    PERSON_JUDGEMENT,
    SAME_NOMINAL,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
SECRET = b"s" * 32
_NOTHING = MadeFrom(code="", settings="", model="", feeds="")
_DESCRIBED = (NOMINAL_RECORD, NOMINAL_PORTRAIT, NOMINAL_ALERT, SAME_NOMINAL)

Row = dict[str, Any]


class MemoryStore:
    """The calls of ``DeltaStore`` that stages make, over Arrow tables."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.versions: dict[str, list[pa.Table]] = defaultdict(list)

    def exists(self, contract: TableContract) -> bool:
        return bool(self.versions[contract.name])

    def read(self, contract: TableContract, version: int | None = None) -> DataFrame:
        table = self.table(contract, -1 if version is None else version)
        return self.spark.createDataFrame(table, schema=contract.schema)

    def table(self, contract: TableContract, version: int = -1) -> pa.Table:
        """A version's rows."""
        return self.versions[contract.name][version]

    def overwrite(self, contract: TableContract, frame: DataFrame) -> int:
        self.versions[contract.name].append(contract.conform(frame).toArrow())
        return len(self.versions[contract.name]) - 1

    def append(self, contract: TableContract, frame: DataFrame) -> int:
        before = [self.table(contract)] if self.exists(contract) else []
        added = contract.conform(frame).toArrow()
        self.versions[contract.name].append(
            pa.concat_tables([*before, added.cast(before[0].schema) if before else added])
        )
        return len(self.versions[contract.name]) - 1

    def restore(self, contract: TableContract, version: int) -> bool:
        del self.versions[contract.name][version + 1 :]
        return True

    def drop(self, contract: TableContract) -> bool:
        return self.versions.pop(contract.name, None) is not None


class _Remembered(Checkpoints):
    """Checkpoints of a run that nobody kills."""

    def _save(self) -> None:
        """Nothing to keep."""


@dataclass(frozen=True)
class MemoryRun(NominalRun):
    """A run whose work folder is in memory, but for what a stage writes there by itself."""

    folder: dict[str, pa.Table]

    def keep(self, name: str, frame: DataFrame) -> DataFrame:
        self.folder[name] = frame.toArrow()
        return self.work(name)

    def work(self, name: str) -> DataFrame:
        return self.run.spark.createDataFrame(self.folder[name]) if name in self.folder else super().work(name)


@dataclass(frozen=True)
class Day:
    """What one run of the job left.

    Attributes:
        cluster: record → its cluster and whether it waits for a reviewer, as the guard left them.
        pair, edge, member, nominal: rows of NOMINAL_PAIR, NOMINAL_EDGE, NOMINAL_MEMBER and NOMINAL.
        event: rows of NOMINAL_EVENT of this run.
        counts: what each stage counted.
    """

    cluster: dict[int, tuple[int, bool]]
    pair: list[Row]
    edge: list[Row]
    member: list[Row]
    nominal: list[Row]
    event: list[Row]
    counts: dict[str, Mapping[str, int]]


@dataclass(frozen=True)
class Frozen:
    """What is counted once per model.

    Attributes:
        model: the model.
        frequency, refined: rows of NOMINAL_FREQUENCY and NOMINAL_REFINED_KEY.
    """

    model: Model
    frequency: list[Row]
    refined: list[Row]


class NominalJob:
    """One output root: each ``run`` stands on what the run before left.

    Args:
        frozen: the model with what is frozen under its id.
        root: a folder of its own, for the components.
        nominals: values of the settings' section ``[nominals]`` that are not the shipped ones.
    """

    def __init__(self, spark: SparkSession, frozen: Frozen, root: Path, **nominals: Any) -> None:
        self.spark, self.model, self.root = spark, frozen.model, root
        self.settings = load_settings(CONF, "local", {"nominals": nominals})
        self.store = MemoryStore(spark)
        given = [(NOMINAL_FREQUENCY, frozen.frequency), (NOMINAL_REFINED_KEY, frozen.refined)]
        for contract, rows in [*given, *[(table, []) for table in _DESCRIBED]]:
            values = [tuple(row[name] for name in contract.names) for row in rows]
            self.store.overwrite(contract, local_frame(spark, values, schema=contract.schema))
        self.days: list[Day] = []
        self._former: GoodRun | None = None

    def run(self, persons: DataFrame, said: DataFrame, numbers: DataFrame, changed: DataFrame | None = None) -> Day:
        """One day: the live PERSON rows, all PERSON_JUDGEMENT rows so far, and the live PERSON_IDENTIFIER rows.

        ``changed``: the records that a day is told to look at; None: it compares all.

        Raises:
            GateError: a check of the job failed.
        """
        run_no = len(self.days) + 1
        state = MemoryRun(
            run=self._context(),
            good=_good(
                {
                    PERSON.name: self.store.overwrite(PERSON, persons),
                    PERSON_IDENTIFIER.name: self.store.overwrite(PERSON_IDENTIFIER, numbers),
                }
            ),
            saved=_Remembered(files=None, path="", run_id=str(run_no), fingerprint="", day=""),  # type: ignore[arg-type]
            former=self._former,
            run_no=run_no,
            judged_at_version=self.store.overwrite(PERSON_JUDGEMENT, said),
            frozen={NOMINAL_FREQUENCY.name: 0, NOMINAL_REFINED_KEY.name: 0},
            changed=changed,
            folder={},
        )
        for name, work in {**STAGES, "freeze model": _take_frozen, "persons": _describe_nobody}.items():
            run_stage(state.run.progress, state.saved, name, partial(work, state))
        self._former = _good(state.saved.versions)
        day = self._day(state)
        self.days.append(day)
        return day

    def events(self) -> DataFrame:
        """NOMINAL_EVENT of all runs."""
        return self.store.read(NOMINAL_EVENT)

    def _context(self) -> RunContext:
        return RunContext(
            kind=RunKind.NOMINALS,
            run_id="",
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            day=date(2026, 1, 1),
            root=str(self.root),
            feeds_root="",
            spark=self.spark,
            files=None,  # type: ignore[arg-type]
            store=self.store,  # type: ignore[arg-type]
            settings=self.settings,
            wording=None,  # type: ignore[arg-type]
            sources=(),
            reference=load_reference(CONF),
            model=self.model,
            canaries=(),
            secret=SECRET,
            progress=Progress(stream=io.StringIO()),
        )

    def _day(self, state: MemoryRun) -> Day:
        """What a finished run left, as rows."""
        events = self.store.table(NOMINAL_EVENT).to_pylist()
        return Day(
            cluster={
                row["record_id"]: (row["cluster_id"], row["quarantined"])
                for row in state.folder["clusters"].to_pylist()
            },
            pair=self.store.table(NOMINAL_PAIR).to_pylist(),
            edge=self.store.table(NOMINAL_EDGE).to_pylist(),
            member=self.store.table(NOMINAL_MEMBER).to_pylist(),
            nominal=self.store.table(NOMINAL).to_pylist(),
            event=[row for row in events if row["run_no"] == state.run_no],
            counts={name: done.counts for name, done in state.saved.done.items()},
        )


def _good(versions: Mapping[str, int]) -> GoodRun:
    """A good run that pins these versions."""
    return GoodRun("", date(2026, 1, 1), "", "", made_from=_NOTHING, versions=versions, counts_json="{}")


def _take_frozen(state: NominalRun, stage: Stage) -> Done:
    """In place of the stage *freeze model*; what the rules would cost is not asked."""
    prices = [
        dict.fromkeys(("history_rows", "roster_rows", "pairs"), 0) | {"rule_no": no}
        for no in range(len(state.run.model.rules))
    ]
    return Done(seconds=0.0, versions=state.frozen, notes={"prices": prices})


def _describe_nobody(state: NominalRun, stage: Stage) -> Done:
    """In place of the stage *persons*."""
    stage.counts["links without a nominal"] = 0
    return Done(seconds=0.0, versions=dict.fromkeys((table.name for table in _DESCRIBED), 0))
