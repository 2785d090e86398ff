"""What stops a run that would otherwise publish what nobody can stand by: feeds written to while they are read, items that go without a reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from linkage_spark.errors import GateError, SettingsError, SourceError
from linkage_spark.runs import backfill, daily_stages
from linkage_spark.runs.main_stages import MainRun, follow
from linkage_spark.runs.manifest import MadeFrom, last_good_run
from linkage_spark.runs.progress import Stage
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import RUN
from tests.support.contract_rows import contract_rows
from tests.support.day_worlds import FIRST_DAY, make_history
from tests.support.draws import TOLD
from tests.support.killing import readers_find_one_whole_run
from tests.support.main_job import MainJob, write_day

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from linkage_spark.kit.contract import TableContract

Row = dict[str, Any]

# ---- a feed that is written to while it is read ------------------------------------------------------------

CHANGED = "^a feed changed while it was being read; start again when its delivery has ended$"


def test_a_feed_that_is_written_to_while_it_is_read_stops_a_first_run_and_a_day(
    spark: SparkSession, tmp_path: Path
) -> None:
    history = make_history(seed=20261122, worlds=6, days=1)
    job = MainJob(spark, tmp_path / "root", tmp_path / "feeds")
    write_day(spark, job.feeds, None, history.days[0])
    with delivered_after(backfill, "read_sources", job.feeds), pytest.raises(SourceError, match=CHANGED):
        job.backfill(FIRST_DAY)
    assert ended(job) == ("failed", "SourceError"), TOLD
    assert last_good_run(job.store) is None, TOLD
    assert shown(job) is None, TOLD

    job.backfill(FIRST_DAY)
    before = shown(job)
    assert readers_find_one_whole_run(job), TOLD
    write_day(spark, job.feeds, history.days[0], history.days[1])
    with delivered_after(daily_stages, "standardise_police", job.feeds), pytest.raises(SourceError, match=CHANGED):
        job.daily(FIRST_DAY + timedelta(days=1))
    assert ended(job) == ("failed", "SourceError"), TOLD
    assert shown(job) == before, TOLD
    assert readers_find_one_whole_run(job), TOLD

    # Nothing new may be taken either where models need an approval and nobody would notice that a source has fallen silent.
    needy = replace(job, settings={"screening": {"needs_approval": True}})
    for start in (needy.daily, needy.backfill):
        with pytest.raises(SettingsError, match="no canary for crime, custody, incident, intel"):
            start(FIRST_DAY + timedelta(days=1))
    assert ended(job) == ("failed", "SettingsError"), TOLD
    assert shown(job) == before, TOLD


@contextmanager
def delivered_after(module: ModuleType, name: str, feeds: Path) -> Iterator[None]:
    """Custody records come in right after a run has done what ``name`` says, and are gone again at the end."""
    real, parts = getattr(module, name), sorted((feeds / "custody" / "record").glob("part-*.parquet"))
    late = parts[0].with_name("part-late.parquet")

    def call(*args: Any, **kwargs: Any) -> Any:
        done = real(*args, **kwargs)
        shutil.copy(parts[0], late)
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, call)
        yield
    # It was there, so that it was this delivery which stopped the run.
    late.unlink()


def ended(job: MainJob) -> tuple[str, str | None]:
    """Status and class of error of the newest row of RUN."""
    row = job.store.read(RUN).orderBy(F.desc("run_no")).first()
    assert row is not None
    return row["status"], row["error_class"]


def shown(job: MainJob) -> Any:
    """What ``current_run`` says."""
    return read_current_run(Files(job.spark), str(job.root))


# ---- an item that goes without a reason --------------------------------------------------------------------

EMPLOYEE: Row = {"source_system": "hr", "person_ref": "E1"}
RECORD: Row = {"source_system": "crime", "person_ref": "N1"}
LINKED: Row = {"employee_id": "E1", "source_system": "crime", "person_ref": "N1", "tier": "match"}


@dataclass(frozen=True)
class Day(MainRun):
    """A day over a few rows.

    Attributes:
        now: rows as the day has made them, by table; of every other table there are none.
        then: as the former run left them.
    """

    now: Mapping[str, list[Row]] = field(default_factory=dict)
    then: Mapping[str, list[Row]] = field(default_factory=dict)

    def read(self, contract: TableContract) -> DataFrame:
        return contract_rows(self.run.spark, contract, *self.now.get(contract.name, []))

    def before(self, contract: TableContract) -> DataFrame:
        return contract_rows(self.run.spark, contract, *self.then.get(contract.name, []))


def test_a_link_that_goes_while_all_that_it_hung_on_stands_as_it_stood_stops_the_run(
    spark: SparkSession, tmp_path: Path
) -> None:
    inputs = MadeFrom(code="1", settings="1", model="1", feeds="2")
    persons = {PERSON.name: [EMPLOYEE, RECORD]}
    day: Any = Day(
        run=SimpleNamespace(
            run_id="later",
            day=FIRST_DAY + timedelta(days=1),
            spark=spark,
            work=str(tmp_path),
            store=None,
            refuse_unless_held=lambda: None,
        ),
        inputs=inputs,
        saved=None,
        former=SimpleNamespace(day=FIRST_DAY, made_from=inputs),
        of_model=None,
        now=persons,
        then={**persons, LINK.name: [LINKED]},
    )
    asked = "^item: 1 links or hits of the former run are gone, and nothing says why; nothing was published$"
    with pytest.raises(GateError, match=asked):
        follow(day, Stage(name="follow"))
