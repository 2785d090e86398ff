"""The canaries of a run: through mapping, rules, policy and hits as everybody is, found again, and in no table of the results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError
from linkage_spark.flows.screen import link, screen
from linkage_spark.hits.build import build_hits
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import fingerprint
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.settings.canaries import Canary, canaries_of, sources_without
from linkage_spark.standardise.canaries import canary_feeds
from linkage_spark.standardise.stage import Standardised, standardise
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import SourceSystem

_NEEDED = (PERSON, EMPLOYEE, EVENT, INVOLVEMENT)


@dataclass(frozen=True)
class Flock:
    """Canaries in the canonical tables: a handful of rows each, held by the driver.

    Attributes:
        canaries: which; of mapped sources alone.
        person, employee, event, involvement: what the mappings made of them, under their contracts; every reference to a person begins
            with a blank, as no reference of a feed does, so that none is anybody else's.
    """

    canaries: tuple[Canary, ...]
    person: DataFrame
    employee: DataFrame
    event: DataFrame
    involvement: DataFrame

    @property
    def roster(self) -> DataFrame:
        """Their PERSON rows on the roster."""
        return self.person.where(F.col("source_system") == SourceSystem.HR.value)

    @property
    def history(self) -> DataFrame:
        """Their PERSON rows in the police's sources."""
        return self.person.where(F.col("source_system") != SourceSystem.HR.value)

    def beside(self, roster: DataFrame, history: DataFrame) -> tuple[DataFrame, DataFrame]:
        """PERSON rows of a roster and of a history, each with theirs."""
        if not self.canaries:
            return roster, history
        return roster.unionByName(self.roster), history.unionByName(self.history)

    def apart(self, pairs: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Pairs of employees and records without theirs; and those of a canary with a canary's record.

        Args:
            pairs: rows with ``employee_id`` and ``person_ref``.
        """
        if not self.canaries:
            return pairs, pairs.limit(0)
        sides = [F.col(name).isin(self._refs) for name in ("employee_id", "person_ref")]
        return pairs.where(~(sides[0] | sides[1])), pairs.where(sides[0] & sides[1])

    @cached_property
    def _refs(self) -> list[str]:
        """Every reference of theirs."""
        return sorted({row["person_ref"] for row in self.person.select("person_ref").collect()})


def canaries_digest(run: RunContext) -> str:
    """One SHA-256 over the canaries: work is not gone on with that looked for others."""
    return fingerprint({canary.name: canary.model_dump_json() for canary in run.canaries})


def refuse_without_canaries(run: RunContext) -> None:
    """A run without canaries would pass whatever became of a mapping; where no model needs an approval it says that it has none.

    Raises:
        SettingsError: models need an approval here, and a mapped source of people has no canary; it is named.
    """
    if not (without := sources_without(run.sources, run.canaries)):
        return
    if run.settings.screening.needs_approval:
        raise SettingsError(
            f"conf/canaries.toml: no canary for {', '.join(without)}, so that nothing would tell when nobody is found in it any more; "
            f'add a [[canary]] with source = "{without[0]}", or put the file back that is shipped with one for each source'
        )
    run.progress.say(f"no canaries: {', '.join(without)}; nothing tells when nobody is found there any more")


def release(run: RunContext, frames: Mapping[str, DataFrame]) -> Flock:
    """Bring the canaries through the mappings of the feeds. An action per table, so that no later plan carries theirs.

    Args:
        run: the run.
        frames: the feeds; only their columns are looked at.
    """
    canaries = canaries_of(run.sources, run.canaries)
    if not canaries:
        empty = {table.name: local_frame(run.spark, [], schema=table.schema) for table in _NEEDED}
        return Flock(canaries=(), **empty)
    feeds = canary_feeds(frames, run.sources, canaries)
    return flock_of(
        run.spark, canaries, standardise(feeds, sources=run.sources, reference=run.reference, as_of=run.day)
    )


def flock_of(spark: SparkSession, canaries: tuple[Canary, ...], tables: Standardised) -> Flock:
    """The rows of the canaries, held."""
    rows = side_by_side(spark, {table.name: _marked(getattr(tables, table.name)).collect for table in _NEEDED})
    held = {table.name: local_frame(spark, rows[table.name], schema=table.schema) for table in _NEEDED}
    return Flock(canaries=canaries, **held)


def _marked(rows: DataFrame) -> DataFrame:
    """References to people with a blank before them: those of feeds are trimmed."""
    named = [name for name in ("employee_id", "person_ref") if name in rows.columns]
    return rows.withColumns({name: F.concat(F.lit(" "), name) for name in named})


def screened_alone(run: RunContext, flock: Flock, *, refined: Collection[str], frequencies: Frequencies) -> DataFrame:
    """SCORED_PAIR of the canaries by themselves, so that no figure counts them.

    Args:
        run: the run: its model, names and key.
        flock: its canaries.
        refined: HMACs of the refined keys in force.
        frequencies: those in force.
    """
    return screen(
        flock.roster,
        flock.history,
        model=run.model,
        refined=refined,
        frequencies=frequencies,
        names=run.reference.names,
        secret=run.secret,
    )


def missed(run: RunContext, flock: Flock, scored: DataFrame) -> list[str]:
    """Which canaries are not found as they should be, in sentences.

    Args:
        run: the run: its model and key.
        flock: its canaries.
        scored: SCORED_PAIR of canaries with canaries' records.
    """
    if not flock.canaries:
        return []
    links = link(scored, model=run.model, secret=run.secret)
    built = build_hits(links, flock.involvement, flock.event, flock.employee, caveat=run.wording.coverage_caveat)
    tiers = {row["employee_id"].strip(): row["tier"] for row in built.hit.select("employee_id", "tier").collect()}
    found = {
        canary.name: next((tiers[ref] for ref in tiers if canary.is_called(ref)), None) for canary in flock.canaries
    }
    return [
        f"canary {canary.name} of {canary.source}: {_said(found[canary.name])} instead of {canary.tier}; its record goes through the "
        "mapping, the rules and the policy as every record does: see which of them changed"
        for canary in canaries_of(run.sources, flock.canaries)
        if found[canary.name] != canary.tier
    ]


def _said(tier: str | None) -> str:
    return f"found as {tier}" if tier else "not found"
