"""A model in shadow: what readers would see with it, beside what they see; nothing is published, and nothing is put into use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.hits.build import build_hits
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys, refined_hmacs
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.report.shadow import shadow_page
from linkage_spark.runs import publishing
from linkage_spark.runs.approval import approve
from linkage_spark.runs.context import RunContext, emptied, open_run
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.figures import dict_rows
from linkage_spark.runs.manifest import GoodRun, last_good_run, write_run
from linkage_spark.runs.models import frozen_with, is_shipped, is_trained
from linkage_spark.runs.rescreen import Frozen, as_judged, keep, screen_again
from linkage_spark.tables.canonical import EMPLOYEE, EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import RunKind, RunStatus, SourceSystem, Tier
from linkage_spark.tables.governance import MODEL_TRIAL
from linkage_spark.tables.linkage import FREQUENCY, REFINED_KEY
from linkage_spark.tables.results import HIT
from linkage_spark.tables.training import TRAINED_FREQUENCY, TRAINED_REFINED_KEY

SAMPLE: Final = 20
"""Hits gained and hits lost that the report shows to be read, of each so many."""

_SHOWN: Final = (
    *("hit_id", "employee_id", "source_system", "person_ref", "event_ref", "role", "lane", "tier", "match_weight"),
    *("policy_reason", "explanation"),
)


def run_shadow(*, root: str, model_id: str, approver: str | None = None, reference: str | None = None) -> int:
    """Try a model on the records of the last good run; or, with an approver, note that it may be put into use.

    Args:
        root: output root.
        model_id: a shipped or a trained model.
        approver: who approves it; None: it is tried.
        reference: where the approval is recorded.

    Returns:
        0: tried, or noted.

    Raises:
        UsageError: nothing has been published there, the model is in use, or it was never tried.
        SettingsError: there is no such model.
    """
    with open_run(RunKind.SHADOW, feeds_root=root, root=root, model_id=model_id) as run:
        good = last_good_run(run.store)
        if good is None:
            raise UsageError(f"--out {root}: no run has been published there; run the backfill first")
        if good.model_id == model_id:
            raise UsageError(f"--model-id {model_id}: this model is in use; name another one")
        if approver is not None:
            approve(run, approver=approver, reference=reference or "")
        else:
            try_model(run, good)
    return 0


def try_model(run: RunContext, good: GoodRun) -> None:
    """One trial under the lock."""
    with emptied(run.files, run.work, refuse=run.refuse_unless_held) as work:
        with run.progress.stage("freeze the model") as stage:
            person = _pinned(run, good, PERSON.name)
            frozen = _frozen(run, good, person)
            stage.counts["refined keys"] = len(frozen.refined)
        with run.progress.stage("screen with it"):
            judged = as_judged(run.store, good.versions)
            links = screen_again(person, frozen, work=work, with_proposed=False, change=judged).links
            shown = links.where(F.col("tier") != Tier.NON_MATCH.value)
            tables = [_pinned(run, good, table.name) for table in (INVOLVEMENT, EVENT, EMPLOYEE)]
            then = keep(build_hits(shown, *tables, caveat=run.wording.coverage_caveat).hit, f"{work}/hits")
        with run.progress.stage("hold it against what readers see") as stage:
            now = _pinned(run, good, HIT.name)
            rows = dict_rows(compare_hits(now, then).orderBy("lane", "change", "tier_now", "tier_then"))
            counts = {
                change: sum(int(row["hits"]) for row in rows if row["change"] == change)
                for change in ("gained", "lost", "changed", "same")
            }
            stage.counts |= counts
            samples = {"gained": _sample(then, now), "lost": _sample(now, then)}
        trial = _trial(run, good, counts)
        page = shadow_page(trial=trial, rows=rows, samples=samples, advisory=run.wording.advisory)
        path = f"{run.root}/reports/{run.run_id}/shadow.html"
        run.refuse_unless_held()
        run.files.write_text(path, page)
        row = tuple(trial[name] for name in MODEL_TRIAL.names)
        run.store.append(MODEL_TRIAL, local_frame(run.spark, [row], schema=MODEL_TRIAL.schema))
        _record(run, good)
    print(
        f"\nWith {run.model.id} readers would see {trial['hits_then']:,} hits; with {good.model_id} they see {trial['hits_now']:,}: "
        f"{counts['gained']:,} gained, {counts['lost']:,} lost, {counts['changed']:,} in another tier.\n"
        f"Report with a sample to read: {path}\n"
        f"To put it into use: have it read, run this again with --approver and --reference, set screening.model_id, run the backfill."
        f"\n\n{run.wording.advisory}",
        flush=True,
    )
    publishing.say_last(run, RunStatus.SHADOWED, good.shown_run_id, counts)


def compare_hits(now: DataFrame, then: DataFrame) -> DataFrame:
    """Hits of two models over the same records: ``lane``, ``change``, ``tier_now``, ``tier_then``, ``hits``.

    Args:
        now: HIT of the model in use.
        then: HIT of the other.
    """
    sides = [
        frame.select("hit_id", F.col("lane").alias(f"lane_{side}"), F.col("tier").alias(f"tier_{side}"))
        for frame, side in ((now, "now"), (then, "then"))
    ]
    both = sides[0].join(sides[1], on=["hit_id"], how="full")
    change = (
        F.when(F.col("tier_now").isNull(), F.lit("gained"))
        .when(F.col("tier_then").isNull(), F.lit("lost"))
        .when(F.col("tier_now") != F.col("tier_then"), F.lit("changed"))
        .otherwise(F.lit("same"))
    )
    told = both.select(
        F.coalesce("lane_now", "lane_then").alias("lane"), change.alias("change"), "tier_now", "tier_then"
    )
    return told.groupBy("lane", "change", "tier_now", "tier_then").agg(F.count(F.lit(1)).alias("hits"))


def _sample(of: DataFrame, beside: DataFrame) -> list[dict[str, Any]]:
    """Some of the hits that the other model does not give; the same ones whenever it is asked."""
    alone = of.join(beside.select("hit_id"), on=["hit_id"], how="left_anti")
    return dict_rows(alone.select(*_SHOWN).orderBy(F.xxhash64("hit_id"), "hit_id").limit(SAMPLE))


def _frozen(run: RunContext, good: GoodRun, person: DataFrame) -> Frozen:
    """The model with its refined keys and frequencies: those it has, else counted on these records, as its first run would."""
    of_model = last_good_run(run.store, model_id=run.model.id)
    refined: Iterable[Any]
    if of_model is not None:
        refined = _pinned(run, of_model, REFINED_KEY.name).collect()
        frequency = _pinned(run, of_model, FREQUENCY.name)
    elif not is_shipped(conf_dir(), run.model.id) and is_trained(run.store, run.model.id):
        refined = frozen_with(run.store, TRAINED_REFINED_KEY, run.model.id).collect()
        frequency = frozen_with(run.store, TRAINED_FREQUENCY, run.model.id)
    else:
        of_hr = F.col("source_system") == SourceSystem.HR.value
        counted = count_keys(person.where(~of_hr), person.where(of_hr), model=run.model).collect()
        refined = choose_refined(counted, model=run.model, secret=run.secret).refined
        frequency = count_frequencies(person.where(~of_hr), min_bearers=run.model.limits.min_bearers)
    return Frozen(
        model=run.model,
        refined=refined_hmacs(refined),
        frequencies=Frequencies.from_rows(row.asDict() for row in frequency.collect()),
        names=run.reference.names,
        secret=run.secret,
    )


def _pinned(run: RunContext, good: GoodRun, name: str) -> DataFrame:
    """One table as a run left it."""
    tables = {table.name: table for table in (PERSON, INVOLVEMENT, EVENT, EMPLOYEE, HIT, REFINED_KEY, FREQUENCY)}
    return run.store.read(tables[name], version=good.versions[name])


def _trial(run: RunContext, good: GoodRun, counts: Mapping[str, int]) -> dict[str, Any]:
    """A row of MODEL_TRIAL."""
    return {
        "run_id": run.run_id,
        "model_id": run.model.id,
        "model_fingerprint": run.model.fingerprint,
        "against_model_id": good.model_id,
        "against_run_id": good.run_id,
        "tried_at": datetime.now(tz=UTC),
        "hits_now": counts["lost"] + counts["changed"] + counts["same"],
        "hits_then": counts["gained"] + counts["changed"] + counts["same"],
        **{name: counts[name] for name in ("gained", "lost", "changed")},
    }


def _record(run: RunContext, good: GoodRun) -> None:
    """RUN's row of a trial: readers go on seeing what they see."""
    row = publishing.run_row(
        run,
        good.made_from,
        status=RunStatus.SHADOWED,
        shown_run_id=good.shown_run_id,
        versions={},
        counts_json="{}",
        finished_at=datetime.now(tz=UTC),
    )
    run.refuse_unless_held()
    write_run(run.store, {**row, "model_fingerprint": run.model.fingerprint, "run_day": good.day})
