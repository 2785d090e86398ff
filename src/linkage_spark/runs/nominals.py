"""Police person records → nominals: joined where name, date of birth and place agree, guarded, and published with the hits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.runs import nominal_stages, publishing
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext, open_run
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.manifest import GoodRun, code_version, drop_unfinished, fingerprint, last_good_run, write_run
from linkage_spark.runs.nominal_publishing import publish_nominals
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.stages import run_stage
from linkage_spark.settings.run import load_settings
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINALS, PERSON_JUDGEMENT
from linkage_spark.tables.results import HIT, HIT_LINK

_STANDS_ON = (PERSON, EVENT, INVOLVEMENT, LINK, HIT, HIT_LINK)


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
    good, former = last_good_run(run.store), _former(run)
    if good is None:
        raise UsageError(f"--out {run.root}: no run has been published there; run the backfill first")
    _refuse_edited_model(run, former)
    publishing.repair_current_run(run, good)
    made_from = _made_from(run, good)
    if former is not None and former.good.run_id == good.run_id and former.figures["made_from"] == made_from:
        run.files.delete(run.work)
        run.progress.say(
            f"nothing has changed since run {good.run_id}: same records, judgements, code, settings and model"
        )
        return
    saved = _take_up_work(run, good, former, made_from)
    state = NominalRun(run=run, good=good, saved=saved, former=former.good if former else None, run_no=_next_no(former))
    try:
        for name, work in _STAGES.items():
            run_stage(run.progress, saved, name, partial(work, state))
        published = publish_nominals(state, made_from=made_from)
    except Exception as error:
        _record_failure(run, good, error)
        raise
    publishing.show(run, published)
    run.files.delete(run.work)


def _former(run: RunContext) -> Former | None:
    """The last good run of this job; None before the first."""
    good = last_good_run(run.store, kind=RunKind.NOMINALS)
    return None if good is None else Former(good=good, figures=json.loads(good.counts_json)["nominals"])


def _next_no(former: Former | None) -> int:
    """Runs of this job are numbered from 1."""
    return 1 if former is None else int(former.figures["run_no"]) + 1


def _refuse_edited_model(run: RunContext, former: Former | None) -> None:
    """A model id means one model for good."""
    if former is None or former.figures["model_id"] != run.model.id:
        return
    if former.figures["model_fingerprint"] != run.model.fingerprint:
        raise SettingsError(
            f"model {run.model.id} differs from the model that run {former.good.run_id} used under this id; "
            "a released model is never edited: put the old file back, or give the new one a new id"
        )


def _made_from(run: RunContext, good: GoodRun) -> str:
    """One SHA-256 over everything that decides which records are one nominal and what is said of them."""
    judged = run.store.version(PERSON_JUDGEMENT) if run.store.exists(PERSON_JUDGEMENT) else None
    return fingerprint(
        {
            "code": code_version(),
            "estate": good.made_from.digest,
            "model": run.model.fingerprint,
            "settings": run.settings.nominals.fingerprint,
            "judgements": str(judged),
            **{contract.name: str(good.versions[contract.name]) for contract in _STANDS_ON},
        }
    )


def _take_up_work(run: RunContext, good: GoodRun, former: Former | None, made_from: str) -> Checkpoints:
    """Go on with an interrupted run made from the same; else put back and remove what it left."""
    saved, left = Checkpoints.open(run.files, run.work, run_id=run.run_id, fingerprint=made_from)
    if left == saved.run_id:
        run.run_id = saved.run_id
        run.progress.say(f"going on with run {saved.run_id}, stopped after: {', '.join(saved.done) or 'its start'}")
    elif left is not None and left not in (good.run_id, good.shown_run_id):
        publishing.forget(run, left)
    if not saved.done:
        drop_unfinished(run.store, NOMINALS, former.good.versions if former else {}, run.progress.say)
    return saved


def _record_failure(run: RunContext, good: GoodRun, error: Exception) -> None:
    """A failed run leaves a row in RUN; a fault in writing that must not hide the error itself."""
    try:
        row = publishing.run_row(
            run,
            good.made_from,
            status=RunStatus.FAILED,
            shown_run_id=good.shown_run_id,
            versions=good.versions,
            counts_json="{}",
            finished_at=datetime.now(tz=UTC),
            error_class=type(error).__name__,
        )
        write_run(run.store, {**row, "run_id": f"{run.run_id}-failed-{datetime.now(tz=UTC):%H%M%S}"})
    except Exception as fault:
        run.progress.say(f"the failure could not be recorded in RUN either ({type(fault).__name__})")
    run.progress.say(
        f"run {run.run_id} failed; readers go on seeing {good.shown_run_id}. The same command goes on where it stopped"
    )


_STAGES: Mapping[str, Callable[[NominalRun, Stage], Done]] = {
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
