"""The stages that the first run and the daily ones share: links from scored pairs, hits from links, and what must hold before publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial, reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import GateError
from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.flows.screen import link
from linkage_spark.hits.build import build_hits, links_without_involvement
from linkage_spark.hits.lifecycle import Found, Moment, gone_items, history_rows, tell_items
from linkage_spark.hits.locations import build_location_hits
from linkage_spark.hits.screening import build_screening
from linkage_spark.hits.withdrawals import Estate, withdrawal_reasons
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.review.judgements import (
    link_judgements_in_force,
    negated_links,
    without_negated,
    words_on_nobody,
    words_on_other_evidence,
)
from linkage_spark.runs import checks
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.figures import grouped, not_screened_counts
from linkage_spark.runs.manifest import GoodRun, MadeFrom
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reading import open_feeds
from linkage_spark.runs.reviewers_words import JUDGED, OF_REVIEWERS
from linkage_spark.runs.side_by_side import side_by_side
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import (
    ASSIGNMENT,
    CANONICAL,
    EMPLOYEE,
    EVENT,
    INVOLVEMENT,
    LOCATION,
    PERSON,
    REFUSED,
)
from linkage_spark.tables.changes import CHANGES, FEED_PRINT, FEED_STATE
from linkage_spark.tables.enums import Lane, SourceSystem, Tier
from linkage_spark.tables.gates import RUN_METRIC
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.lifecycle import BASELINE, ITEM, LIFECYCLE
from linkage_spark.tables.linkage import FREQUENCY, LINK, LINKAGE, REFINED_KEY
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, RESULTS, SCREENING
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

STANDARDISED: tuple[TableContract, ...] = (*CANONICAL, PERSON_IDENTIFIER)
"""What standardising writes. Of these PERSON_IDENTIFIER is for the job nominals; no stage of this one reads its numbers."""

ALL_TABLES: tuple[TableContract, ...] = (
    *STANDARDISED,
    *CHANGES,
    *LINKAGE,
    SCORED_PAIR,
    NEGATED_LINK,
    *RESULTS,
    *LIFECYCLE,
    RUN_METRIC,
)


@dataclass(frozen=True)
class MainRun:
    """What the stages read and write through.

    Attributes:
        run: the run.
        inputs: what it is made from.
        saved: what is done so far.
        former: the last good run, of whatever model; None before the first.
        of_model: the last good run of this very model, which another model's runs may have followed.
        judged_at_version: version of LINK_JUDGEMENT that ``decide`` reads, or has read; None where there is no such table.
        stands_on: versions of tables that hold unless a stage writes them: those of the former run in a daily run, none in a first one.
    """

    run: RunContext
    inputs: MadeFrom
    saved: Checkpoints
    former: GoodRun | None
    of_model: GoodRun | None
    judged_at_version: int | None = None
    stands_on: Mapping[str, int] = field(default_factory=dict)

    @property
    def versions(self) -> dict[str, int]:
        """Version of every table as the run has it so far."""
        # The former run may have read words of a table that is there no more.
        words = {table.name for table in OF_REVIEWERS}
        stand = {name: version for name, version in self.stands_on.items() if name not in words}
        judged = self.judged_at_version
        said = {} if judged is None else {LINK_JUDGEMENT.name: judged}
        return {**stand, **self.saved.versions, **said}

    def read(self, contract: TableContract) -> DataFrame:
        """A table as the run has it so far."""
        return self.run.store.read(contract, version=self.versions[contract.name])

    def keep(self, name: str, frame: DataFrame) -> DataFrame:
        """Write a frame into the work folder, and read it back."""
        self.run.refuse_unless_held()
        frame.write.mode("overwrite").parquet(f"{self.run.work}/{name}")
        return self.work(name)

    def work(self, name: str) -> DataFrame:
        """A frame of the work folder."""
        return self.run.spark.read.parquet(f"{self.run.work}/{name}")

    def before(self, contract: TableContract) -> DataFrame:
        """A table as the former run left it; empty before the first, and where that run knew no such table."""
        if self.former is None or contract.name not in self.former.versions:
            return self.rows(contract, [])
        return self.run.store.read(contract, version=self.former.versions[contract.name])

    def stood(self, contract: TableContract) -> int | None:
        """The version of a table that the former run pins; None where it knew no such table."""
        return None if self.former is None else self.former.versions.get(contract.name)

    def rows(self, contract: TableContract, rows: Any) -> DataFrame:
        """Driver rows as a frame of a contract."""
        values = [tuple(row[name] for name in contract.names) for row in rows]
        return local_frame(self.run.spark, values, schema=contract.schema)

    @property
    def roster(self) -> DataFrame:
        """PERSON rows of HR."""
        return self.read(PERSON).where(F.col("source_system") == SourceSystem.HR.value)

    @property
    def history(self) -> DataFrame:
        """PERSON rows of the police."""
        return self.read(PERSON).where(F.col("source_system") != SourceSystem.HR.value)

    @cached_property
    def frames(self) -> Mapping[str, DataFrame]:
        """Every feed that is there, as it lies there; opened once."""
        return open_feeds(self.run)

    @cached_property
    def refined(self) -> list[Any]:
        """The refined keys in force, once the stage that chooses them is done."""
        return list(self.read(REFINED_KEY).collect())

    @cached_property
    def frequencies(self) -> Frequencies:
        """The frequencies in force, likewise."""
        return Frequencies.from_rows(row.asDict() for row in self.read(FREQUENCY).collect())


def decide(state: MainRun, stage: Stage) -> Done:
    """Best pair of variants, rivals, policy, sentence; what reviewers have negated is left out, and is nobody's rival.

    The words themselves were looked at when the run began (``reviewers_words.refuse_faulty_words``).
    """
    run, scored, in_force = state.run, state.read(SCORED_PAIR), _words_in_force(state)
    negated = _negated(state, scored, in_force)
    versions = {NEGATED_LINK.name: run.store.overwrite(NEGATED_LINK, negated)}
    if count := negated.count():
        stage.counts["links that reviewers have negated"] = count
        scored = without_negated(scored, negated)
    linked = link(scored, model=run.model, secret=run.secret)
    versions[LINK.name] = run.store.overwrite(LINK, linked.where(F.col("tier") != Tier.NON_MATCH.value))
    for row in run.store.read(LINK, version=versions[LINK.name]).groupBy("tier").count().orderBy("tier").collect():
        stage.counts[f"links of tier {row['tier']}"] = row["count"]
    if in_force is not None:
        shown = run.store.read(LINK, version=versions[LINK.name])
        if elsewhere := words_on_other_evidence(shown, in_force).count():
            stage.counts["words on other evidence than now"] = elsewhere
        if nobodys := words_on_nobody(in_force, scored, state.read(PERSON)).count():
            stage.counts["words on somebody who does not stand"] = nobodys
    return Done(seconds=0.0, versions=versions, notes={JUDGED: state.judged_at_version})


def _words_in_force(state: MainRun) -> DataFrame | None:
    """What reviewers have said of links, as it is in force; None where there is no such table."""
    if state.judged_at_version is None:
        return None
    return link_judgements_in_force(state.run.store.read(LINK_JUDGEMENT, version=state.judged_at_version))


def _negated(state: MainRun, scored: DataFrame, in_force: DataFrame | None) -> DataFrame:
    """NEGATED_LINK, in the work folder; no row where no reviewer has said anything."""
    if in_force is None:
        return state.rows(NEGATED_LINK, [])
    found = link(scored, model=state.run.model, secret=state.run.secret)
    return state.keep("negated", negated_links(found, in_force))


def hits(state: MainRun, stage: Stage) -> Done:
    """Links and involvements into hits; homes and incidents into location hits; who was screened."""
    run, store = state.run, state.run.store
    links, involvement = state.read(LINK), state.read(INVOLVEMENT)
    event, employee = state.read(EVENT), state.read(EMPLOYEE)
    caveat = run.wording.coverage_caveat
    built = build_hits(links, involvement, event, employee, caveat=caveat)
    stray = links_without_involvement(links, involvement)
    versions = {HIT.name: store.overwrite(HIT, built.hit)}
    hit = store.read(HIT, version=versions[HIT.name])
    places = build_location_hits(state.roster, state.read(LOCATION), event, employee, hit, caveat=caveat)
    screening = build_screening(state.roster, state.read(REFUSED), hit)
    done = side_by_side(
        run.spark,
        {
            HIT_LINK.name: lambda: store.overwrite(HIT_LINK, built.hit_link),
            LOCATION_HIT.name: lambda: store.overwrite(LOCATION_HIT, places),
            SCREENING.name: lambda: store.overwrite(SCREENING, screening),
            "hits": hit.count,
            "links without an involvement": stray.count,
        },
    )
    versions |= {table.name: done[table.name] for table in (HIT_LINK, LOCATION_HIT, SCREENING)}
    stage.counts["hits"] = done["hits"]
    stage.counts["location hits"] = store.read(LOCATION_HIT, version=versions[LOCATION_HIT.name]).count()
    stage.counts["links without an involvement"] = done["links without an involvement"]
    return Done(seconds=0.0, versions=versions)


def follow(state: MainRun, stage: Stage) -> Done:
    """How every link and hit changed since the former run, and why those went that did; what was shown is kept for good.

    Raises:
        GateError: something went and nothing explains it.
    """
    run, store, former = state.run, state.run.store, state.former
    moment = Moment(run_id=run.run_id, day=run.day, former_day=former.day if former else None)
    found, before = _found(state.read), _found(state.before)
    kept = side_by_side(
        run.spark,
        {
            "now": partial(state.keep, "items", found.items()),
            "before": partial(state.keep, "items_before", before.items()),
        },
    )
    current, old = kept["now"], kept["before"]
    gone = state.keep("gone", gone_items(old, current))
    software = former is not None and (former.made_from.code, former.made_from.settings) != (
        state.inputs.code,
        state.inputs.settings,
    )
    reasons = withdrawal_reasons(
        gone,
        _estate(state.before),
        _estate(state.read),
        negated=state.read(NEGATED_LINK),
        model_changed=former is not None and former.made_from.model != state.inputs.model,
        software_changed=software,
    )
    why = state.keep("why", reasons) if not gone.isEmpty() else state.rows(_WHY, [])
    if unexplained := why.where("withdrawal_reason is null").count():
        raise GateError(
            f"item: {unexplained} links or hits of the former run are gone, and nothing says why; nothing was published"
        )
    versions = {ITEM.name: store.overwrite(ITEM, tell_items(state.before(ITEM), old, current, why, moment=moment))}
    items = store.read(ITEM, version=versions[ITEM.name])
    added = history_rows(items, before, found, moment=moment)
    versions |= side_by_side(
        run.spark,
        {
            contract.name: partial(store.add, contract, rows, onto=state.stood(contract))
            for contract, rows in added.items()
        }
        | {BASELINE.name: partial(store.overwrite, BASELINE, _baseline(state))},
    )
    today = items.where(F.col("changed_run_id") == run.run_id)
    for row in grouped(today, ["item_kind", "last_change"], "items"):
        stage.counts[f"{row['item_kind'].replace('_', ' ')}s {row['last_change']}"] = int(row["items"])
    return Done(seconds=0.0, versions=versions)


_WHY = TableContract(
    name="why", row="", key=ITEM.key, fields=tuple(f for f in ITEM.fields if f.name in (*ITEM.key, "withdrawal_reason"))
)


def _found(read: Callable[[TableContract], DataFrame]) -> Found:
    """Links and hits, as a run left them."""
    return Found(link=read(LINK), hit=read(HIT), hit_link=read(HIT_LINK), location_hit=read(LOCATION_HIT))


def _estate(read: Callable[[TableContract], DataFrame]) -> Estate:
    """What links and hits hang on, as a run left it."""
    return Estate(
        person=read(PERSON),
        event=read(EVENT),
        involvement=read(INVOLVEMENT),
        location=read(LOCATION),
        refused=read(REFUSED),
    )


def _baseline(state: MainRun) -> DataFrame:
    """BASELINE as it was; set to this day in the first run, and to a later one where the settings name it."""
    run = state.run
    known = {row["lane"]: row.asDict() for row in state.before(BASELINE).collect()}
    return state.rows(BASELINE, [_baseline_of(run, lane, known.get(lane.value)) for lane in Lane])


def _baseline_of(run: RunContext, lane: Lane, known: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A row of BASELINE. A day that is still to come holds from that day on."""
    named = getattr(run.settings.baseline, lane.value)
    if known is not None and (named is None or not known["baseline_day"] < named <= run.day):
        return known
    return {"lane": lane.value, "baseline_day": named if known is not None else run.day, "run_id": run.run_id}


MADE_ANEW = (FEED_STATE, SCORED_PAIR, NEGATED_LINK, LINK, HIT, HIT_LINK, LOCATION_HIT, SCREENING, *LIFECYCLE)
"""Tables that every run writes whole, a daily one too."""

CHECKED = (*STANDARDISED, FEED_PRINT, FREQUENCY, REFINED_KEY, *MADE_ANEW)
"""The tables whose keys and nulls are looked at before publishing."""


def check(state: MainRun, stage: Stage) -> Done:
    """Keys, nulls, reconciliation and gates of a run that wrote every table; every fault is reported at once."""
    return check_tables(state, stage, [(table, state.read(table)) for table in CHECKED])


def check_tables(state: MainRun, stage: Stage, tables: Sequence[tuple[TableContract, DataFrame]]) -> Done:
    """Keys and nulls of some tables or parts of tables, reconciliation and gates of the whole; every fault is reported at once."""
    gates = state.run.settings.gates
    faults = [*state.saved.done["screen"].notes["canaries missed"], *checks.all_table_faults(tables)]
    sources = reconciled(state)
    faults += checks.source_faults(sources, gates)
    link_count = sum(n for name, n in state.saved.done["decide"].counts.items() if name.startswith("links of tier"))
    screened = state.read(SCREENING).where("screened").count()
    faults += checks.volume_faults(links=link_count, screened=screened, gates=gates)
    stage.counts["involvements with an unmapped role"] = state.read(INVOLVEMENT).where("not role_mapped").count()
    stage.counts["tables"] = len(tables)
    stage.counts["faults"] = len(faults)
    checks.stop_if(faults)
    return Done(seconds=0.0, notes={"sources": sources})


def reconciled(state: MainRun) -> list[SourceFigures]:
    """Rows in, out and refused, per source and canonical table; of rows in what the stage standardise noted."""
    canonical = [
        state.read(contract).select("source_system", F.lit(contract.name).alias("produces"))
        for contract in (PERSON, EVENT, INVOLVEMENT, LOCATION, PERSON_IDENTIFIER)
    ]
    together = reduce(DataFrame.unionByName, canonical)
    rows_out = {
        (row["source_system"], row["produces"]): row["rows"]
        for row in grouped(together, ["source_system", "produces"], "rows")
    }
    rows_out[(SourceSystem.HR.value, ASSIGNMENT.name)] = state.read(ASSIGNMENT).count()
    refused = grouped(state.read(REFUSED), ["source_system", "produces", "reason"], "rows")
    not_screened = not_screened_counts(state.read(PERSON))
    noted = state.saved.done["standardise"].notes["rows_in"]
    rows_in: Mapping[tuple[str, str, str], int] = {(source, feed, table): rows for source, feed, table, rows in noted}
    return checks.reconcile(rows_in, rows_out, refused, not_screened)
