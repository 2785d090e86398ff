"""What a run of the job nominals tells of itself: counts only, kept in RUN and shown in its report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from linkage_spark.runs.figures import dict_rows, grouped
from linkage_spark.runs.manifest import code_version
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.tables.nominals import NOMINAL, NOMINAL_EVENT, NOMINAL_MEMBER

SIZES: tuple[tuple[str, int, int], ...] = (
    ("1", 1, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4", 4, 4),
    ("5 to 9", 5, 9),
    ("10 to 19", 10, 19),
    ("20 to 49", 20, 49),
    ("50 and more", 50, 2**31 - 1),
)
"""Records per nominal, as the report counts them: label, least, most."""


def gather_nominal_figures(state: NominalRun, *, made_from: str, finished_at: datetime) -> dict[str, Any]:
    """All figures of a run: those that its stages noted, and small groupings of its tables.

    Args:
        state: the run, all stages done.
        made_from: one fingerprint of all that decided it.
        finished_at: end of the run.
    """
    run, done = state.run, state.saved.done
    noted = {name: dict(stage.counts) for name, stage in done.items()}
    events = state.own(NOMINAL_EVENT).where(F.col("run_no") == F.lit(state.run_no))
    return {
        "run_id": run.run_id,
        "run_no": state.run_no,
        "made_from": made_from,
        "model_id": run.model.id,
        "model_fingerprint": run.model.fingerprint,
        "code_version": code_version(),
        "finished_at": finished_at.isoformat(timespec="seconds"),
        "lawful_basis_reference": run.settings.identity.lawful_basis_reference,
        "records": state.own(NOMINAL_MEMBER).count(),
        "quarantined_records": state.own(NOMINAL_MEMBER).where("quarantined").count(),
        "candidate_pairs": noted["compare"]["candidate pairs"],
        "looked_at": noted["compare"].get("records looked at"),
        "scored_pairs": noted["compare"]["scored above the floor"],
        "edges": noted["accept"]["accepted edges"],
        "judged_edges": noted["accept"]["of these judged the same"],
        "identifier_edges": noted["accept"]["of these with the same verified number"],
        "edges_by_identifier": noted["accept"]["of these joined by the number"],
        "identifiers": {
            "records": noted["accept"]["records with a verified number"],
            "contradicted": noted["accept"]["two verified numbers of one kind on a record, not used"],
            "too_common": noted["accept"]["numbers on too many records to join any"],
        },
        "engine": done["components"].notes["engine"],
        "engine_why": done["components"].notes["why"],
        "components": noted["components"]["components"],
        "largest_component": noted["components"]["records in the largest"],
        "looked_into": noted["guard"]["components looked into"],
        "conflicts": _named(noted["look inside"], "pairs with "),
        "cuts": _named(noted["guard"], "edges cut for "),
        "states": {row["state"]: row["nominals"] for row in grouped(state.own(NOMINAL), ["state"], "nominals")},
        "sizes": _sizes(state),
        "events": {row["kind"]: row["events"] for row in grouped(events, ["kind"], "events")},
        "alerts": noted["persons"]["alerts"],
        "offered": noted["persons"]["records offered"],
        "forms": noted["persons"]["forms"],
        "rules": list(done["compare"].notes["rules"]),
        "seconds": {name: stage.seconds for name, stage in done.items()},
    }


def _named(counts: dict[str, int], prefix: str) -> dict[str, int]:
    """Counts by what stands after a prefix."""
    return {name.removeprefix(prefix): n for name, n in counts.items() if name.startswith(prefix)}


def _sizes(state: NominalRun) -> list[dict[str, Any]]:
    """Nominals and their records by number of records."""
    size = F.col("records")
    label = F.coalesce(*[F.when(size.between(least, most), F.lit(name)) for name, least, most in SIZES])
    live = state.own(NOMINAL).where("records > 0").groupBy(label.alias("label"))
    rows = {
        row["label"]: row
        for row in dict_rows(live.agg(F.count(F.lit(1)).alias("nominals"), F.sum(size).alias("records")))
    }
    return [
        {"label": name, "nominals": int(rows[name]["nominals"]), "records": int(rows[name]["records"])}
        for name, _, _ in SIZES
        if name in rows
    ]
