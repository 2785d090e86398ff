"""Labels of the truth: hard negatives are what they say, and no class is named that changed nothing."""

from __future__ import annotations

from datetime import date
from itertools import chain
from pathlib import Path

import pytest

from linkage_spark.synthesis.chance import Dice
from linkage_spark.synthesis.people import Force, Person, make_household
from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.slips import Recorded, clear, record

pytestmark = pytest.mark.thorough

SETTINGS = load_force(Path(__file__).resolve().parents[3] / "conf/synthesis/force.toml")
FORCE = Force(seed=3, employees=5_000, households=20_000, settings=SETTINGS)
DAY = date(2022, 5, 5)


@pytest.fixture(scope="module")
def households() -> list[list[Person]]:
    return [make_household(FORCE, number) for number in range(FORCE.households)]


def labelled(households: list[list[Person]], kind: str) -> list[tuple[Person, list[Person]]]:
    return [
        (other, [p for p in home if p.employee is not None])
        for home in households
        for other in home
        if other.hard_negative == kind
    ]


def test_a_spouse_is_married_to_an_employee_and_no_housemate_or_sibling(households: list[list[Person]]) -> None:
    pairs = labelled(households, "spouse")
    assert pairs
    assert all(any(p.spouse == other.person_id for p in employed) for other, employed in pairs)


def test_parent_and_child_of_one_name_share_the_name_in_use_and_are_a_generation_apart(
    households: list[list[Person]],
) -> None:
    """Brothers Mohammed Ali and Mohammed Imran share a prefix, not a name."""
    pairs = labelled(households, "parent_child_same_name")
    assert pairs
    for other, employed in pairs:
        assert any(p.called == other.called and abs((p.born - other.born).days) > 14 * 365 for p in employed)


def shown(recorded: Recorded) -> tuple[object, ...]:
    return recorded.given, recorded.surname, recorded.born, recorded.address.postcode.replace(" ", "")


@pytest.mark.parametrize("label", ["TYP", "GAR", "PCD", "FAL"])
def test_a_class_that_stands_alone_changed_something(households: list[list[Person]], label: str) -> None:
    """A birthday that false particulars moved away from a missing date is no change either."""
    chosen = 0
    for person in chain.from_iterable(households):
        if person.born.year > 2005:
            continue
        said = record(person, FORCE, Dice(9, person.person_id), system="crime", day=DAY, accused=True, on_duty=False)
        if said.classes - {"NOD"} == {label}:
            true = clear(person, FORCE, DAY)
            blank = (0, 0, 0) if "NOD" in said.classes else true.born
            assert shown(said) != (true.given, true.surname, blank, true.address.postcode.replace(" ", ""))
            chosen += 1
    assert chosen


def test_twins_are_never_called_by_one_name(households: list[list[Person]]) -> None:
    twins = [
        (one, other)
        for one, employed in labelled(households, "twin_of_employee")
        for other in employed
        if one.born == other.born
    ]
    assert len(twins) > 20
    assert all(one.called[0] != other.called[0] for one, other in twins)
