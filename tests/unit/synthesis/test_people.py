"""Households, names and chance of the made-up force."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.synthesis.chance import Dice, Weighted, mix
from linkage_spark.synthesis.names import make_name, rare_surnames, traditions
from linkage_spark.synthesis.people import TODAY, Force, Person, make_household
from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.stage import size_force

SETTINGS = load_force(Path(__file__).resolve().parents[3] / "conf/synthesis/force.toml")
FORCE = Force(seed=1, employees=2_000, households=6_000, settings=SETTINGS)


@pytest.fixture(scope="module")
def households() -> list[list[Person]]:
    return [make_household(FORCE, number) for number in range(FORCE.households)]


@pytest.fixture(scope="module")
def people(households: list[list[Person]]) -> list[Person]:
    return list(chain.from_iterable(households))


def test_a_household_is_the_same_whenever_it_is_asked_for(households: list[list[Person]]) -> None:
    assert [make_household(FORCE, number) for number in (17, 3, 17)] == [
        households[17],
        households[3],
        households[17],
    ]


def test_another_seed_makes_another_force(households: list[list[Person]]) -> None:
    other = Force(seed=2, employees=2_000, households=6_000, settings=SETTINGS)
    assert [make_household(other, n) for n in range(20)] != households[:20]


def test_person_ids_are_unique(people: list[Person]) -> None:
    assert len({person.person_id for person in people}) == len(people)


@pytest.mark.parametrize(
    ("households", "employees"),
    [(100, 100), (1_000, 7), (1_000, 333), (777, 501), (40, 34), (40, 35), (1, 1), (3, 2)],
)
def test_every_employee_lives_in_exactly_one_household(households: int, employees: int) -> None:
    force = Force(seed=1, employees=employees, households=households, settings=SETTINGS)
    found = Counter(chain.from_iterable(force.employee_numbers(number) for number in range(households)))
    assert found == Counter(range(employees))


def test_employees_are_adults_and_some_share_a_household(households: list[list[Person]]) -> None:
    employed = [[p for p in home if p.employee is not None] for home in households]
    flat = list(chain.from_iterable(employed))
    assert sorted(p.employee for p in flat if p.employee is not None) == list(range(FORCE.employees))
    assert all(timedelta(days=18 * 365) < TODAY - p.born < timedelta(days=70 * 365) for p in flat)
    shared = sum(len(found) for found in employed if len(found) > 1) / len(flat)
    assert shared == pytest.approx(2 * SETTINGS.employees.couple_of_employees, rel=0.3)


@pytest.mark.parametrize(
    "kind", ["twin_of_employee", "parent_child_same_name", "namesake_same_dob", "spouse", "household"]
)
def test_every_hard_negative_is_there(people: list[Person], kind: str) -> None:
    assert sum(person.hard_negative == kind for person in people) >= 10


def test_a_twin_shares_the_date_of_birth_and_the_home(households: list[list[Person]]) -> None:
    for home in households:
        for twin in (p for p in home if p.hard_negative == "twin_of_employee"):
            assert any(p.employee is not None and p.born == twin.born and p.dwelling == twin.dwelling for p in home)


def test_a_namesake_shares_name_and_date_of_birth_and_lives_elsewhere(households: list[list[Person]]) -> None:
    for home in households:
        for other in (p for p in home if p.hard_negative == "namesake_same_dob"):
            doubles = [
                p
                for p in home
                if p.employee is not None and (p.name.surname, p.born) == (other.name.surname, other.born)
            ]
            assert any(p.name.given[p.name.call] == other.name.given[-1] for p in doubles)
            assert all(p.dwelling != other.dwelling for p in doubles)


def test_nobody_is_born_after_today_and_a_former_surname_has_its_last_day(people: list[Person]) -> None:
    assert all(person.born <= TODAY for person in people)
    married = [person for person in people if person.name.former]
    assert married
    assert all(person.former_until is not None for person in married if person.hard_negative is None)


@pytest.mark.parametrize("tradition", sorted(SETTINGS.traditions))
def test_every_tradition_of_the_settings_makes_names(tradition: str) -> None:
    made = [make_name(tradition, Dice(1, n), sex, family="Fam", father="Fath") for n in range(200) for sex in "mf"]
    assert all(name.surname and all(name.given) and name.call < len(name.given) for name in made)
    assert len({name.given for name in made}) > 20


def test_names_of_a_tradition_carry_its_marks() -> None:
    sikh = [make_name("sikh", Dice(2, n), "f", family="Gill", father="") for n in range(100)]
    assert all("Kaur" in (*name.given, name.surname) for name in sikh)
    polish = make_name("polish", Dice(1), "f", family="Kowalski", father="")
    assert polish.surname == "Kowalska"
    prefixed = [make_name("south_asian_muslim", Dice(3, n), "m", family="Khan", father="Ali") for n in range(500)]
    share = sum(name.given[0] == "Mohammed" and name.call == 1 for name in prefixed) / len(prefixed)
    assert 0.3 < share < 0.5


def test_surnames_have_a_common_head_and_a_long_rare_tail() -> None:
    british = traditions()["british"].surnames
    counted = Counter(british.draw(Dice(4, n)) for n in range(20_000))
    assert counted["Smith"] == max(counted.values())
    assert 0.01 < counted["Smith"] / 20_000 < 0.05
    tail = set(rare_surnames())
    assert 0.2 < sum(count for name, count in counted.items() if name in tail) / 20_000 < 0.4


def test_the_share_of_traditions_is_near_the_settings(people: list[Person]) -> None:
    counted = Counter(person.tradition for person in people)
    for tradition, share in SETTINGS.traditions.items():
        assert counted[tradition] / len(people) == pytest.approx(share, rel=0.35, abs=0.015)


def test_more_employees_than_households_is_a_usage_error_that_names_the_way_out() -> None:
    with pytest.raises(UsageError, match="ask for at least"):
        size_force(seed=1, employees=13_000, person_records=1_000, settings=SETTINGS)


def test_chance_depends_on_every_part_and_its_place() -> None:
    assert mix(1, 2, 3) == mix(1, 2, 3)
    assert len({mix(1, 2, 3), mix(1, 3, 2), mix(2, 2, 3), mix(1, 2)}) == 4
    weighted = Weighted(("a", "b"), (0.25, 0.75))
    assert [weighted.at(place) for place in (0.0, 0.2499, 0.25, 0.999)] == ["a", "a", "b", "b"]
