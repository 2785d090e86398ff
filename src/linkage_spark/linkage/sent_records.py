"""Files small enough to go to every task whole: their records and keys as arrays, and which records share a key.

A record is its position in the order of references. What a join of keys does for the force's records, sorted arrays do
here: pairs of positions, each once, with its rule mask. The pairs are those of ``blocking.propose_pairs`` without the
gate (tests/flows/test_sent_pairs.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.linkage.comparison.pair import EVIDENCE_COLUMNS, Columns
from linkage_spark.linkage.keys import part_column, part_columns, rule_keys
from linkage_spark.linkage.score_stage import PERSON_QUALITY
from linkage_spark.model.schema import Model

MOST_AT_ONCE = 1_000_000
"""Pairs that a task holds at a time, before those of several rules are united."""

NO_KEY = 0
"""Stands for a null key. One key in 2^64 has that hash, and proposes nothing."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_KEYS = ("keys_l", "seconds_l", "keys_r", "seconds_r")


@dataclass(frozen=True)
class Keys:
    """Keys of all records on one side of a pair, NO_KEY for none.

    Attributes:
        rules: a row per rule, a column per record.
        seconds: the same of the parts that refine rules, a row per name of ``second_names``.
    """

    rules: Ints
    seconds: Ints


@dataclass(frozen=True)
class SentRecords:
    """One file's records in the order of their references.

    Attributes:
        columns: what a comparison and a scored pair read, by name.
        as_left: keys where the record stands on the left.
        as_right: keys where it stands on the right.
    """

    columns: Columns
    as_left: Keys
    as_right: Keys

    def __len__(self) -> int:
        return len(self.columns["person_ref"])

    def take(self, names: Sequence[str], positions: Ints) -> Columns:
        """Columns of the records at these positions."""
        places = pa.array(positions)
        return {name: self.columns[name].take(places) for name in names}


def second_names(model: Model) -> tuple[str, ...]:
    """The parts that refine rules, each once."""
    return tuple(sorted({rule.refine for rule in model.rules if rule.refine}))


def sent_columns(model: Model) -> tuple[str, ...]:
    """The columns that go to every task."""
    named = ("person_ref", "source_system", "variant_no", *PERSON_QUALITY, *EVIDENCE_COLUMNS, *model.further)
    return tuple(dict.fromkeys(named))


def records_to_send(persons: DataFrame, *, model: Model) -> DataFrame:
    """What ``as_sent`` reads, in the order of references.

    Args:
        persons: PERSON rows with the model's further columns, one per reference, all taking part.
        model: its rules.

    Returns:
        ``sent_columns``, and the keys of the record on either side as arrays of LONG, NO_KEY for null.
    """
    frame = persons
    for on_roster, (keys, seconds) in ((True, _KEYS[:2]), (False, _KEYS[2:])):
        carried = frame.columns
        parts = frame.select("*", *part_columns(model, on_roster=on_roster))
        second = [F.col(part_column(name)) for name in second_names(model)]
        hashed = [F.when(part.isNotNull(), F.xxhash64(part)) for part in second]
        frame = parts.select(
            *[F.col(f"`{name}`") for name in carried],
            _without_nulls(rule_keys(model)).alias(keys),
            _without_nulls(F.array(*hashed).cast("array<bigint>")).alias(seconds),
        )
    return frame.select(*sent_columns(model), *_KEYS).orderBy("person_ref")


def _without_nulls(keys: Column) -> Column:
    return F.transform(keys, lambda key: F.coalesce(key, F.lit(NO_KEY).cast("long")))


def as_sent(table: pa.Table) -> SentRecords:
    """Collected ``records_to_send`` as arrays."""
    columns = {name: _whole(table[name]) for name in table.column_names if name not in _KEYS}
    rules_l, seconds_l, rules_r, seconds_r = (_matrix(_whole(table[name]), table.num_rows) for name in _KEYS)
    return SentRecords(columns, Keys(rules_l, seconds_l), Keys(rules_r, seconds_r))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], type=column.type)


def _matrix(lists: pa.Array, records: int) -> Ints:
    """Lists of one length as an array: a row per place in the list."""
    values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    return np.ascontiguousarray(values.reshape(records, len(values) // records if records else 0).T)


@dataclass(frozen=True)
class RuleCounts:
    """What one rule does, exactly.

    Attributes:
        refined_keys: keys of the right side over the cap, where the rule has a second key.
        proposed: pairs that it proposes, their second key equal where it is asked for.
        refined_away: pairs that share its key and lack the second one.
    """

    refined_keys: int
    proposed: int
    refined_away: int


class _Index:
    """The records on the right by their key: ranges of an array, ascending by key, then by position."""

    def __init__(self, keys: Ints) -> None:
        known = np.flatnonzero(keys != NO_KEY)
        self._values, codes = np.unique(keys[known], return_inverse=True)
        self._records = max(len(keys), 1)
        self._places = np.sort(codes.reshape(-1) * self._records + known)

    def ranges(self, keys: Ints, first: Ints) -> tuple[Ints, Ints]:
        """Per key: where its records from position ``first`` on begin, and where they end."""
        if not self._values.size:
            return np.zeros_like(keys), np.zeros_like(keys)
        code = np.minimum(np.searchsorted(self._values, keys), self._values.size - 1)
        stop = np.searchsorted(self._places, (code + 1) * self._records)
        start = np.searchsorted(self._places, code * self._records + first)
        found = (self._values[code] == keys) & (keys != NO_KEY)
        return np.where(found, start, stop), stop

    def positions(self, start: Ints, stop: Ints) -> Ints:
        """The records of all ranges, one after the other."""
        size = stop - start
        ends = np.cumsum(size)
        places = np.repeat(start - (ends - size), size) + np.arange(int(ends[-1]) if ends.size else 0)
        found: Ints = self._places[places] % self._records
        return found


class PairFinder:
    """Which records share a rule's key, and its second key where the key is refined.

    A key that more than ``model.key_cap`` records on the right bear is refined, where its rule has a second key.

    Args:
        left: keys of the records on the left.
        right: keys of those on the right.
        model: its rules.
        within: both are one file: of two records the one before stands on the left.
    """

    def __init__(self, left: Keys, right: Keys, *, model: Model, within: bool) -> None:
        self._left, self._right, self._within = left, right, within
        self._records = max(right.rules.shape[1], 1)
        names = second_names(model)
        self._second = [names.index(rule.refine) if rule.refine else None for rule in model.rules]
        self._plain = [_Index(keys) for keys in right.rules]
        self._refined: list[Bools] = []
        self._both: list[_Index | None] = []
        self._refined_keys: list[int] = []
        for no, second in enumerate(self._second):
            heavy = _heavy(right.rules[no], model.key_cap) if second is not None else np.zeros(0, dtype=np.int64)
            self._refined.append(np.isin(left.rules[no], heavy))
            self._refined_keys.append(len(heavy))
            of_heavy = np.where(np.isin(right.rules[no], heavy), right.rules[no], NO_KEY)
            self._both.append(
                _Index(_mixed(of_heavy, right.seconds[second])) if second is not None and heavy.size else None
            )

    def pairs(self, rows: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
        """All pairs of these records on the left: positions left and right, and the rule mask; each pair once."""
        spans = [span for no in range(len(self._plain)) for span in self._spans(no, rows)]
        size = np.zeros(len(rows), dtype=np.int64)
        for _, start, stop in spans:
            size += stop - start
        for part in _slices(size):
            of_rules = []
            for index, start, stop in spans:
                left = np.repeat(rows[part], stop[part] - start[part])
                of_rules.append(left * self._records + index.positions(start[part], stop[part]))
            left, right = np.divmod(np.unique(np.concatenate(of_rules)), self._records)
            yield left, right, self.masks(left, right)

    def masks(self, left: Ints, right: Ints) -> Ints:
        """The rule mask of any pairs: bit i is set when rule i proposes the pair; 0 for no candidate."""
        seconds = zip(self._left.seconds, self._right.seconds, strict=True)
        equal = [(one[left] == other[right]) & (one[left] != NO_KEY) for one, other in seconds]
        mask = np.zeros(len(left), dtype=np.int64)
        for no, second in enumerate(self._second):
            key = self._left.rules[no][left]
            holds = (key == self._right.rules[no][right]) & (key != NO_KEY)
            if second is not None:
                holds &= ~self._refined[no][left] | equal[second]
            mask |= holds.astype(np.int64) << no
        return mask

    def counts(self) -> list[RuleCounts]:
        """Of every rule, over all records."""
        rows = np.arange(self._left.rules.shape[1], dtype=np.int64)
        counted = []
        for no, refined_keys in enumerate(self._refined_keys):
            proposed = sum(int((stop - start).sum()) for _, start, stop in self._spans(no, rows))
            start, stop = self._plain[no].ranges(self._left.rules[no], self._first(rows))
            shared = int((stop - start).sum())
            counted.append(RuleCounts(refined_keys, proposed, shared - proposed))
        return counted

    def _spans(self, no: int, rows: Ints) -> Iterator[tuple[_Index, Ints, Ints]]:
        """Ranges of a rule's partners per record; those of its refined keys apart."""
        keys, refined, first = self._left.rules[no][rows], self._refined[no][rows], self._first(rows)
        yield self._plain[no], *self._plain[no].ranges(np.where(refined, NO_KEY, keys), first)
        both, second = self._both[no], self._second[no]
        if both is not None and second is not None:
            mixed = _mixed(np.where(refined, keys, NO_KEY), self._left.seconds[second][rows])
            yield both, *both.ranges(mixed, first)

    def _first(self, rows: Ints) -> Ints:
        """The first position that may stand on the right of a record."""
        return rows + 1 if self._within else np.zeros_like(rows)


def _heavy(keys: Ints, cap: int) -> Ints:
    """Keys that more than ``cap`` records bear."""
    values, borne = np.unique(keys[keys != NO_KEY], return_counts=True)
    heavy: Ints = values[borne > cap]
    return heavy


_ODD = np.uint64(0x9E3779B97F4A7C15)


def _mixed(keys: Ints, seconds: Ints) -> Ints:
    """One hash of two; NO_KEY where either is none."""
    mixed = (keys.astype(np.uint64) ^ (seconds.astype(np.uint64) * _ODD)).astype(np.int64)
    return np.where((keys != NO_KEY) & (seconds != NO_KEY), mixed, NO_KEY)


def _slices(size: Ints) -> Iterator[slice]:
    """Rows in parts of about MOST_AT_ONCE pairs; rows without any are left out at the end."""
    ends = np.cumsum(size)
    start = 0
    while start < len(size) and ends[-1] > (ends[start - 1] if start else 0):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + MOST_AT_ONCE, side="right")))
        yield slice(start, stop)
        start = stop
