"""Who put which model into use: a model takes another one's place only once it was tried and approved by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import GoodRun
from linkage_spark.tables.governance import MODEL_APPROVAL, MODEL_TRIAL


def approve(run: RunContext, *, approver: str, reference: str) -> None:
    """Note that the model, as it was last tried, may be put into use.

    Raises:
        UsageError: approver or reference is empty, or the model as it is now was never tried.
    """
    if not approver.strip() or not reference.strip():
        raise UsageError("--approver and --reference: say who approves the model, and where that is recorded")
    trial = _last_trial(run)
    if trial is None:
        raise UsageError(
            f"--model-id {run.model.id}: this model has not been tried as it is now; run jobs/shadow.py without --approver first, "
            "and have its report read"
        )
    values = {
        "model_id": run.model.id,
        "model_fingerprint": run.model.fingerprint,
        "trial_run_id": trial["run_id"],
        "approver": approver.strip(),
        "reference": reference.strip(),
        "approved_at": datetime.now(tz=UTC),
    }
    row = tuple(values[name] for name in MODEL_APPROVAL.names)
    run.store.append(MODEL_APPROVAL, local_frame(run.spark, [row], schema=MODEL_APPROVAL.schema))
    run.progress.say(
        f"model {run.model.id} is approved, as trial {trial['run_id']} showed it; set screening.model_id in conf/settings, then "
        "run the backfill"
    )


def refuse_unapproved_model(run: RunContext, good: GoodRun | None) -> None:
    """Another model than the last good run's needs a word of somebody who answers for it.

    Raises:
        SettingsError: there is none for the model as it is now.
    """
    if good is None or good.model_id == run.model.id or not run.settings.screening.needs_approval:
        return
    if run.store.exists(MODEL_APPROVAL):
        said = run.store.read(MODEL_APPROVAL).where(F.col("model_id") == F.lit(run.model.id))
        if any(row["model_fingerprint"] == run.model.fingerprint for row in said.collect()):
            return
    raise SettingsError(
        f"model {run.model.id} would take the place of {good.model_id}, and nobody has approved it: run jobs/shadow.py --model-id "
        f"{run.model.id}, have its report read, then run it with --approver and --reference"
    )


def _last_trial(run: RunContext) -> Any | None:
    """The last trial of the model as it is now."""
    if not run.store.exists(MODEL_TRIAL):
        return None
    trials = run.store.read(MODEL_TRIAL).where(F.col("model_id") == F.lit(run.model.id)).collect()
    same = [row for row in trials if row["model_fingerprint"] == run.model.fingerprint]
    return max(same, key=lambda row: row["tried_at"]) if same else None
