"""Links and truth → counts: frames in, small lazy frames out. The actions are the run's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError
from linkage_spark.evaluation import judged
from linkage_spark.evaluation.pair_counts import count_by_threshold
from linkage_spark.evaluation.people import count_true_people, is_shown
from linkage_spark.tables.canonical import ADDRESS_FIELDS, EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import AddressKind
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT
from linkage_spark.tables.review import NEGATED_LINK


@dataclass(frozen=True)
class TruthCounts:
    """Small lazy frames over ``judged``; the run keeps ``judged`` while it collects them."""

    hard_negatives: DataFrame
    patterns: DataFrame
    weights: DataFrame
    hits: DataFrame
    thresholds: DataFrame
    people: DataFrame


def judge_links(
    link: DataFrame,
    *,
    truth_employee: DataFrame,
    truth_person: DataFrame,
    person: DataFrame,
    scored_links: DataFrame | None = None,
    proposed: DataFrame | None = None,
    claims: DataFrame | None = None,
    event_types: DataFrame | None = None,
    as_of: date | None = None,
    negated: DataFrame | None = None,
) -> DataFrame:
    """Truth × links, see ``evaluation.judged.judge``. Inputs are checked.

    Raises:
        ContractError: a frame has another shape than its contract.
        SourceError: the truth lacks a column.
    """
    faults = [
        f"{name} lacks column {field.name}; make the force again with jobs/synthesise.py"
        for name, frame, schema in (
            ("truth/employee", truth_employee, judged.TRUTH_EMPLOYEE),
            ("truth/person", truth_person, judged.TRUTH_PERSON),
        )
        for field in schema.fields
        if field.name not in frame.columns
    ]
    if faults:
        raise SourceError(faults)
    return judged.judge(
        LINK.check(link),
        truth_employee=truth_employee.withColumn("true_person_id", F.col("true_person_id").cast("long")),
        truth_person=truth_person.withColumn("true_person_id", F.col("true_person_id").cast("long")),
        person=PERSON.check(person),
        scored_links=scored_links,
        proposed=proposed,
        claims=claims,
        event_types=event_types,
        as_of=as_of,
        negated=NEGATED_LINK.check(negated) if negated is not None else None,
    )


def without_address(person: DataFrame) -> DataFrame:
    """PERSON as if no address had been recorded on either side; everything else stays.

    Args:
        person: PERSON, roster and police.
    """
    blank = {
        field.name: F.lit(AddressKind.UNKNOWN.value) if field.required else F.lit(None).cast(field.type)
        for field in ADDRESS_FIELDS
    }
    return PERSON.conform(person.withColumns(blank))


def measure_truth(
    judged_links: DataFrame,
    *,
    truth_person: DataFrame,
    hit: DataFrame,
    involvement: DataFrame,
    event: DataFrame,
) -> TruthCounts:
    """What the truth says of a run, counted.

    Args:
        judged_links: from ``judge_links``, kept by the run since five counts read it.
        truth_person: TRUTH_PERSON.
        hit: HIT.
        involvement: INVOLVEMENT.
        event: EVENT.

    Raises:
        ContractError: a frame has another shape than its contract.
    """
    return TruthCounts(
        hard_negatives=judged.count_hard_negatives(truth_person),
        patterns=judged.count_patterns(judged_links),
        weights=judged.count_weights(judged_links),
        hits=judged.count_judged_hits(
            judged_links,
            hit=HIT.check(hit),
            involvement=INVOLVEMENT.check(involvement),
            event=EVENT.check(event),
        ),
        thresholds=count_by_threshold(
            judged_links.where(F.col("match_weight").isNotNull()).select(
                "is_true", is_shown().alias("linked"), "match_probability", "match_weight"
            )
        ),
        people=count_true_people(judged_links),
    )
