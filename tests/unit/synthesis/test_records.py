"""What systems record of people: rates near the settings, and every change named in the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from itertools import chain
from pathlib import Path

import pytest

from linkage_spark.synthesis import events
from linkage_spark.synthesis.chance import Dice
from linkage_spark.synthesis.feeds import FEEDS, WIDEST
from linkage_spark.synthesis.histories import Row, household_rows
from linkage_spark.synthesis.people import Force, Person, make_household
from linkage_spark.synthesis.settings import load_force
from linkage_spark.synthesis.slips import NICKNAMES, VARIANTS, Recorded, clear, garble, misspell, plain_letters, record
from linkage_spark.synthesis.stage import size_force

pytestmark = pytest.mark.thorough

SETTINGS = load_force(Path(__file__).resolve().parents[3] / "conf/synthesis/force.toml")
FORCE = size_force(seed=1, employees=1_300, person_records=30_000, settings=SETTINGS)
DAY = date(2022, 5, 5)
Cells = Mapping[str, str]


@pytest.fixture(scope="module")
def said() -> list[tuple[Recorded, Recorded]]:
    """Pairs of true particulars and what the crime system made of them."""
    force = Force(seed=5, employees=100, households=4_000, settings=SETTINGS)
    people = chain.from_iterable(make_household(force, n) for n in range(force.households))
    return [(clear(p, force, DAY), _recorded(p, force)) for p in people if p.born.year <= 2010]


def _recorded(person: Person, force: Force) -> Recorded:
    return record(person, force, Dice(9, person.person_id), system="crime", day=DAY, accused=True, on_duty=False)


@pytest.fixture(scope="module")
def feeds() -> dict[str, list[Cells]]:
    """Every row of a small force by feed, as column to cell."""
    made: dict[str, list[Cells]] = defaultdict(list)
    homes = (household_rows(FORCE, n) for n in range(FORCE.households))
    happened = (
        events.event_rows(FORCE, system, n)
        for system in ("crime", "intel", "incident")
        for n in range(events.count(FORCE, system))
    )
    for feed, cells in chain.from_iterable(chain(homes, happened)):
        made[feed].append(dict(zip(FEEDS[feed], cells, strict=True)))
    return made


def test_a_record_without_a_class_is_the_truth(said: list[tuple[Recorded, Recorded]]) -> None:
    for true, recorded in said:
        if not recorded.classes:
            assert (recorded.given, recorded.surname, recorded.born) == (true.given, true.surname, true.born)
            assert recorded.address.postcode.replace(" ", "") == true.address.postcode.replace(" ", "")
            assert (recorded.address.flat, recorded.address.house) == (true.address.flat, true.address.house)


@pytest.mark.parametrize(
    ("label", "rate"),
    [
        ("NOD", "no_date_of_birth"),
        ("JAN", "first_of_january"),
        ("DIG", "one_digit"),
        ("NOA", "no_address"),
        ("NFA", "no_fixed_abode"),
        ("TTL", "title"),
        ("INI", "initials_only"),
        ("ALI", "alias"),
        ("FAL", "false_particulars"),
    ],
)
def test_a_rate_that_asks_nothing_of_the_person_is_near_its_setting(
    said: list[tuple[Recorded, Recorded]], label: str, rate: str
) -> None:
    share = sum(label in recorded.classes for _, recorded in said) / len(said)
    assert share == pytest.approx(SETTINGS.errors[rate], rel=0.35)


@pytest.mark.parametrize("label", ["NOD", "JAN", "SWP", "YER"])
def test_a_class_of_the_date_shows_in_the_date(said: list[tuple[Recorded, Recorded]], label: str) -> None:
    """FAL stands aside, since false particulars may write over the slip; the first of January is its own slip."""
    chosen = [(true, r) for true, r in said if label in r.classes and "FAL" not in r.classes]
    assert chosen
    shown = {
        "NOD": lambda t, r: r == (0, 0, 0),
        "JAN": lambda t, r: r == (t[0], 1, 1),
        "SWP": lambda t, r: r == (t[0], t[2], t[1]) and r != t,
        "YER": lambda t, r: r[0] != t[0],
    }[label]
    assert all(shown(true.born, recorded.born) for true, recorded in chosen)


def test_word_lists_change_the_word_they_stand_for() -> None:
    for word, others in chain(NICKNAMES.items(), VARIANTS.items()):
        assert word not in others
        assert all(others)


def test_slips_of_a_word_depend_on_the_dice_alone_and_seldom_change_nothing() -> None:
    for slip, allowed in ((misspell, 0.05), (garble, 0.30)):
        words = ["Hathershaw", "Williams", "Begum", "Ali", "Kowalska"] * 100
        made = [slip(word, Dice(6, n)) for n, word in enumerate(words)]
        assert made == [slip(word, Dice(6, n)) for n, word in enumerate(words)]
        assert sum(new == word for new, word in zip(made, words, strict=True)) / len(words) < allowed
    assert plain_letters("Wiśniewski Łukasz Țăranu") == "Wisniewski Lukasz Taranu"


def test_rows_fit_their_feeds(feeds: dict[str, list[Cells]]) -> None:
    assert set(feeds) == set(FEEDS)
    assert max(len(columns) for columns in FEEDS.values()) == WIDEST


def test_the_number_of_person_records_is_about_what_was_asked(feeds: dict[str, list[Cells]]) -> None:
    assert len(feeds["truth/person"]) == pytest.approx(30_000, rel=0.10)


def test_references_of_person_records_are_unique_and_every_record_has_its_truth(
    feeds: dict[str, list[Cells]],
) -> None:
    truth = [(row["source_system"], row["person_ref"]) for row in feeds["truth/person"]]
    assert len(set(truth)) == len(truth)
    written = {
        *(("crime", row["NOMINAL_URN"]) for row in feeds["crime/nominal"] if row["NOMINAL_TYPE"] == "PERSON"),
        *(("custody", row["CUSTODY_NO"]) for row in feeds["custody/record"]),
        *(("intel", f"{row['REPORT_NO']}/{row['SUBJECT_SEQ']}") for row in feeds["intel/subject"]),
        *(("incident", f"{row['LOG_NUMBER']}/{row['PERSON_SEQ']}") for row in feeds["incident/person"]),
    }
    assert written == set(truth)


def test_every_part_in_an_event_finds_its_event_but_for_the_faults_put_in(feeds: dict[str, list[Cells]]) -> None:
    crimes = {row["CRIME_NO"] for row in feeds["crime/occurrence"]}
    lost = sum(row["CRIME_NO"] not in crimes for row in feeds["crime/involvement"])
    assert 0 < lost < 0.002 * len(feeds["crime/involvement"])
    for part, event, key in (
        ("intel/subject", "intel/report", "REPORT_NO"),
        ("incident/person", "incident/log", "LOG_NUMBER"),
        ("crime/location", "crime/occurrence", "CRIME_NO"),
    ):
        assert {row[key] for row in feeds[part]} <= {row[key] for row in feeds[event]}
    for event, key in (("crime/occurrence", "CRIME_NO"), ("intel/report", "REPORT_NO"), ("incident/log", "LOG_NUMBER")):
        assert max(Counter(row[key] for row in feeds[event]).values()) == 1


def test_two_assignments_of_one_employee_agree_on_who_it_is(feeds: dict[str, list[Cells]]) -> None:
    rows: dict[str, list[Cells]] = defaultdict(list)
    for row in feeds["hr/extract"]:
        rows[row["PERSON_NUMBER"]].append(row)
    assert set(rows) == {row["employee_id"] for row in feeds["truth/employee"]}
    assert len(rows) == FORCE.employees
    identity = [column for column in FEEDS["hr/extract"] if column not in ("ASSIGNMENT_NUMBER", "TEAM", "START_DATE")]
    assert all(len({tuple(row[c] for c in identity) for row in of}) == 1 for of in rows.values())
    second = sum(len(of) == 2 for of in rows.values()) / len(rows)
    assert second == pytest.approx(SETTINGS.employees.second_assignment, rel=0.5)


def test_an_on_duty_record_shows_a_rank_and_belongs_to_an_employee(feeds: dict[str, list[Cells]]) -> None:
    employees = {row["true_person_id"] for row in feeds["truth/employee"]}
    duty = {row["person_ref"]: row for row in feeds["truth/person"] if "DUTY" in row["error_classes"].split(",")}
    nominals = [row for row in feeds["crime/nominal"] if row["NOMINAL_URN"] in duty]
    assert len(nominals) == len(duty) >= 40
    assert all(row["true_person_id"] in employees for row in duty.values())
    ranks = {"PC", "PS", "DC", "DS", "DI", "SC", "SGT", "INSP"}
    assert all(row["TITLE"].split()[0].upper() in ranks for row in nominals)


def test_a_record_of_nobody_has_a_person_below_zero_and_the_class_of_placeholders(
    feeds: dict[str, list[Cells]],
) -> None:
    nobody = [row for row in feeds["truth/person"] if int(row["true_person_id"]) < 0]
    assert nobody
    assert {row["error_classes"] for row in nobody} == {"PLH"}
    assert len({row["true_person_id"] for row in nobody}) == len(nobody)


def test_the_naming_tradition_stands_in_the_truth_alone() -> None:
    holding = {feed for feed, columns in FEEDS.items() if "naming_tradition" in columns}
    assert holding == {"truth/employee", "truth/person"}


def test_appearances_of_employees_are_near_their_rates(feeds: dict[str, list[Cells]]) -> None:
    employees = {row["true_person_id"] for row in feeds["truth/employee"]}
    detained = {
        row["true_person_id"]
        for row in feeds["truth/person"]
        if row["source_system"] == "custody" and row["true_person_id"] in employees
    }
    incidents = {
        row["true_person_id"]
        for row in feeds["truth/person"]
        if row["source_system"] == "incident" and row["true_person_id"] in employees
    }
    assert len(detained) / len(employees) == pytest.approx(SETTINGS.appearances["detained"], rel=0.6)
    assert len(incidents) / len(employees) == pytest.approx(SETTINGS.appearances["incident_person"], rel=0.3)


def test_the_same_household_leaves_the_same_rows() -> None:
    first: list[Row] = list(chain.from_iterable(household_rows(FORCE, n) for n in range(50)))
    again: list[Row] = list(chain.from_iterable(list(household_rows(FORCE, n)) for n in reversed(range(50))))
    assert sorted(first) == sorted(again)
