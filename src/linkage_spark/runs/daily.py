"""One day: what is new, amended or withdrawn in the feeds, looked at alone; the tables end as a run over everything would leave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.runs import daily_stages, publishing
from linkage_spark.runs.backfill import refuse_edited_model
from linkage_spark.runs.canaries import canaries_digest, refuse_without_canaries
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.context import FORCE_ZONE, RunContext, clear_work, made_from, open_run
from linkage_spark.runs.daily_nominals import nominal_part, own_run
from linkage_spark.runs.day_gates import GATES, forget_gates_of_others, hold_gates
from linkage_spark.runs.main_stages import ALL_TABLES, MainRun, decide, follow, hits
from linkage_spark.runs.manifest import GoodRun, MadeFrom, fingerprint, last_good_run
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reading import changes_unwritten
from linkage_spark.runs.reviewers_words import DECIDE, forget_other_words, refuse_faulty_words
from linkage_spark.runs.stages import run_stage
from linkage_spark.runs.taking_up import take_up_work
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.nominals import NOMINALS
from linkage_spark.tables.review import LINK_JUDGEMENT


def run_daily(*, feeds_root: str, root: str, day: date | None = None) -> int:
    """Open everything, hold the lock, take the day.

    Args:
        feeds_root: folder under which the mappings' relative paths lie.
        root: output root of the backfill.
        day: the day that the run is for; None: today in Europe/London.

    Returns:
        0: published, or nothing had changed.

    Raises:
        UsageError: the day is still to come.
        LinkageError: any other of its classes; nothing was published then.
    """
    with open_run(RunKind.DAILY, feeds_root=feeds_root, root=root, day=day) as run:
        _refuse_day_to_come(run)
        daily(run)
    return 0


def _refuse_day_to_come(run: RunContext) -> None:
    """A year mistyped would dispose of what its sources still keep, and leave no day for the nights to come."""
    today = run.started_at.astimezone(FORCE_ZONE).date()
    if run.day > today + timedelta(days=1):
        raise UsageError(f"--date {run.day}: this day is still to come; a run may be for tomorrow at most")


def daily(run: RunContext) -> None:
    """One daily run under the lock.

    Raises:
        UsageError: nothing has been published under the root, or the day lies before that of the last good run.
        SettingsError: model, mappings, settings or software are others than those of the last good run.
        GateError: reviewers' words that no run may use; or a stage found what must not be published.
        LinkageError: the run failed; nothing was published, and a failed RUN row says so.
    """
    good = last_good_run(run.store)
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there; run the backfill first")
    inputs = made_from(run)
    _refuse_earlier_day(run, good)
    try:
        refuse_edited_model(run, last_good_run(run.store, model_id=run.model.id))
        _refuse_other_ground(good, inputs)
        publishing.repair_current_run(run, good)
        part = nominal_part(run)
        judged = run.store.version(LINK_JUDGEMENT)
        as_said = good.versions.get(LINK_JUDGEMENT.name) == judged
        as_it_was = good.made_from == inputs and as_said and (part is None or part.is_as_it_was(run, good))
        if as_it_was and not changes_unwritten(run, good):
            clear_work(run)
            if part is not None:
                clear_work(own_run(run))
            publishing.record_unchanged(run, good=good, made_from=inputs)
            return
        refuse_faulty_words(run, judged)
        refuse_without_canaries(run)
    except Exception as error:
        publishing.record_failure(run, good=good, made_from=inputs, error=error)
        raise
    stands_on = fingerprint(
        {
            "inputs": inputs.digest,
            "good": good.run_id,
            "day": run.day.isoformat(),
            "canaries": canaries_digest(run),
        }
    )
    pinned = {ALL_TABLES: good.versions, **({NOMINALS: part.former.good.versions} if part is not None else {})}
    saved = take_up_work(run, fingerprint=stands_on, pinned=pinned)
    forget_other_words(run, saved, judged)
    state = MainRun(
        run=run,
        inputs=inputs,
        saved=saved,
        former=good,
        of_model=good,
        judged_at_version=judged,
        stands_on=good.versions,
    )
    try:
        for name, work in _STAGES.items():
            run_stage(run.progress, saved, name, partial(work, state))
        made = part.make(state, good) if part is not None else None
        nominals = made.state if made is not None else None
        forget_gates_of_others(saved, nominals)
        run_stage(run.progress, saved, GATES, partial(hold_gates, state, nominals))
        published = publishing.publish(
            run,
            saved,
            versions={**state.versions, **(made.versions if made is not None else {})},
            good=good,
            made_from=inputs,
            add=made.add if made is not None else None,
        )
    except Exception as error:
        publishing.record_failure(run, good=good, made_from=inputs, error=error)
        raise
    publishing.show(run, published)
    if made is not None:
        clear_work(made.state.run)
    clear_work(run)


def _refuse_earlier_day(run: RunContext, good: GoodRun) -> None:
    """A day takes the feeds as they stand now."""
    if run.day < good.day:
        raise UsageError(
            f"--date {run.day}: run {good.run_id} was for {good.day}; a day takes the feeds as they stand now, so that none can be "
            "taken before the last one"
        )


def _refuse_other_ground(good: GoodRun, inputs: MadeFrom) -> None:
    """A day is added to what the same software made with the same settings; anything else begins with the whole history."""
    parts = (
        ("the model", good.made_from.model != inputs.model),
        ("settings, mappings or reference lists", good.made_from.settings != inputs.settings),
        ("the software", good.made_from.code != inputs.code),
    )
    changed = [name for name, is_another in parts if is_another]
    if changed:
        raise SettingsError(
            f"{' and '.join(changed)} changed since run {good.run_id}, and a day may only be added to what was made alike: run the "
            "backfill once, or put back what was changed"
        )


_STAGES: Mapping[str, Callable[[MainRun, Stage], Done]] = {
    "find changes": daily_stages.find_changes,
    "standardise": daily_stages.standardise_changes,
    "screen": daily_stages.screen_changes,
    DECIDE: decide,
    "hits": hits,
    "follow": follow,
    "check": daily_stages.check_day,
}
"""The stages of a run in their order, by name; each needs what those before it left."""
