"""Nominals measured against the truth of a made-up force: before the guard, after it, and within what the rules permit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from linkage_spark.evaluation.nominal_counts import count_nominals, label_records, usual_births
from linkage_spark.evaluation.nominal_figures import NominalFigures, nominal_figures
from linkage_spark.flows.cluster import Comparing, pairs_of_records, records_of
from linkage_spark.linkage.comparison.dates import Dates, compare_dates
from linkage_spark.linkage.joining import joining_pairs
from linkage_spark.nominals.records import is_police, with_record_id
from linkage_spark.runs.evaluate_truth import Pinned
from linkage_spark.runs.figures import dict_rows
from linkage_spark.runs.nominal_components import find_checked_components
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.run import NominalSettings
from linkage_spark.synthesis.people import MOST_IN_HOUSEHOLD
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import CutReason
from linkage_spark.tables.nominals import NOMINAL_EDGE, NOMINAL_MEMBER

_DATE = ("dob_year", "dob_month", "dob_day")


def measure_nominals(
    truth: DataFrame, pinned: Pinned, *, comparing: Comparing, settings: NominalSettings, work: str, progress: Progress
) -> dict[str, NominalFigures]:
    """Judge the nominals of a run, and the components before its guard.

    Args:
        truth: whose each police record is: ``source_system``, ``person_ref``, ``true_person_id``, ``naming_tradition``,
            ``hard_negative``.
        pinned: the run's tables.
        comparing: the model of its nominals, to tell which true pairs the joining rule permits on recorded values.
        settings: who finds the components, as in the job.
        work: folder that the caller removes.
        progress: says how far it is.

    Returns:
        ``before`` and ``after`` the guard.

    Raises:
        SettingsError: GraphFrames is needed and not there.
        GateError: the components are wrong.
    """
    persons = pinned.read(PERSON).where(is_police())
    known = with_record_id(truth)
    spark = truth.sparkSession

    def components(edges: DataFrame, name: str, label: str) -> DataFrame:
        find_checked_components(
            edges, edge_count=edges.count(), settings=settings, work=work, name=name, progress=progress
        )
        return spark.read.parquet(f"{work}/{name}").withColumnRenamed("component_id", label)

    with progress.stage("what the joining rule permits") as stage:
        true_pairs = _true_pairs_accepted(persons, known, comparing, work)
        permitted = components(true_pairs, "permitted_joins", "permitted_id")
        stage.counts["records in permitted joins"] = permitted.count()
    with progress.stage("components before the guard"):
        before = components(_seen_by_the_guard(pinned.read(NOMINAL_EDGE)), "components", "nominal_id")
    labels = {"before": before, "after": pinned.read(NOMINAL_MEMBER)}
    dates = with_record_id(persons.where("variant_no = 0")).select("record_id", *_DATE)
    found: dict[str, NominalFigures] = {}
    for name, members in labels.items():
        with progress.stage(f"measure nominals {name} the guard"):
            path = f"{work}/nominals_{name}"
            label_records(members, known, permitted=permitted).write.mode("overwrite").parquet(path)
            found[name] = _figures(spark.read.parquet(path), dates)
    return found


def _seen_by_the_guard(edges: DataFrame) -> DataFrame:
    """Accepted edges but those that a reviewer denied: they are cut for their own two records, before the guard."""
    denied = (
        (F.col("cut_reason") == CutReason.JUDGED_NOT_SAME.value)
        & (F.col("because_left_record_id") == F.col("left_record_id"))
        & (F.col("because_right_record_id") == F.col("right_record_id"))
    )
    return edges.where(~F.coalesce(denied, F.lit(False))).select("left_record_id", "right_record_id")


def _true_pairs_accepted(persons: DataFrame, known: DataFrame, comparing: Comparing, work: str) -> DataFrame:
    """``left_record_id``, ``right_record_id``: the pairs, inside each true person, that the rule accepts; stored."""
    records = records_of(persons)
    of = known.select("true_person_id", F.col("record_id").alias("left_record_id"))
    other = known.select("true_person_id", F.col("record_id").alias("right_record_id"))
    pairs = of.join(other, on=["true_person_id"]).where("left_record_id < right_record_id").drop("true_person_id")
    scored = comparing.score_all(pairs_of_records(records, pairs))
    accepted = joining_pairs(scored, model=comparing.model).select("left_record_id", "right_record_id")
    accepted.write.mode("overwrite").parquet(f"{work}/true_pairs")
    return known.sparkSession.read.parquet(f"{work}/true_pairs")


def _figures(labelled: DataFrame, dates: DataFrame) -> NominalFigures:
    counts = count_nominals(
        labelled,
        usual_births(labelled, dates),
        people_per_household=MOST_IN_HOUSEHOLD,
        contradicts=no_level_explains,
    )
    return nominal_figures(
        dict_rows(counts.cells),
        sizes=dict_rows(counts.sizes),
        over_merged=dict_rows(counts.over_merged)[0],
        wrong_joins=dict_rows(counts.wrong_joins),
        twins=dict_rows(counts.twins)[0],
    )


def no_level_explains(one: str, other: str) -> Column:
    """True where the comparison finds no level for two dates of birth; null parts are unknown.

    Args:
        one: what stands before ``dob_year``, ``dob_month`` and ``dob_day`` of one date.
        other: the same of the other.
    """

    @pandas_udf("boolean")  # type: ignore[call-overload, untyped-decorator]
    def compare(*parts: pd.Series) -> pd.Series:
        year_l, month_l, day_l, year_r, month_r, day_r = (np.asarray(part.fillna(0), dtype=np.int64) for part in parts)
        found = compare_dates(Dates(year_l, month_l, day_l), Dates(year_r, month_r, day_r))
        return pd.Series(found.contradicts)

    found: Column = compare(*[f"{side}{name}" for side in (one, other) for name in _DATE])
    return found


def nominals_in_words(found: dict[str, NominalFigures]) -> str:
    """Lines for the console."""
    lines = ["\nnominals"]
    for name, figures in found.items():
        whole, over, permitted = figures["whole"], figures["over_merged"], figures["permitted"]
        lines.append(
            f"  {name} the guard: {figures['nominals']:,} nominals, the largest of {figures['largest_nominal']}; "
            f"pairs precision {_share(whole['pairwise_precision'])}, recall {_share(whole['pairwise_recall'])}; "
            f"B-cubed F1 {whole['b_cubed_f1']}"
        )
        if permitted is not None:
            lines.append(
                f"    within what the joining rule permits: pairs recall {_share(permitted['pairwise_recall'])}, "
                f"B-cubed F1 {permitted['b_cubed_f1']}"
            )
        lines.append(
            f"    {_share(over['nominals'])} of nominals hold two people or more: {over['persons']['numerator']:,} people, "
            f"{over['contradicting_nominals']} with dates of birth that no level explains, {over['twins_joined']} twins"
        )
    return "\n".join(lines) + "\n"


def _share(told: Any) -> str:
    """A proportion as counts and a share."""
    return (
        f"{told['value']} ({told['numerator']:,} of {told['denominator']:,})" if told["value"] is not None else "none"
    )
