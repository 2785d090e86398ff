"""The situations in which estimating without labels goes wrong in practice, each a pair of files or one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.accuracy.robust_people import Entry, Population, one_file, two_files

Rows = list[tuple[str, Entry]]

EVERYTHING = ("name", "date_of_birth", "address", "locality", "postcode")
NO_DATE = ("name", "address", "locality", "postcode")
NO_PLACE = ("name", "date_of_birth")

_WRONG_DATES = (
    *("day_month_swap", "one_digit", "first_of_january", "year_wrong", "century_wrong", "no_date_of_birth"),
    "no_date_of_birth_intel",
)
_FAMILIES: dict[str, Any] = {
    "taken": 1.0,
    "households": {
        "single": 0.08,
        "couple": 0.14,
        "couple_with_children": 0.5,
        "single_parent": 0.12,
        "multi_generation": 0.14,
        "shared_house": 0.02,
    },
    "family": {"same_street_family": 0.4, "same_street_family_close": 0.6},
}
"""Whole streets: everybody of every household, and households of three neighbours often one family."""

_HARD_FAMILIES: dict[str, Any] = {
    **_FAMILIES,
    "family": {**_FAMILIES["family"], "twin_birth": 0.03, "same_name_son": 0.05},
}
"""One child in sixteen a twin, one son in ten of his father's whole name: more than there are anywhere."""

_MIXED = {
    "traditions": dict.fromkeys(
        (
            *("british", "irish", "south_asian_muslim", "sikh", "hindu", "polish", "romanian", "african", "somali"),
            *("caribbean", "chinese", "vietnamese", "arabic_kurdish"),
        ),
        1 / 13,
    ),
    "errors": {"transliteration": 0.5, "nickname": 0.1, "swapped_names": 0.02, "no_middle_name": 0.5},
}


@dataclass(frozen=True)
class Scenario:
    """One run of link or dedupe on files made for it.

    Attributes:
        name: what --only calls it.
        says: the situation, for the page.
        left, right: records of two files; right 0: one file.
        shared: people in both files, or people who stand in the one file more than once.
        copies: how often these stand there.
        world: what the population is like, in words of ``Population``.
        mapped: attributes that the mapping names.
        one_to_one: with --one-to-one.
        constant: columns with one value in every record.
        coarse: only the year of a date of birth and the first half of a postcode are on record.
    """

    name: str
    says: str
    left: int
    right: int
    shared: int
    copies: int = 2
    world: Mapping[str, object] = field(default_factory=dict)
    mapped: tuple[str, ...] = EVERYTHING
    one_to_one: bool = False
    constant: Mapping[str, str] = field(default_factory=dict)
    coarse: bool = False

    @property
    def job(self) -> Literal["link", "dedupe"]:
        """The job that runs it."""
        return "link" if self.right else "dedupe"

    @property
    def true_pairs(self) -> int:
        """Pairs of one person."""
        return self.shared if self.right else self.shared * self.copies * (self.copies - 1) // 2

    def entries(self, seed: int) -> dict[str, Rows]:
        """Rows by file: 'left' and 'right', or 'input'."""
        population = Population(seed=seed, **self.world)  # type: ignore[arg-type]
        if not self.right:
            made = {"input": one_file(population, records=self.left, repeated=self.shared, copies=self.copies)}
        else:
            left, right = two_files(population, left=self.left, right=self.right, shared=self.shared)
            made = {"left": left, "right": right}
        return {side: [(ref, self._changed(entry)) for ref, entry in rows] for side, rows in made.items()}

    def _changed(self, entry: Entry) -> Entry:
        """The row as this scenario has it."""
        row = {**entry.row, **self.constant}
        if self.coarse:
            row |= {"day": "", "month": "", "postcode": row["postcode"].split(" ")[0][:4]}
        return Entry(entry.person, row)


def _link(name: str, says: str, left: int, right: int, shared: int, **more: object) -> Scenario:
    return Scenario(f"{name}.link", says, left, right, shared, **more)  # type: ignore[arg-type]


def _dedupe(name: str, says: str, records: int, repeated: int, **more: object) -> Scenario:
    return Scenario(f"{name}.dedupe", says, records, 0, repeated, **more)  # type: ignore[arg-type]


SCENARIOS: tuple[Scenario, ...] = (
    _link("plain", "nothing special: half of each file is in the other", 3000, 3000, 1500),
    _dedupe("plain", "nothing special: one person in four stands twice", 5000, 1000),
    _link("tiny", "a tiny file: 1,000 records, 60 partners", 500, 500, 60),
    _dedupe("tiny", "a tiny file: 1,000 records, 30 people twice", 1000, 30),
    _dedupe("rare", "rare duplicates: 5 in 1,000 people stand twice", 10000, 50),
    _dedupe("frequent", "very frequent: 500 people, ten records each", 5000, 500, copies=10),
    _link("no_date", "no date of birth", 3000, 3000, 1500, mapped=NO_DATE),
    _dedupe("no_date", "no date of birth", 5000, 1000, mapped=NO_DATE),
    _link("no_place", "no address, town or postcode", 3000, 3000, 1500, mapped=NO_PLACE),
    _dedupe("no_place", "no address, town or postcode", 5000, 1000, mapped=NO_PLACE),
    _link("lopsided", "one side a thousand times larger", 60, 60000, 40),
    _link("lopsided_one_to_one", "one side a thousand times larger", 60, 60000, 40, one_to_one=True),
    _link("absent", "one in twenty is in the other file", 4000, 4000, 200),
    _link("absent_one_to_one", "one in twenty is in the other file", 4000, 4000, 200, one_to_one=True),
    _link("families", "whole streets of families", 3000, 3000, 1500, world=_FAMILIES),
    _link("families_one_to_one", "whole streets of families", 3000, 3000, 1500, world=_FAMILIES, one_to_one=True),
    _link(
        "families_hard",
        "whole streets of families, many twins and sons of their father's name",
        3000,
        3000,
        1500,
        world=_HARD_FAMILIES,
    ),
    _dedupe("families", "whole streets of families", 5000, 1000, world=_FAMILIES),
    _link(
        "families_absent",
        "whole streets of families; one in twenty is in the other file",
        4000,
        4000,
        200,
        world=_FAMILIES,
    ),
    _link(
        "families_no_date",
        "whole streets of families without a date of birth",
        3000,
        3000,
        1500,
        world=_FAMILIES,
        mapped=NO_DATE,
    ),
    _link(
        "families_no_date_one_to_one",
        "whole streets of families without a date of birth",
        3000,
        3000,
        1500,
        world=_FAMILIES,
        mapped=NO_DATE,
        one_to_one=True,
    ),
    _link(
        "families_no_place",
        "whole streets of families, name and date of birth alone",
        3000,
        3000,
        1500,
        world=_FAMILIES,
        mapped=NO_PLACE,
    ),
    _link(
        "constant",
        "attributes that never disagree: one town and one county throughout",
        3000,
        3000,
        1500,
        constant={"town": "Dudley"},
        mapped=(*EVERYTHING, "county"),
    ),
    _link(
        "never_wrong",
        "dates of birth that are never wrong and never missing",
        3000,
        3000,
        1500,
        world={"errors": dict.fromkeys(_WRONG_DATES, 0.0)},
    ),
    _link(
        "unseen",
        "levels never seen: of dates the year alone, of postcodes the first half",
        3000,
        3000,
        1500,
        coarse=True,
    ),
    _link("traditions", "thirteen naming traditions alike, transliterated", 3000, 3000, 1500, world=_MIXED),
    _dedupe("traditions", "thirteen naming traditions alike, transliterated", 5000, 1000, world=_MIXED),
)
"""Every situation of the list, ordinary files first."""


def mapping_text(scenario: Scenario) -> str:
    """The mapping file of a scenario."""
    lines = {
        "name": 'given_names = "forenames"\nsurname = "surname"',
        "date_of_birth": 'date_of_birth = { day = "day", month = "month", year = "year" }',
        "address": 'address = "address"',
        "locality": 'locality = "town"',
        "postcode": 'postcode = "postcode"',
    }
    said = ['country = "GB"', "[columns]", 'ref = "ref"', *(lines[at] for at in scenario.mapped if at in lines)]
    if "county" in scenario.mapped:
        said += ["[extra]", 'county = "exact"']
    return "\n".join(said) + "\n"
