"""Police person records → nominals: joined where name, date of birth and place agree, guarded, and published with the hits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.runs import nominal_stages, publishing
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.context import RunContext, clear_work, open_run, settings_digest
from linkage_spark.runs.day_gates import hold_nominal_gates
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.manifest import (
    ENDED_WELL,
    GoodRun,
    code_version,
    fingerprint,
    good_run,
    last_good_run,
    new_run_id,
    write_run,
)
from linkage_spark.runs.nominal_publishing import publish_nominals
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.stages import run_stage
from linkage_spark.runs.taking_up import take_up_work
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_FREQUENCY, NOMINAL_REFINED_KEY, NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import HIT, HIT_LINK, RUN
from linkage_spark.tables.review import NEGATED_LINK

_STANDS_ON = (PERSON, PERSON_IDENTIFIER, EVENT, INVOLVEMENT, LINK, NEGATED_LINK, HIT, HIT_LINK)


@dataclass(frozen=True)
class Former:
    """The last good run of this job.

    Attributes:
        good: its row of RUN.
        figures: what it noted of itself: ``run_no``, ``made_from``, ``model_id``, ``model_fingerprint``.
    """

    good: GoodRun
    figures: Mapping[str, Any]


def run_nominals(*, root: str) -> int:
    """Open everything, hold the lock, join.

    Args:
        root: output root of the backfill.

    Returns:
        0: published, or nothing had changed.

    Raises:
        LinkageError: any of its classes; nothing was published then.
    """
    model_id = load_settings(conf_dir(), environment()).nominals.model_id
    with open_run(RunKind.NOMINALS, feeds_root=root, root=root, model_id=model_id) as run:
        nominals(run)
    return 0


def nominals(run: RunContext) -> None:
    """One run of this job under the lock.

    Raises:
        UsageError: nothing has been published under the root.
        SettingsError: the model was edited under its id.
        LinkageError: the run failed; nothing was published, and a failed RUN row says so.
    """
    good, former, of_model = (
        last_good_run(run.store),
        former_nominals(run.store),
        former_nominals(run.store, run.model.id),
    )
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there; run the backfill first")
    refuse_edited_model(run, of_model)
    publishing.repair_current_run(run, good)
    judged = run.store.version(PERSON_JUDGEMENT)
    made_from = nominals_made_from(run, good, judged)
    if former is not None and former.figures["made_from"] == made_from and _is_shown(former, good):
        clear_work(run)
        _record_unchanged(run, good)
        return
    pinned = {NOMINALS: former.good.versions if former else {}}
    saved = take_up_work(run, fingerprint=made_from, pinned=pinned)
    state = NominalRun(
        run=run,
        good=good,
        saved=saved,
        former=former.good if former else None,
        run_no=next_no(former),
        judged_at_version=judged,
        frozen=frozen_versions(of_model),
        changed=None,
    )
    try:
        for name, work in STAGES.items():
            run_stage(run.progress, saved, name, partial(work, state))
        run_stage(run.progress, saved, "gates", partial(hold_nominal_gates, state))
        published = publish_nominals(state, made_from=made_from)
    except Exception as error:
        _record_failure(run, good, error)
        raise
    publishing.show(run, published)
    clear_work(run)


def former_nominals(store: DeltaStore, model_id: str | None = None) -> Former | None:
    """The last good run of this job; of one model when asked; None before the first."""
    if not store.exists(RUN):
        return None
    # A daily run makes nominals too, once this job has made the first ones; a run that found nothing new may have made others.
    told = F.get_json_object("counts_json", "$.nominals.model_id")
    made = F.get_json_object("counts_json", "$.nominals.run_id") == F.col("run_id")
    ended_well = F.col("status").isin(*ENDED_WELL)
    rows = store.read(RUN).where(ended_well & made & (F.lit(True) if model_id is None else told == F.lit(model_id)))
    last = rows.orderBy(F.desc("run_no")).limit(1).collect()
    return Former(good=good_run(last[0]), figures=json.loads(last[0]["counts_json"])["nominals"]) if last else None


def _is_shown(former: Former, good: GoodRun) -> bool:
    """Readers see that run: nobody has published since."""
    return former.good.run_id in (good.run_id, good.shown_run_id)


def frozen_versions(of_model: Former | None) -> dict[str, int]:
    """Versions of what was frozen with the model."""
    tables = (NOMINAL_FREQUENCY, NOMINAL_REFINED_KEY)
    return {table.name: of_model.good.versions[table.name] for table in tables} if of_model else {}


def next_no(former: Former | None) -> int:
    """Runs of this job are numbered from 1."""
    return 1 if former is None else int(former.figures["run_no"]) + 1


def refuse_edited_model(run: RunContext, of_model: Former | None) -> None:
    """A model id means one model for good."""
    if of_model is not None and of_model.figures["model_fingerprint"] != run.model.fingerprint:
        raise SettingsError(
            f"model {run.model.id} differs from the model that run {of_model.good.run_id} used under this id; "
            "a released model is never edited: put the old file back, or give the new one a new id"
        )


def nominals_made_from(run: RunContext, good: GoodRun, judged: int | None) -> str:
    """One SHA-256 over everything that decides which records are one nominal and what is said of them."""
    return fingerprint(
        {
            "code": code_version(),
            "estate": good.made_from.digest,
            "model": run.model.fingerprint,
            "settings": run.settings.nominals.fingerprint,
            "conf": settings_digest(run.settings),
            "judgements": str(judged),
            **{contract.name: str(good.versions.get(contract.name)) for contract in _STANDS_ON},
        }
    )


def _record(run: RunContext, good: GoodRun, status: RunStatus, *, run_id: str, error_class: str | None = None) -> None:
    """A row of RUN for a run that published nothing: what the last good one pins stays in force."""
    row = publishing.run_row(
        run,
        good.made_from,
        status=status,
        shown_run_id=good.shown_run_id,
        versions=good.versions,
        counts_json=good.counts_json if status is RunStatus.UNCHANGED else "{}",
        finished_at=datetime.now(tz=UTC),
        error_class=error_class,
    )
    if status is not RunStatus.FAILED:
        run.refuse_unless_held()
    write_run(run.store, {**row, "run_id": run_id, "model_id": good.model_id, "run_day": good.day})


def _record_unchanged(run: RunContext, good: GoodRun) -> None:
    """Nothing that decides the nominals has changed: one RUN row, and the snapshot stays."""
    _record(run, good, RunStatus.UNCHANGED, run_id=run.run_id)
    run.progress.say(
        f"nothing has changed since run {good.run_id}: same records, judgements, code, settings and model; "
        f"readers go on seeing {good.shown_run_id}"
    )
    publishing.say_last(run, RunStatus.UNCHANGED, good.shown_run_id)


def _record_failure(run: RunContext, good: GoodRun, error: Exception) -> None:
    """A failed run leaves a row in RUN; a fault in writing that must not hide the error itself."""
    if publishing.lock_loss_said(run, error):
        return
    try:
        failed = new_run_id(run.started_at, f"{run.kind.value}-failed")
        _record(run, good, RunStatus.FAILED, run_id=failed, error_class=type(error).__name__)
    except Exception as fault:
        run.progress.say(f"the failure could not be recorded in RUN either ({type(fault).__name__})")
    goes_on = publishing.goes_on(error)
    run.progress.say(f"run {run.run_id} failed; readers go on seeing {good.shown_run_id}{goes_on}")
    publishing.say_last(run, RunStatus.FAILED, good.shown_run_id)


STAGES: Mapping[str, Callable[[NominalRun, Stage], Done]] = {
    "freeze model": nominal_stages.freeze,
    "compare": nominal_stages.compare,
    "accept": nominal_stages.accept,
    "components": nominal_stages.find_components,
    "look inside": nominal_stages.look_inside,
    "guard": nominal_stages.guard,
    "identity": nominal_stages.identify,
    "persons": nominal_stages.describe,
    "check": nominal_stages.check,
}
"""The stages that make nominals in their order, by name; each needs what those before it left. The gates come after: a day has its own."""
