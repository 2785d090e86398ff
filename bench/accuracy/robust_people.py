"""Made-up person files with known truth: the people of whole streets, and what two files wrote down of them.

People, households and slips of writing are those of the made-up force (``linkage_spark.synthesis``): naming traditions
with common names and a long tail, relatives under one roof, moves, typing errors, missing values. Here stand what
goes into which file, and the truth about it. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from linkage_spark.synthesis.addresses import Address
from linkage_spark.synthesis.chance import Dice, mix, unit
from linkage_spark.synthesis.people import MOST_IN_HOUSEHOLD, TODAY, Force, Person, make_household
from linkage_spark.synthesis.settings import ForceSettings, load_force
from linkage_spark.synthesis.slips import Recorded, record

ROOT = Path(__file__).resolve().parents[2]
FORCE = ROOT / "conf" / "synthesis" / "force.toml"

COLUMNS = ("forenames", "surname", "day", "month", "year", "address", "town", "postcode", "county")
"""Columns of a file beside ``ref``."""

Row = Mapping[str, str]
Kin = Literal["twin", "namesake at home", "relative at home", "namesake", "neighbour", "stranger"]

_PLAIN_ERRORS = {"title": 0.0, "no_date_of_birth": 0.03, "false_particulars": 0.0, "alias": 0.005, "no_address": 0.03}
"""What differs from the police's records: an office's files are somewhat fuller."""

_TAKE, _RANK, _WRITE, _NUMBER = 31, 32, 33, 34
"""Streams of chance."""


@dataclass(frozen=True)
class Population:
    """The people that files are drawn from.

    Attributes:
        seed: everything follows from it.
        taken: share of the members of a household who are in any file; 1: whole families.
        households, traditions: shares in the place of those in conf/synthesis/force.toml; empty: those.
        family, errors: single rates in the place of those there.
    """

    seed: int = 20261121
    taken: float = 0.35
    households: Mapping[str, float] = field(default_factory=dict)
    traditions: Mapping[str, float] = field(default_factory=dict)
    family: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)

    def settings(self) -> ForceSettings:
        """The force's settings with these rates."""
        base = load_force(FORCE)
        return base.model_copy(
            update={
                "households": dict(self.households) or base.households,
                "traditions": dict(self.traditions) or base.traditions,
                "family": {**base.family, **self.family},
                "errors": {**base.errors, **_PLAIN_ERRORS, **self.errors},
            }
        )


@dataclass(frozen=True)
class Entry:
    """One row of a file and whose it is."""

    person: Person
    row: Row


def settle(population: Population, people: int) -> tuple[Force, list[Person]]:
    """As many people as asked for, street by street, in an order that tells nothing."""
    force = Force(population.seed, 0, max(1, people), population.settings())
    found: list[Person] = []
    for person in _inhabitants(force, population.taken):
        if len(found) == people:
            break
        found.append(person)
    return force, sorted(found, key=lambda person: mix(population.seed, _RANK, person.person_id))


def _inhabitants(force: Force, taken: float) -> Iterator[Person]:
    """Everybody who is in any file, household by household."""
    household = 0
    while True:
        for person in make_household(force, household):
            if unit(force.seed, _TAKE, person.person_id) < taken:
                yield person
        household += 1


def write_down(person: Person, force: Force, *, copy: int) -> Row:
    """What one file says of a person; another copy has slips of its own."""
    dice = Dice(force.seed, _WRITE, person.person_id, copy)
    said = record(person, force, dice, system="custody", day=TODAY, accused=False, on_duty=False)
    year, month, day = said.born
    return {
        "forenames": " ".join(said.given),
        "surname": said.surname,
        "day": str(day or ""),
        "month": str(month or ""),
        "year": str(year or ""),
        "address": _street(said),
        "town": said.address.town,
        "postcode": said.address.postcode,
        "county": "West Midlands",
    }


def _street(said: Recorded) -> str:
    """Flat, house and street in one text."""
    at: Address = said.address
    first = " ".join(part for part in (at.house, at.street) if part)
    return ", ".join(part for part in (at.flat, first, at.locality) if part)


def numbered(entries: Sequence[Entry], *, letter: str, seed: int) -> list[tuple[str, Entry]]:
    """Every row with a ref that tells nothing, in order of it."""
    order = sorted(range(len(entries)), key=lambda at: mix(seed, _NUMBER, ord(letter), at))
    return [(f"{letter}{place:06d}", entries[at]) for place, at in enumerate(order)]


def two_files(
    population: Population, *, left: int, right: int, shared: int
) -> tuple[list[tuple[str, Entry]], list[tuple[str, Entry]]]:
    """Two files without repeats; ``shared`` people stand in both."""
    force, people = settle(population, left + right - shared)
    sides = people[:left], people[:shared] + people[left:]
    made = [[Entry(person, write_down(person, force, copy=copy)) for person in side] for copy, side in enumerate(sides)]
    return (
        numbered(made[0], letter="A", seed=population.seed),
        numbered(made[1], letter="B", seed=population.seed),
    )


def one_file(population: Population, *, records: int, repeated: int, copies: int) -> list[tuple[str, Entry]]:
    """One file in which ``repeated`` people stand ``copies`` times, all others once."""
    people = records - repeated * (copies - 1)
    force, found = settle(population, people)
    entries = [
        Entry(person, write_down(person, force, copy=copy))
        for place, person in enumerate(found)
        for copy in range(copies if place < repeated else 1)
    ]
    return numbered(entries, letter="E", seed=population.seed)


def kin(one: Person, other: Person) -> Kin:
    """How two people could be taken for each other."""
    home = one.person_id // MOST_IN_HOUSEHOLD == other.person_id // MOST_IN_HOUSEHOLD
    if home and one.born == other.born:
        return "twin"
    if one.called == other.called:
        return "namesake at home" if home else "namesake"
    if home:
        return "relative at home"
    return "neighbour" if one.dwelling // 34 == other.dwelling // 34 else "stranger"
