"""A lean set of blocking rules priced beside further ones: what it loses, whose records, and for how many pairs they come back.

All rules propose together; a pair's mask then tells what any of them, or any part of them, would have proposed alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.blocking_recall import Found, Step, greedy_order
from linkage_spark.evaluation.figures import Proportion
from linkage_spark.evaluation.intervals import proportion

Row = Mapping[str, Any]

PAIR_KEY: tuple[str, ...] = ("employee_id", "source_system", "person_ref")
"""What names a pair of an employee and a police person record."""

ALL, CLEAN = "all", "clean"
"""The class of every true pair, and that of records without an error class."""

MOST_NAMED = 3
"""Rules that are named for what they would bring back of one class."""


class ClassRecall(TypedDict):
    """True pairs of one error class. A pair stands in every class of its record.

    ``lost_by_reading``: a side was refused or not screened; ``lean``, ``every_rule``: share of the pairs that were read
    which some rule of the lean set, or any rule, proposes; ``brought_back_by``: of what the lean set loses, how much
    each of the best further rules finds by itself, the best first.
    """

    error_class: str
    true_pairs: int
    lost_by_reading: int
    lean: Proportion
    every_rule: Proportion
    lost_by_lean: int
    brought_back_by: list[dict[str, Any]]


# --- Frames ---------------------------------------------------------------------------------------


def list_true_pairs(truth_employee: DataFrame, truth_person: DataFrame, person: DataFrame) -> DataFrame:
    """Every pair of an employee and a police person record of one true person.

    Args:
        truth_employee: ``judged.TRUTH_EMPLOYEE``.
        truth_person: ``judged.TRUTH_PERSON``.
        person: PERSON, roster and police: tells which records take part.

    Returns:
        PAIR_KEY; ``error_classes`` STRING of the record, sorted, joined by '|', '' when clean; ``is_read`` BOOLEAN: some
        row of either side takes part in the comparison.
    """
    read = person.where("not_screened_reason is null").select("source_system", "person_ref").distinct()
    employees = read.where("source_system = 'hr'").select(F.col("person_ref").alias("employee_id"), F.lit(1).alias("l"))
    records = read.where("source_system != 'hr'").select("source_system", "person_ref", F.lit(1).alias("r"))
    classes = F.coalesce(F.array_join(F.array_sort(F.array_distinct("error_classes")), "|"), F.lit(""))
    roster = truth_employee.select("employee_id", F.col("true_person_id").cast("long").alias("true_person_id"))
    history = truth_person.select(
        "source_system",
        "person_ref",
        F.col("true_person_id").cast("long").alias("true_person_id"),
        classes.alias("error_classes"),
    )
    return (
        history.join(F.broadcast(roster), on=["true_person_id"])
        .join(F.broadcast(employees), on=["employee_id"], how="left")
        .join(records, on=["source_system", "person_ref"], how="left")
        .select(*PAIR_KEY, "error_classes", (F.col("l").isNotNull() & F.col("r").isNotNull()).alias("is_read"))
    )


def unite_pairs(candidates: DataFrame, scored: DataFrame, true_pairs: DataFrame | None) -> DataFrame:
    """Pairs of variants → pairs of records, so that nothing counts twice.

    Args:
        candidates: pairs of variants that rules propose, each as often as may be: ``person_ref_l``, ``source_system_r``,
            ``person_ref_r``, ``rule_mask`` LONG.
        scored: of those, the rows at or above the model's floor: PAIR_KEY, ``match_weight_millibits``.
        true_pairs: ``list_true_pairs``; None without a truth.

    Returns:
        One row per pair of records that a rule proposes or that is true: PAIR_KEY; ``rule_mask``, the union over all
        pairs of variants, 0 where no rule proposes any; ``match_probability`` (0 to 1) of the best pair of variants,
        null below the floor; and with a truth ``is_true`` BOOLEAN, and ``error_classes`` and ``is_read``, which are null
        unless it is true.
    """
    bits = F.col("match_weight_millibits") / F.lit(1000.0)
    nothing = {"rule_mask": F.lit(0).cast("long"), "match_probability": F.lit(None).cast("double")}
    names = [*PAIR_KEY, *nothing]
    proposed = candidates.select(
        F.col("person_ref_l").alias("employee_id"),
        F.col("source_system_r").alias("source_system"),
        F.col("person_ref_r").alias("person_ref"),
        "rule_mask",
    ).withColumn("match_probability", nothing["match_probability"])
    believed = scored.select(
        *PAIR_KEY,
        nothing["rule_mask"].alias("rule_mask"),
        (F.lit(1.0) / (F.lit(1.0) + F.pow(F.lit(2.0), -bits))).alias("match_probability"),
    )
    rows = proposed.select(*names).unionByName(believed.select(*names))
    merged = [F.bit_or("rule_mask").alias("rule_mask"), F.max("match_probability").alias("match_probability")]
    if true_pairs is None:
        return rows.groupBy(*PAIR_KEY).agg(*merged)
    truth = true_pairs.withColumns({**nothing, "is_true": F.lit(True)})
    return (
        rows.unionByName(truth, allowMissingColumns=True)
        .groupBy(*PAIR_KEY)
        .agg(
            *merged,
            F.coalesce(F.max("is_true"), F.lit(False)).alias("is_true"),
            F.max("error_classes").alias("error_classes"),
            F.max("is_read").alias("is_read"),
        )
    )


def count_classes(pairs: DataFrame, *, lean: int) -> DataFrame:
    """True pairs by error class and by what would find them.

    Args:
        pairs: ``unite_pairs`` with a truth.
        lean: the bits of the lean set.

    Returns:
        ``error_class`` (ALL once for every pair; CLEAN where the record has none), ``is_read``, ``lean_finds`` BOOLEAN,
        ``rule_mask`` (0 where the lean set finds it), ``true_pairs`` LONG.
    """
    own = F.when(F.col("error_classes") == "", F.array(F.lit(CLEAN))).otherwise(F.split("error_classes", r"\|"))
    lean_finds = F.col("rule_mask").bitwiseAND(F.lit(lean).cast("long")) != 0
    told = pairs.where("is_true").select(
        F.explode(F.concat(F.array(F.lit(ALL)), own)).alias("error_class"),
        "is_read",
        lean_finds.alias("lean_finds"),
        F.when(lean_finds, F.lit(0).cast("long")).otherwise(F.col("rule_mask")).alias("rule_mask"),
    )
    return told.groupBy("error_class", "is_read", "lean_finds", "rule_mask").agg(F.count(F.lit(1)).alias("true_pairs"))


# --- Arithmetic on the driver ---------------------------------------------------------------------


def lean_alone(mask_rows: Iterable[Row], rule_ids: Sequence[str], *, lean: int, found: Found) -> list[Step]:
    """``greedy_order`` of the lean rules as if there were no others.

    Args:
        mask_rows: collected ``count_masks`` rows of all rules.
        rule_ids: all rules; the position is the bit.
        lean: the bits of the lean set.
        found: the column that counts what is found.
    """
    rows = [{**row, "rule_mask": row["rule_mask"] & lean} for row in mask_rows if row["rule_mask"] & lean]
    return [step for step in greedy_order(rows, rule_ids, found=found) if lean >> step["rule_no"] & 1]


def beyond_lean(mask_rows: Iterable[Row], rule_ids: Sequence[str], *, lean: int, found: Found) -> list[Step]:
    """``greedy_order`` of the further rules over the pairs that the lean set does not propose.

    ``pairs_alone`` and ``found_alone`` are what the lean set would gain by that rule alone, and what it would cost.

    Args:
        mask_rows: as ``lean_alone``.
        rule_ids: as ``lean_alone``.
        lean: as ``lean_alone``.
        found: as ``lean_alone``.
    """
    rows = [row for row in mask_rows if not row["rule_mask"] & lean]
    return [step for step in greedy_order(rows, rule_ids, found=found) if not lean >> step["rule_no"] & 1]


def class_recall(rows: Iterable[Row], rule_ids: Sequence[str]) -> list[ClassRecall]:
    """Recall of blocking by error class: ALL first, then the class that loses the greatest share to the lean set.

    Args:
        rows: collected ``count_classes`` rows in any order.
        rule_ids: all rules; the position is the bit.
    """
    by_class: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_class[row["error_class"]].append(row)
    found = [_of_class(name, of, rule_ids) for name, of in by_class.items()]

    def order(one: ClassRecall) -> tuple[bool, float, str]:
        share = one["lean"]["value"]
        return one["error_class"] != ALL, 2.0 if share is None else share, one["error_class"]

    return sorted(found, key=order)


def _of_class(name: str, rows: Sequence[Row], rule_ids: Sequence[str]) -> ClassRecall:
    """One class. A pair that was not read is not proposed."""
    everything = sum(row["true_pairs"] for row in rows)
    read = sum(row["true_pairs"] for row in rows if row["is_read"])
    lean = sum(row["true_pairs"] for row in rows if row["lean_finds"])
    lost = [row for row in rows if row["is_read"] and not row["lean_finds"]]
    back: Counter[str] = Counter()
    for row in lost:
        back.update({rule: row["true_pairs"] for no, rule in enumerate(rule_ids) if row["rule_mask"] >> no & 1})
    best = sorted(back.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMED]
    further = sum(row["true_pairs"] for row in lost if row["rule_mask"])
    return {
        "error_class": name,
        "true_pairs": everything,
        "lost_by_reading": everything - read,
        "lean": proportion(lean, read),
        "every_rule": proportion(lean + further, read),
        "lost_by_lean": read - lean,
        "brought_back_by": [{"rule_id": rule, "true_pairs": count} for rule, count in best],
    }
