"""``jobs/advise_blocking.py``: what each blocking rule is worth on an analyst's files, and what all of them may miss."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError, SourceError, UsageError
from linkage_spark.evaluation.blocking_recall import (
    MILLIONTHS,
    Found,
    Missed,
    Step,
    capture_recapture,
    count_masks,
    greedy_order,
    steps_to,
)
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.pair_counts import (
    TRUTH_COLUMNS,
    count_truth,
    count_unread_refs,
    mark_pairs,
    truth_warnings,
)
from linkage_spark.linkage.keys import parts_of
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import load_person_file_model
from linkage_spark.model.schema import Model
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_opening import Opened, held_folder, keep_inputs_apart, open_given, read_given
from linkage_spark.runs.file_outputs import Outputs
from linkage_spark.runs.file_pairs import MODEL_ID, propose, weigh_by_chance
from linkage_spark.runs.file_task import FileRun, Task, one_row
from linkage_spark.runs.file_truth import keep_truth
from linkage_spark.runs.manifest import code_version, new_run_id
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.files import Files

JOB = "advise_blocking"

WRITTEN_HERE = ("blocking.json", "blocking.csv")

Row = dict[str, Any]


def run_advise_blocking(
    *, left: str | None, right: str | None, path: str | None, mapping: str, out: str, truth: str | None
) -> int:
    """Price all usable rules on two files or one, write the order in which they are worth having, print it.

    Raises:
        UsageError: an argument is wrong.
        SettingsError: the mapping or the model is wrong, or no rule can be used.
        SourceError: a file is missing, cannot be read, or lacks a column.
    """
    task = _task(left, right, path, mapping, out, truth)
    conf = conf_dir()
    settings, wording, reference = load_settings(conf, environment()), load_wording(conf), load_reference(conf)
    began = datetime.now(tz=UTC)
    with open_session(JOB) as spark:
        files = Files(spark)
        at = files.absolute(task.out)
        keep_inputs_apart(task, files, at, WRITTEN_HERE)
        opened = open_given(spark, files, task)
        run_id = new_run_id(began, JOB)
        run = FileRun(task, spark, files, at, run_id, began, reference, wording, secret=os.urandom(32))
        with held_folder(run, settings.lock.stale_after_hours):
            _run(run, opened)
    return 0


def _task(left: str | None, right: str | None, path: str | None, mapping: str, out: str, truth: str | None) -> Task:
    """What was asked for: two files or one."""
    if path is not None and left is None and right is None:
        return Task("dedupe", {"file": path}, mapping, out, truth=truth)
    if path is None and left is not None and right is not None:
        return Task("link", {"left": left, "right": right}, mapping, out, truth=truth)
    raise UsageError("give either --left and --right, or --input")


def _run(run: FileRun, opened: Opened) -> None:
    """All steps in order."""
    run.summary["warnings"] = []
    inputs = read_given(run, opened)
    model = _model(inputs)
    space, prices = propose(run, inputs, model, whole=False)
    known = None if opened.truth is None else keep_truth(opened.truth, run)
    masks = _count(run, space.candidates, weigh_by_chance(run, space, model), known)
    figures = _figures(run, inputs, model, prices, masks, known)
    outputs = Outputs(run.files, run.out, run.work)
    outputs.json("blocking.json", figures)
    outputs.text("blocking.csv", as_csv(figures))
    outputs.publish(())
    print(in_words(figures, run.out), flush=True)


# ---- pairs -------------------------------------------------------------------------------------------------


def _model(inputs: Inputs) -> Model:
    """The shipped model with every rule that the mapping allows; never the whole pair space."""
    shipped = load_person_file_model(conf_dir(), MODEL_ID)
    if not inputs.pairs:
        raise SourceError("one record has no pair to be compared with")
    if not shipped.rules_for(inputs.mapped, inputs.further):
        raise SettingsError(
            "no blocking rule can be used on what is mapped: map both parts of the name, a date of birth or a postcode"
        )
    return shipped.model_for(
        mapped=inputs.mapped,
        further=inputs.further,
        expected_matches=min(shipped.matches_per_record * min(inputs.records), inputs.pairs / 2),
        pairs=inputs.pairs,
        whole=False,
    )


def _count(run: FileRun, candidates: DataFrame, model: Model, truth: DataFrame | None) -> list[Row]:
    """The distinct rule masks with their pairs, what is true among them, and what the shipped model believes of them."""
    with run.progress.stage("score pairs and count masks") as stage:
        frequencies = Frequencies.shipped(conf_dir(), MODEL_ID)
        scored = score_candidates(candidates, model=model, frequencies=frequencies, names=run.reference.names)
        bits = F.col("match_weight_millibits") / F.lit(1000.0)
        believed = scored.select(
            F.col("employee_id").alias("ref_l"),
            F.col("person_ref").alias("ref_r"),
            (F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -bits))).alias("match_probability"),
        )
        pairs = candidates.select(
            F.col("person_ref_l").alias("ref_l"), F.col("person_ref_r").alias("ref_r"), "rule_mask"
        ).join(believed, on=["ref_l", "ref_r"], how="left")
        marked = pairs if truth is None else mark_pairs(pairs, truth, run.task.kind)
        rows = [row.asDict() for row in count_masks(marked, truth_marked=truth is not None).collect()]
        stage.counts["distinct masks"] = len(rows)
    return rows


# ---- figures -----------------------------------------------------------------------------------------------


def _figures(
    run: FileRun, inputs: Inputs, model: Model, prices: Sequence[Row], masks: Sequence[Row], truth: DataFrame | None
) -> Row:
    """Everything that blocking.json says."""
    ids = [rule.id for rule in model.rules]
    unit: Found = "expected_millionths" if truth is None else "true_pairs"
    steps = greedy_order(masks, ids, found=unit)
    groups = _groups(model)
    bits = tuple(sum(1 << ids.index(name) for name in names) for names in groups.values())
    likely = capture_recapture(masks, ids, groups=(bits[0], bits[1]))
    measured, warnings = (None, []) if truth is None else _measured(run, inputs, truth, masks)
    refined = {price["rule_id"]: price["refined_keys"] for price in prices}
    return {
        "run": {
            "kind": JOB,
            "of": run.task.kind,
            "advisory": run.wording.advisory,
            "run_id": run.run_id,
            "finished_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
            "code_version": code_version(),
            "model_id": model.id,
            "model_fingerprint": model.fingerprint,
        },
        "files": [
            {"side": file.side, "name": file.name, "rows_in": file.rows_in, "records": file.records}
            for file in inputs.files
        ],
        "possible_pairs": inputs.pairs,
        "candidates": sum(row["pairs"] for row in masks),
        "found_is": "expected matches, shipped model" if truth is None else "true pairs",
        "steps": [_step(step, steps, measured, model) for step in steps],
        "rules_for_99_percent": steps_to(steps, 990),
        "rules_for_all": steps_to(steps, 1000),
        "truth": measured,
        "estimate": {
            **likely,
            "groups": groups,
            "second_keys_in_groups": sum(refined[name] for names in groups.values() for name in names),
        },
        "estimate_from_true_pairs": None
        if truth is None
        else capture_recapture(masks, ids, groups=(bits[0], bits[1]), found="true_pairs"),
        "prices": [_price(price) for price in prices],
        "warnings": [text for file in inputs.files for text in file.warnings] + run.summary["warnings"] + warnings,
        "stages": [{"stage": stage.name, "seconds": stage.seconds} for stage in run.progress.stages],
    }


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


def _measured(run: FileRun, inputs: Inputs, truth: DataFrame, masks: Sequence[Row]) -> tuple[Row, list[str]]:
    """What all rules find of the truth, and what the truth and the files do not know of each other."""
    kind = run.task.kind
    sides = [file.persons.select(F.col("person_ref").alias("ref")) for file in inputs.files]
    counted = one_row(count_truth(truth, kind, left=sides[0], right=sides[1] if len(sides) > 1 else None))
    counted["unread"] = {
        file.side: one_row(count_unread_refs(truth, column, records=persons, refused=file.refused.select("ref")))
        for file, persons, column in zip(inputs.files, sides, TRUTH_COLUMNS[kind], strict=False)
    }
    found, read = sum(row["true_pairs"] for row in masks), counted["true_pairs_read"]
    figures = {
        "true_pairs": counted["true_pairs"],
        "true_pairs_read": read,
        "lost_by_reading": counted["true_pairs"] - read,
        "found_by_all_rules": found,
        "lost_by_blocking": read - found,
        "recall": proportion(found, read),
        "unlabelled_pairs": sum(row["unlabelled_pairs"] for row in masks),
    }
    return figures, truth_warnings(counted, f"truth {PurePosixPath(run.task.truth or '').name}")


def _step(step: Step, steps: Sequence[Step], measured: Row | None, model: Model) -> Row:
    """One rule of the order; recall of the true pairs that were read, or the share of what all rules find."""
    whole = steps[-1]["found"] if measured is None else measured["true_pairs_read"]
    scale = MILLIONTHS if measured is None else 1
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
        "recall": round(step["found"] / whole, 6) if whole else None,
        "pairs_per_found": round(step["pairs_added"] * scale / gained, 3) if gained else None,
    }
    for name in ("pairs_alone", "found_alone", "pairs_only", "found_only"):
        value = step[name]
        shown[name] = value / scale if name.startswith("found") and measured is None else value
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


# ---- for a person ------------------------------------------------------------------------------------------


def as_csv(figures: Mapping[str, Any]) -> str:
    """A line per step: the columns of ``steps``, parts joined by '+', null as empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *figures["steps"][0]])
    for no, step in enumerate(figures["steps"], start=1):
        values = {**step, "parts": "+".join(step["parts"])}
        writer.writerow([no, *("" if value is None else value for value in values.values())])
    return text.getvalue()


def in_words(figures: Mapping[str, Any], out: str) -> str:
    """What a person reads at the end."""
    lines = ["", f"{JOB}: {figures['run']['run_id']}"]
    lines += [f"  {file['side']:<6} {file['name']}: {file['records']:,} records" for file in figures["files"]]
    steps: Sequence[Row] = figures["steps"]
    lines.append(
        f"  pairs  {figures['possible_pairs']:,} possible, {figures['candidates']:,} proposed by {len(steps)} rules together"
    )
    lines += ["", *_table(figures), ""]
    enough = figures["rules_for_99_percent"]
    if enough:
        pairs = figures["candidates"] and steps[enough - 1]["pairs"] / figures["candidates"]
        lines.append(
            f"  the first {enough} rules find 99 % of what all {len(steps)} find, with {pairs:.1%} of their pairs; "
            f"{figures['rules_for_all']} find all of it"
        )
    if figures["truth"]:
        lines += _truth_lines(figures)
    lines += _estimate_lines(figures)
    lines += [f"  warning: {text}" for text in figures["warnings"]]
    lines.append(f"  written to {out}: {', '.join(WRITTEN_HERE)}")
    return "\n".join([*lines, "", figures["run"]["advisory"]])


def _table(figures: Mapping[str, Any]) -> list[str]:
    """The rules that find something more, in order; the others in one line."""
    truth = figures["truth"] is not None
    gained, share = ("true gained", "recall") if truth else ("expected gained", "share")
    useful = [step for step in figures["steps"] if step["found_added"]]
    rest = [step for step in figures["steps"] if not step["found_added"]]
    wide = max([len(step["rule_id"]) for step in useful] + [4])
    lines = [f"   no  {'rule':<{wide}} {'pairs added':>13} {gained:>15} {share:>8} {'pairs per gained':>17}"]
    for no, step in enumerate(useful, start=1):
        found = f"{step['found_added']:,}" if truth else f"{step['found_added']:,.2f}"
        recall = "none" if step["recall"] is None else f"{step['recall']:.4f}"
        lines.append(
            f"  {no:>3}  {step['rule_id']:<{wide}} {step['pairs_added']:>13,} {found:>15} {recall:>8} "
            f"{step['pairs_per_found']:>17,.1f}"
        )
    costly = sum(step["pairs_added"] for step in rest)
    if rest:
        names = ", ".join(step["rule_id"] for step in rest)
        lines.append(f"  nothing more is found by {len(rest)} rules, which add {costly:,} pairs: {names}")
    return lines


def _truth_lines(figures: Mapping[str, Any]) -> list[str]:
    truth = figures["truth"]
    recall = truth["recall"]
    share = (
        "none" if recall["value"] is None else f"{recall['value']:.4f} ({recall['low']:.4f} to {recall['high']:.4f})"
    )
    return [
        f"  truth  {truth['true_pairs_read']:,} true pairs that were read; no rule proposes {truth['lost_by_blocking']:,}; "
        f"recall of all rules {share}"
    ]


def _estimate_lines(figures: Mapping[str, Any]) -> list[str]:
    """What no rule proposes, by capture-recapture: from scores, and beside it from the true pairs that were found."""
    lines = []
    for key, of in (("estimate", "likely matches"), ("estimate_from_true_pairs", "true pairs")):
        held = figures[key]
        if held is None:
            continue
        lines += [
            f"  estimate from {held['found']:,} {of} that rules find (rough, mostly too low: rules are not independent):",
            f"    by one rule only {held['once']:,}, by two {held['twice']:,}: no rule finds {_missed(held['chao'])} (Chao)",
            f"    by names only {held['first']:,}, without names {held['second']:,}, both {held['both']:,}: "
            f"no rule finds {_missed(held['chapman'])} (Chapman)",
        ]
    return lines


def _missed(estimate: Missed | None) -> str:
    if estimate is None:
        return "an unknown number (too few)"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['missed']:,.1f}"
    return f"{estimate['missed']:,.1f} ({estimate['low']:,.1f} to {estimate['high']:,.1f})"
