"""The stage that compares and scores candidate pairs: one Arrow-batched Python function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.linkage.comparison import addresses, dates
from linkage_spark.linkage.comparison import further as further_levels
from linkage_spark.linkage.comparison import names as name_levels
from linkage_spark.linkage.comparison.further import compare_further
from linkage_spark.linkage.comparison.levels import PART_NAMES
from linkage_spark.linkage.comparison.pair import (
    EVIDENCE_COLUMNS,
    INTEGER_COLUMNS,
    STRING_COLUMNS,
    Columns,
    PairComparison,
    columns_of,
    compare_addresses,
    compare_columns,
    compare_dates,
    compare_names,
    sex_marked_conflict,
    twin_pattern,
    with_places,
)
from linkage_spark.linkage.comparison.tokens import NameComparer, NameKnowledge
from linkage_spark.linkage.scoring import Scorer, Shares, WeightColumns
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import scored_pair_of

PERSON_QUALITY = ("name_issue", "dob_issue", "address_issue", "on_duty_sign")
_KEYS = ("person_ref_l", "source_system_r", "person_ref_r", "variant_no_l", "variant_no_r", "rule_mask")

SEPARATOR = "\x1f"
"""Stands between the values of ``evidence_values``; no standard form contains it."""

Ints = npt.NDArray[np.int64]
_Compared = TypeVar(
    "_Compared",
    name_levels.NameComparison,
    dates.DateComparison,
    addresses.AddressComparison,
    Shares,
    WeightColumns,
)


def score_candidates(
    candidates: DataFrame, *, model: Model, frequencies: Frequencies, names: NameKnowledge
) -> DataFrame:
    """Compare and score candidate pairs; pairs below the model's floor are left out.

    Args:
        candidates: COMPARED_COLUMNS of PERSON suffixed ``_l`` (employee) and ``_r`` (police), and
            ``rule_mask``.
        model: levels, weights and limits.
        frequencies: shares of values, frozen with the model; ``Frequencies.none()`` for none.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        SCORED_PAIR, with ``level_`` and ``weight_`` of the model's further attributes; lazy. A null value is
        its own level with weight 0; the ``weight_`` columns add up to ``match_weight_millibits`` exactly.
    """
    contract = scored_pair_of(tuple(model.further))
    inputs = [
        *_KEYS,
        *(f"{name}_r" for name in PERSON_QUALITY),
        *(f"{name}_{side}" for side in "lr" for name in (*EVIDENCE_COLUMNS, *model.further)),
    ]

    def score_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scoring = BatchScorer(model, frequencies, names)
        for batch in batches:
            scored = scoring.score(batch)
            if scored.num_rows:
                yield scored

    frame = candidates.select(*[F.col(name) for name in dict.fromkeys(inputs)])
    return contract.conform(frame.mapInArrow(score_batches, schema=contract.schema))


def score_pair(
    left: Mapping[str, object],
    right: Mapping[str, object],
    *,
    model: Model,
    frequencies: Frequencies,
    names: NameKnowledge,
) -> dict[str, object]:
    """Compare and score one pair of person records, whatever its weight: for the help desk.

    Args:
        left: the employee's PERSON row as a mapping; absent values count as unknown.
        right: the police PERSON row.
        model: levels, weights and limits.
        frequencies: shares of values, frozen with the model.
        names: nicknames, transliterations and sex-marked parts.

    Returns:
        The columns of SCORED_PAIR by name; key columns from the rows where they have them.
    """
    scoring = BatchScorer(model, frequencies, names)
    columns_l, columns_r = columns_of(left, model.further), columns_of(right, model.further)
    found = compare_columns(columns_l, columns_r, scoring.comparer, model.further)
    shares = scoring.scorer.shares(found, columns_l, columns_r)
    weights = scoring.scorer.weights(found, shares)
    evidence = scoring.evidence(found, shares, weights, columns_l, columns_r)
    keys: dict[str, object] = {
        "employee_id": left.get("person_ref"),
        "source_system": right.get("source_system"),
        "person_ref": right.get("person_ref"),
        "employee_variant_no": left.get("variant_no"),
        "person_variant_no": right.get("variant_no"),
        "rule_mask": right.get("rule_mask"),
        "on_duty_sign": bool(right.get("on_duty_sign")),
        "quality_name": right.get("name_issue"),
        "quality_date_of_birth": right.get("dob_issue"),
        "quality_address": right.get("address_issue"),
        **{f"person_{name}": columns_r[name][0].as_py() for name in INTEGER_COLUMNS},
    }
    scored = keys | {name: column[0].as_py() for name, column in evidence.items()}
    return {name: scored[name] for name in scored_pair_of(tuple(model.further)).names}


class BatchScorer:
    """Scores record batches of candidates; remembers name pairs between batches of one task.

    What is cheap is settled first for the whole batch (dates, addresses); rows that cannot reach the
    floor even with the best name are dropped before any string distance, and again once the
    name's cell is known. Neither changes a result: the bounds are exact.
    """

    def __init__(self, model: Model, frequencies: Frequencies, knowledge: NameKnowledge) -> None:
        self.scorer = Scorer(model, frequencies)
        self.comparer = NameComparer(knowledge)
        self._limits = model.limits
        self._on_duty = round(model.on_duty_bits * 1000)
        self._further = model.further
        self._names = scored_pair_of(tuple(model.further)).names

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score one batch of candidates into SCORED_PAIR rows at or above the floor, in their order."""
        left, right = side_columns(batch, "l", self._further), side_columns(batch, "r", self._further)
        date, address = compare_dates(left, right), compare_addresses(left, right)
        bound = self.scorer.most_bits(date.level, address.level)
        floor = self._floor(batch)
        rows = np.flatnonzero(bound >= floor)
        left, right = _take(left, rows), _take(right, rows)
        name = compare_names(left, right, self.comparer)
        reach = bound[rows] + self.scorer.most_bits_of_name(name.cell) >= floor[rows]
        kept = np.flatnonzero(reach)
        rows = rows[kept]
        left, right = _take(left, kept), _take(right, kept)
        further = compare_further(left, right, self._further)
        found = PairComparison(
            name=_rows(name, kept),
            date=_rows(date, rows),
            address=with_places(_rows(address, rows), further, self._further),
            further=further,
        )
        above, columns = self.above(found, left, right, floor[rows])
        columns |= key_columns(batch.take(pa.array(rows[above])).column)
        return self.as_batch(columns)

    def above(self, found: PairComparison, left: Columns, right: Columns, floor: Ints) -> tuple[Ints, Columns]:
        """Rows of compared pairs at or above the floor (1/1000 bit), and what ``evidence`` says of each."""
        shares = self.scorer.shares(found, left, right)
        weights = self.scorer.weights(found, shares)
        rows = np.flatnonzero(weights.total >= floor)
        of_rows = take_rows(found, rows), _rows(shares, rows), _rows(weights, rows)
        return rows, self.evidence(*of_rows, _take(left, rows), _take(right, rows))

    def as_batch(self, columns: Columns) -> pa.RecordBatch:
        """Evidence and key columns in the order of SCORED_PAIR."""
        return pa.RecordBatch.from_pydict({field: columns[field] for field in self._names})

    def _floor(self, batch: pa.RecordBatch) -> Ints:
        """The model's floor, lower for a record with an on-duty sign (``Model.on_duty_bits``), 1/1000 bit."""
        on_duty = pc.fill_null(batch.column("on_duty_sign_r"), False).to_numpy(zero_copy_only=False)
        lower: Ints = np.where(on_duty, self.scorer.floor - self._on_duty, self.scorer.floor)
        return lower

    def evidence(
        self, found: PairComparison, shares: Shares, weights: WeightColumns, left: Columns, right: Columns
    ) -> Columns:
        """Every column of SCORED_PAIR that follows from the two sides' values."""
        integers = {
            "match_weight_millibits": weights.total,
            "weight_prior": weights.prior,
            "weight_name": weights.name,
            "weight_name_frequency": weights.name_frequency,
            "weight_date_of_birth": weights.date_of_birth,
            "weight_date_of_birth_frequency": weights.date_of_birth_frequency,
            "weight_address": weights.address,
            "weight_address_frequency": weights.address_frequency,
            "weight_household": weights.household,
        }
        levels = {
            "level_name": (name_levels.CELL_NAMES, found.name.cell),
            "level_given": (PART_NAMES, found.name.given),
            "level_surname": (PART_NAMES, found.name.surname),
            "level_date_of_birth": (dates.LEVELS, found.date.level),
            "level_address": (addresses.LEVELS, found.address.level),
        }
        for no, (name, attribute) in enumerate(self._further.items()):
            integers[f"weight_{name}"] = weights.further[:, no]
            levels[f"level_{name}"] = (further_levels.LEVELS[attribute.kind], found.further[:, no])
        flags = {
            "same_premises": found.address.same_premises,
            "twin_pattern": twin_pattern(found),
            "sex_marked_conflict": sex_marked_conflict(left, right, self.comparer),
            "rare_name": self._rare_name(found, shares),
            "dob_full": found.date.full,
            "dob_near": found.date.near,
            "dob_contradicts": found.date.contradicts,
            "name_whole": found.name.name_whole,
            "forename_agrees": found.name.forename_agrees,
            "forename_differs": found.name.forename_differs,
            "surname_agrees": found.name.surname_agrees,
            "same_postcode": found.address.same_postcode,
            "rare_surname": self._rare_surname(shares),
        }
        return {
            **{column: pa.array(values, type=pa.int64()) for column, values in integers.items()},
            **{
                column: pa.array(labels, type=pa.string()).take(pa.array(codes))
                for column, (labels, codes) in levels.items()
            },
            **{column: pa.array(values, type=pa.bool_()) for column, values in flags.items()},
            "evidence_values": evidence_values(left, right, tuple(self._further)),
            "frequency_one_in": _one_in(shares),
        }

    def _rare_name(self, found: PairComparison, shares: Shares) -> npt.NDArray[np.bool_]:
        """The whole agreeing name is borne by fewer than one in the limit's number of records."""
        with np.errstate(invalid="ignore"):
            rare: npt.NDArray[np.bool_] = found.name.name_whole & (
                shares.name_share * self._limits.rare_name_one_in < 1.0
            )
        return rare

    def _rare_surname(self, shares: Shares) -> npt.NDArray[np.bool_]:
        """The agreeing surname has fewer bearers than the limit."""
        with np.errstate(invalid="ignore"):
            few = shares.surname_bearers < self._limits.rare_surname_bearers
        uncounted = shares.surname_uncounted & (self._limits.min_bearers <= self._limits.rare_surname_bearers)
        rare: npt.NDArray[np.bool_] = few | uncounted
        return rare


def evidence_values(left: Columns, right: Columns, further: tuple[str, ...] = ()) -> pa.Array:
    """Standard forms of what was compared, per attribute in sorted order, so that sides do not matter."""
    forms = []
    for columns in (
        ("given_name", "surname"),
        INTEGER_COLUMNS,
        ("uprn", "premises_key", "saon", "paon", "street", "town", "postcode", "postcode_district"),
        *((name,) for name in further),
    ):
        one, other = (_joined([side[name] for name in columns], "|") for side in (left, right))
        in_order = pc.less_equal(one, other)
        forms += [pc.if_else(in_order, one, other), pc.if_else(in_order, other, one)]
    return _joined(forms, SEPARATOR)


def _joined(columns: Sequence[pa.Array], separator: str) -> pa.Array:
    """Columns as one text each row, null as nothing."""
    texts = [column.cast(pa.string()) for column in columns]
    return pc.binary_join_element_wise(*texts, separator, null_handling="replace", null_replacement="")


def _one_in(shares: Shares) -> pa.Array:
    """About one in this many records bears the agreeing name; null when unknown or rarer than counted."""
    known = shares.counted & ~np.isnan(shares.name_share)
    safe = np.where(known, shares.name_share, 1.0)
    return pa.array(np.rint(1.0 / safe).astype(np.int64), type=pa.int64(), mask=~known)


def take_rows(found: PairComparison, rows: Ints) -> PairComparison:
    """The given rows of a comparison."""
    return PairComparison(
        name=_rows(found.name, rows),
        date=_rows(found.date, rows),
        address=_rows(found.address, rows),
        further=found.further[rows],
    )


def key_columns(column: Callable[[str], pa.Array]) -> Columns:
    """Key and quality columns under their names in SCORED_PAIR, from columns suffixed ``_l`` and ``_r``."""
    return {
        "employee_id": column("person_ref_l"),
        "source_system": column("source_system_r"),
        "person_ref": column("person_ref_r"),
        "employee_variant_no": column("variant_no_l"),
        "person_variant_no": column("variant_no_r"),
        "rule_mask": column("rule_mask"),
        "on_duty_sign": pc.fill_null(column("on_duty_sign_r"), False),
        "quality_name": column("name_issue_r"),
        "quality_date_of_birth": column("dob_issue_r"),
        "quality_address": column("address_issue_r"),
        **{f"person_{name}": column(f"{name}_r") for name in INTEGER_COLUMNS},
    }


def side_columns(batch: pa.RecordBatch, side: str, further: Collection[str] = ()) -> Columns:
    """One side's evidence columns without their suffix."""
    strings = {name: batch.column(f"{name}_{side}").cast(pa.string()) for name in (*STRING_COLUMNS, *further)}
    return strings | {name: batch.column(f"{name}_{side}") for name in INTEGER_COLUMNS}


def _take(columns: Columns, rows: Ints) -> Columns:
    """The given rows of every column."""
    if rows.size == len(columns["surname"]):
        return columns
    taken = pa.array(rows)
    return {name: column.take(taken) for name, column in columns.items()}


def _rows(found: _Compared, rows: Ints) -> _Compared:
    """The given rows of a dataclass of columns."""
    return type(found)(**{name: values[rows] for name, values in vars(found).items()})
