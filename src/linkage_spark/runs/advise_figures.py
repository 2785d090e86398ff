"""Rule masks counted → what blocking.json and blocking.csv say, for an analyst's files and for the force's estate."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from linkage_spark.evaluation.blocking_lean import ClassRecall, beyond_lean, lean_alone
from linkage_spark.evaluation.blocking_recall import (
    MILLIONTHS,
    CaptureRecapture,
    Found,
    Step,
    capture_recapture,
    greedy_order,
    steps_to,
)
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.linkage.keys import parts_of
from linkage_spark.model.schema import Model
from linkage_spark.report.blocking import blocking_page
from linkage_spark.report.blocking_console import blocking_summary
from linkage_spark.runs.file_outputs import Outputs
from linkage_spark.runs.file_task import FileRun
from linkage_spark.runs.manifest import code_version
from linkage_spark.runs.progress import Progress

JOB = "advise_blocking"

WRITTEN_HERE = ("blocking.json", "blocking.csv", "blocking.html")

Row = dict[str, Any]

_BY_MODEL: Found = "expected_millionths"


def run_figures(*, of: str, advisory: str, run_id: str, model: Model) -> Row:
    """What was run, with which code and model."""
    return {
        "kind": JOB,
        "of": of,
        "advisory": advisory,
        "run_id": run_id,
        "finished_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "model_id": model.id,
        "model_fingerprint": model.fingerprint,
    }


def rule_figures(masks: Sequence[Row], prices: Sequence[Row], *, model: Model, read: int | None) -> Row:
    """Every rule in greedy order, prices, and what no rule may propose, estimated.

    Args:
        masks: collected ``count_masks`` rows.
        prices: ``price_rules`` rows of all rules.
        model: holds the rules; the position is the bit.
        read: true pairs that were read; None without a truth: expected matches count as found.
    """
    ids = [rule.id for rule in model.rules]
    steps = greedy_order(masks, ids, found=_unit(read))
    groups = _groups(model)
    refined = {price["rule_id"]: price["refined_keys"] for price in prices}
    return {
        "candidates": sum(row["pairs"] for row in masks),
        "steps": _shown(steps, model, read=read),
        "rules_for_99_percent": steps_to(steps, 990),
        "rules_for_all": steps_to(steps, 1000),
        "estimate": {
            **_estimate(masks, model),
            "groups": groups,
            "second_keys_in_groups": sum(refined[name] for names in groups.values() for name in names),
        },
        "estimate_from_true_pairs": None if read is None else _estimate(masks, model, found="true_pairs"),
        "prices": [_price(price) for price in prices],
    }


def lean_figures(masks: Sequence[Row], *, model: Model, lean: Sequence[str], read: int | None) -> Row:
    """The lean set alone: its pairs, what it finds and loses, and each further rule over what it does not propose.

    Args:
        masks: as ``rule_figures``.
        model: as ``rule_figures``.
        lean: ids of the lean set.
        read: as ``rule_figures``.
    """
    ids = [rule.id for rule in model.rules]
    bits = sum(1 << ids.index(name) for name in lean)
    alone = lean_alone(masks, ids, lean=bits, found=_unit(read))
    within = [{**row, "rule_mask": row["rule_mask"] & bits} for row in masks if row["rule_mask"] & bits]
    scale = MILLIONTHS if read is None else 1
    found, found_by_all = alone[-1]["found"], sum(row[_unit(read)] for row in masks)
    whole = found_by_all if read is None else read
    expected = [sum(row[_BY_MODEL] for row in rows) / MILLIONTHS for rows in (within, masks)]
    return {
        "lean": {
            "rules": list(lean),
            "pairs": alone[-1]["pairs"],
            "found": found / scale if read is None else found,
            "found_by_all_rules": found_by_all / scale if read is None else found_by_all,
            "share": round(found / whole, 6) if whole else None,
            "recall": None if read is None else proportion(found, read),
            "expected_matches": round(expected[0], 3),
            "expected_matches_all_rules": round(expected[1], 3),
            "expected_share": round(expected[0] / expected[1], 6) if expected[1] else None,
            "steps": _shown(alone, model, read=read, whole=whole),
            "estimate": _estimate(within, model),
            "estimate_from_true_pairs": None if read is None else _estimate(within, model, found="true_pairs"),
        },
        "beyond_lean": _shown(
            beyond_lean(masks, ids, lean=bits, found=_unit(read)), model, read=read, whole=whole, before=found
        ),
    }


def _unit(read: int | None) -> Found:
    return _BY_MODEL if read is None else "true_pairs"


def _estimate(masks: Sequence[Row], model: Model, *, found: Found = "likely_pairs") -> CaptureRecapture:
    """Capture-recapture with the two groups of rules."""
    ids = [rule.id for rule in model.rules]
    bits = tuple(sum(1 << ids.index(name) for name in names) for names in _groups(model).values())
    return capture_recapture(masks, ids, groups=(bits[0], bits[1]), found=found)


def _groups(model: Model) -> dict[str, list[str]]:
    """Rules whose parts read names only, and rules whose parts read no name; second keys are not looked at."""
    known = parts_of(model)
    groups: dict[str, list[str]] = {"name_only": [], "no_name": []}
    for rule in model.rules:
        reads = [column.startswith(("given", "surname")) for part in rule.parts for column in known[part].reads]
        if all(reads):
            groups["name_only"].append(rule.id)
        elif not any(reads):
            groups["no_name"].append(rule.id)
    return groups


def _shown(
    steps: Sequence[Step], model: Model, *, read: int | None, whole: int | None = None, before: int = 0
) -> list[Row]:
    """Steps with their rules; recall of the true pairs that were read, or the share of what all rules find.

    ``before`` is what was found before the first step: it counts in the recall alone.
    """
    if whole is None:
        whole = (steps[-1]["found"] if steps else 0) if read is None else read
    return [_step(step, model, whole, before, measured=read is not None) for step in steps]


def _step(step: Step, model: Model, whole: int, before: int, *, measured: bool) -> Row:
    scale = 1 if measured else MILLIONTHS
    rule = model.rules[step["rule_no"]]
    gained = step["found_added"]
    shown: Row = {
        "rule_id": step["rule_id"],
        "parts": list(rule.parts),
        "second_key": rule.refine,
        "pairs_added": step["pairs_added"],
        "found_added": gained if measured else gained / scale,
        "pairs": step["pairs"],
        "found": step["found"] if measured else step["found"] / scale,
        "recall": round((before + step["found"]) / whole, 6) if whole else None,
        "pairs_per_found": round(step["pairs_added"] * scale / gained, 3) if gained else None,
    }
    for name in ("pairs_alone", "found_alone", "pairs_only", "found_only"):
        value = step[name]
        shown[name] = value / scale if name.startswith("found") and not measured else value
    return shown


def _price(price: Row) -> Row:
    """A rule's price in words of files."""
    return {
        "rule_id": price["rule_id"],
        "left_rows_with_key": price["roster_rows"],
        "right_rows_with_key": price["history_rows"],
        "pairs_before_second_keys": price["pairs_before_refinement"],
        "keys_with_second_key": price["refined_keys"],
        "pairs_taken_away_by_second_keys": price["pairs_refined_away"],
        "pairs_proposed": price["pairs_proposed"],
        "pairs_first": price["pairs_first"],
    }


def stage_figures(progress: Progress) -> list[Row]:
    """Stages with their seconds."""
    return [{"stage": stage.name, "seconds": stage.seconds} for stage in progress.stages]


def truth_figures(classes: Sequence[ClassRecall]) -> Row:
    """What all rules find of the truth of a made-up force; no pair of it is unlabelled."""
    (whole,) = [row for row in classes if row["error_class"] == "all"]
    recall = whole["every_rule"]
    return {
        "true_pairs": whole["true_pairs"],
        "true_pairs_read": recall["denominator"],
        "lost_by_reading": whole["lost_by_reading"],
        "found_by_all_rules": recall["numerator"],
        "lost_by_blocking": recall["denominator"] - recall["numerator"],
        "recall": recall,
    }


def as_csv(figures: Mapping[str, Any]) -> str:
    """A line per step: the columns of ``steps``, parts joined by '+', null as empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *figures["steps"][0]])
    for no, step in enumerate(figures["steps"], start=1):
        values = {**step, "parts": "+".join(step["parts"])}
        writer.writerow([no, *("" if value is None else value for value in values.values())])
    return text.getvalue()


def write_advice(run: FileRun, figures: Row) -> None:
    """Put WRITTEN_HERE into the output folder and print what a person reads at the end."""
    outputs = Outputs(run.files, run.out, run.work)
    outputs.json("blocking.json", figures)
    outputs.text("blocking.csv", as_csv(figures))
    outputs.text("blocking.html", blocking_page(figures))
    outputs.publish(())
    print(blocking_summary(figures, out=run.out, written=WRITTEN_HERE), flush=True)
