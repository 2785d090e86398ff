"""The whole history in one run: feeds in, explained hits out, published only when everything holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, SourceError
from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.flows.screen import link, screen
from linkage_spark.hits.build import build_hits, links_without_involvement
from linkage_spark.hits.locations import build_location_hits
from linkage_spark.hits.screening import build_screening
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules, refined_hmacs
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.runs import checks, publishing
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext, clear_work, made_from, open_run
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.figures import grouped, not_screened_counts
from linkage_spark.runs.manifest import GoodRun, MadeFrom, drop_unfinished, last_good_run
from linkage_spark.runs.models import frozen_with, is_shipped, is_trained
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reading import faults_in_words, persisted, read_sources
from linkage_spark.runs.stages import run_stage
from linkage_spark.settings.sources import feeds_of
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
from linkage_spark.tables.enums import RunKind, SourceSystem, Tier
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import BLOCKING_AUDIT, FREQUENCY, LINK, LINKAGE, REFINED_KEY, RULE_PRICE
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, RESULTS, SCREENING
from linkage_spark.tables.training import TRAINED_FREQUENCY, TRAINED_REFINED_KEY

STANDARDISED: tuple[TableContract, ...] = (*CANONICAL, PERSON_IDENTIFIER)
"""What standardising writes. Of these PERSON_IDENTIFIER is for the job nominals; no stage of this one reads its numbers."""

ALL_TABLES: tuple[TableContract, ...] = (*STANDARDISED, *LINKAGE, *RESULTS)


def run_backfill(*, feeds_root: str, root: str) -> int:
    """Open everything, hold the lock, run.

    Args:
        feeds_root: folder under which the mappings' relative paths lie.
        root: output root.

    Returns:
        0: published, or nothing had changed.

    Raises:
        LinkageError: any of its classes; nothing was published then.
    """
    with open_run(RunKind.BACKFILL, feeds_root=feeds_root, root=root) as run:
        backfill(run)
    return 0


def backfill(run: RunContext) -> None:
    """One backfill under the lock.

    Raises:
        LinkageError: the run failed; nothing was published, and a failed RUN row says so.
    """
    for doubt in run.model.doubts:
        run.progress.say(f"model {run.model.id}: its probabilities are weak: {doubt}")
    good = last_good_run(run.store)
    of_model = last_good_run(run.store, model_id=run.model.id)
    _refuse_edited_model(run, of_model)
    publishing.repair_current_run(run, good)
    inputs = made_from(run)
    if good is not None and good.made_from == inputs:
        clear_work(run)
        publishing.record_unchanged(run, good=good, made_from=inputs)
        return
    saved = _take_up_work(run, good, inputs)
    try:
        for name, work in _STAGES.items():
            run_stage(run.progress, saved, name, partial(work, run, saved, of_model))
        published = publishing.publish(run, saved, good=good, made_from=inputs)
    except Exception as error:
        publishing.record_failure(run, good=good, made_from=inputs, error=error)
        raise
    # RUN has switched: whatever fails from here on is mended by the next start, and no failure of the run.
    publishing.show(run, published)
    clear_work(run)


def _take_up_work(run: RunContext, good: GoodRun | None, inputs: MadeFrom) -> Checkpoints:
    """Go on with an interrupted run made from the same inputs; else put back and remove what it left."""
    saved, left = Checkpoints.open(run.files, run.work, run_id=run.run_id, fingerprint=inputs.digest)
    if left == saved.run_id:
        run.run_id = saved.run_id
        run.progress.say(f"going on with run {saved.run_id}, stopped after: {', '.join(saved.done) or 'its start'}")
    elif left is not None and (good is None or left not in (good.run_id, good.shown_run_id)):
        publishing.forget(run, left)
    if not saved.done:
        drop_unfinished(run.store, ALL_TABLES, good.versions if good else {}, run.progress.say)
    return saved


def _refuse_edited_model(run: RunContext, good: GoodRun | None) -> None:
    """A model id means one model for good: its refined keys and frequencies are frozen under it."""
    if good and good.made_from.model != run.model.fingerprint:
        raise SettingsError(
            f"model {run.model.id} differs from the model that run {good.run_id} used under this id; "
            "a released model is never edited: put the old file back, or give the new one a new id"
        )


def _read(run: RunContext, saved: Checkpoints, contract: TableContract) -> DataFrame:
    """A table as an earlier stage of this run left it."""
    return run.store.read(contract, version=saved.versions[contract.name])


def _persons(run: RunContext, saved: Checkpoints) -> tuple[DataFrame, DataFrame]:
    """The roster, and the history."""
    person = _read(run, saved, PERSON)
    of_hr = F.col("source_system") == SourceSystem.HR.value
    return person.where(of_hr), person.where(~of_hr)


# ---- stages ------------------------------------------------------------------------------------------------


def _standardise(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """Every feed into the canonical tables.

    Raises:
        SourceError: a feed changed while it was being read, so its tables might not belong together.
    """
    versions = {}
    with faults_in_words(feeds_of(run.sources), run.feeds_root):
        standard, rows_in = read_sources(run)
        stage.counts["rows in"] = sum(rows_in.values())
        with persisted(standard.judged):
            for contract in STANDARDISED:
                versions[contract.name] = run.store.overwrite(contract, getattr(standard, contract.name))
                run.progress.say(f"  {contract.name} written")
    if made_from(run).digest != saved.fingerprint:
        raise SourceError("a feed changed while it was being read; start again when its delivery has ended")
    return Done(seconds=0.0, versions=versions, notes={"rows_in": [[*part, rows] for part, rows in rows_in.items()]})


def _freeze(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """Refined keys and frequencies: counted once per model id over the whole history, then kept; a trained model has its own.

    The counting also prices every rule before the join, on every run. ``good`` is the last good run of this
    very model, which another model's runs may have followed.
    """
    roster, history = _persons(run, saved)
    counts = count_keys(history, roster, model=run.model).collect()
    stage.counts["pairs expected"] = sum(int(row["pairs"]) for row in counts)
    chosen = choose_refined(counts, model=run.model, secret=run.secret)
    versions = {BLOCKING_AUDIT.name: run.store.overwrite(BLOCKING_AUDIT, _rows(run, BLOCKING_AUDIT, chosen.audit))}
    if good is not None:
        versions |= {table.name: good.versions[table.name] for table in (REFINED_KEY, FREQUENCY)}
    elif not is_shipped(conf_dir(), run.model.id) and is_trained(run.store, run.model.id):
        for table, kept in ((REFINED_KEY, TRAINED_REFINED_KEY), (FREQUENCY, TRAINED_FREQUENCY)):
            versions[table.name] = run.store.overwrite(table, frozen_with(run.store, kept, run.model.id))
    if REFINED_KEY.name in versions:
        heavier = {row["key_hmac"] for row in chosen.refined} - refined_hmacs(_refined_rows(run, versions))
        stage.counts["keys grown past the cap since the freeze"] = len(heavier)
    else:
        versions[REFINED_KEY.name] = run.store.overwrite(REFINED_KEY, _rows(run, REFINED_KEY, chosen.refined))
        counted = count_frequencies(history, min_bearers=run.model.limits.min_bearers)
        frequencies = FREQUENCY.conform(counted.withColumn("model_id", F.lit(run.model.id)))
        versions[FREQUENCY.name] = run.store.overwrite(FREQUENCY, frequencies)
    stage.counts["refined keys"] = len(_refined_rows(run, versions))
    prices = [{name: int(row[name]) for name in ("rule_no", "history_rows", "roster_rows", "pairs")} for row in counts]
    return Done(seconds=0.0, versions=versions, notes={"prices": prices})


def _rows(run: RunContext, contract: TableContract, rows: Any) -> DataFrame:
    """Driver rows as a frame of a contract."""
    values = [tuple(row[name] for name in contract.names) for row in rows]
    return local_frame(run.spark, values, schema=contract.schema)


def _refined_rows(run: RunContext, versions: Mapping[str, int]) -> list[Any]:
    """The refined keys in force."""
    return list(run.store.read(REFINED_KEY, version=versions[REFINED_KEY.name]).collect())


def _screen(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """One scan of history against the broadcast roster, scored, into the run's work folder."""
    roster, history = _persons(run, saved)
    refined = _refined_rows(run, saved.versions)
    frequencies = Frequencies.from_rows(row.asDict() for row in _read(run, saved, FREQUENCY).collect())
    observation = Observation("screen")
    scored = screen(
        roster,
        history,
        model=run.model,
        refined=refined_hmacs(refined),
        frequencies=frequencies,
        names=run.reference.names,
        secret=run.secret,
        observation=observation,
    )
    scored.write.mode("overwrite").parquet(f"{run.work}/scored")
    observed = {name: int(value or 0) for name, value in observation.get.items()}
    prices = price_rules(saved.done["freeze model"].notes["prices"], observed, model=run.model, refined=refined)
    version = run.store.overwrite(RULE_PRICE, _rows(run, RULE_PRICE, prices))
    stage.counts["candidate pairs"] = observed["pairs_first"]
    stage.counts["of these settled by the gate"] = observed["pairs_gated"]
    stage.counts["scored above the floor"] = run.spark.read.parquet(f"{run.work}/scored").count()
    return Done(seconds=0.0, versions={RULE_PRICE.name: version})


def _decide(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """Best pair of variants, rivals, policy, sentence."""
    scored = run.spark.read.parquet(f"{run.work}/scored")
    shown = link(scored, model=run.model, secret=run.secret).where(F.col("tier") != Tier.NON_MATCH.value)
    version = run.store.overwrite(LINK, shown)
    for row in run.store.read(LINK, version=version).groupBy("tier").count().orderBy("tier").collect():
        stage.counts[f"links of tier {row['tier']}"] = row["count"]
    return Done(seconds=0.0, versions={LINK.name: version})


def _hits(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """Links and involvements into hits; homes and incidents into location hits; who was screened."""
    links, involvement = _read(run, saved, LINK), _read(run, saved, INVOLVEMENT)
    event, employee = _read(run, saved, EVENT), _read(run, saved, EMPLOYEE)
    roster, _ = _persons(run, saved)
    caveat = run.wording.coverage_caveat
    built = build_hits(links, involvement, event, employee, caveat=caveat)
    versions = {HIT.name: run.store.overwrite(HIT, built.hit)}
    versions[HIT_LINK.name] = run.store.overwrite(HIT_LINK, built.hit_link)
    hit = run.store.read(HIT, version=versions[HIT.name])
    places = build_location_hits(roster, _read(run, saved, LOCATION), event, employee, hit, caveat=caveat)
    versions[LOCATION_HIT.name] = run.store.overwrite(LOCATION_HIT, places)
    screening = build_screening(roster, _read(run, saved, REFUSED), hit)
    versions[SCREENING.name] = run.store.overwrite(SCREENING, screening)
    stage.counts["hits"] = hit.count()
    stage.counts["location hits"] = run.store.read(LOCATION_HIT, version=versions[LOCATION_HIT.name]).count()
    stage.counts["links without an involvement"] = links_without_involvement(links, involvement).count()
    return Done(seconds=0.0, versions=versions)


def _check(run: RunContext, saved: Checkpoints, good: GoodRun | None, stage: Stage) -> Done:
    """Keys, nulls, reconciliation and gates; every fault is reported at once."""
    checked = (*STANDARDISED, FREQUENCY, REFINED_KEY, LINK, HIT, HIT_LINK, LOCATION_HIT, SCREENING)
    faults = checks.all_table_faults([(table, _read(run, saved, table)) for table in checked])
    sources = _reconciled(run, saved)
    faults += checks.source_faults(sources, run.settings.gates)
    link_count = sum(n for name, n in saved.done["decide"].counts.items() if name.startswith("links of tier"))
    screened = _read(run, saved, SCREENING).where("screened").count()
    faults += checks.volume_faults(links=link_count, screened=screened, gates=run.settings.gates)
    stage.counts["involvements with an unmapped role"] = _read(run, saved, INVOLVEMENT).where("not role_mapped").count()
    stage.counts["tables"] = len(checked)
    stage.counts["faults"] = len(faults)
    checks.stop_if(faults)
    return Done(seconds=0.0, notes={"sources": sources})


def _reconciled(run: RunContext, saved: Checkpoints) -> list[SourceFigures]:
    """Rows in, out and refused, per source and canonical table."""
    canonical = [
        _read(run, saved, contract).select("source_system", F.lit(contract.name).alias("produces"))
        for contract in (PERSON, EVENT, INVOLVEMENT, LOCATION, PERSON_IDENTIFIER)
    ]
    together = reduce(DataFrame.unionByName, canonical)
    rows_out = {
        (row["source_system"], row["produces"]): row["rows"]
        for row in grouped(together, ["source_system", "produces"], "rows")
    }
    rows_out[(SourceSystem.HR.value, ASSIGNMENT.name)] = _read(run, saved, ASSIGNMENT).count()
    refused = grouped(_read(run, saved, REFUSED), ["source_system", "produces", "reason"], "rows")
    not_screened = not_screened_counts(_read(run, saved, PERSON))
    noted = saved.done["standardise"].notes["rows_in"]
    rows_in = {(source, feed, table): rows for source, feed, table, rows in noted}
    return checks.reconcile(rows_in, rows_out, refused, not_screened)


_STAGES: Mapping[str, Callable[[RunContext, Checkpoints, GoodRun | None, Stage], Done]] = {
    "standardise": _standardise,
    "freeze model": _freeze,
    "screen": _screen,
    "decide": _decide,
    "hits": _hits,
    "check": _check,
}
