"""Addresses of the made-up force: formed right, shared by neighbours, the same for the same number."""

from __future__ import annotations

import re
from collections import defaultdict

from linkage_spark.synthesis.addresses import DWELLINGS_PER_STREET, STATIONS, dwelling_address, street_of

# Areas of the West Midlands; the last two letters are never C I K M O V.
POSTCODE = re.compile(r"(B|CV|DY|WS|WV)[1-9][0-9]? [0-9][ABD-HJLNP-UW-Z]{2}")
DWELLINGS = [dwelling_address(1, number) for number in range(20 * DWELLINGS_PER_STREET)]


def test_every_postcode_is_formed_right_and_of_the_region() -> None:
    wrong = {a.postcode for a in (*DWELLINGS, *STATIONS) if not POSTCODE.fullmatch(a.postcode)}
    assert wrong == set()


def test_a_postcode_belongs_to_one_street_and_holds_fifteen_to_twenty_dwellings() -> None:
    members: dict[str, list[int]] = defaultdict(list)
    for number, address in enumerate(DWELLINGS):
        members[address.postcode].append(number)
    assert all(15 <= len(numbers) <= 20 for numbers in members.values())
    assert all(len({street_of(number) for number in numbers}) == 1 for numbers in members.values())


def test_dwellings_of_a_street_differ_and_share_its_name() -> None:
    for start in range(0, len(DWELLINGS), DWELLINGS_PER_STREET):
        street = DWELLINGS[start : start + DWELLINGS_PER_STREET]
        assert len({(a.street, a.town) for a in street}) == 1
        assert len({(a.flat, a.house) for a in street}) >= DWELLINGS_PER_STREET - 1  # two cottages may share a name


def test_an_address_follows_from_seed_and_number_alone() -> None:
    assert dwelling_address(1, 500) == DWELLINGS[500]
    assert [dwelling_address(2, n) for n in range(50)] != DWELLINGS[:50]


def test_one_box_holds_the_parts_in_order_and_not_the_postcode() -> None:
    flat = next(a for a in DWELLINGS if a.flat and a.locality)
    assert flat.one_box == f"{flat.flat}, {flat.house} {flat.street}, {flat.locality}, {flat.town}"
