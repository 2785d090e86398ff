"""Pairs of positions by arrays of keys, against every pair looked at by itself."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage import sent_records
from linkage_spark.linkage.sent_records import NO_KEY, Keys, PairFinder, RuleCounts
from linkage_spark.model.schema import Model, Rule
from tests.support.examples import examples

RULES = (
    Rule(id="one", parts=("surname_sound",), refine="given_initial"),
    Rule(id="two", parts=("given_sound",), refine="year"),
    Rule(id="three", parts=("date",)),
)
SECONDS = ("given_initial", "year")

Table = list[list[int]]


def model(cap: int) -> Model:
    return Model.model_construct(rules=RULES, key_cap=cap, further={})


def keys(rules: Table, seconds: Table) -> Keys:
    return Keys(np.array(rules, dtype=np.int64), np.array(seconds, dtype=np.int64))


def tables(records: int) -> st.SearchStrategy[Keys]:
    """Few values, NO_KEY among them, so that many keys are borne by several records and some by many."""
    row = st.lists(st.integers(NO_KEY, 3), min_size=records, max_size=records)
    return st.builds(keys, st.lists(row, min_size=3, max_size=3), st.lists(row, min_size=2, max_size=2))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Keys, Keys, bool, int]:
    """Keys of both sides, whether they are one file, and a cap."""
    within, left = draw(st.booleans()), draw(st.integers(1, 9))
    right = left if within else draw(st.integers(1, 9))
    return draw(tables(left)), draw(tables(right)), within, draw(st.integers(1, 9))


def looked_at(
    left: Keys, right: Keys, *, within: bool, cap: int
) -> tuple[dict[tuple[int, int], int], list[RuleCounts]]:
    """The mask of every pair, and what each rule does: nothing but loops."""
    masks: dict[tuple[int, int], int] = {}
    counts = []
    of_left, of_right = range(left.rules.shape[1]), range(right.rules.shape[1])
    for no, rule in enumerate(RULES):
        borne = [int(key) for key in right.rules[no] if key != NO_KEY]
        heavy = {key for key in borne if borne.count(key) > cap} if rule.refine else set()
        proposed = away = 0
        for one, other in itertools.product(of_left, of_right):
            key = int(left.rules[no][one])
            if key in (NO_KEY,) or key != right.rules[no][other] or (within and other <= one):
                continue
            if rule.refine and key in heavy:
                second = SECONDS.index(rule.refine)
                value = left.seconds[second][one]
                if value == NO_KEY or value != right.seconds[second][other]:
                    away += 1
                    continue
            proposed += 1
            masks[one, other] = masks.get((one, other), 0) | 1 << no
        counts.append(RuleCounts(len(heavy), proposed, away))
    return masks, counts


def found(finder: PairFinder, rows: list[int]) -> list[tuple[int, int, int]]:
    parts: list[Any] = [zip(*part, strict=True) for part in finder.pairs(np.array(rows, dtype=np.int64))]
    return [(int(one), int(other), int(mask)) for part in parts for one, other, mask in part]


@settings(max_examples=examples(300))
@given(worlds(), st.integers(1, 4), st.integers(1, 5))
def test_every_pair_stands_once_with_the_rules_that_propose_it_however_the_work_is_parted(
    world: tuple[Keys, Keys, bool, int], tasks: int, at_once: int
) -> None:
    left, right, within, cap = world
    masks, counts = looked_at(left, right, within=within, cap=cap)
    finder = PairFinder(left, right, model=model(cap), within=within)
    records = range(left.rules.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sent_records, "MOST_AT_ONCE", at_once)
        pairs = [pair for task in range(tasks) for pair in found(finder, list(records[task::tasks]))]
    assert len(pairs) == len(masks)
    assert {(one, other): mask for one, other, mask in pairs} == masks
    assert finder.counts() == counts
    every = list(itertools.product(records, range(right.rules.shape[1])))
    ends = [np.array(end, dtype=np.int64) for end in zip(*every, strict=True)]
    told = dict(zip(every, finder.masks(*ends).tolist(), strict=True))
    assert all(told[pair] == masks.get(pair, 0) for pair in every if not within or pair[0] < pair[1])


def test_without_records_there_are_no_pairs() -> None:
    nothing, one = keys([[]] * 3, [[]] * 2), keys([[5]] * 3, [[1]] * 2)
    for left, right in ((nothing, nothing), (nothing, one), (one, nothing)):
        finder = PairFinder(left, right, model=model(1), within=False)
        assert found(finder, list(range(left.rules.shape[1]))) == []
        assert [count.proposed for count in finder.counts()] == [0, 0, 0]
