"""Standard tables -> links, in one process: cold, warm, step by step, and the floors beside it.

Started by bench.run with the backfill's own Spark settings; writes one JSON file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.flows.screen import link, screen
from linkage_spark.linkage.blocking import propose_pairs, refined_hmacs
from linkage_spark.linkage.score_stage import BatchScorer
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model, load_model
from linkage_spark.reference.standard import Reference, load_reference
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.secret import load_secret
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.candidates import COMPARED_COLUMNS
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import SourceSystem, Tier
from linkage_spark.tables.linkage import FREQUENCY, REFINED_KEY

ROWS_PER_BATCH = 10_000
"""As conf/spark/local.conf hands rows to Python."""


@dataclass
class Subject:
    """What is measured: the tables of one finished run, and what the model froze."""

    spark: SparkSession
    store: DeltaStore
    versions: dict[str, int]
    model: Model
    reference: Reference
    secret: bytes

    def persons(self) -> tuple[DataFrame, DataFrame]:
        """The roster, and the history."""
        person = self.store.read(PERSON, version=self.versions[PERSON.name])
        of_hr = F.col("source_system") == SourceSystem.HR.value
        return person.where(of_hr), person.where(~of_hr)

    def refined(self) -> frozenset[str]:
        """The keys that take a second key."""
        return refined_hmacs(self.store.read(REFINED_KEY, version=self.versions[REFINED_KEY.name]).collect())

    def frequencies(self) -> Frequencies:
        """The frozen frequencies."""
        rows = self.store.read(FREQUENCY, version=self.versions[FREQUENCY.name]).collect()
        return Frequencies.from_rows(row.asDict() for row in rows)

    def candidates(self) -> DataFrame:
        """Pairs that are to be compared."""
        roster, history = self.persons()
        return propose_pairs(history, roster, model=self.model, refined=self.refined(), secret=self.secret)

    def scored(self) -> DataFrame:
        """Pairs above the floor."""
        roster, history = self.persons()
        return screen(
            roster,
            history,
            model=self.model,
            refined=self.refined(),
            frequencies=self.frequencies(),
            names=self.reference.names,
            secret=self.secret,
        )

    def links(self) -> DataFrame:
        """Links that reviewers would see."""
        return link(self.scored(), model=self.model, secret=self.secret).where(F.col("tier") != Tier.NON_MATCH.value)


def open_subject(spark: SparkSession, root: str) -> Subject:
    """The last good run below an output root."""
    files = Files(spark)
    root = files.absolute(root)
    settings, store = load_settings(conf_dir(), "local"), DeltaStore(spark, root)
    good = last_good_run(store)
    if good is None:
        raise SystemExit("there is no finished run to measure on")
    return Subject(
        spark=spark,
        store=store,
        versions=dict(good.versions),
        model=load_model(conf_dir(), settings.screening.model_id),
        reference=load_reference(conf_dir()),
        secret=load_secret(files, root, settings=settings, env="local"),
    )


def measure(spark: SparkSession, root: str, work: Path, peers: Path, repeats: int) -> dict[str, Any]:
    """Every figure of one size. The first thing done is the whole way, cold."""
    began = time.monotonic()
    subject = open_subject(spark, root)
    opened = time.monotonic() - began
    links, candidates = work / "links", work / "candidates"

    def write_links() -> None:
        subject.links().write.mode("overwrite").parquet(str(links))

    cold = _seconds(write_links)
    warm = _repeated(write_links, repeats)
    steps = {
        "scan of the compared columns": _repeated(lambda: _scan(subject), repeats),
        "scan, keys and pairs": _repeated(lambda: _to_nowhere(subject.candidates()), repeats),
        "scan, keys, pairs and scores": _repeated(lambda: _to_nowhere(subject.scored()), repeats),
        "scan, keys, pairs, scores and links, written": warm,
    }
    _export_for_peers(subject, peers)
    subject.candidates().write.mode("overwrite").parquet(str(candidates))
    pairs, loop = _tight_loop(subject, candidates, repeats)
    roster, history = subject.persons()
    return {
        "roster_rows": roster.count(),
        "history_rows": history.count(),
        "candidate_pairs_scored": pairs,
        "links": spark.read.parquet(str(links)).count(),
        "seconds_to_find_the_last_run": round(opened, 2),
        "cold_seconds": round(cold, 2),
        "warm_seconds": _summary(warm),
        "steps_warm_seconds": {name: _summary(seconds) for name, seconds in steps.items()},
        "floor_scan_seconds": _summary(steps["scan of the compared columns"]),
        "floor_scoring_loop_seconds": _summary(loop),
        "floor_pairs_per_second_one_core": round(pairs / statistics.median(loop)) if pairs else 0,
    }


def _export_for_peers(subject: Subject, folder: Path) -> None:
    """The same standard tables for bench.peers: the columns that a linkage library is given, rows that take part."""
    for side, persons in zip(("roster", "history"), subject.persons(), strict=True):
        rows = persons.where("not_screened_reason is null").select(
            F.concat_ws("|", "source_system", "person_ref", "variant_no").alias("unique_id"),
            F.col("given_first").alias("forename"),
            "surname",
            F.date_format("date_of_birth", "yyyy-MM-dd").alias("dob"),
            "postcode",
            F.col("paon").alias("premises"),
        )
        rows.write.mode("overwrite").parquet(str(folder / side))


def _scan(subject: Subject) -> None:
    """Read the columns that the engine reads, and touch every value once."""
    _, history = subject.persons()
    history.agg(F.max(F.xxhash64("not_screened_reason", *COMPARED_COLUMNS))).collect()


def _to_nowhere(frame: DataFrame) -> None:
    """Compute every row and column, and keep none."""
    frame.write.format("noop").mode("overwrite").save()


def _tight_loop(subject: Subject, folder: Path, repeats: int) -> tuple[int, list[float]]:
    """Score the stored candidates in one Python loop, without Spark: (pairs, seconds)."""
    table = pq.read_table(source=folder)
    batches = [_plain(batch) for batch in table.combine_chunks().to_batches(max_chunksize=ROWS_PER_BATCH)]
    frequencies = subject.frequencies()

    def score_all() -> None:
        scorer = BatchScorer(subject.model, frequencies, subject.reference.names)
        for batch in batches:
            scorer.score(batch)

    return table.num_rows, _repeated(score_all, repeats)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of its own, so that taking rows does not go through a slice of a larger one."""
    return batch.take(pa.array(range(batch.num_rows)))


def _seconds(work: Callable[[], None]) -> float:
    """Wall time of one call."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _repeated(work: Callable[[], None], times: int) -> list[float]:
    """Wall times of several calls."""
    return [_seconds(work) for _ in range(times)]


def _summary(seconds: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(seconds), 2),
        "least": round(min(seconds), 2),
        "most": round(max(seconds), 2),
    }


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="engine", description=__doc__)
    parser.add_argument("--root", required=True, help="output root of a finished backfill")
    parser.add_argument("--work", type=Path, required=True, help="scratch folder")
    parser.add_argument("--peers", type=Path, required=True, help="folder for the tables that peers are given")
    parser.add_argument("--repeats", type=int, default=3, help="warm runs of each step")
    parser.add_argument("--result", type=Path, required=True, help="JSON file to write")
    asked = parser.parse_args()
    with open_session("bench") as spark:
        found = measure(spark, asked.root, asked.work, asked.peers, asked.repeats)
    asked.result.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
