"""Laws of the linkage, on seeded made-up crowds; the seed is in the test's name and in every message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import Observation

from linkage_spark.flows.screen import link, screen
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys, may_be_possible, propose_pairs
from linkage_spark.linkage.comparison.dates import Dates, compare_dates
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from tests.support.persons import crowd, employee, person, persons

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
CAP = 12
MODEL = load_model(CONF, "screening_v1").model_copy(update={"key_cap": CAP})
NAMES = load_name_reference(CONF)
SECRET = b"s" * 32
SEEDS = (20261121, 7)
ROSTER_SIZE, HISTORY_SIZE = 25, 250

Row = dict[str, Any]
Key = tuple[Any, ...]


# --- The oracle: the rules in plain Python, written apart from linkage/keys.py --------------------


def value_of(part: str, row: Row, on_roster: bool) -> Any:
    """One key part of a PERSON row; None when unknown."""
    year, month, day = row["dob_year"], row["dob_month"], row["dob_day"]
    low_high = tuple(sorted((month, day))) if month and day else None
    home = row["address_kind"] in ("dwelling", "unknown")
    tokens = sorted([*row["given_tokens"], *row["surname_tokens"]])
    sounds = pair(row["given_sound"], row["surname_sound"])
    values = {
        "sounds": sounds,
        "given_sound": row["given_sound"],
        "surname_sound": row["surname_sound"],
        "given_initial": first(row["given_first"], 1),
        "surname_initial": first(row["surname_last"], 1),
        "given3": first(row["given_first"], 3),
        "surname3": first(row["surname_last"], 3),
        "initials": pair(first(row["given_first"], 1), first(row["surname_last"], 1)),
        "outer_initials": tokens[0][0] + tokens[-1][0] if tokens else None,
        "date": (year, low_high) if year and low_high else None,
        "year": year,
        "year_month": (year, month) if year and month else None,
        "month_day": low_high if low_high != (1, 1) else None,
        "premises": row["premises_key"],
        "home_postcode": row["postcode"] if home else None,
        "district": row["postcode_district"],
        "house_street": (row["paon"], row["street"]) if home and row["paon"] and row["street"] else None,
        "undated_sounds": sounds if on_roster or year is None else None,
        "duty_surname": row["surname_sound"] if on_roster or row["on_duty_sign"] else None,
    }
    return values[part]


def first(text: str | None, letters: int) -> str | None:
    return text[:letters] if text else None


def pair(one: str | None, other: str | None) -> tuple[str, ...] | None:
    return tuple(sorted((one, other))) if one is not None and other is not None else None


def key_of(rule: Any, row: Row, on_roster: bool) -> Key | None:
    values = tuple(value_of(part, row, on_roster) for part in rule.parts)
    return None if any(value is None for value in values) else values


def contradict(left: Row, right: Row) -> bool:
    """What the comparison itself says of the two dates of birth."""
    sides = [
        Dates(*(np.array([row[name] or 0]) for name in ("dob_year", "dob_month", "dob_day"))) for row in (left, right)
    ]
    return bool(compare_dates(*sides).contradicts[0])


class Oracle:
    """Every pair of rows compared with every rule, and what the refinement costs."""

    def __init__(self, roster: list[Row], history: list[Row]) -> None:
        left = [row for row in roster if row["not_screened_reason"] is None]
        right = [row for row in history if row["not_screened_reason"] is None]
        self.heavy = {
            (rule.id, key)
            for rule in MODEL.rules
            for key, rows in Counter(key_of(rule, row, on_roster=False) for row in right).items()
            if key is not None and rows > CAP
        }
        self.masks: dict[tuple[Any, ...], int] = {}
        self.contradicting: set[tuple[Any, ...]] = set()
        self.refined_away: Counter[int] = Counter()
        self.proposed: Counter[int] = Counter()
        self.first: Counter[int] = Counter()
        keys_r = [[key_of(rule, row, on_roster=False) for rule in MODEL.rules] for row in right]
        for l_row in left:
            keys_l = [key_of(rule, l_row, on_roster=True) for rule in MODEL.rules]
            for r_row, keys in zip(right, keys_r, strict=True):
                self._add(l_row, r_row, keys_l, keys)

    def _add(self, left: Row, right: Row, keys_l: list[Key | None], keys_r: list[Key | None]) -> None:
        mask = 0
        for no, rule in enumerate(MODEL.rules):
            if keys_l[no] is None or keys_l[no] != keys_r[no]:
                continue
            if (rule.id, keys_l[no]) in self.heavy and not self._second_agrees(rule.refine, left, right):
                self.refined_away[no] += 1
                continue
            mask |= 1 << no
            self.proposed[no] += 1
        if mask:
            self.first[(mask & -mask).bit_length() - 1] += 1
            self.masks[identity(left, right)] = mask
            if contradict(left, right):
                self.contradicting.add(identity(left, right))

    @staticmethod
    def _second_agrees(part: str, left: Row, right: Row) -> bool:
        one, other = value_of(part, left, on_roster=True), value_of(part, right, on_roster=False)
        return one is not None and one == other


def identity(left: Row, right: Row) -> tuple[Any, ...]:
    return (
        left["person_ref"],
        left["variant_no"],
        right["source_system"],
        right["person_ref"],
        right["variant_no"],
    )


# --- Laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pair_is_proposed_once_and_only_if_a_rule_really_holds(spark: SparkSession, seed: int) -> None:
    roster, history = crowd(seed, ROSTER_SIZE, roster=True), crowd(seed + 1, HISTORY_SIZE)
    oracle = Oracle(roster, history)
    left, right = persons(spark, roster), persons(spark, history)
    chosen = choose_refined(count_keys(right, left, model=MODEL).collect(), model=MODEL, secret=SECRET)
    assert len(chosen.refined) == len(oracle.heavy) > 10
    observed = Observation("law")
    pairs = propose_pairs(right, left, model=MODEL, refined=chosen.hmacs, secret=SECRET, observation=observed)
    names = ("person_ref_l", "variant_no_l", "source_system_r", "person_ref_r", "variant_no_r")
    found = [
        (tuple(row[name] for name in names), row["rule_mask"]) for row in pairs.select(*names, "rule_mask").collect()
    ]
    masks = dict(found)
    assert len(masks) == len(found), f"seed {seed}: a pair came twice"
    gated = {pair: mask for pair, mask in oracle.masks.items() if pair not in masks}
    assert masks == {pair: mask for pair, mask in oracle.masks.items() if pair in masks}, f"seed {seed}"
    assert gated.keys() <= oracle.contradicting, f"seed {seed}: the gate removed a pair whose dates do not contradict"
    assert gated, f"seed {seed}: the gate had nothing to do, so nothing was tested"
    counts = observed.get
    for no in range(len(MODEL.rules)):
        seen = tuple(counts[f"{name}_{no}"] for name in ("pairs_proposed", "pairs_first", "pairs_refined_away"))
        assert seen == (oracle.proposed[no], oracle.first[no], oracle.refined_away[no]), f"seed {seed}, rule {no}"
    assert sum(oracle.refined_away.values()) > 0
    assert (
        counts["pairs_first"] == sum(counts[f"pairs_first_{no}"] for no in range(len(MODEL.rules))) == len(oracle.masks)
    )
    assert counts["pairs_gated"] == len(gated)


def test_the_gate_never_closes_on_dates_that_the_comparison_does_not_call_contradicting(
    spark: SparkSession,
) -> None:
    parts = [
        (year, month, day)
        for year in (None, 1884, 1947, 1948, 1965, 1971, 1972, 1979, 1983, 1984, 1985, 1990, 1999, 2001, 2010)
        for month, day in (
            (None, None),
            (1, 1),
            (1, None),
            (3, 12),
            (12, 3),
            (3, 21),
            (11, 30),
            (10, 30),
            (None, 12),
        )
        if year is not None or month is None
    ]
    schema = ", ".join(f"{side}_{name} int" for side in "lr" for name in ("dob_year", "dob_month", "dob_day"))
    grid = local_frame(spark, [(*one, *other) for one in parts for other in parts], schema=schema)
    rows = grid.withColumn("open", may_be_possible("l_", "r_")).collect()
    columns = np.array([[value or 0 for value in row[:6]] for row in rows]).T
    contradicts = compare_dates(Dates(*columns[:3]), Dates(*columns[3:])).contradicts
    closed = np.array([not row["open"] for row in rows])
    assert not [rows[no][:6] for no in np.flatnonzero(closed & ~contradicts)]
    years_only = [(month == 0) & (day == 0) for _, month, day in (columns[:3], columns[3:])]
    for by_age in ((True, False), (False, True), (True, True)):  # a year alone may come from a stated age
        stated = [only & aged for only, aged in zip(years_only, by_age, strict=True)]
        sides = Dates(*columns[:3], by_age=stated[0]), Dates(*columns[3:], by_age=stated[1])
        assert not [rows[no][:6] for no in np.flatnonzero(closed & ~compare_dates(*sides).contradicts)]
    assert closed.sum() > 0.8 * contradicts.sum(), "the gate should settle most contradictions"


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    before = spark.conf.get(name)
    spark.conf.set(name, value)
    try:
        yield
    finally:
        spark.conf.set(name, before)


def links_of(
    spark: SparkSession, roster: list[Row], history: list[Row], frozen: tuple[Any, ...], parts: int
) -> list[Any]:
    refined, frequencies = frozen
    scored = screen(
        persons(spark, roster).repartition(parts),
        persons(spark, history).repartition(parts),
        model=MODEL,
        refined=refined,
        frequencies=frequencies,
        names=NAMES,
        secret=SECRET,
    )
    return sorted(map(tuple, link(scored, model=MODEL, secret=SECRET).collect()), key=repr)


def freeze(spark: SparkSession, roster: list[Row], history: list[Row]) -> tuple[frozenset[str], Frequencies]:
    left, right = persons(spark, roster), persons(spark, history)
    chosen = choose_refined(count_keys(right, left, model=MODEL).collect(), model=MODEL, secret=SECRET)
    rows = [row.asDict() for row in count_frequencies(right, min_bearers=5).collect()]
    # A crowd of few values makes every name common, and no pair would match: diluted a thousandfold.
    return chosen.hmacs, Frequencies.from_rows({**row, "share": row["share"] / 1000} for row in rows)


def test_row_order_partition_count_and_aqe_change_no_link(spark: SparkSession) -> None:
    seed = SEEDS[0]
    roster, history = crowd(seed, ROSTER_SIZE, roster=True), crowd(seed + 1, HISTORY_SIZE)
    roster.append(employee("own", "zelda", "quirke", home="5|elm grove|dudley|DY1 1AA"))
    history.append(person("own", "zelda", "quirke", home="5|elm grove|dudley|DY1 1AA"))
    frozen = freeze(spark, roster, history)
    expected = links_of(spark, roster, history, frozen, parts=1)
    tiers = Counter(row[6] for row in expected)
    assert set(tiers) == {"match", "possible", "non_match"}, f"seed {seed}: {tiers}"
    assert links_of(spark, roster[::-1], history[::-1], frozen, parts=3) == expected, f"seed {seed}"
    assert links_of(spark, roster, history, freeze(spark, roster[::-1], history[::-1]), parts=8) == expected, (
        f"seed {seed}"
    )
    with setting(spark, "spark.sql.adaptive.enabled", "false"):
        assert links_of(spark, roster, history, frozen, parts=3) == expected, f"seed {seed}"


def test_an_unrelated_person_changes_no_link_under_a_frozen_model(spark: SparkSession) -> None:
    seed = SEEDS[1]
    roster, history = crowd(seed, ROSTER_SIZE, roster=True), crowd(seed + 1, HISTORY_SIZE)
    frozen = freeze(spark, roster, history)
    before = links_of(spark, roster, history, frozen, parts=2)
    far = "77|moor road|leeds|LS1 1AA"
    newcomers = [employee("zz", "qqor", "vzzex", "1955-05-05", far)]
    strangers = [person(f"zz{no}", "wwin", "hhodd", "1933-06-07", far.replace("77", "9")) for no in range(2 * CAP)]
    after = links_of(spark, [*roster, *newcomers], [*history, *strangers], frozen, parts=2)
    assert after == before, f"seed {seed}"
