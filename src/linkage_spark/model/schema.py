"""A model: its rules, levels, probabilities and thresholds, validated once and never changed.

A shipped model is one TOML file in ``conf/models``. A released file is never edited; a change is a
new file with a new id. A weight is log2(m/u): m is the probability of a level when two records are
of one person, u when they are of two persons taken at random.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from linkage_spark.errors import SettingsError

PART_LEVELS: tuple[str, ...] = ("differ", "initial", "fuzzy", "typo", "variant", "exact")
"""Levels of one part of a name (given names, surname), weakest first; 'missing' stands beside them."""

CROSSED_LEVELS: tuple[str, ...] = ("fuzzy", "typo", "variant", "exact")
"""Levels of a name whose given names and surname stand in each other's place, weakest first."""

DATE_LEVELS: tuple[str, ...] = (
    "differ",
    "within_ten_years",
    "within_two_years",
    "year_only",
    "two_digits",
    "month_and_day",
    "year_and_one_part",
    "first_of_january",
    "one_digit_or_transposition",
    "century",
    "day_month_swap",
    "exact",
)
"""Levels of two full dates of birth, weakest first."""

PARTIAL_DATE_LEVELS: tuple[str, ...] = (
    "partial_differ",
    "partial_near",
    "partial_year_agrees",
    "partial_year_and_part_agree",
)
"""Levels of two dates of birth of which at least one lacks day or month, weakest first."""

ADDRESS_LEVELS: tuple[str, ...] = (
    "differ",
    "same_area",
    "same_district",
    "same_sector",
    "same_street",
    "same_postcode",
    "same_building",
    "same_premises",
)
"""Levels of two addresses, weakest first."""

FURTHER_LEVELS: Mapping[str, tuple[str, ...]] = {
    "code": ("differ", "same_start", "near", "one_slip", "exact"),
    "house": ("differ", "one_slip", "shared_token", "exact"),
    "street": ("differ", "faint", "alike", "similar", "near", "exact"),
    "text": ("differ", "half", "similar", "near", "exact"),
    "exact": ("differ", "exact"),
}
"""Levels of a further attribute by its kind, weakest first. Further attributes stand in an analyst's file only."""

PLACE_PREFIX, EXTRA_PREFIX = "place_", "extra_"
"""How the columns of further attributes begin: parts of a place, and what an analyst adds."""

MISSING = "missing"
"""The level of an attribute that one side lacks. Its weight is 0."""

_SUM_TOLERANCE = 1e-6


class _Frozen(BaseModel):
    """Base of all parts of a model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Frozen):
    """One blocking rule: records that agree on all parts become a candidate pair.

    Attributes:
        id: name of the rule.
        parts: names of the key parts that must agree.
        refine: the part that must agree as well where the key is over the cap; '' when the rule is
            never refined.
    """

    id: str = Field(min_length=1)
    parts: tuple[str, ...] = Field(min_length=1)
    refine: str = ""


class Probabilities(_Frozen):
    """Probability of one level in one person's pairs (m) and in random pairs (u); more than 0, at most 1."""

    m: float = Field(gt=0, le=1)
    u: float = Field(gt=0, le=1)

    @property
    def weight(self) -> float:
        """log2(m/u), bits."""
        return math.log2(self.m / self.u)


class NameTables(_Frozen):
    """Probabilities of the joint name attribute.

    Attributes:
        given: level of the given names, straight.
        surname: level of the surname, straight.
        crossed: given names against surname both ways; what is left of 1 belongs to the straight cells.
        single_name_chances: a record's single name is held against both parts of the other record;
            u of such an agreement is the part's u times this.
        garbled_share: share g of one person's pairs in which one part of the name is garbled or
            replaced, see docs/matching.md.
        cells: joint cells by level name, which replace those computed from the parts; a trained
            model may give them. Empty in a model from published figures.
    """

    given: Mapping[str, Probabilities]
    surname: Mapping[str, Probabilities]
    crossed: Mapping[str, Probabilities]
    single_name_chances: float = Field(ge=1, le=4)
    garbled_share: float = Field(ge=0, lt=0.5)
    cells: Mapping[str, Probabilities] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> NameTables:
        _check_levels("name.given", self.given, PART_LEVELS, sums_to_one=True)
        _check_levels("name.surname", self.surname, PART_LEVELS, sums_to_one=True)
        _check_levels("name.crossed", self.crossed, CROSSED_LEVELS, sums_to_one=False)
        return self


class Household(_Frozen):
    """The household class H: relatives and people at one address, who are not the same person.

    Attributes:
        pairs_per_match: household pairs per pair of one person in the whole pair space.
        forename_leak: share of household pairs whose given names behave as one person's (father and son).
        date_leak: share of household pairs whose dates of birth do (twins).
        surname: probability of each surname level among household pairs.
        address: probability of each address level among household pairs; empty = as one person's.
        further: probability of each level of a further attribute among household pairs; an attribute
            that is not listed, and every part of a place, behaves as one person's.
    """

    pairs_per_match: float = Field(gt=0)
    forename_leak: float = Field(gt=0, lt=1)
    date_leak: float = Field(gt=0, lt=1)
    surname: Mapping[str, float]
    address: Mapping[str, float] = Field(default_factory=dict)
    further: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Household:
        _check_shares("household.surname", self.surname, PART_LEVELS)
        if self.address:
            _check_shares("household.address", self.address, ADDRESS_LEVELS)
        return self


class Context(_Frozen):
    """The context class C: neighbours, people of one street, trade or town, who are not the same person.

    Names and dates of birth agree as by chance.

    Attributes:
        pairs_per_match: context pairs per pair of one person in the whole pair space.
        address: probability of each address level among context pairs; empty = as by chance.
        further: the same of further attributes; one that is not listed agrees as by chance.
    """

    pairs_per_match: float = Field(gt=0)
    address: Mapping[str, float] = Field(default_factory=dict)
    further: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Context:
        if self.address:
            _check_shares("context.address", self.address, ADDRESS_LEVELS)
        return self


class Further(_Frozen):
    """A further attribute of an analyst's file: a part of a place that is no British address, or any other column.

    Attributes:
        kind: how its values are compared (FURTHER_LEVELS).
        levels: probabilities of its levels.
    """

    kind: Literal["code", "house", "street", "text", "exact"]
    levels: Mapping[str, Probabilities]

    @model_validator(mode="after")
    def _check(self) -> Further:
        _check_levels(f"further ({self.kind})", self.levels, FURTHER_LEVELS[self.kind], sums_to_one=True)
        return self


class FrequencySettings(_Frozen):
    """How rarity moves a weight.

    Attributes:
        clip_bits: no correction is larger than this, either way, per value.
        fuzzy_share: share of the correction where values agree but are not equal.
        reference: what a value's share is measured against: 'model' = the model's own u of the
            exact level (so that exact agreement weighs log2(m/share)); 'data' = the expected chance
            agreement in the frequency table; 'stated' = ``shares``.
        shares: by attribute of the frequencies: the share at which its weight of exact agreement is told, where
            ``reference`` is 'stated'. A model trained on the force's own records states them.
    """

    clip_bits: float = Field(gt=0)
    fuzzy_share: float = Field(ge=0, le=1)
    reference: Literal["model", "data", "stated"] = "model"
    shares: Mapping[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> FrequencySettings:
        if (self.reference == "stated") != bool(self.shares):
            raise ValueError("frequency: shares stand exactly where reference is 'stated'")
        if any(not 0 < share <= 1 for share in self.shares.values()):
            raise ValueError("frequency.shares: a share is above 0 and at most 1")
        return self


class Thresholds(_Frozen):
    """Cuts on the match weight, bits: tier match, tier possible, and kept at all."""

    match_bits: float
    possible_bits: float
    floor_bits: float

    @model_validator(mode="after")
    def _check(self) -> Thresholds:
        if not self.floor_bits <= self.possible_bits <= self.match_bits:
            raise ValueError("thresholds: floor_bits <= possible_bits <= match_bits must hold")
        return self


class Rival(_Frozen):
    """Leader advantage, frozen with the model.

    Attributes:
        margin_bits: lead over all rivals of one side together that tier match needs (``linkage.rivals``).
        roster_size: employees on the roster for which the prior was set.
    """

    margin_bits: float = Field(ge=0)
    roster_size: int = Field(gt=0)


class Limits(_Frozen):
    """What counts as rare.

    Attributes:
        rare_name_one_in: a whole name is rare when fewer than one in this many records bears it.
        rare_surname_bearers: a surname is rare when fewer records than this bear it.
        min_bearers: a value's own frequency is kept only from this many bearers on.
    """

    rare_name_one_in: int = Field(gt=1)
    rare_surname_bearers: int = Field(ge=1)
    min_bearers: int = Field(ge=2)


class Model(_Frozen):
    """Everything that decides a score, under one id.

    Attributes:
        id: name of the model; the file's name.
        provenance: how each number was obtained.
        prior_bits: log2 odds that a random pair of employee and person record is of one person.
        key_cap: history rows per key above which the key takes the rule's second part.
        rules: blocking rules; the position is the bit in ``rule_mask``.
        household, context: the classes of pairs that are neither one person nor taken at random; None
            where the model has no such class.
        further: further attributes by the name of their column (``place_…`` or ``extra_…``); never in a
            model of the force.
        doubts: why its probabilities are weak, in sentences; empty where nothing speaks against them.
    """

    id: str = Field(min_length=1)
    provenance: Mapping[str, str]
    prior_bits: float
    key_cap: int = Field(gt=0)
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=62)
    name: NameTables
    date_of_birth: Mapping[str, Probabilities]
    partial_date_of_birth: Mapping[str, Probabilities]
    address: Mapping[str, Probabilities]
    household: Household | None = None
    context: Context | None = None
    further: Mapping[str, Further] = Field(default_factory=dict)
    frequency: FrequencySettings
    thresholds: Thresholds
    rival: Rival
    limits: Limits
    doubts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Model:
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise ValueError("rules: an id is used twice")
        _check_levels("date_of_birth", self.date_of_birth, DATE_LEVELS, sums_to_one=True)
        _check_levels("partial_date_of_birth", self.partial_date_of_birth, PARTIAL_DATE_LEVELS, sums_to_one=True)
        _check_levels("address", self.address, ADDRESS_LEVELS, sums_to_one=True)
        for name in self.further:
            if not name.startswith((PLACE_PREFIX, EXTRA_PREFIX)):
                raise ValueError(f"further.{name}: a further attribute's column begins with place_ or extra_")
        for table, shares in self._further_shares():
            if table[1] not in self.further:
                raise ValueError(f"{'.'.join(table)}: no such further attribute")
            _check_shares(".".join(table), shares, FURTHER_LEVELS[self.further[table[1]].kind])
        return self

    def _further_shares(self) -> list[tuple[tuple[str, str], Mapping[str, float]]]:
        """The tables of further attributes in the classes household and context."""
        classes = (("household", self.household), ("context", self.context))
        return [((name, at), shares) for name, held in classes if held for at, shares in held.further.items()]

    @property
    def on_duty_bits(self) -> float:
        """What an on-duty sign is worth as a prior, bits, at least 0: its bearer is taken to be one of the roster.

        log2(1 / employees) less the prior of a random pair. It is no evidence and stands in no weight: a record with the sign
        may be shown, for its name alone, from a match weight on that is lower by this.
        """
        return max(0.0, -self.prior_bits - math.log2(self.rival.roster_size))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model's content, hex; comments and layout of the file do not count.

        What the file does not state is left out, so that a new part of the schema changes no released model.
        """
        content = json.dumps(self.model_dump(mode="json", exclude_unset=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def load_model(conf_dir: Path | str, model_id: str) -> Model:
    """Read and validate ``<conf_dir>/models/<model_id>.toml``.

    Raises:
        SettingsError: when the file is missing, is no TOML, or a key is unknown, missing or wrong;
            names the file and every key at fault. A model of the force has no further attributes.
    """
    path = Path(conf_dir) / "models" / f"{model_id}.toml"
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"model {model_id}: no file {path.name} in the folder models of the settings") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"model file {path.name}: {error}") from error
    try:
        model = Model.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'model'}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"model file {path.name}: {faults}") from error
    if model.further:
        raise SettingsError(
            f"model file {path.name}: only name, date of birth and address are evidence; remove [further]"
        )
    if model.id != model_id:
        raise SettingsError(f"model file {path.name}: its id is '{model.id}'; file name and id must agree")
    return model


def _check_names(table: str, levels: Mapping[str, object], expected: tuple[str, ...]) -> None:
    """Raise ValueError unless a table has exactly the expected levels."""
    missing = [level for level in expected if level not in levels]
    unknown = [level for level in levels if level not in expected]
    if missing or unknown:
        raise ValueError(f"{table}: missing levels {missing}, unknown levels {unknown}")


def _check_shares(table: str, shares: Mapping[str, float], expected: tuple[str, ...]) -> None:
    """Raise ValueError unless a table of probabilities is complete, positive and sums to one."""
    _check_names(table, shares, expected)
    if abs(sum(shares.values()) - 1) > _SUM_TOLERANCE or min(shares.values()) <= 0:
        raise ValueError(f"{table}: probabilities must be above 0 and sum to 1")


def _check_levels(
    table: str, levels: Mapping[str, Probabilities], expected: tuple[str, ...], *, sums_to_one: bool
) -> None:
    """Raise ValueError unless levels are complete, sum to one where they should, and never fall in weight."""
    _check_names(table, levels, expected)
    if sums_to_one:
        for side in ("m", "u"):
            total = sum(getattr(level, side) for level in levels.values())
            if abs(total - 1) > _SUM_TOLERANCE:
                raise ValueError(f"{table}: the {side} of its levels sum to {total:.6f}, not 1")
    weights = [levels[level].weight for level in expected]
    for weaker, stronger, low, high in zip(expected, expected[1:], weights, weights[1:], strict=False):
        if high < low - 1e-9:
            raise ValueError(f"{table}: {stronger} weighs less than {weaker}; pool the two levels")
