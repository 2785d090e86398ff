"""Made-up pairs of person records that reach every level of every attribute, with and without missing values."""

from __future__ import annotations

import itertools
import random
from typing import Any

from linkage_spark.linkage.comparison.pair import EVIDENCE_COLUMNS
from tests.unit.linkage.comparison.knowledge import person

Row = dict[str, Any]
Pair = tuple[Row, Row]

GIVEN = (
    ("john", "john"),
    ("bill", "william"),
    ("gareth", "gaeth"),
    ("imran", "irfan"),
    ("j", "john"),
    ("kevin", "gareth"),
    (None, "imran"),
)
SURNAME = (
    ("smith", "smith"),
    ("thompson", "thomson"),
    ("taylor", "tailor"),
    ("rhodes", "roads"),
    ("s", "smith"),
    ("patel", "kaur"),
    (None, "featherstone"),
)
OTHER_NAMES = (
    # Given names and surname in each other's place.
    (("zebedee", "smith"), ("smith", "zebedee")),
    (("gareth", "thompson"), ("thomson", "gareth")),
    (("gareth", "smith"), ("smith", "gaeth")),
    (("imran", "rhodes"), ("roads", "irfan")),
    # A single name in the other part's place, of either side.
    (("smith", None), ("zebedee", "smith")),
    (("zebedee", "thompson"), ("thomson", None)),
    (("taylor", None), ("zebedee", "tailor")),
    (("rhodes", None), (None, "roads")),
    ((None, "john"), ("john", "featherstone")),
    (("catherine", "featherstone"), (None, "katherine")),
    ((None, "gareth"), ("gaeth", "featherstone")),
    # No name, and one part alone.
    ((None, None), ("john", "smith")),
    (("john", None), ("john", "smith")),
    (("zebedee", None), ("zebedee", None)),
    # Rare and common names.
    (("zebedee", "featherstone"), ("zebedee", "featherstone")),
    (("zebedee", "smith"), ("zebedee", "smith")),
)
DATES = (
    ("1980-03-04", "1980-03-04"),
    ("1951-07-19", "1951-07-19"),
    ("1980-03-04", "1980-04-03"),
    ("1980-03-04", "1880-03-04"),
    ("1980-03-04", "1980-03-05"),
    ("1980-01-01", "1980-07-19"),
    ("1980-03-04", "1980-03-29"),
    ("1960-03-04", "1990-03-04"),
    ("1980-03-04", "1981-03-05"),
    ("1980-03-14", "1980-12-29"),
    ("1980-03-14", "1982-11-29"),
    ("1980-03-14", "1986-11-29"),
    ("1980-03-14", "1955-11-29"),
    ("1980-03-00", "1980-03-04"),
    ("1980-00-00", "1980-03-04"),
    ("1981-00-00", "1980-03-04"),
    ("1975-00-00", "1980-03-04"),
    ("", "1980-03-04"),
)
HOME = "|12|high street|birmingham|B23 6AA||"
HOMES = (
    (HOME, HOME),
    ("|3|mill lane|coventry|CV1 2AB||", "|3|mill lane|coventry|CV1 2AB||"),
    ("2|12|high street|birmingham|B23 6AA||", HOME),
    (HOME, "|14|high street|birmingham|B23 6AA||"),
    ("|14|high street|birmingham|||", HOME),
    (HOME, "|12|high street|birmingham|B23 6AB||"),
    (HOME, "|7|mill lane|birmingham|B23 6QZ||"),
    (HOME, "|7|mill lane|birmingham|B23 5QZ||"),
    (HOME, "|7|mill lane|birmingham|B44 5QZ||"),
    (HOME, "|7|mill lane|coventry|CV1 5QZ||"),
    ("||||||unknown", HOME),
)
FURTHER = {
    "place_postcode": (("CF10 1AA", "CF10 1AA"), ("CF10 1AA", "CF10 1AB"), ("CF101AA", "CF109ZA"), ("CF10", "CFXY")),
    "place_house": (("12", "12"), ("12 A", "12 B"), ("12", "13"), ("12", "40"), (None, "12")),
    "place_street": (
        ("calle mayor", "calle mayor"),
        ("calle mayor", "calle maior"),
        ("calle mayor", "calle mayo r"),
        ("avenida del mar", "avenida mar sol"),
        ("calle mayor", "calle menor"),
        ("calle mayor", "plaza mayor"),
        ("calle mayor", "zzyzx"),
        (None, "calle mayor"),
    ),
    "extra_trade": (
        ("baker", "baker"),
        ("baker", "bakers"),
        ("shoe maker", "shoe mender"),
        ("carpenter", "carter"),
        ("baker", "barber"),
        ("baker", "joiner"),
        ("nurse", "nurse"),
        (None, None),
    ),
    "extra_ward": (("ladywood", "ladywood"), ("ladywood", "aston"), (None, "aston")),
}
"""Values of further attributes; ``place_postcode`` has further levels in MORE_CODES."""
MORE_CODES = (("CF10 1AA", "CF10 9ZZ"), (None, "CF10 1AA"), ("CF10 1AA", "NP20 4QQ"))


def made_up_pairs(seed: int = 20261121) -> list[Pair]:
    """Every name with every date, every name with every home, every date with every home, and 2,000 drawn ones."""
    straight = [((g[0], s[0]), (g[1], s[1])) for g, s in itertools.product(GIVEN, SURNAME)]
    names = [*straight, *OTHER_NAMES]
    chosen = [(name, date, HOMES[0]) for name, date in itertools.product(names, DATES)]
    chosen += [(name, DATES[0], home) for name, home in itertools.product(names, HOMES)]
    chosen += [(names[0], date, home) for date, home in itertools.product(DATES, HOMES)]
    draw = random.Random(seed)
    chosen += [(draw.choice(names), draw.choice(DATES), draw.choice(HOMES)) for _ in range(2000)]
    further = FURTHER | {"place_postcode": (*FURTHER["place_postcode"], *MORE_CODES)}
    pairs = []
    for number, (name, born, home) in enumerate(chosen):
        values = {column: listed[draw.randrange(len(listed))] for column, listed in further.items()}
        left, right = (
            person(*name[side], born[side], home[side], **{column: pair[side] for column, pair in values.items()})
            for side in (0, 1)
        )
        # Either record may be the employee's.
        pairs.append((left, right) if number % 2 else (right, left))
    return pairs


def columns_of_pairs(pairs: list[Pair]) -> tuple[list[tuple[Any, ...]], str]:
    """Rows and schema of a candidate frame: number as the employee's id, evidence and further columns of both sides."""
    kinds = dict.fromkeys(("dob_year", "dob_month", "dob_day", "variant_no"), "int")
    kinds |= {"rule_mask": "bigint", "on_duty_sign": "boolean"}
    read = (*EVIDENCE_COLUMNS, *FURTHER)
    others = [name for name in ("name_issue", "dob_issue", "address_issue", "on_duty_sign") if name not in read]
    keys = {"source_system": "crime", "person_ref": "p", "variant_no": 0}
    columns = [(f"{name}_{side}", name, no) for no, side in enumerate("lr") for name in (*keys, *read, *others)]
    schema = ", ".join(f"{column} {kinds.get(name, 'string')}" for column, name, _ in columns)
    rows = []
    for number, pair in enumerate(pairs):
        sides = [{**keys, "person_ref": f"{number:06d}", **row} for row in pair]
        rows.append((1, *(sides[side].get(name) for _, name, side in columns)))
    return rows, f"rule_mask bigint, {schema}"


def values_of(row: Row) -> Row:
    """What the plain weights read of a record."""
    year, month, day = row["dob_year"], row["dob_month"], row["dob_day"]
    full = year and month and day
    return {
        **{name: row[name] for name in ("given_first", "surname_last", "postcode", *FURTHER)},
        "born": f"{year:04d}-{month:02d}-{day:02d}" if full else None,
    }
