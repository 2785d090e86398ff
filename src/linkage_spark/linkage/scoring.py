"""Weights of compared pairs: Fellegi-Sunter in log2, with a household class and value frequencies.

Sources: Fellegi and Sunter (1969) for the weight log2(m/u); docs/matching.md for the household
mixture, the garbled-name share and the correction for rare and common values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from linkage_spark.linkage.comparison import addresses, dates, levels, names
from linkage_spark.linkage.comparison.pair import Columns, PairComparison, iso_dates
from linkage_spark.linkage.whole_names import WholeNames
from linkage_spark.model.frequencies import WHOLE_NAME, AttributeFrequencies, Frequencies, WholeNameFrequencies
from linkage_spark.model.schema import (
    ADDRESS_LEVELS,
    CROSSED_LEVELS,
    FURTHER_LEVELS,
    MISSING,
    PART_LEVELS,
    Context,
    Household,
    Model,
    Probabilities,
)

MILLIBITS = 1000
"""Shown weights are integers of 1/1000 bit, so that they add up exactly."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ValueOf = Callable[[Columns], pa.Array]

_NONE = Probabilities(m=1.0, u=1.0)

_EXACT_NAME = names.CELL_NAMES.index("given exact, surname exact")
_WHOLE_NAMES = [
    *(names.CELL_NAMES.index(f"given {one}, surname {other}") for one in CROSSED_LEVELS for other in CROSSED_LEVELS),
    *(names.CELL_NAMES.index(f"crossed: {level}") for level in CROSSED_LEVELS),
]
"""Cells of two whole names both parts of which agree, exactly or nearly."""


@dataclass(frozen=True)
class WeightColumns:
    """Weights of a column of pairs, integers of 1/1000 bit; ``total`` is the sum of the others.

    ``household`` is the discount for pairs of one household or one context; ``further`` has a column per
    further attribute, its correction for rare and common values in it.
    """

    prior: Ints
    name: Ints
    name_frequency: Ints
    date_of_birth: Ints
    date_of_birth_frequency: Ints
    address: Ints
    address_frequency: Ints
    household: Ints
    further: Ints

    @property
    def total(self) -> Ints:
        """The match weight: log2 odds that both records are of one person, 1/1000 bit."""
        parts = (self.name, self.name_frequency, self.date_of_birth, self.date_of_birth_frequency)
        rest = (self.address, self.address_frequency, self.household)
        total: Ints = np.sum([self.prior, *parts, *rest], axis=0, dtype=np.int64) + self.further.sum(axis=1)
        return total


@dataclass(frozen=True)
class Shares:
    """Corrections for how rare the compared values are, bits (0 where none applies), and the policy's inputs.

    Attributes:
        given, surname, date, postcode: corrections, clipped.
        whole_name: correction of a whole name both parts of which agree, in the place of theirs; NaN where theirs count.
        name_share: share of person records that bear the agreeing name, or its agreeing part; NaN when
            no part agrees or frequencies are unknown.
        counted: the agreeing whole name, or every agreeing part's value, has a frequency of its own.
        surname_bearers: records that bear the agreeing surname, the commoner of the two; NaN when
            the surname does not agree, when no frequencies are known or when it is rarer than counted.
        surname_uncounted: the surname agrees and is rarer than any counted value.
        further: corrections of further attributes, a column each.
    """

    given: Floats
    surname: Floats
    date: Floats
    postcode: Floats
    whole_name: Floats
    name_share: Floats
    counted: Bools
    surname_bearers: Floats
    surname_uncounted: Bools
    further: Floats


class Scorer:
    """A model and its frequencies, laid out as arrays by level code."""

    def __init__(self, model: Model, frequencies: Frequencies) -> None:
        self.model = model
        self.frequencies = frequencies
        cells = name_cells(model)
        self._name_m = np.array([cells[level].m for level in names.CELL_NAMES])
        self._name_u = np.array([cells[level].u for level in names.CELL_NAMES])
        self._household = model.household and _HouseholdTables.of(model, model.household, cells)
        date_tables = {MISSING: _NONE, **model.partial_date_of_birth, **model.date_of_birth}
        self._date = [date_tables[level] for level in dates.LEVELS]
        address_tables = {MISSING: _NONE, **model.address}
        self._further = tuple(_FurtherTables.of(name, model) for name in model.further)
        context = model.context.address if model.context else {}
        self._context_address = np.array(
            [0.0, *(np.log2(model.address[at].m / context.get(at, model.address[at].u)) for at in ADDRESS_LEVELS)]
        )
        shared = model.household.address if model.household else {}
        self._household_address = np.array(
            [0.0, *(np.log2(model.address[at].m / shared.get(at, model.address[at].m)) for at in ADDRESS_LEVELS)]
        )
        self.prior = _millibits(np.array([model.prior_bits]))[0]
        self.name_weight = _millibits(np.log2(self._name_m / self._name_u))
        self.date_weight = _millibits(np.array([level.weight for level in self._date]))
        self.address_weight = _millibits(np.array([address_tables[level].weight for level in addresses.LEVELS]))
        self._whole = self._whole_names()
        self._most_by_name = self.name_weight + self._largest_gain_of_name()
        self.floor = round(model.thresholds.floor_bits * MILLIBITS)

    def weights(self, found: PairComparison, shares: Shares) -> WeightColumns:
        """Weights of compared pairs.

        With sR the sum of prior, levels and frequencies (one person against a random pair), sH the log2 odds
        of one person against two of one household and sC those against two of one context, the match weight
        is s = -log2(2^-sR + 2^-sH + 2^-sC); ``household`` shows s - sR, never above 0.
        """
        name_frequency = _millibits(shares.given) + _millibits(shares.surname)
        whole = ~np.isnan(shares.whole_name)
        name_frequency[whole] = _millibits(shares.whole_name[whole])
        date_frequency, address_frequency = _millibits(shares.date), _millibits(shares.postcode)
        name = self.name_weight[found.name.cell]
        date = self.date_weight[found.date.level]
        address = self.address_weight[found.address.level]
        further = self._further_weights(found, shares)
        person = self.prior + name + name_frequency + date + date_frequency
        against_random = person + address + address_frequency + further.sum(axis=1)
        random_bits = against_random / MILLIBITS
        odds_against = -random_bits
        if self._household:
            odds_against = np.logaddexp2(odds_against, -self._against_household(found, shares, self._household))
        if self.model.context:
            person_bits = (person - self.prior) / MILLIBITS
            odds_against = np.logaddexp2(odds_against, -self._against_context(found, person_bits, self.model.context))
        discount = -odds_against - random_bits
        return WeightColumns(
            prior=np.full(len(name), self.prior, dtype=np.int64),
            name=name,
            name_frequency=name_frequency,
            date_of_birth=date,
            date_of_birth_frequency=date_frequency,
            address=address,
            address_frequency=address_frequency,
            household=np.minimum(_millibits(discount), 0),
            further=further,
        )

    def _further_weights(self, found: PairComparison, shares: Shares) -> Ints:
        """Weights of further attributes, a column each; one that a side lacks weighs nothing."""
        columns = [
            table.weight[found.further[:, no]] + _millibits(shares.further[:, no])
            for no, table in enumerate(self._further)
        ]
        return np.stack(columns, axis=1) if columns else np.zeros((len(found.name.cell), 0), dtype=np.int64)

    def most_bits(self, found_date: Ints, found_address: Ints) -> Ints:
        """An upper bound of the match weight from date and address alone, 1/1000 bit."""
        gain = self._largest_gain("date_of_birth")
        date = self.date_weight[found_date] + np.where(found_date == dates.CODE["exact"], gain, 0)
        bound: Ints = (
            self.prior
            + int(self._most_by_name.max())
            + date
            + self.address_weight[found_address]
            + self._largest_gain("postcode")
            + sum(int(table.weight.max()) + self._largest_gain(table.name) for table in self._further)
        )
        return bound

    def most_bits_of_name(self, cell: Ints) -> Ints:
        """What to take off ``most_bits`` once the name's cell is known, 1/1000 bit, never above 0."""
        off: Ints = self._most_by_name[cell] - int(self._most_by_name.max())
        return off

    def most_bits_of(self, found: PairComparison) -> Ints:
        """An upper bound of the match weight from the levels alone, 1/1000 bit: no value makes it more."""
        bound: Ints = self.most_bits(found.date.level, found.address.level) + self.most_bits_of_name(found.name.cell)
        return bound

    def _largest_gain(self, attribute: str) -> int:
        """Largest correction that any value of an attribute can get, 1/1000 bit."""
        table = self.frequencies.of(attribute)
        if table is None:
            return 0
        bits = float(self._bits(table, self.told_at(attribute, table), np.array([table.rare_share]))[0])
        return max(0, round(bits * MILLIBITS)) + 1

    def _largest_gain_of_name(self) -> Ints:
        """By name cell: the largest correction that any name can get, 1/1000 bit."""
        gain: Ints = sum(
            (
                np.ceil(share * self._largest_gain(part)).astype(np.int64)
                for part, share in zip(("given", "surname"), _agreement_shares(self.model), strict=True)
            ),
            start=np.zeros(len(self.name_weight), dtype=np.int64),
        )
        if self._whole:
            beside = self.model.frequency.fuzzy_share * self._whole.most_beside_parts()
            most = self._whole.most_exact(gain[_EXACT_NAME] / MILLIBITS)
            gain[_WHOLE_NAMES] += math.ceil(beside * MILLIBITS) + 1
            gain[_EXACT_NAME] = max(0, round(most * MILLIBITS)) + 1
        return gain

    def _whole_names(self) -> WholeNames | None:
        """Shares of whole names; None where they are not counted."""
        table, given, surname = (self.frequencies.of(name) for name in (WHOLE_NAME, "given", "surname"))
        if not isinstance(table, WholeNameFrequencies) or given is None or surname is None:
            return None
        of_parts = self.told_at("given", given) * self.told_at("surname", surname)
        model = self.model.frequency
        # A model that states no share of whole names, or measures by its own u, takes the parts as independent.
        told = model.reference == "data" or (model.reference == "stated" and WHOLE_NAME in model.shares)
        reference = self.told_at(WHOLE_NAME, table) if told else of_parts
        return WholeNames(table=table, reference=reference, of_parts=of_parts, clip_bits=model.clip_bits)

    def shares(self, found: PairComparison, left: Columns, right: Columns) -> Shares:
        """Corrections for rare and common values.

        Exact agreement on a value borne by a share f of records: log2(reference/f); agreement that is
        not exact: the model's share of it, with the commoner of the two values; clipped. Crossed
        names: the same with the commoner value on either side. Dates and postcodes: exact only. Where whole
        names are counted they correct what both parts agree on: exactly, by their own share; not exactly, by the
        model's share of what they say beside their parts (``linkage.whole_names``).
        """
        name = found.name
        crossed_whole = name.crossed & (name.given != levels.MISSING_PART) & (name.surname != levels.MISSING_PART)
        given_l, given_r = self._value_shares("given", left, right, "given_first", "surname_last", name.crossed)
        surname_l, surname_r = self._value_shares("surname", left, right, "surname_last", "given_first", name.crossed)
        given_common, surname_common = _larger(given_l, given_r), _larger(surname_l, surname_r)
        given = self._name_bits("given", name.given, given_common, crossed_whole)
        surname = self._name_bits("surname", name.surname, surname_common, crossed_whole)
        date = self._exact_bits("date_of_birth", left, right, found.date.full, iso_dates)
        postcode = self._exact_bits(
            "postcode", left, right, _premises_by_postcode(found.address), lambda side: side["postcode"]
        )
        given_known = np.where(name.forename_agrees, given_common, 1.0)
        surname_known = np.where(name.surname_agrees, surname_common, 1.0)
        any_part = name.forename_agrees | name.surname_agrees
        surname_rare = self._is_uncounted("surname", surname_common)
        uncounted = (name.forename_agrees & self._is_uncounted("given", given_common)) | (
            name.surname_agrees & surname_rare
        )
        records = table.records if (table := self.frequencies.of("surname")) else np.nan
        whole_share, whole_bits = self._whole_shares(found, left, right, given + surname)
        whole_counted = ~np.isnan(whole_share)
        of_parts = np.where(any_part, given_known * surname_known, np.nan)
        return Shares(
            given=given,
            surname=surname,
            date=date,
            postcode=postcode,
            whole_name=whole_bits,
            name_share=np.where(whole_counted, whole_share, of_parts),
            counted=(any_part & ~uncounted) | whole_counted,
            surname_bearers=np.where(name.surname_agrees & ~surname_rare, surname_common * records, np.nan),
            surname_uncounted=name.surname_agrees & surname_rare,
            further=self._further_bits(found, left, right),
        )

    def _whole_shares(
        self, found: PairComparison, left: Columns, right: Columns, parts: Floats
    ) -> tuple[Floats, Floats]:
        """The commoner share of two whole names both parts of which agree, and the correction of the whole."""
        missing = np.full(len(parts), np.nan)
        if self._whole is None:
            return missing, missing
        name = found.name
        common = self._whole.common(left, right, name.name_whole)
        exact = name.cell == _EXACT_NAME
        near = ~exact & _agrees(name.given) & _agrees(name.surname)
        beside = parts + self.model.frequency.fuzzy_share * self._whole.beside_parts(left, right, near)
        return common, np.where(exact, self._whole.exact(common, parts), np.where(near, beside, np.nan))

    def _further_bits(self, found: PairComparison, left: Columns, right: Columns) -> Floats:
        """Corrections of further attributes; what is only near takes the model's share of the commoner value's."""
        bits = np.zeros(found.further.shape)
        for no, attribute in enumerate(self._further):
            table = self.frequencies.of(attribute.name)
            rows = np.flatnonzero(attribute.agreement[found.further[:, no]] > 0)
            if table is None or not len(rows):
                continue
            taken = pa.array(rows)
            common = _larger(*(_shares_of(table, side[attribute.name].take(taken)) for side in (left, right)))
            share = attribute.agreement[found.further[rows, no]]
            bits[rows, no] = share * self._bits(table, self.told_at(attribute.name, table), common)
        return bits

    def _against_household(self, found: PairComparison, shares: Shares, tables: _HouseholdTables) -> Floats:
        """log2 odds of one person against two of one household; place says nothing between them unless the model says."""
        household, cell, level = tables.household, found.name.cell, found.date.level
        given_h = (1 - household.forename_leak) * np.minimum(
            tables.given_u[cell] * np.exp2(-shares.given), 1.0
        ) + household.forename_leak * tables.given_m[cell]
        name = self._name_m[cell] / (tables.surname[cell] * given_h)
        date_m = np.array([p.m for p in self._date])[level]
        date_u = np.array([p.u for p in self._date])[level] * np.exp2(-shares.date)
        date = date_m / ((1 - household.date_leak) * date_u + household.date_leak * date_m)
        bits: Floats = np.log2(name) + np.log2(date) - np.log2(household.pairs_per_match)
        bits = bits + self._household_address[found.address.level]
        for no, table in enumerate(self._further):
            bits = bits + table.against_household[found.further[:, no]]
        return bits

    def _against_context(self, found: PairComparison, person_bits: Floats, context: Context) -> Floats:
        """log2 odds of one person against two of one context: names and dates as by chance, place as among neighbours."""
        bits: Floats = person_bits - np.log2(context.pairs_per_match) + self._context_address[found.address.level]
        for no, table in enumerate(self._further):
            bits = bits + table.against_context[found.further[:, no]]
        return bits

    def told_at(self, attribute: str, table: AttributeFrequencies) -> float:
        """Share of a value for which the weight of exact agreement is told: rarer ones weigh more, commoner ones less."""
        model = self.model
        if model.frequency.reference == "stated":
            return model.frequency.shares.get(attribute, table.chance_agreement)
        if model.frequency.reference == "data":
            return table.chance_agreement if table.typical_agreement is None else table.typical_agreement
        if attribute in model.further:
            return model.further[attribute].levels["exact"].u
        place = (model.address[level].u for level in ("same_premises", "same_building", "same_postcode"))
        return {
            "given": model.name.given["exact"].u,
            "surname": model.name.surname["exact"].u,
            "date_of_birth": model.date_of_birth["exact"].u,
            "postcode": sum(place),
        }[attribute]

    def _bits(self, table: AttributeFrequencies, reference: float, shares: Floats) -> Floats:
        """log2(reference/share), clipped."""
        clip = self.model.frequency.clip_bits
        return np.clip(np.log2(reference / shares), -clip, clip)

    def _value_shares(
        self, attribute: str, left: Columns, right: Columns, column: str, other: str, crossed: Bools
    ) -> tuple[Floats, Floats]:
        """Shares of a name part on both sides; where the name is crossed, of the commoner of both parts."""
        table = self.frequencies.of(attribute)
        sides = []
        for side in (left, right):
            straight = _shares_of(table, side[column])
            sides.append(
                np.where(crossed, _larger(straight, _shares_of(table, side[other])), straight)
                if crossed.any()
                else straight
            )
        return sides[0], sides[1]

    def _name_bits(self, attribute: str, level: Ints, common: Floats, crossed: Bools) -> Floats:
        """Correction of one name part, bits."""
        table = self.frequencies.of(attribute)
        if table is None:
            return np.zeros(len(level))
        part = np.where(level == levels.EXACT, 1.0, self.model.frequency.fuzzy_share)
        part = np.where(crossed, self.model.frequency.fuzzy_share, part)
        agrees = _agrees(level)
        bits = self._bits(table, self.told_at(attribute, table), common)
        return np.where(agrees & ~np.isnan(bits), part * bits, 0.0)

    def _exact_bits(self, attribute: str, left: Columns, right: Columns, agrees: Bools, value: _ValueOf) -> Floats:
        """Correction of a value that agrees exactly, bits."""
        table = self.frequencies.of(attribute)
        bits = np.zeros(len(agrees))
        rows = np.flatnonzero(agrees)
        if table is not None and len(rows):
            taken = pa.array(rows)
            shares = _shares_of(table, value({name: column.take(taken) for name, column in left.items()}))
            found = self._bits(table, self.told_at(attribute, table), shares)
            bits[rows] = np.where(np.isnan(found), 0.0, found)
        return bits

    def _is_uncounted(self, attribute: str, shares: Floats) -> Bools:
        """The commoner value has no frequency of its own; never so without frequencies."""
        table = self.frequencies.of(attribute)
        if table is None:
            return np.zeros(len(shares), dtype=np.bool_)
        uncounted: Bools = shares <= table.rare_share
        return uncounted


def name_cells(model: Model) -> dict[str, Probabilities]:
    """Return m and u of every cell of the joint name, normalised within each pattern of missing parts.

    Straight cells: m = (1 - 2g) m_given m_surname + g (u_given m_surname + m_given u_surname), where g is the
    garbled share (docs/matching.md), u = u_given u_surname; both scaled to what crossed cells leave.
    A single name in the other part's place has the part's m, and its u times the chances it had.
    """
    name, g = model.name, model.name.garbled_share
    straight_m = 1.0 - sum(level.m for level in name.crossed.values())
    straight_u = 1.0 - sum(level.u for level in name.crossed.values())
    cells = {MISSING: _NONE}
    for given_level in PART_LEVELS:
        given = name.given[given_level]
        cells[f"given {given_level}, surname {MISSING}"] = _garbled(given, g)
        for surname_level in PART_LEVELS:
            surname = name.surname[surname_level]
            cells[f"given {MISSING}, surname {surname_level}"] = _garbled(surname, g)
            m = (1 - 2 * g) * given.m * surname.m + g * (given.u * surname.m + given.m * surname.u)
            cells[f"given {given_level}, surname {surname_level}"] = Probabilities(
                m=straight_m * m, u=straight_u * given.u * surname.u
            )
    for level in CROSSED_LEVELS:
        cells[f"crossed: {level}"] = name.crossed[level]
        for part, table in (("given", name.given), ("surname", name.surname)):
            found = _garbled(table[level], g)
            u = min(1.0, found.u * name.single_name_chances)
            cells[f"crossed: single name, {part} {level}"] = Probabilities(m=found.m, u=u)
    return cells | dict(name.cells)


def _agreement_shares(model: Model) -> tuple[Floats, Floats]:
    """By name cell: the share of the given names' and of the surname's correction that no pair exceeds."""
    fuzzy = model.frequency.fuzzy_share
    of_part = dict.fromkeys(CROSSED_LEVELS, fuzzy) | {"exact": 1.0}
    given = [of_part.get(part, 0.0) for part in levels.PART_NAMES for _ in levels.PART_NAMES]
    surname = [of_part.get(part, 0.0) for _ in levels.PART_NAMES for part in levels.PART_NAMES]
    # Crossed names: both parts, and a single name's one part, whose share is never above an exact one's.
    ends = [of_part[level] for level in CROSSED_LEVELS]
    none = [0.0] * len(ends)
    return np.array([*given, *ends, *ends, *none]), np.array([*surname, *ends, *none, *ends])


def _agrees(level: Ints) -> Bools:
    """A part of a name agrees, exactly or nearly."""
    agrees: Bools = (level >= levels.FUZZY) & (level != levels.MISSING_PART)
    return agrees


def _garbled(part: Probabilities, share: float) -> Probabilities:
    """A single part of a name, of which a share is garbled and then agrees as by chance."""
    return Probabilities(m=(1 - share) * part.m + share * part.u, u=part.u)


@dataclass(frozen=True)
class _FurtherTables:
    """One further attribute by level code: weights in 1/1000 bit; odds in bits of one person against other classes.

    ``agreement`` is the share of the frequency correction that a level takes: 1 where values are equal,
    the model's fuzzy share where they are near, 0 elsewhere and for house numbers.
    """

    name: str
    weight: Ints
    against_household: Floats
    against_context: Floats
    agreement: Floats

    @classmethod
    def of(cls, name: str, model: Model) -> _FurtherTables:
        """Lay out one attribute of a model."""
        attribute = model.further[name]
        ladder = FURTHER_LEVELS[attribute.kind]
        m = np.array([attribute.levels[level].m for level in ladder])
        u = np.array([attribute.levels[level].u for level in ladder])
        household = model.household.further.get(name) if model.household else None
        context = model.context.further.get(name) if model.context else None
        h = m if household is None else np.array([household[level] for level in ladder])
        c = u if context is None else np.array([context[level] for level in ladder])
        shares = {"exact": 1.0, "near": model.frequency.fuzzy_share, "one_slip": model.frequency.fuzzy_share}
        counts = 0.0 if attribute.kind == "house" else 1.0
        return cls(
            name=name,
            weight=np.concatenate([[0], _millibits(np.log2(m / u))]),
            against_household=np.concatenate([[0.0], np.log2(m / h)]),
            against_context=np.concatenate([[0.0], np.log2(m / c)]),
            agreement=np.array([0.0, *(counts * shares.get(level, 0.0) for level in ladder)]),
        )


@dataclass(frozen=True)
class _HouseholdTables:
    """By name cell: m and u of the given names, and the probability of the surname level in a household.

    Exchanging the parts is an accident of writing that meets a relative's record as often, so a crossed
    cell weighs against a household what the straight cell of the same two levels does.
    """

    household: Household
    given_m: Floats
    given_u: Floats
    surname: Floats

    @classmethod
    def of(cls, model: Model, household: Household, cells: dict[str, Probabilities]) -> _HouseholdTables:
        """Lay out the household class of a model."""
        given: list[Probabilities] = []
        surname: list[float] = []
        for part in levels.PART_NAMES:
            for other in levels.PART_NAMES:
                given.append(_NONE if part == MISSING else model.name.given[part])
                surname.append(1.0 if other == MISSING else household.surname[other])
        for level in CROSSED_LEVELS:
            straight = model.name.given[level].m * model.name.surname[level].m
            given.append(model.name.given[level])
            surname.append(household.surname[level] * cells[f"crossed: {level}"].m / straight)
        for level in CROSSED_LEVELS:
            given.append(model.name.given[level])
            surname.append(1.0)
        for level in CROSSED_LEVELS:
            given.append(_NONE)
            surname.append(household.surname[level])
        return cls(household, np.array([p.m for p in given]), np.array([p.u for p in given]), np.array(surname))


def _millibits(bits: Floats) -> Ints:
    """Bits as integers of 1/1000 bit."""
    return np.rint(bits * MILLIBITS).astype(np.int64)


def _larger(left: Floats, right: Floats) -> Floats:
    """The larger of two shares; of a known and an unknown one the known."""
    return np.fmax(left, right)


def _shares_of(table: AttributeFrequencies | None, column: pa.Array) -> Floats:
    """Shares of a column's values; NaN for null and where there are no frequencies."""
    if table is None:
        return np.full(len(column), np.nan)
    encoded = pc.dictionary_encode(column)
    shares = np.array([table.share(value) for value in encoded.dictionary.to_pylist()] + [np.nan])
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    found: Floats = shares[codes]
    return found


def _premises_by_postcode(found: addresses.AddressComparison) -> Bools:
    """The address agrees at least by its full postcode, and the postcodes are equal."""
    return found.postcodes_equal & (found.level >= addresses.CODE["same_postcode"])
