"""Candidate pairs: which employee and which police person record are compared at all.

One scan of the history, its keys hashed in flight; the roster's keys broadcast; the rule mask computed on
the joined row from the parts themselves, which verifies the hash; a pair kept at its first rule. Nothing
is shuffled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from linkage_spark.linkage.keys import key_hmac, key_parts, part_column, part_columns, rule_keys
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import COMPARED_COLUMNS

_TAKES_PART = "not_screened_reason is null"


# --- Counting keys, before the first pair ---------------------------------------------------------


def count_keys(history: DataFrame, roster: DataFrame, *, model: Model, broadcast: bool = True) -> DataFrame:
    """Count every rule's keys on both sides.

    Most keys are borne by a record or two, and by nobody on the roster: they are not shuffled. Counted one by one are the
    roster's keys, which price the rules, and those that a sample of the history finds often. The sample has about 32
    of a key that is just over the cap. When it holds fewer than 8 of them the key passes for a light one, unless it is on the
    roster: one such key in ten million; a key far over the cap, never. A cap of less than 64 takes the whole history for its
    sample.

    Args:
        history: PERSON rows of the police.
        roster: PERSON rows of HR.
        model: its rules and ``key_cap``.
        broadcast: send the keys that are counted one by one to every task; without it Spark chooses.

    Returns:
        One row per rule that has a key: ``rule_no``; ``history_rows`` and ``roster_rows`` with a key;
        ``pairs`` the rule would propose unrefined; ``heavy``: array of (``key``, ``history_rows``,
        ``roster_rows``) for keys that more than ``key_cap`` history rows bear, on the roster or not.
        ``key`` is the in-flight hash: stored only as ``key_hmac``.
    """
    on_roster = _keys_only(roster, model, on_roster=True)
    watched = (
        on_roster.select("key", F.lit(1).cast("long").alias("roster_rows"))
        .unionByName(_found_often(history, model).withColumn("roster_rows", F.lit(0).cast("long")))
        .groupBy("key")
        .agg(F.sum("roster_rows").alias("roster_rows"))
    )
    counted = (
        _keys_only(history, model, on_roster=False)
        .join(F.broadcast(watched) if broadcast else watched, on=["key"], how="left")
        .groupBy("rule_no", F.when(F.col("roster_rows").isNotNull(), F.col("key")).alias("key"))
        .agg(F.count(F.lit(1)).alias("history_rows"), F.max("roster_rows").alias("roster_rows"))
    )
    is_heavy = F.col("key").isNotNull() & (F.col("history_rows") > model.key_cap)
    heavy = F.when(is_heavy, F.struct("key", "history_rows", "roster_rows"))
    in_history = counted.select(
        "rule_no",
        "history_rows",
        F.lit(0).cast("long").alias("roster_rows"),
        (F.col("history_rows") * F.coalesce("roster_rows", F.lit(0))).alias("pairs"),
        heavy.alias("heavy"),
    )
    nothing = F.lit(0).cast("long")
    on_one_side = on_roster.select(
        "rule_no",
        nothing.alias("history_rows"),
        F.lit(1).cast("long").alias("roster_rows"),
        nothing.alias("pairs"),
        F.lit(None).cast(in_history.schema["heavy"].dataType).alias("heavy"),
    )
    sums = [F.sum(name).alias(name) for name in ("history_rows", "roster_rows", "pairs")]
    return in_history.unionByName(on_one_side).groupBy("rule_no").agg(*sums, F.collect_list("heavy").alias("heavy"))


_SAMPLED_AT_CAP, _SUSPECT = 32, 8


def _found_often(history: DataFrame, model: Model) -> DataFrame:
    """Keys that may be heavy: ``key``, once each."""
    one_in = max(1, model.key_cap // _SAMPLED_AT_CAP)
    record = F.xxhash64("source_system", "person_ref", "variant_no", F.lit("sample"))
    sample = history.where(F.pmod(record, F.lit(one_in)) == 0) if one_in > 1 else history
    least = _SUSPECT if one_in > 1 else model.key_cap + 1
    counts = _keys_only(sample, model, on_roster=False).groupBy("key").count()
    return counts.where(F.col("count") >= least).select("key")


def _keys_only(persons: DataFrame, model: Model, *, on_roster: bool) -> DataFrame:
    """One row per (person row, rule) that has a key: ``rule_no``, ``key``."""
    parts = part_columns(model, on_roster=on_roster)
    keyed = persons.where(_TAKES_PART).select(*parts).select(F.posexplode(rule_keys(model)).alias("rule_no", "key"))
    return keyed.where("key is not null")


@dataclass(frozen=True)
class RefinedKeys:
    """The keys that take their rule's second key, chosen once per model id.

    Attributes:
        refined: REFINED_KEY rows, by rule and HMAC.
        audit: BLOCKING_AUDIT rows of the same keys.
    """

    refined: tuple[dict[str, Any], ...]
    audit: tuple[dict[str, Any], ...]

    @property
    def hmacs(self) -> frozenset[str]:
        """What ``propose_pairs`` takes."""
        return refined_hmacs(self.refined)


def refined_hmacs(rows: Iterable[Any]) -> frozenset[str]:
    """The HMACs of REFINED_KEY rows; the rule's id is inside each HMAC."""
    return frozenset(row["key_hmac"] for row in rows)


def choose_refined(counts: Sequence[Any], *, model: Model, secret: bytes) -> RefinedKeys:
    """Choose the refined keys from collected ``count_keys`` rows.

    A rule without a second key is never refined.
    """
    refined, audit = [], []
    for row in sorted(counts, key=lambda count: int(count["rule_no"])):
        rule = model.rules[row["rule_no"]]
        for heavy in row["heavy"] if rule.refine else ():
            history_rows, roster_rows = int(heavy["history_rows"]), int(heavy["roster_rows"])
            name = {
                "model_id": model.id,
                "rule_id": rule.id,
                "key_hmac": key_hmac(secret, rule.id, heavy["key"]),
            }
            refined.append({**name, "history_rows": history_rows})
            audit.append(
                {
                    **name,
                    "history_rows": history_rows,
                    "roster_rows": roster_rows,
                    "pairs_before": history_rows * roster_rows,
                }
            )

    def order(row: dict[str, Any]) -> tuple[str, str]:
        return row["rule_id"], row["key_hmac"]

    return RefinedKeys(refined=tuple(sorted(refined, key=order)), audit=tuple(sorted(audit, key=order)))


def price_rules(
    counts: Sequence[Any], observed: Mapping[str, int], *, model: Model, refined: Sequence[Any]
) -> list[dict[str, Any]]:
    """RULE_PRICE rows, one per rule of the model: what was expected and what came of it.

    Args:
        counts: collected ``count_keys`` rows.
        observed: the metrics of the observation that rode on ``propose_pairs``; empty before the join.
        model: the model.
        refined: REFINED_KEY rows in force.
    """
    by_no = {int(row["rule_no"]): row for row in counts}
    refined_by_rule = [row["rule_id"] for row in refined]
    return [
        {
            "model_id": model.id,
            "rule_id": rule.id,
            "rule_no": no,
            "history_rows": int(by_no[no]["history_rows"]) if no in by_no else 0,
            "roster_rows": int(by_no[no]["roster_rows"]) if no in by_no else 0,
            "pairs_before_refinement": int(by_no[no]["pairs"]) if no in by_no else 0,
            "refined_keys": refined_by_rule.count(rule.id),
            "pairs_refined_away": int(observed.get(f"pairs_refined_away_{no}", 0)),
            "pairs_proposed": int(observed.get(f"pairs_proposed_{no}", 0)),
            "pairs_first": int(observed.get(f"pairs_first_{no}", 0)),
        }
        for no, rule in enumerate(model.rules)
    ]


# --- Proposing pairs ------------------------------------------------------------------------------


def propose_pairs(
    history: DataFrame,
    roster: DataFrame,
    *,
    model: Model,
    refined: Collection[str],
    secret: bytes,
    observation: Observation | None = None,
    within: bool = False,
    gated: bool = True,
    broadcast: bool = True,
) -> DataFrame:
    """Pair each roster row with every history row that shares a rule's key.

    Rows with a ``not_screened_reason`` take no part, on either side. The force's jobs leave the last three
    arguments as they are.

    Args:
        history: PERSON rows of the police, read once.
        roster: PERSON rows of HR, broadcast.
        model: its rules.
        refined: HMACs of the keys that need the second key as well (``refined_hmacs``).
        secret: the key of those HMACs.
        observation: takes per-rule counts that ride on the first action on the result:
            ``pairs_proposed_i``, ``pairs_first_i``, ``pairs_refined_away_i`` with i the rule's number,
            ``pairs_first`` their sum, ``pairs_gated`` how many of those the gate removed.
        within: both sides are one file: a pair is proposed once, the lesser ``person_ref`` on the left.
        gated: apply the gate; without it nothing but the rules decides.
        broadcast: send the roster's keys to every task; without it Spark chooses.

    Returns:
        One row per pair of variants: ``rule_mask`` (bit i set when rule i proposes the pair), and
        COMPARED_COLUMNS and the model's further attributes suffixed ``_l`` (roster) and ``_r`` (history).
        Pairs that no policy clause can raise above non_match are removed by ``may_be_possible``.
    """
    left = _roster_side(roster, model, refined=frozenset(refined), secret=secret)
    right = _history_side(history, model)
    joined = right.join(F.broadcast(left) if broadcast else left, on=["key"])
    if within:
        joined = joined.where("employee.person_ref < person.person_ref")
    # Counted at two places, always: a count ends a chain of steps that Spark would fuse into one method too large
    # for the JVM to compile, and keeps the filter below out of the masks, where Spark would derive a constraint for
    # every combination of their parts (minutes of planning).
    gate = may_be_possible("employee.", "person.") if gated else F.lit(True)
    counted = joined.withColumn("gate_open", gate).observe("joined", F.count(F.lit(1)).alias("rows"))
    marked = _with_masks(counted, model).observe(observation or "blocking", *_rule_counts(model))
    columns = [
        F.col(f"{record}.{name}").alias(f"{name}{suffix}")
        for record, suffix in (("employee", "_l"), ("person", "_r"))
        for name in _compared(model)
    ]
    return marked.where("is_first and gate_open").select("rule_mask", *columns)


# Speed rests on what Spark makes of these steps. It fuses a whole chain into one method, and the JVM never compiles one of
# more than 8,000 bytes; nor does Spark fuse a step of more than 100 fields, nested ones counted, and rows are then copied
# whole for every key. Hence records as one struct each, parts as an array on one side, and masks as longs: five times faster.


def _history_side(history: DataFrame, model: Model) -> DataFrame:
    """History rows once per key: ``rule_no``, ``key``, ``parts_r``, and the record as the struct ``person``."""
    prepared = history.where(_TAKES_PART).select(
        F.struct(*_compared(model)).alias("person"), *part_columns(model, on_roster=False)
    )
    exploded = prepared.select(
        "person", _part_texts(model).alias("parts_r"), F.posexplode(rule_keys(model)).alias("rule_no", "key")
    )
    return exploded.where("key is not null")


def _roster_side(roster: DataFrame, model: Model, *, refined: frozenset[str], secret: bytes) -> DataFrame:
    """Roster rows once per key: ``rule_no_l``, ``key``, ``parts_l``, the struct ``employee``, ``refined_mask``.

    Bit i of ``refined_mask`` is set when the row's key of rule i is refined. The look-up happens here
    alone, in Arrow batches: neither the secret nor a stored key stands in the plan.
    """
    prepared = roster.where(_TAKES_PART).select(
        F.struct(*_compared(model)).alias("employee"), *part_columns(model, on_roster=True)
    )
    parts = F.array(*[F.col(part_column(part.name)).cast("string") for part in key_parts(model)])
    keyed = prepared.select("employee", parts.alias("parts_l"), rule_keys(model).alias("keys"))
    rule_ids = [rule.id for rule in model.rules]

    def look_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            keys = batch.column("keys").to_pylist()
            masks = pa.array([_refined_mask(row, rule_ids, refined, secret) for row in keys], type=pa.int64())
            yield pa.RecordBatch.from_arrays([*batch.columns, masks], names=schema.names)

    schema = StructType([*keyed.schema.fields, StructField("refined_mask", LongType())])
    looked_up = keyed.mapInArrow(look_up, schema=schema)
    exploded = looked_up.select("employee", "parts_l", "refined_mask", F.posexplode("keys").alias("rule_no_l", "key"))
    return exploded.where("key is not null")


def _compared(model: Model) -> tuple[str, ...]:
    """The columns that a pair carries of each record."""
    return (*COMPARED_COLUMNS, *model.further)


def _refined_mask(keys: Sequence[int | None], rule_ids: Sequence[str], refined: frozenset[str], secret: bytes) -> int:
    """The refined rules of one roster row as bits."""
    if not refined:
        return 0
    named = [(no, rule, key) for no, (rule, key) in enumerate(zip(rule_ids, keys, strict=True)) if key is not None]
    return sum(1 << no for no, rule, key in named if key_hmac(secret, rule, key) in refined)


def _part_texts(model: Model) -> Column:
    """The parts of all rules as text, by name, null where unknown."""
    names = [part.name for part in key_parts(model)]
    return F.struct(*[F.col(part_column(name)).cast("string").alias(name) for name in names])


def _with_masks(joined: DataFrame, model: Model) -> DataFrame:
    """Add ``shared_mask``, ``rule_mask``, ``rule_bit`` and ``is_first`` to the joined rows.

    ``shared_mask`` has bit i where all parts of rule i are equal; ``rule_mask`` clears it again where the
    key is refined and the second key is not equal. A row is first when no lower rule proposes its pair, and both sides' keys are of its rule.
    """
    bit_of = {part.name: 1 << no for no, part in enumerate(key_parts(model))}
    agree = [F.get("parts_l", F.lit(no)) == F.col(f"parts_r.`{name}`") for no, name in enumerate(bit_of)]
    shared = [_has_all(sum(bit_of[name] for name in rule.parts)) for rule in model.rules]
    second = [_has_all(bit_of[rule.refine] if rule.refine else 0) for rule in model.rules]
    kept = F.expr("shared_mask & (~refined_mask | second_mask)")
    return (
        joined.withColumn("agreeing", _bits(agree))
        .withColumns({"shared_mask": _bits(shared), "second_mask": _bits(second)})
        .withColumns({"rule_bit": F.expr("shiftleft(1L, rule_no)"), "rule_mask": kept})
        .withColumn("is_first", F.expr("(rule_mask & (2 * rule_bit - 1)) = rule_bit and rule_no_l = rule_no"))
    )


def _has_all(parts: int) -> Column:
    """True when every one of these parts agrees."""
    return F.col("agreeing").bitwiseAND(F.lit(parts).cast("long")) == F.lit(parts).cast("long")


def _bits(claims: Sequence[Column]) -> Column:
    """A LONG with bit i set where claim i holds; an unknown claim does not."""
    bits = [
        F.when(claim, F.lit(1 << no).cast("long")).otherwise(F.lit(0).cast("long")) for no, claim in enumerate(claims)
    ]
    return reduce(lambda left, right: left.bitwiseOR(right), bits)


def _rule_counts(model: Model) -> list[Column]:
    """Counts over the joined rows. A pair stands there once for every rule whose parts it shares."""
    proposed = F.expr("(rule_mask & rule_bit) != 0")
    shared_only = F.expr("(shared_mask & rule_bit) != 0 and (rule_mask & rule_bit) = 0")
    first = F.col("is_first")
    counts = []
    for no in range(len(model.rules)):
        here = F.col("rule_no") == no
        counts += [
            F.count_if(here & proposed).alias(f"pairs_proposed_{no}"),
            F.count_if(here & first).alias(f"pairs_first_{no}"),
            F.count_if(here & shared_only).alias(f"pairs_refined_away_{no}"),
        ]
    return [
        *counts,
        F.count_if(first).alias("pairs_first"),
        F.count_if(first & ~F.col("gate_open")).alias("pairs_gated"),
    ]


# --- The gate -------------------------------------------------------------------------------------


_DATE_PARTS = ("dob_year", "dob_month", "dob_day")
_SLIP_YEARS = 13
"""Years of birth this far apart are never a slip of digits: comparison.dates.GENERATION_YEARS."""


def may_be_possible(employee: str, person: str) -> Column:
    """False only for dates of birth that contradict each other: such a pair is never above non_match.

    Open when a year is unknown or the years are equal or a century apart; when the years are less
    than 13 apart and the eight digits are at most two edits apart, or month and day are equal; and, where
    a month or day is unknown, when the years are at most one apart. The comparison's own
    ``dob_contradicts`` is false for no other pair of dates (tests/laws).

    Args:
        employee: what stands before the names of the employee's PERSON columns.
        person: the same of the police record.
    """
    year_l, month_l, day_l = (F.col(f"{employee}{name}") for name in _DATE_PARTS)
    year_r, month_r, day_r = (F.col(f"{person}{name}") for name in _DATE_PARTS)
    gap = F.abs(year_l - year_r)
    full = month_l.isNotNull() & month_r.isNotNull() & day_l.isNotNull() & day_r.isNotNull()
    digits = F.levenshtein(_digits(year_l, month_l, day_l), _digits(year_r, month_r, day_r), 2) >= 0
    slip = (gap < _SLIP_YEARS) & (digits | ((month_l == month_r) & (day_l == day_r)))
    open_full = (gap == 0) | (gap == 100) | slip
    return F.coalesce(F.when(full, open_full).otherwise(gap <= 1), F.lit(True))


def _digits(year: Column, month: Column, day: Column) -> Column:
    """A full date of birth as yyyymmdd. Two of them differ in no fewer digits than they are edits apart."""
    return (year * 10_000 + month * 100 + day).cast("string")


# --- For the desk ---------------------------------------------------------------------------------


def with_keys(persons: DataFrame, *, model: Model, on_roster: bool) -> DataFrame:
    """Add ``key_parts`` and ``keys`` to PERSON rows, for a few rows that a person asks about.

    Args:
        persons: PERSON rows of one side.
        model: its rules.
        on_roster: which side; one-sided parts differ.

    Returns:
        The rows with ``key_parts``: struct of each part as text by name, null when unknown; and
        ``keys``: array of the in-flight key of each rule, null when a part is unknown.
    """
    prepared = persons.select("*", *part_columns(model, on_roster=on_roster))
    texts = _part_texts(model).alias("key_parts")
    return prepared.select(*persons.columns, texts, rule_keys(model).alias("keys"))
