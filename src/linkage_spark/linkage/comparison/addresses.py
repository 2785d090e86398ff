"""Levels of two addresses. All of it runs on whole Arrow columns; a single pair is a column of length one."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from linkage_spark.model.schema import ADDRESS_LEVELS, MISSING

LEVELS: tuple[str, ...] = (MISSING, *ADDRESS_LEVELS)
"""Address levels by code."""

CODE: dict[str, int] = {level: code for code, level in enumerate(LEVELS)}

ADDRESS_COLUMNS: tuple[str, ...] = (
    "saon",
    "paon",
    "street",
    "town",
    "postcode",
    "postcode_sector",
    "postcode_district",
    "uprn",
    "premises_key",
    "address_kind",
)
"""Columns of PERSON that the comparison of addresses reads."""

COMPARABLE_KINDS: tuple[str, ...] = ("dwelling", "unknown")
"""Kinds that are compared. No fixed abode, institutions, stations and public places never agree."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Columns = dict[str, pa.Array]

_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_RANGE = re.compile(r"^(\d+)\s*[-/]\s*(\d+)$")


@dataclass(frozen=True)
class AddressComparison:
    """Level codes of address pairs, with what scoring and the tier policy ask.

    Attributes:
        level: position in LEVELS.
        same_premises: both are the same dwelling.
        same_postcode: both full postcodes are equal and both addresses are dwellings.
        postcodes_equal: both full postcodes are equal and both addresses were compared.
    """

    level: Ints
    same_premises: Bools
    same_postcode: Bools
    postcodes_equal: Bools


def compare_addresses(left: Columns, right: Columns) -> AddressComparison:
    """Compare two sets of address columns (ADDRESS_COLUMNS, strings, null = unknown); symmetric.

    Flats decide: flat 2 is not flat 22, 41A is not 41. A flat that only one side has leaves the
    same building. Without a postcode on one side, number, street and town together stand for it.
    A postcode that is one slip away (O for 0, I for 1, one character, two exchanged) counts as equal
    where number and street are equal as well. In one postcode '2 Aston Court' is 'Flat 2, Aston Court', and a flat of
    one number in one street may lie in one building, which one side names and the other numbers.
    """
    comparable = _comparable(left) & _comparable(right)
    postcodes_equal = _equal("postcode", left, right) & comparable
    same_paon, same_street = _equal("paon", left, right), _equal("street", left, right)
    flat_known_once = _valid("saon", left) ^ _valid("saon", right)
    same_flat = _equal("saon", left, right) | (~_valid("saon", left) & ~_valid("saon", right))
    same_place = (postcodes_equal & same_paon) | (
        comparable & same_paon & same_street & _postcode_explained(left, right, same_paon & same_street)
    )
    uprn_equal = _equal("uprn", left, right)
    premises = uprn_equal | (_equal("premises_key", left, right)) | (same_place & same_flat)
    premises |= postcodes_equal & (_flat_written_as_house(left, right) | _flat_written_as_house(right, left))
    building = (same_place & flat_known_once) | _number_in_range(left, right, postcodes_equal & ~same_paon)
    building |= postcodes_equal & same_street & _equal("saon", left, right) & _named_once(left, right)
    postcode_unknown = ~(_valid("postcode", left) & _valid("postcode", right))
    street = same_street & _equal("town", left, right) & postcode_unknown & ~_districts_differ(left, right)
    area_l, area_r = _area(left), _area(right)
    areas_known = _both_valid(area_l, area_r)
    claims: list[tuple[str, Bools]] = [
        ("same_premises", premises),
        ("same_building", building),
        ("same_postcode", postcodes_equal),
        ("same_street", street),
        ("same_sector", _equal("postcode_sector", left, right)),
        ("same_district", _equal("postcode_district", left, right)),
        ("same_area", areas_known & _arrow_equal(area_l, area_r)),
        ("differ", areas_known),
    ]
    found = np.select([claim for _, claim in claims], [CODE[name] for name, _ in claims], default=CODE[MISSING])
    level = np.where(comparable, found, CODE[MISSING]).astype(np.int64)
    dwellings = _kind(left, ("dwelling",)) & _kind(right, ("dwelling",))
    return AddressComparison(
        level=level,
        same_premises=(level == CODE["same_premises"]) & dwellings,
        same_postcode=postcodes_equal & dwellings,
        postcodes_equal=postcodes_equal,
    )


def _postcode_explained(left: Columns, right: Columns, wanted: Bools) -> Bools:
    """Where number and street agree: a postcode is unknown and the town agrees, or they are a slip apart."""
    known_l, known_r = _valid("postcode", left), _valid("postcode", right)
    town = _equal("town", left, right) & ~(known_l & known_r) & ~_districts_differ(left, right)
    rows = np.flatnonzero(wanted & known_l & known_r)
    slips = np.zeros(len(wanted), dtype=np.bool_)
    for row in rows:
        slips[row] = postcodes_one_slip_apart(left["postcode"][int(row)].as_py(), right["postcode"][int(row)].as_py())
    return town | slips


def postcodes_one_slip_apart(left: str, right: str) -> bool:
    """Two full postcodes of one district whose last three characters are a slip apart.

    O/0 and I/1 are alike. A slip is one character, or two neighbours exchanged. Another district is another
    place: WS1 and WV1 have a High Street each.
    """
    a = left.upper().replace(" ", "").translate(_LOOKALIKES)
    b = right.upper().replace(" ", "").translate(_LOOKALIKES)
    if len(a) != len(b) or a[:-3] != b[:-3]:
        return False
    places = [place for place in range(len(a)) if a[place] != b[place]]
    if len(places) <= 1:
        return True
    first, second = places[0], places[-1]
    return len(places) == 2 and second == first + 1 and a[first] == b[second] and a[second] == b[first]


def _flat_written_as_house(flat: Columns, house: Columns) -> Bools:
    """'Flat 2, Aston Court' on one side and 'number 2 in a street called Aston Court' on the other."""
    number = _arrow_equal(flat["saon"], house["paon"]) & ~_valid("saon", house)
    found: Bools = number & _arrow_equal(pc.utf8_lower(flat["paon"]), house["street"])
    return found


def _named_once(left: Columns, right: Columns) -> Bools:
    """Both houses are known, one by its number and the other by a name."""
    numbered_l, numbered_r = _numbered(left["paon"]), _numbered(right["paon"])
    return _both_valid(left["paon"], right["paon"]) & (numbered_l ^ numbered_r)


def _numbered(houses: pa.Array) -> Bools:
    """A house number, not a name."""
    return _bools(pc.match_substring_regex(houses, pattern=r"^\d"))


def _number_in_range(left: Columns, right: Columns, wanted: Bools) -> Bools:
    """Same postcode, and one house number lies in the other's range, such as 12 in 12-14."""
    dashed = _contains_range(left["paon"]) ^ _contains_range(right["paon"])
    found = np.zeros(len(wanted), dtype=np.bool_)
    for row in np.flatnonzero(wanted & dashed):
        a, b = left["paon"][int(row)].as_py(), right["paon"][int(row)].as_py()
        found[row] = a is not None and b is not None and (_in_range(a, b) or _in_range(b, a))
    return found


def _in_range(number: str, numbers: str) -> bool:
    """A house number is one of a range's two ends or lies between them."""
    match = _RANGE.match(numbers)
    if match is None or not number.isascii() or not number.isdigit():
        return False
    return int(match[1]) <= int(number) <= int(match[2])


def _contains_range(numbers: pa.Array) -> Bools:
    """A house number is written as a range."""
    return _bools(pc.match_substring_regex(numbers, pattern=r"^\d+\s*[-/]\s*\d+$"))


def _comparable(side: Columns) -> Bools:
    """The address stands for a home, or nothing says that it does not."""
    return _kind(side, COMPARABLE_KINDS) | ~_valid("address_kind", side)


def _kind(side: Columns, kinds: tuple[str, ...]) -> Bools:
    """The address kind is one of the given."""
    return _bools(pc.is_in(side["address_kind"], value_set=pa.array(kinds, type=pa.string())))


def _districts_differ(left: Columns, right: Columns) -> Bools:
    """Both districts are known and not equal."""
    return _both_valid(left["postcode_district"], right["postcode_district"]) & ~_equal(
        "postcode_district", left, right
    )


def _area(side: Columns) -> pa.Array:
    """The postcode area: the letters before the district's number."""
    return pc.replace_substring_regex(side["postcode_district"], pattern=r"[0-9].*$", replacement="")


def _equal(column: str, left: Columns, right: Columns) -> Bools:
    """Both are known and equal."""
    return _arrow_equal(left[column], right[column])


def _arrow_equal(left: pa.Array, right: pa.Array) -> Bools:
    """Equal, where null equals nothing."""
    return _bools(pc.equal(left, right))


def _valid(column: str, side: Columns) -> Bools:
    """The value is known."""
    return _bools(pc.is_valid(side[column]))


def _both_valid(left: pa.Array, right: pa.Array) -> Bools:
    """Both values are known."""
    return _bools(pc.and_(pc.is_valid(left), pc.is_valid(right)))


def _bools(values: pa.Array) -> Bools:
    """An Arrow boolean column as numpy, null as False."""
    found: Bools = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return found
