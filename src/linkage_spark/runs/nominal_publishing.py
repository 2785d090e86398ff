"""The end of the job nominals: the star with what it adds, the report, and RUN, the switch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from linkage_spark.report.nominals import nominals_page, nominals_summary
from linkage_spark.runs.manifest import code_version, write_run
from linkage_spark.runs.nominal_examples import collect_examples
from linkage_spark.runs.nominal_figures import gather_nominal_figures
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.publishing import Added, Published, run_figures, run_row, write_star, write_tables
from linkage_spark.serving.star import star_nominals
from linkage_spark.tables.enums import RunStatus
from linkage_spark.tables.nominals import NOMINAL_ALERT, NOMINAL_PORTRAIT, PERSON_JUDGEMENT, SAME_NOMINAL
from linkage_spark.tables.star import STAR, STAR_NOMINALS


def publish_nominals(state: NominalRun, *, made_from: str) -> Published:
    """Write the whole star under this run's id, the report, then RUN; ``publishing.show`` then moves what readers follow.

    Args:
        state: the run.
        made_from: one fingerprint of all that decided it; kept in RUN, so that the next start can tell.
    """
    run = state.run
    with run.progress.stage("publish") as stage:
        finished_at = datetime.now(tz=UTC)
        row = _row(state, finished_at)
        write_star(run, state.good.versions, {**row, "code_version": code_version()})
        added = what_nominals_add(state, finished_at, made_from=made_from)
        write_tables(run, added.tables)
        row["counts_json"] = json.dumps(_with_hits(state, row, dict(added.figures)), sort_keys=True)
        run.refuse_unless_held()
        write_run(run.store, row)
        stage.counts["tables"] = len(STAR) + len(STAR_NOMINALS)
    return Published(summary=added.summary, finished_at=finished_at, shown_run_id=run.run_id)


def what_nominals_add(state: NominalRun, finished_at: datetime, *, made_from: str) -> Added:
    """Star, figures and report of the nominals, for whichever run publishes them."""
    tables = star_nominals(
        state.own(NOMINAL_ALERT), state.own(SAME_NOMINAL), state.own(NOMINAL_PORTRAIT), run_id=state.run.run_id
    )
    figures = gather_nominal_figures(state, made_from=made_from, finished_at=finished_at)
    return Added(tables=tables, figures=figures, summary=_report(state, figures))


def _row(state: NominalRun, finished_at: datetime) -> dict[str, Any]:
    """RUN's row: what the hits were made from, all versions of theirs and of this run's own."""
    judged = {} if state.judged_at_version is None else {PERSON_JUDGEMENT.name: state.judged_at_version}
    row = run_row(
        state.run,
        state.good.made_from,
        status=RunStatus.PUBLISHED,
        shown_run_id=state.run.run_id,
        versions={**state.good.versions, **state.saved.versions, **judged},
        counts_json="{}",
        finished_at=finished_at,
    )
    return row | {"model_id": state.good.model_id, "run_day": state.good.day}


def _with_hits(state: NominalRun, row: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of the hits that stand as they were, under this run's name, and those of the nominals."""
    hits = json.loads(state.good.counts_json)
    named = run_figures(state.run, {**row, "code_version": code_version()})
    return {**hits, "run": {**named, "model_doubts": hits["run"].get("model_doubts", [])}, "nominals": figures}


def _report(state: NominalRun, figures: dict[str, Any]) -> str:
    """Write page, figures and summary; the summary. Examples name records, so they stand on the page alone."""
    run = state.run
    folder = f"{run.root}/reports/{run.run_id}"
    told = {**figures, "advisory": run.wording.advisory}
    summary = f"{nominals_summary(told)}Report: {folder}/nominals.html\n\n{run.wording.advisory}\n"
    texts = {
        "nominals.html": nominals_page({**told, "examples": collect_examples(state)}),
        "nominals.json": json.dumps(told, indent=1, sort_keys=True) + "\n",
        "nominals.txt": summary,
    }
    for name, text in texts.items():
        run.refuse_unless_held()
        run.files.write_text(f"{folder}/{name}", text)
    return summary
