"""Learning a model from the force's own records, without labels: kept under its own id, put into use by a setting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.scoring import Scorer
from linkage_spark.linkage.training.diagnosis import Diagnosis
from linkage_spark.linkage.training.figures import (
    CalibrationBin,
    ForceTrainingFigures,
    FrequencyFigures,
    WeightBin,
    fit_figures,
    level_figures,
)
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.report.training import training_page, training_summary
from linkage_spark.runs.context import RunContext, emptied, open_run, settings_digest
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.manifest import GoodRun, MadeFrom, code_version, last_good_run, write_run
from linkage_spark.runs.models import is_shipped
from linkage_spark.runs.publishing import lock_loss_said, run_row
from linkage_spark.runs.train_stages import (
    choose_keys,
    estimate_parameters,
    propose,
    shipped_parameters,
    weigh,
    with_frequencies,
)
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import RunKind, RunStatus
from linkage_spark.tables.training import TRAINED_FREQUENCY, TRAINED_MODEL, TRAINED_REFINED_KEY

BASE = "screening_v1"
"""The shipped model that training starts from."""

_EDGES = (-1000.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
"""Match weights, bits, at which the calibration table begins a new row."""

_ID = re.compile(r"[a-z][a-z0-9_]{2,60}")


def run_train(*, root: str, model_id: str, base_model_id: str | None = None) -> int:
    """Learn a model from what the last backfill standardised, and keep it.

    Args:
        root: output root of the backfill.
        model_id: name of the new model: small letters, digits and underscores.
        base_model_id: shipped model to start from; None: BASE.

    Returns:
        0: the model is there.

    Raises:
        UsageError: the name cannot be used, or nothing has been published under ``root``.
        SettingsError: a model of this name was trained from other records.
    """
    base = base_model_id or BASE
    _check_name(model_id, base)
    with open_run(RunKind.TRAIN, feeds_root=root, root=root, model_id=base) as run:
        good = last_good_run(run.store)
        if good is None:
            raise UsageError(f"--out {root}: no run has been published there; run the backfill first")
        if _is_there(run, good, model_id):
            run.progress.say(f"model {model_id} is there, learnt from these very records; nothing was done")
            return 0
        with _recorded(run, good), emptied(run.files, run.work, refuse=run.refuse_unless_held):
            summary = _train(run, good, model_id)
        print(f"\n{summary}", end="", flush=True)
    return 0


def _check_name(model_id: str, base: str) -> None:
    """Refuse names that cannot be a model's."""
    if not _ID.fullmatch(model_id):
        raise UsageError(
            f"--model-id {model_id}: use 3 to 61 small letters, digits and underscores, a letter first, such as screening_2026_11"
        )
    if is_shipped(conf_dir(), model_id):
        raise UsageError(f"--model-id {model_id}: a shipped model has this name; choose another")
    if not is_shipped(conf_dir(), base):
        raise UsageError(f"--base {base}: no file {base}.toml in conf/models")


def _is_there(run: RunContext, good: GoodRun, model_id: str) -> bool:
    """The model was trained before, from these records.

    Raises:
        SettingsError: it was trained from others: a model id means one model for good.
    """
    if not run.store.exists(TRAINED_MODEL):
        return False
    columns = ("model_id", "base_model_id", "person_version", "trained_at")
    rows = [row for row in run.store.read(TRAINED_MODEL).select(*columns).collect() if row["model_id"] == model_id]
    if not rows:
        return False
    if (rows[0]["base_model_id"], rows[0]["person_version"]) == (run.model.id, good.versions[PERSON.name]):
        return True
    raise SettingsError(
        f"model {model_id} was trained on {rows[0]['trained_at']:%Y-%m-%d} from other records or another base; a model is never "
        "changed: choose a new --model-id"
    )


@contextmanager
def _recorded(run: RunContext, good: GoodRun) -> Iterator[None]:
    """A failed training leaves a row in RUN; a fault in writing that must not hide the error itself."""
    try:
        yield
    except Exception as error:
        if lock_loss_said(run, error):
            raise
        try:
            _write_row(run, good, RunStatus.FAILED, error_class=type(error).__name__)
        except Exception as fault:
            run.progress.say(f"the failure could not be recorded in RUN either ({type(fault).__name__})")
        run.progress.say(f"training {run.run_id} failed; no model was kept, and nothing that readers see has changed")
        raise


def _train(run: RunContext, good: GoodRun, model_id: str) -> str:
    """All stages in order; the summary for the console."""
    person = run.store.read(PERSON, version=good.versions[PERSON.name])
    base = run.model
    refined = choose_keys(run, person, model_id)
    space = propose(run, person, refined)
    found, diagnosis = estimate_parameters(run, space)
    learnt = (shipped_parameters if diagnosis.faults else with_frequencies)(run, space, found)
    model = _named(learnt.model, model_id, diagnosis, base)
    weights = weigh(run, space, model, learnt.frequencies)
    figures: ForceTrainingFigures = {
        **fit_figures(found, diagnosis),  # type: ignore[typeddict-item]
        "model_id": model_id,
        "base_model_id": base.id,
        "run_id": run.run_id,
        "fingerprint": model.fingerprint,
        "trained_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "used": not diagnosis.faults,
        "employees": space.records[0],
        "records": space.records[1],
        "candidate_pairs": space.candidate_pairs,
        "prior_bits": round(model.prior_bits, 3),
        "base_prior_bits": base.prior_bits,
        "expected_matches": round(sum(row["expected_matches"] for row in weights), 1),
        "pooled": list(learnt.pooled),
        "levels": level_figures(model, base, matches=sum(row["expected_matches"] for row in weights)),
        "frequencies": _frequency_figures(learnt.frequencies, model),
        "refined_keys": len(refined),
        "calibration": _calibration(weights),
        "weights": weights,
        "seconds": {stage.name: stage.seconds for stage in run.progress.stages},
    }
    # The report first: a model that is kept has one, and a failure to write it keeps none.
    folder = f"{run.root}/reports/models/{model_id}"
    advised = {**figures, "advisory": run.wording.advisory}
    summary = f"{training_summary(figures)}Report: {folder}/report.html\n\n{run.wording.advisory}\n"
    texts = {
        "report.html": training_page(advised),
        "figures.json": json.dumps(advised, indent=1, sort_keys=True) + "\n",
        "summary.txt": summary,
    }
    for name, text in texts.items():
        run.refuse_unless_held()
        run.files.write_text(f"{folder}/{name}", text)
    _keep(run, good, model, figures, learnt.rows, refined)
    return summary


def _named(model: Model, model_id: str, diagnosis: Diagnosis, base: Model) -> Model:
    """The model under its id, with what speaks against it."""
    doubts = (
        *(f"the parameters are those of {base.id}, since {fault}" for fault in diagnosis.faults),
        *diagnosis.doubts,
    )
    content = model.model_dump(mode="json", exclude_unset=True) | {"id": model_id, "doubts": doubts}
    return Model.model_validate(content)


def _calibration(weights: list[WeightBin]) -> list[CalibrationBin]:
    """What the model says of candidate pairs, by match probability."""
    found: list[CalibrationBin] = []
    for low, high in zip(_EDGES, (*_EDGES[1:], float("inf")), strict=True):
        rows = [row for row in weights if low <= row["at_least_bits"] < high]
        found.append(
            {
                "at_least": round(1.0 / (1.0 + 2.0**-low), 6),
                "pairs": sum(row["pairs"] for row in rows),
                "expected_matches": round(sum(row["expected_matches"] for row in rows), 1),
            }
        )
    return found


def _frequency_figures(frequencies: Frequencies, model: Model) -> list[FrequencyFigures]:
    """One row per attribute; no value is named."""
    scorer = Scorer(model, frequencies)
    return [
        {
            "attribute": name,
            "values_kept": len(table.shares),
            "records": round(table.records),
            "told_at_one_in": round(1.0 / scorer.told_at(name, table), 1),
        }
        for name, table in frequencies.by_attribute.items()
    ]


# ---- keeping the model -------------------------------------------------------------------------------------


def _keep(
    run: RunContext,
    good: GoodRun,
    model: Model,
    figures: ForceTrainingFigures,
    frequency_rows: list[dict[str, Any]],
    refined: list[dict[str, Any]],
) -> None:
    """Frequencies and refined keys first; the row of the model, which makes them count, last; then RUN."""
    with run.progress.stage("keep the model"):
        known = _known(run.store)
        frozen = ((TRAINED_FREQUENCY, frequency_rows), (TRAINED_REFINED_KEY, refined))
        versions: dict[str, int] = {}
        for contract, rows in frozen:
            named = [{**row, "model_id": model.id} for row in rows]
            frame = local_frame(
                run.spark, [tuple(row[name] for name in contract.names) for row in named], schema=contract.schema
            )
            if run.store.exists(contract):
                # Whatever a training that was killed has left is dropped with this.
                frame = frame.unionByName(run.store.read(contract).where(F.col("model_id").isin(known)))
            versions[contract.name] = run.store.overwrite(contract, frame)
        row = {
            "model_id": model.id,
            "base_model_id": run.model.id,
            "fingerprint": model.fingerprint,
            "content_json": json.dumps(model.model_dump(mode="json", exclude_unset=True), sort_keys=True),
            "is_weak": bool(model.doubts),
            "figures_json": json.dumps(figures, sort_keys=True),
            "run_id": run.run_id,
            "person_version": good.versions[PERSON.name],
            "trained_at": datetime.now(tz=UTC),
        }
        values = [tuple(row[name] for name in TRAINED_MODEL.names)]
        frame = local_frame(run.spark, values, schema=TRAINED_MODEL.schema)
        run.refuse_unless_held()
        versions[TRAINED_MODEL.name] = run.store.append(TRAINED_MODEL, frame)
        _write_row(run, good, RunStatus.TRAINED, versions=versions, kept=model)


def _known(store: DeltaStore) -> list[str]:
    """Ids of the models that have a row."""
    if not store.exists(TRAINED_MODEL):
        return []
    return sorted(row["model_id"] for row in store.read(TRAINED_MODEL).select("model_id").collect())


def _write_row(
    run: RunContext,
    good: GoodRun,
    status: RunStatus,
    *,
    versions: Mapping[str, int] | None = None,
    kept: Model | None = None,
    error_class: str | None = None,
) -> None:
    """RUN's row of a training: from which records, and what it kept."""
    made_from = MadeFrom(
        code=code_version(),
        settings=settings_digest(run.settings),
        model=(kept or run.model).fingerprint,
        feeds=good.made_from.feeds,
    )
    row = run_row(
        run,
        made_from,
        status=status,
        shown_run_id=good.shown_run_id,
        versions={PERSON.name: good.versions[PERSON.name], **(versions or {})},
        counts_json="{}",
        finished_at=datetime.now(tz=UTC),
        error_class=error_class,
    )
    if status is not RunStatus.FAILED:
        run.refuse_unless_held()
    write_run(run.store, {**row, "model_id": (kept or run.model).id})
