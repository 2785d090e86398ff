"""The pairs of an analyst's files: proposed by rules, and what the shipped model needs to know of them."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Observation

from linkage_spark.flows.file_comparisons import JoinedComparisons, SentComparisons
from linkage_spark.flows.person_files import propose_file_pairs
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules
from linkage_spark.linkage.frequencies import count_agreement
from linkage_spark.linkage.sent_pairs import SentFiles, compare_sent, count_first
from linkage_spark.linkage.sent_records import as_sent, records_to_send
from linkage_spark.model.person_files import coarsen_further
from linkage_spark.model.schema import EXTRA_PREFIX, PLACE_PREFIX, Model
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_task import FileRun
from linkage_spark.runs.file_training import PairSpace

MODEL_ID = "person_files_v1"

MOST_KEYS_IN_TASKS = 5_000_000
"""Up to this many keys (records times rules) both files go to every task whole; a key takes 16 bytes there, a record some 500."""

SAMPLE_SEED = 0
"""Which pairs are drawn from those that no rule proposes."""

MOST_KEYS_SENT = 400_000
"""Up to this many keys of the left file are sent to every task; above it Spark chooses how to join."""


def sendable(inputs: Inputs, model: Model) -> bool:
    """Whether the files are small enough for ``compare``."""
    return sum(file.records for file in inputs.files) * len(model.rules) <= MOST_KEYS_IN_TASKS


def compare(run: FileRun, inputs: Inputs, model: Model, *, whole: bool) -> tuple[PairSpace, list[dict[str, Any]]]:
    """Candidate pairs of small files into the work folder, compared: arguments and result as of ``propose``."""
    spark, names = run.spark, run.reference.names
    with run.progress.stage("send records") as stage:
        left = as_sent(records_to_send(inputs.files[0].persons, model=model).toArrow())
        right = left if run.within else as_sent(records_to_send(inputs.files[-1].persons, model=model).toArrow())
        files = SentFiles(left, right, model, run.within)
        sent = spark.sparkContext.broadcast(files)
        counts = files.finder().counts()
        stage.counts["refined keys"] = 0 if whole else sum(count.refined_keys for count in counts)
    with run.progress.stage("compare pairs") as stage:
        tasks = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
        compared = compare_sent(spark, sent, names=names, tasks=tasks)
        path = f"{run.work}/candidates"
        compared.write.mode("overwrite").parquet(path)
        compared = spark.read.schema(compared.schema).parquet(path)
        first = {row["bit"]: row["pairs"] for row in count_first(compared).collect()}
        stage.counts["candidate pairs"] = sum(first.values())
    prices = [
        {
            "rule_id": rule.id,
            "refined_keys": count.refined_keys,
            "pairs_refined_away": count.refined_away,
            "pairs_proposed": count.proposed,
            "pairs_first": first.get(1 << no, 0),
        }
        for no, (rule, count) in enumerate(zip(model.rules, counts, strict=True))
    ]
    space = PairSpace(
        left=inputs.files[0].persons,
        right=inputs.files[-1].persons,
        candidates=compared,
        comparisons=SentComparisons(compared, sent, names, seed=SAMPLE_SEED),
        records=inputs.records,
        candidate_pairs=sum(first.values()),
        pairs=inputs.pairs,
        within=run.within,
    )
    return space, prices


def propose(run: FileRun, inputs: Inputs, model: Model, *, whole: bool) -> tuple[PairSpace, list[dict[str, Any]]]:
    """Candidate pairs into the work folder, each rule priced before and counted after.

    Args:
        run: its work folder, secret and progress.
        inputs: the files.
        model: its rules.
        whole: every pair is compared, and no rule needs a price.

    Returns:
        The pairs, and a row of ``price_rules`` per rule.
    """
    left, right = inputs.files[0].persons, inputs.files[-1].persons
    sent = inputs.records[0] * len(model.rules) <= MOST_KEYS_SENT
    with run.progress.stage("price rules") as stage:
        counts = [] if whole else count_keys(right, left, model=model, broadcast=sent).collect()
        refined = choose_refined(counts, model=model, secret=run.secret)
        stage.counts["refined keys"] = len(refined.refined)
    with run.progress.stage("propose pairs") as stage:
        observation = Observation("propose")
        candidates = propose_file_pairs(
            left,
            right,
            model=model,
            refined=refined.hmacs,
            secret=run.secret,
            within=run.within,
            broadcast=sent,
            observation=observation,
        )
        path = f"{run.work}/candidates"
        candidates.write.mode("overwrite").parquet(path)
        observed = {name: int(value or 0) for name, value in observation.get.items()}
        stage.counts["candidate pairs"] = observed["pairs_first"]
    prices = price_rules(counts, observed, model=model, refined=refined.refined)
    candidates = run.spark.read.schema(candidates.schema).parquet(path)
    names = run.reference.names
    space = PairSpace(
        left=left,
        right=right,
        candidates=candidates,
        comparisons=JoinedComparisons(candidates, left, right, inputs.records, run.within, names, seed=SAMPLE_SEED),
        records=inputs.records,
        candidate_pairs=observed["pairs_first"],
        pairs=inputs.pairs,
        within=run.within,
    )
    return space, prices


def weigh_by_chance(run: FileRun, space: PairSpace, base: Model) -> Model:
    """The shipped model, with further attributes of few values weighed by how often they agree by chance; warns of each."""
    if not base.further:
        return base
    right = None if space.within else space.right
    with run.progress.stage("count agreement by chance") as stage:
        counted = count_agreement(space.left, right, columns=tuple(base.further)).collect()
        agreement = {row["attribute"]: row["share"] for row in counted}
        model, lowered = coarsen_further(base, agreement, matched=min(space.records) / space.pairs)
        stage.counts["weights lowered"] = len(lowered)
    for name in lowered:
        column = name.removeprefix(PLACE_PREFIX).removeprefix(EXTRA_PREFIX)
        run.summary["warnings"].append(
            f"{column}: two records agree in {agreement[name]:.1%} of all pairs, more than the shipped model takes for "
            "chance; its weight was lowered accordingly; --train estimates all weights"
        )
    return model
