"""The made-up force: formed right, the same for the same seed, and with a truth that names every slip."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError, UsageError
from linkage_spark.settings.files import validate
from linkage_spark.synthesis.addresses import dwelling_address
from linkage_spark.synthesis.feeds import FEEDS
from linkage_spark.synthesis.histories import employee_id, household_rows
from linkage_spark.synthesis.people import Force, make_household
from linkage_spark.synthesis.settings import ForceSettings, load_force
from linkage_spark.synthesis.stage import size_force

SETTINGS = load_force(Path(__file__).resolve().parents[3] / "conf" / "synthesis" / "force.toml")
FORCE = size_force(seed=7, employees=400, person_records=8_000, settings=SETTINGS)
ROWS = [row for household in range(FORCE.households) for row in household_rows(FORCE, household)]
BY_FEED = {feed: [cells for name, cells in ROWS if name == feed] for feed in FEEDS}

# A9, A99, AA9, AA99, A9A, AA9A + 9AA with the letters that the Royal Mail uses in each place.
POSTCODE = re.compile(
    r"^[A-PR-UWYZ]([A-HK-Y]?[0-9]{1,2}|[0-9][ABCDEFGHJKSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY]) [0-9][ABD-HJLNP-UW-Z]{2}$"
)


def test_postcodes_are_formed_right_and_neighbours_share_them() -> None:
    addresses = [dwelling_address(7, dwelling) for dwelling in range(3_400)]
    assert all(POSTCODE.match(address.postcode) for address in addresses)
    shared = Counter(address.postcode for address in addresses)
    assert 15 <= sum(shared.values()) / len(shared) <= 20


def test_every_row_has_the_cells_of_its_feed() -> None:
    assert all(len(cells) == len(FEEDS[feed]) for feed, cells in ROWS)


def test_the_same_household_is_made_the_same_way_twice() -> None:
    households = range(100)

    def made(force: Force) -> list[object]:
        return [row for household in households for row in household_rows(force, household)]

    assert made(FORCE) == made(FORCE)
    assert made(FORCE) != made(Force(seed=8, employees=400, households=FORCE.households, settings=SETTINGS))


@pytest.mark.parametrize(("employees", "households"), [(400, 4504), (1, 10), (10, 10), (997, 1000), (13_000, 168_919)])
def test_every_employee_lives_in_exactly_one_household(employees: int, households: int) -> None:
    force = Force(seed=7, employees=employees, households=households, settings=SETTINGS)
    homes = Counter(number for household in range(households) for number in force.employee_numbers(household))
    assert homes == Counter(range(employees))


def test_employee_ids_are_unique() -> None:
    assert len({employee_id(number) for number in range(20_000)}) == 20_000


def test_the_roster_and_the_truth_name_the_same_employees() -> None:
    on_roster = {cells[0] for cells in BY_FEED["hr/extract"]}
    assert on_roster == {cells[0] for cells in BY_FEED["truth/employee"]}
    assert len(on_roster) == 400


def test_every_person_record_stands_in_the_truth_exactly_once() -> None:
    refs = {
        "crime": [cells[0] for cells in BY_FEED["crime/nominal"]],
        "custody": [cells[0] for cells in BY_FEED["custody/record"]],
        "intel": [f"{cells[0]}/{cells[1]}" for cells in BY_FEED["intel/subject"]],
        "incident": [f"{cells[0]}/{cells[1]}" for cells in BY_FEED["incident/person"]],
    }
    recorded = Counter((system, ref) for system, found in refs.items() for ref in found)
    assert recorded == Counter((cells[0], cells[1]) for cells in BY_FEED["truth/person"])
    assert max(recorded.values()) == 1


def test_a_clean_record_says_what_is_true() -> None:
    people = {p.person_id: p for household in range(FORCE.households) for p in make_household(FORCE, household)}
    nominal = {cells[0]: cells for cells in BY_FEED["crime/nominal"]}
    clean = [cells for cells in BY_FEED["truth/person"] if cells[0] == "crime" and cells[3] == ""]
    assert len(clean) > 300
    for _, urn, person_id, *_ in clean:
        person, cells = people[int(person_id)], nominal[urn]
        recorded = " ".join(part for part in (cells[2], cells[3]) if part)
        assert (recorded, cells[4]) == (" ".join(person.name.given), person.name.surname)
        assert cells[5] == person.born.isoformat()


def test_slips_occur_about_as_often_as_the_settings_say() -> None:
    truth = BY_FEED["truth/person"]
    classes = Counter(c for cells in truth for c in cells[3].split(",") if c)
    assert 0.05 < classes["TYP"] / len(truth) < 0.12
    assert 0.10 < classes["NOD"] / len(truth) < 0.30
    assert set(classes) >= {"TYP", "NCK", "MAR", "TRL", "SWP", "DIG", "JAN", "OLD", "PCD", "NOA", "DUTY", "ALI", "ORD"}


def test_the_hard_negatives_are_there() -> None:
    kinds = Counter(cells[5] for cells in BY_FEED["truth/person"] if cells[5])
    assert set(kinds) >= {"twin_of_employee", "parent_child_same_name", "namesake_same_dob", "spouse", "household"}


def test_too_many_employees_for_the_records_is_said_with_the_remedy() -> None:
    with pytest.raises(UsageError, match="ask for at least"):
        size_force(seed=1, employees=5_000, person_records=1_000, settings=SETTINGS)


def test_unknown_and_missing_rates_are_named() -> None:
    values = SETTINGS.model_dump()
    values["errors"]["tyop"] = values["errors"].pop("garbled")
    values["extra"] = 1
    with pytest.raises(SettingsError) as caught:
        validate(ForceSettings, values, source="force.toml")
    assert "unknown key 'extra'" in str(caught.value)
    del values["extra"]
    with pytest.raises(SettingsError, match=r"table errors: missing keys \['garbled'\], unknown keys \['tyop'\]"):
        validate(ForceSettings, values, source="force.toml")
