"""``jobs/advise_blocking.py`` on the force's estate: the model's lean rules priced beside the rich ones of analysts' files.

It reads the last good run's tables at their pinned versions and writes nothing under the estate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError, UsageError
from linkage_spark.evaluation.blocking_lean import class_recall, count_classes, list_true_pairs, unite_pairs
from linkage_spark.evaluation.blocking_recall import count_masks
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules, propose_pairs, refined_hmacs
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.reference.standard import load_reference
from linkage_spark.runs.advise_figures import (
    JOB,
    Row,
    lean_figures,
    rule_figures,
    run_figures,
    stage_figures,
    truth_figures,
    write_advice,
)
from linkage_spark.runs.advise_opening import Estate, open_estate, open_truth
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_opening import held_folder
from linkage_spark.runs.file_task import FileRun, Task
from linkage_spark.runs.manifest import last_good_run, new_run_id
from linkage_spark.runs.rescreen import keep
from linkage_spark.runs.secret import load_secret
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import Settings, load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files

MOST_KEYS_SENT = 1_000_000
"""Up to this many keys of the roster are sent to every task; above it Spark chooses how to join."""

MOST_JOINED = 10_000_000
"""Rows that rules may join before second keys; above it a sample of the employees is priced. Minutes on two cores."""

RULES_AT_ONCE = 13
"""Rules that propose together. Every joined row costs all of them, and Spark fuses no step of more than 100 fields, of which
a rule takes several; so three groups are several times faster than one, though a pair of several groups is kept several times."""


def run_advise_estate(*, root: str, out: str, truth: str | None, most_joined: int = MOST_JOINED) -> int:
    """Price lean and rich rules on what the last backfill standardised, and write what each is worth.

    Args:
        root: output root of the backfill; nothing is written there.
        out: folder to write to.
        truth: root of the feeds of a made-up force, with its ``truth`` folder; None: the model's probabilities count.
        most_joined: where all rules together join more rows than this before second keys, a sample of the employees
            is priced.

    Raises:
        UsageError: ``most_joined`` is not above 0, nothing has been published under ``root``, or ``out`` lies in it or in the feeds.
        SourceError: the truth is missing, lacks a column, or knows no pair.
        SettingsError: there is no such model any more, or the key of the hashes is not the run's.
    """
    if most_joined < 1:
        raise UsageError("--most-joined: give a number above 0")
    conf = conf_dir()
    settings, wording, reference = load_settings(conf, environment()), load_wording(conf), load_reference(conf)
    began = datetime.now(tz=UTC)
    with open_session(JOB) as spark:
        files = Files(spark)
        root, at = files.absolute(root), files.absolute(out)
        feeds = None if truth is None else files.absolute(truth)
        _keep_apart(at, {"--estate": root, **({"--truth": feeds} if feeds else {})})
        store = DeltaStore(spark, root)
        good = last_good_run(store)
        if good is None:
            raise UsageError(f"--estate {root}: no run has been published there; run the backfill first")
        known = None if feeds is None else open_truth(spark, files, feeds)
        secret = _secret(files, root, settings)
        run_id = new_run_id(began, JOB)
        task = Task("link", {}, mapping="", out=out, truth=truth)
        run = FileRun(task, spark, files, at, run_id, began, reference, wording, secret=secret)
        run.summary["warnings"] = []
        with held_folder(run, settings.lock.stale_after_hours):
            write_advice(run, _advise(run, open_estate(run, store, good, known), most_joined))
    return 0


def _keep_apart(out: str, read: dict[str, str]) -> None:
    """Raise UsageError where results would lie among what is read."""
    faults = [
        f"--out lies in {option}; take a folder of its own"
        for option, path in read.items()
        if f"{out.rstrip('/')}/".startswith(f"{path.rstrip('/')}/")
    ]
    if faults:
        raise UsageError("\n".join(faults))


def _secret(files: Files, root: str, settings: Settings) -> bytes:
    return load_secret(files, root, settings=settings, env=environment())


# ---- pairs -------------------------------------------------------------------------------------------------


def _advise(run: FileRun, whole: Estate, most_joined: int) -> Row:
    """All steps in order: everything that blocking.json says."""
    counts, sent = _count_keys(run, whole)
    estate, one_in = _drawn(run, whole, sum(int(row["pairs"]) for row in counts), most_joined)
    sides = [_counted_records(frame) for frame in (estate.roster, estate.history)]
    candidates, prices = _propose(run, estate, counts, sent=sent)
    pairs = _unite(run, estate, candidates)
    with run.progress.stage("count masks") as stage:
        counted = count_masks(pairs.where("rule_mask != 0"), truth_marked=estate.truth is not None)
        masks = [row.asDict() for row in counted.collect()]
        stage.counts["distinct masks"] = len(masks)
    if not masks:
        raise UsageError("no rule proposes a pair of an employee and a police record: there is nothing to price")
    classes = None if estate.truth is None else _classes(run, estate, pairs)
    return {"one_in": one_in, **_figures(run, estate, sides, masks, prices, classes)}


def _count_keys(run: FileRun, estate: Estate) -> tuple[list[Any], bool]:
    """``count_keys`` of all employees, and whether the roster's keys are sent to every task."""
    with run.progress.stage("price rules") as stage:
        sent = estate.roster.count() * len(estate.model.rules) <= MOST_KEYS_SENT
        counts = count_keys(estate.history, estate.roster, model=estate.model, broadcast=sent).collect()
        stage.counts["rules"] = len(estate.model.rules)
        stage.counts["pairs before second keys"] = sum(int(row["pairs"]) for row in counts)
    return counts, sent


def _drawn(run: FileRun, estate: Estate, joined: int, most: int) -> tuple[Estate, int]:
    """The estate with one employee in so many, by a hash of the reference; what is counted of it is not scaled up."""
    one_in = -(-joined // most)
    if one_in <= 1:
        return estate, 1
    run.summary["warnings"].append(
        f"all rules together join {joined:,} rows before second keys, more than {most:,}: one employee in {one_in} was drawn, "
        "and all pairs are of those; --most-joined asks for more"
    )

    def is_drawn(column: str) -> Column:
        return F.pmod(F.xxhash64(F.col(column), F.lit(JOB)), F.lit(one_in)) == 0

    truth = estate.truth and (estate.truth[0].where(is_drawn("employee_id")), estate.truth[1])
    return replace(estate, roster=estate.roster.where(is_drawn("person_ref")), truth=truth), one_in


def _counted_records(side: DataFrame) -> dict[str, int]:
    """Records of one side, and those that take part."""
    own = side.where("variant_no = 0")
    row = own.select(
        F.count(F.lit(1)).alias("rows_in"), F.count_if(F.col("not_screened_reason").isNull()).alias("records")
    ).collect()[0]
    return dict(row.asDict())


def _propose(
    run: FileRun, estate: Estate, counts: Sequence[Any], *, sent: bool
) -> tuple[DataFrame, list[dict[str, Any]]]:
    """Candidate pairs of variants into the work folder, nothing gated, and a row of ``price_rules`` per rule.

    Lean rules keep the heavy keys that the run froze; rich ones choose theirs at the model's key cap. Rules propose
    in groups, each with its own bits: a pair stands once for every group that proposes it.
    """
    lean = set(estate.rules.lean)
    chosen = choose_refined(counts, model=estate.model, secret=run.secret).refined
    refined = [row for row in chosen if row["rule_id"] not in lean or row["key_hmac"] in estate.refined]
    frames, prices = [], []
    with run.progress.stage("propose pairs") as stage:
        for first in range(0, len(estate.rules.rules), RULES_AT_ONCE):
            model = estate.model.model_copy(update={"rules": estate.rules.rules[first : first + RULES_AT_ONCE]})
            observation = Observation(f"propose_{first}")
            proposed = propose_pairs(
                estate.history,
                estate.roster,
                model=model,
                refined=estate.refined | refined_hmacs(refined),
                secret=run.secret,
                observation=observation,
                gated=False,
                broadcast=sent,
            ).withColumn("rule_mask", F.shiftleft("rule_mask", first))
            frames.append(keep(proposed, f"{run.work}/candidates_{first}"))
            observed = {name: int(value or 0) for name, value in observation.get.items()}
            numbered = [{**row.asDict(), "rule_no": int(row["rule_no"]) - first} for row in counts]
            prices += price_rules(numbered, observed, model=model, refined=refined)
        stage.counts["refined keys"] = len(refined)
    return reduce(DataFrame.unionByName, frames), prices


def _unite(run: FileRun, estate: Estate, candidates: DataFrame) -> DataFrame:
    """Pairs of records with their rules, probabilities and what is true, in the work folder."""
    with run.progress.stage("score pairs"):
        scored = score_candidates(
            candidates, model=estate.model, frequencies=estate.frequencies, names=run.reference.names
        )
        true_pairs = None
        if estate.truth is not None:
            person = estate.roster.unionByName(estate.history)
            true_pairs = list_true_pairs(estate.truth[0], estate.truth[1], person)
        return keep(unite_pairs(candidates, scored, true_pairs), f"{run.work}/pairs")


def _classes(run: FileRun, estate: Estate, pairs: DataFrame) -> list[Any]:
    """Recall by error class.

    Raises:
        SourceError: the truth knows no pair.
    """
    ids = [rule.id for rule in estate.rules.rules]
    lean = sum(1 << ids.index(name) for name in estate.rules.lean)
    with run.progress.stage("count error classes"):
        rows = [row.asDict() for row in count_classes(pairs, lean=lean).collect()]
    if not rows:
        raise SourceError("--truth: it names no employee who stands in a police record; is it of this force?")
    return list(class_recall(rows, ids))


# ---- figures -----------------------------------------------------------------------------------------------


def _figures(
    run: FileRun,
    estate: Estate,
    sides: Sequence[dict[str, int]],
    masks: Sequence[Row],
    prices: Sequence[Row],
    classes: list[Any] | None,
) -> Row:
    truth = None if classes is None else truth_figures(classes)
    read = None if truth is None else truth["true_pairs_read"]
    made = {
        "run": run_figures(of="estate", advisory=run.wording.advisory, run_id=run.run_id, model=estate.model)
        | {"model_fingerprint": estate.good.made_from.model, "estate_run_id": estate.good.shown_run_id},
        "files": [
            {"side": side, "name": name, **counted}
            for side, name, counted in zip(("roster", "police"), ("employees", "person records"), sides, strict=True)
        ],
        "possible_pairs": sides[0]["records"] * sides[1]["records"],
        "found_is": "expected matches, the model in use" if truth is None else "true pairs",
        "truth": truth,
        **rule_figures(masks, prices, model=estate.model, read=read),
        **lean_figures(masks, model=estate.model, lean=estate.rules.lean, read=read),
        "classes": classes,
        "same_rule": estate.rules.same,
        "rules_left_out": list(estate.rules.left_out),
        "warnings": run.summary["warnings"],
        "stages": stage_figures(run.progress),
    }
    for price in made["prices"]:
        del price["pairs_first"]  # it is known inside a group of rules only
    for step in (*made["steps"], *made["lean"]["steps"], *made["beyond_lean"]):
        step["set"] = "lean" if step["rule_id"] in estate.rules.lean else "rich"
    return made
