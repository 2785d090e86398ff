"""The stages of learning a model from the force's own records: counts in Spark, arithmetic on the driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.linkage.blocking import choose_refined, count_keys, propose_pairs, refined_hmacs
from linkage_spark.linkage.frequencies import count_frequencies, count_values
from linkage_spark.linkage.training.diagnosis import Diagnosis, diagnose
from linkage_spark.linkage.training.estimate import Counted, Estimate, estimate
from linkage_spark.linkage.training.figures import WeightBin
from linkage_spark.linkage.training.own_copies import Value, at_roster, without_own_copies
from linkage_spark.linkage.training.patterns import (
    MILLIONTHS,
    RECORDS,
    copies_by_value,
    count_best_patterns,
    count_patterns,
    count_weights,
    expected_copies,
)
from linkage_spark.linkage.training.rarity import rarity, with_rarity
from linkage_spark.linkage.training.sampling import sample_roster_pairs
from linkage_spark.model.frequencies import WHOLE_NAME, Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.figures import dict_rows
from linkage_spark.runs.file_training import COPY_PASSES, DRAWS
from linkage_spark.tables.enums import SourceSystem

TAKES_PART = "not_screened_reason is null"

METHOD = (
    "Learnt without labels from the force's own records (docs/matching.md); rules, thresholds and limits are {base}'s."
)
KEPT = "The shipped parameters of {base}, since the force's records did not support an estimate; frequencies are the force's own."


@dataclass(frozen=True)
class Space:
    """The pairs that the estimate is about: employees × police person records that take part, by their own row.

    Attributes:
        roster, history: PERSON rows of the records themselves (``variant_no`` 0).
        recorded: all PERSON rows of the police, whether they take part or not: what frequencies are counted on.
        candidates: proposed pairs of all variants, in the work folder.
        records: rows of ``roster`` and ``history``.
        candidate_pairs: pairs of records that rules propose.
    """

    roster: DataFrame
    history: DataFrame
    recorded: DataFrame
    candidates: DataFrame
    records: tuple[int, int]
    candidate_pairs: int


@dataclass(frozen=True)
class Learnt:
    """A model, its frequencies, these as FREQUENCY rows without the model's id, and attributes whose levels were pooled."""

    model: Model
    frequencies: Frequencies
    rows: list[dict[str, Any]]
    pooled: tuple[str, ...]


def choose_keys(run: RunContext, person: DataFrame, model_id: str) -> list[dict[str, Any]]:
    """REFINED_KEY rows of the new model: its rules are the base's."""
    roster, history = sides(person.where(TAKES_PART))
    with run.progress.stage("choose refined keys") as stage:
        counts = count_keys(history, roster, model=run.model).collect()
        chosen = choose_refined(counts, model=run.model, secret=run.secret)
        stage.counts["pairs expected"] = sum(int(row["pairs"]) for row in counts)
        stage.counts["refined keys"] = len(chosen.refined)
    return [{**row, "model_id": model_id} for row in chosen.refined]


def propose(run: RunContext, person: DataFrame, refined: list[dict[str, Any]]) -> Space:
    """Candidate pairs, written once; nothing is gated, so that chance is seen as it is.

    Raises:
        UsageError: one side has no record, or no rule proposes a pair.
    """
    screened = person.where(TAKES_PART)
    roster, history = sides(screened)
    with run.progress.stage("propose pairs") as stage:
        path = f"{run.work}/candidates"
        proposed = propose_pairs(
            history, roster, model=run.model, refined=refined_hmacs(refined), secret=run.secret, gated=False
        )
        proposed.write.mode("overwrite").parquet(path)
        candidates = run.spark.read.schema(proposed.schema).parquet(path)
        employees, records = sides(screened.where("variant_no = 0"))
        space = Space(
            roster=employees,
            history=records,
            recorded=sides(person)[1],
            candidates=candidates,
            records=(employees.count(), records.count()),
            candidate_pairs=candidates.select(*RECORDS).distinct().count(),
        )
        stage.counts["employees"], stage.counts["records"] = space.records
        stage.counts["candidate pairs"] = space.candidate_pairs
    if not space.candidate_pairs:
        raise UsageError(
            "no rule proposes a pair of an employee and a police record: there is nothing to learn from; check that names "
            "and dates of birth were standardised (jobs/profile.py)"
        )
    return space


def estimate_parameters(run: RunContext, space: Space) -> tuple[Estimate, Diagnosis]:
    """Patterns counted in Spark, expectation-maximisation on the driver."""
    base, names = run.model, run.reference.names
    with run.progress.stage("count patterns") as stage:
        rows = dict_rows(count_best_patterns(space.candidates, model=base, names=names))
        sample = sample_roster_pairs(space.history, space.roster, space.candidates, draws=DRAWS, records=space.records)
        sampled = dict_rows(count_patterns(sample, model=base, names=names))
        stage.counts["patterns of candidates"] = len(rows)
        stage.counts["other pairs sampled"] = sum(row["pairs"] for row in sampled)
    with run.progress.stage("estimate") as stage:
        pairs = space.records[0] * space.records[1]
        counted = Counted.of(
            rows, sampled, model=base, pairs=pairs, candidate_pairs=space.candidate_pairs, sample_is_chance=True
        )
        share = 1.0 / (1.0 + 2.0**-base.prior_bits)
        found = estimate(counted, base=base, share=share, roster=True)
        diagnosis = diagnose(found, share=share)
        stage.counts["rounds"] = len(found.fitted.log_likelihood)
        stage.counts["expected matches"] = round(found.expected_matches)
    for fault in diagnosis.faults:
        run.progress.say(f"  the estimate is not used: {fault}")
    for doubt in diagnosis.doubts:
        run.progress.say(f"  weak: {doubt}")
    return found, diagnosis


def with_frequencies(run: RunContext, space: Space, found: Estimate) -> Learnt:
    """The estimate as a model with frequencies; an employee's own records taken off.

    Which pairs are an employee's own is told without frequencies first, and then with what came of it.
    """
    method = METHOD.format(base=run.model.id)
    with run.progress.stage("count values") as stage:
        counted = _counted(run, space)
        bearers = _bearers(space.roster)
        own = space.candidates.where("variant_no_l = 0 and variant_no_r = 0")
        trained, frequencies, rows = found.model_at({}, method=method), Frequencies.none(), counted
        for _ in range(COPY_PASSES):
            copied = expected_copies(own, model=trained.model, names=run.reference.names, frequencies=frequencies)
            copies = copies_by_value(dict_rows(copied))
            rows = without_own_copies(counted, bearers=bearers, copies=copies)
            told = at_roster(Frequencies.from_rows(rows), bearers)
            rare = rarity(told, copies)
            trained, frequencies = found.model_at(rare, method=method), with_rarity(told, rare)
        stage.counts["values"] = len(rows)
    return Learnt(_stated(trained.model, frequencies, space.records[0]), frequencies, rows, trained.pooled)


def shipped_parameters(run: RunContext, space: Space, found: Estimate) -> Learnt:
    """The base as it is, whatever was found, with the frequencies that a backfill would count but for whole names."""
    rows = _counted(run, space)
    content = run.model.model_dump(mode="json", exclude_unset=True)
    content.update(provenance={"method": KEPT.format(base=run.model.id)})
    return Learnt(Model.model_validate(content), Frequencies.from_rows(rows), rows, ())


def _counted(run: RunContext, space: Space) -> list[dict[str, Any]]:
    """FREQUENCY rows without the model's id, before an employee's own records are taken off.

    Whole names are left out: the joint table of the name holds on average how its parts go together, and of the names that
    are too rare to be counted, which are most, their parts would say too little.
    """
    rows = dict_rows(count_frequencies(space.recorded, min_bearers=run.model.limits.min_bearers))
    return [row for row in rows if row["attribute"] != WHOLE_NAME]


def _bearers(roster: DataFrame) -> dict[Value, int]:
    """Employees that bear each value."""
    return {(row["attribute"], row["value"]): row["bearers"] for row in dict_rows(count_values(roster))}


def _stated(model: Model, frequencies: Frequencies, employees: int) -> Model:
    """The model with the shares at which its weights of exact agreement are told, so that it stands alone, and its roster."""
    shares = {
        name: min(table.typical_agreement or table.chance_agreement, 1.0)
        for name, table in frequencies.by_attribute.items()
    }
    content = model.model_dump(mode="json")
    content["frequency"] |= {"reference": "stated", "shares": shares}
    content["rival"] |= {"roster_size": employees}
    return Model.model_validate(content)


def weigh(run: RunContext, space: Space, model: Model, frequencies: Frequencies) -> list[WeightBin]:
    """Candidate pairs by match weight under the new model."""
    with run.progress.stage("weigh candidates") as stage:
        counted = count_weights(space.candidates, model=model, names=run.reference.names, frequencies=frequencies)
        rows = sorted(dict_rows(counted), key=lambda row: int(row["half_bits"]))
        stage.counts["expected matches"] = round(sum(row["millionths"] for row in rows) / MILLIONTHS)
    return [
        {
            "at_least_bits": row["half_bits"] / 2,
            "pairs": row["pairs"],
            "expected_matches": round(row["millionths"] / MILLIONTHS, 3),
        }
        for row in rows
    ]


def sides(person: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The roster, and the history."""
    of_hr = F.col("source_system") == SourceSystem.HR.value
    return person.where(of_hr), person.where(~of_hr)
