"""The whole history in one run: feeds in, explained hits out, published only when everything holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from pyspark.sql import Observation
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, SourceError
from linkage_spark.flows.screen import screen
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules, refined_hmacs
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.runs import publishing
from linkage_spark.runs.approval import refuse_unapproved_model
from linkage_spark.runs.canaries import canaries_digest, missed, refuse_without_canaries, release, screened_alone
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.context import RunContext, clear_work, made_from, open_run
from linkage_spark.runs.day_gates import GATES, hold_gates
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.feed_states import feed_states, known_states, prints_of, remembered, unrecorded_changes
from linkage_spark.runs.main_stages import (
    ALL_TABLES,
    STANDARDISED,
    MainRun,
    check,
    decide,
    follow,
    hits,
)
from linkage_spark.runs.manifest import GoodRun, MadeFrom, fingerprint, last_good_run
from linkage_spark.runs.models import frozen_with, is_shipped, is_trained
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reading import changes_unwritten, faults_in_words, persisted, read_sources, rows_in
from linkage_spark.runs.reviewers_words import DECIDE, forget_other_words, refuse_faulty_words
from linkage_spark.runs.stages import run_stage
from linkage_spark.runs.taking_up import take_up_work
from linkage_spark.settings.sources import feeds_of
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.changes import FEED_PRINT, FEED_STATE
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.linkage import BLOCKING_AUDIT, FREQUENCY, REFINED_KEY, RULE_PRICE
from linkage_spark.tables.review import LINK_JUDGEMENT
from linkage_spark.tables.training import TRAINED_FREQUENCY, TRAINED_REFINED_KEY


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
        GateError: reviewers' words that no run may use; or a stage found what must not be published.
        LinkageError: the run failed; nothing was published, and a failed RUN row says so.
    """
    for doubt in run.model.doubts:
        run.progress.say(f"model {run.model.id}: its probabilities are weak: {doubt}")
    good = last_good_run(run.store)
    of_model = last_good_run(run.store, model_id=run.model.id)
    refuse_edited_model(run, of_model)
    refuse_unapproved_model(run, good)
    publishing.repair_current_run(run, good)
    inputs = made_from(run)
    judged = run.store.version(LINK_JUDGEMENT)
    as_said = good is not None and good.versions.get(LINK_JUDGEMENT.name) == judged
    if good is not None and good.made_from == inputs and as_said and not changes_unwritten(run, good):
        clear_work(run)
        publishing.record_unchanged(run, good=good, made_from=inputs)
        return
    _refuse_words(run, judged, good=good, inputs=inputs)
    refuse_without_canaries(run)
    pinned = {ALL_TABLES: good.versions if good else {}}
    # What it found of links and hits it added to what the last good run had told of them.
    before = good.run_id if good else "nothing"
    stands_on = fingerprint({"inputs": inputs.digest, "good": before, "canaries": canaries_digest(run)})
    saved = take_up_work(run, fingerprint=stands_on, pinned=pinned)
    forget_other_words(run, saved, judged)
    state = MainRun(run=run, inputs=inputs, saved=saved, former=good, of_model=of_model, judged_at_version=judged)
    try:
        for name, work in _STAGES.items():
            run_stage(run.progress, saved, name, partial(work, state))
        run_stage(run.progress, saved, GATES, partial(hold_gates, state, None))
        published = publishing.publish(run, saved, versions=state.versions, good=good, made_from=inputs)
    except Exception as error:
        publishing.record_failure(run, good=good, made_from=inputs, error=error)
        raise
    # RUN has switched: whatever fails from here on is mended by the next start, and no failure of the run.
    publishing.show(run, published)
    clear_work(run)


def _refuse_words(run: RunContext, judged: int | None, *, good: GoodRun | None, inputs: MadeFrom) -> None:
    """``refuse_faulty_words``, and RUN tells of it as of any failure."""
    try:
        refuse_faulty_words(run, judged)
    except Exception as error:
        publishing.record_failure(run, good=good, made_from=inputs, error=error)
        raise


def refuse_edited_model(run: RunContext, good: GoodRun | None) -> None:
    """A model id means one model for good: its refined keys and frequencies are frozen under it."""
    if good and good.made_from.model != run.model.fingerprint:
        raise SettingsError(
            f"model {run.model.id} differs from the model that run {good.run_id} used under this id; "
            "a released model is never edited: put the old file back, or give the new one a new id"
        )


# ---- stages ------------------------------------------------------------------------------------------------


def _standardise(state: MainRun, stage: Stage) -> Done:
    """Every feed into the canonical tables, and what is remembered of it for the days to come.

    Raises:
        SourceError: a feed changed while it was being read, so its tables might not belong together.
    """
    run, store, versions = state.run, state.run.store, {}
    with faults_in_words(feeds_of(run.sources), run.feeds_root):
        frames = state.frames
        for fault in unrecorded_changes(run.spark, run.sources, run.feeds_root, there=frames):
            run.progress.say(f"  warning: {fault}")
        states = feed_states(run, frames)
        standard, counted = read_sources(run, frames)
        parts = rows_in(run, counted)
        stage.counts["rows in"] = sum(rows for *_, rows in parts)
        with persisted(standard.judged):
            for contract in STANDARDISED:
                versions[contract.name] = store.overwrite(contract, getattr(standard, contract.name))
                run.progress.say(f"  {contract.name} written")
        versions[FEED_PRINT.name] = store.overwrite(FEED_PRINT, prints_of(run, frames))
        told = remembered(states, counted, known_states(state.before(FEED_STATE)), run.day)
        versions[FEED_STATE.name] = store.overwrite(FEED_STATE, state.rows(FEED_STATE, told))
    if made_from(run) != state.inputs:
        raise SourceError("a feed changed while it was being read; start again when its delivery has ended")
    return Done(seconds=0.0, versions=versions, notes={"rows_in": parts})


def _freeze(state: MainRun, stage: Stage) -> Done:
    """Refined keys and frequencies: counted once per model id over the whole history, then kept; a trained model has its own.

    The counting also prices every rule before the join, on every run.
    """
    run, store, good = state.run, state.run.store, state.of_model
    counts = count_keys(state.history, state.roster, model=run.model).collect()
    stage.counts["pairs expected"] = sum(int(row["pairs"]) for row in counts)
    chosen = choose_refined(counts, model=run.model, secret=run.secret)
    versions = {BLOCKING_AUDIT.name: store.overwrite(BLOCKING_AUDIT, state.rows(BLOCKING_AUDIT, chosen.audit))}
    if good is not None:
        versions |= {table.name: good.versions[table.name] for table in (REFINED_KEY, FREQUENCY)}
    elif not is_shipped(conf_dir(), run.model.id) and is_trained(store, run.model.id):
        for table, kept in ((REFINED_KEY, TRAINED_REFINED_KEY), (FREQUENCY, TRAINED_FREQUENCY)):
            versions[table.name] = store.overwrite(table, frozen_with(store, kept, run.model.id))
    if REFINED_KEY.name in versions:
        kept_rows = store.read(REFINED_KEY, version=versions[REFINED_KEY.name]).collect()
        heavier = {row["key_hmac"] for row in chosen.refined} - refined_hmacs(kept_rows)
        stage.counts["keys grown past the cap since the freeze"] = len(heavier)
        refined_keys = len(kept_rows)
    else:
        versions[REFINED_KEY.name] = store.overwrite(REFINED_KEY, state.rows(REFINED_KEY, chosen.refined))
        refined_keys = len(chosen.refined)
        counted = count_frequencies(state.history, min_bearers=run.model.limits.min_bearers)
        frequencies = FREQUENCY.conform(counted.withColumn("model_id", F.lit(run.model.id)))
        versions[FREQUENCY.name] = store.overwrite(FREQUENCY, frequencies)
    stage.counts["refined keys"] = refined_keys
    prices = [{name: int(row[name]) for name in ("rule_no", "history_rows", "roster_rows", "pairs")} for row in counts]
    return Done(seconds=0.0, versions=versions, notes={"prices": prices})


def _screen(state: MainRun, stage: Stage) -> Done:
    """One scan of history against the broadcast roster, scored; canaries likewise, beside it."""
    run, store = state.run, state.run.store
    observation = Observation("screen")
    scored = screen(
        state.roster,
        state.history,
        model=run.model,
        refined=refined_hmacs(state.refined),
        frequencies=state.frequencies,
        names=run.reference.names,
        secret=run.secret,
        observation=observation,
    )
    versions = {SCORED_PAIR.name: store.overwrite(SCORED_PAIR, scored)}
    flock = release(run, state.frames)
    alone = screened_alone(run, flock, refined=refined_hmacs(state.refined), frequencies=state.frequencies)
    lost = missed(run, flock, alone)
    observed = {name: int(value or 0) for name, value in observation.get.items()}
    noted = state.saved.done["freeze model"].notes["prices"]
    prices = price_rules(noted, observed, model=run.model, refined=state.refined)
    versions[RULE_PRICE.name] = store.overwrite(RULE_PRICE, state.rows(RULE_PRICE, prices))
    stage.counts["candidate pairs"] = observed["pairs_first"]
    stage.counts["of these settled by the gate"] = observed["pairs_gated"]
    stage.counts["scored above the floor"] = store.read(SCORED_PAIR, version=versions[SCORED_PAIR.name]).count()
    stage.counts["canaries found"] = len(flock.canaries) - len(lost)
    return Done(seconds=0.0, versions=versions, notes={"canaries missed": lost})


_STAGES: Mapping[str, Callable[[MainRun, Stage], Done]] = {
    "standardise": _standardise,
    "freeze model": _freeze,
    "screen": _screen,
    DECIDE: decide,
    "hits": hits,
    "follow": follow,
    "check": check,
}
