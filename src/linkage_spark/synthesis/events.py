"""Crimes, intelligence reports and incidents: numbered, and each follows from its number alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from linkage_spark.synthesis.addresses import PLACES, dwelling_address
from linkage_spark.synthesis.chance import Weighted, mix
from linkage_spark.synthesis.people import FIRST_RECORD, TODAY, Force

PARTS_PER_EVENT = {"crime": 2.2, "intel": 1.3, "incident": 1.2, "custody": 1.0}
"""Persons per event; custody is one person's."""

_CODES = {"crime": 21, "intel": 22, "incident": 23, "custody": 24}

_OFFENCES = Weighted(
    (
        *(
            ("105/01", "Common assault"),
            ("008/06", "Assault occasioning actual bodily harm"),
            ("049/10", "Theft other"),
        ),
        *(
            ("028/03", "Burglary dwelling"),
            ("048/02", "Theft of motor vehicle"),
            ("058/02", "Criminal damage"),
        ),
        *(
            ("125/09", "Public order"),
            ("092/40", "Possession of cannabis"),
            ("008/72", "Controlling or coercive behaviour"),
        ),
        *(
            ("008/55", "Stalking"),
            ("017/13", "Sexual assault"),
            ("053/01", "Fraud"),
            ("802/01", "Drink driving"),
        ),
        *(("195/94", "Harassment"), ("034/01", "Robbery"), ("800/10", "Misconduct in public office")),
    ),
    (18, 14, 16, 7, 6, 10, 9, 4, 4, 3, 2.5, 3, 2, 5, 2, 0.2),
)
_FLAGS = {"008/72": "DA|VAWG", "008/55": "DA|VAWG", "017/13": "VAWG", "195/94": "DA", "800/10": "APSP"}
_OPENINGS = (
    "DOMESTIC INCIDENT",
    "NOISE",
    "SUSPICIOUS CIRCUMSTANCES",
    "CONCERN FOR SAFETY",
    "BURGLARY",
    "TRAFFIC",
    "ASB",
    "VIOLENCE",
)
_NOBODIES = (
    ("ORGANISATION", "MIDSHIRE SUPERMARKETS LTD"),
    ("ORGANISATION", "CANALSIDE BUS COMPANY"),
    ("ORGANISATION", "CITY COUNCIL"),
    ("REX", "REX"),
    ("REX", "REGINA"),
)
_PLACEHOLDERS = ("UNKNOWN", "A N OTHER", "NOT ENTERED", "UNKNOWN MALE", "REFUSED", "OCCUPIER", "TEST TEST")
_CLOSINGS = ("NO FURTHER ACTION", "CRIMED", "ADVICE GIVEN", "ATTENDED", "DUPLICATE")


def count(force: Force, system: str) -> int:
    """How many events a system has, for the size of the force."""
    heads = force.households * 2.4
    parts = heads * force.settings.records_per_head * force.settings.systems[system] * 1.6
    return max(1, round(parts / PARTS_PER_EVENT[system]))


def moment(drawn: int) -> datetime:
    """A moment within the span of the records; more often of late."""
    span = (TODAY - FIRST_RECORD).days * 86_400 - 3_600
    place = ((drawn >> 8) & 0xFFFFFFFF) / 2.0**32
    return datetime.combine(FIRST_RECORD, datetime.min.time()) + timedelta(seconds=int(span * place**0.8))


def happened_at(seed: int, system: str, number: int) -> datetime:
    """When an event happened."""
    return moment(mix(seed, _CODES[system], number))


def reference(system: str, number: int, when: datetime) -> str:
    """The number that people know an event by."""
    if system == "crime":
        return f"20/{number:08d}/{when:%y}"
    return f"IR{number:09d}" if system == "intel" else f"{number}-{when:%Y%m%d}"


def offence(seed: int, number: int) -> tuple[str, str]:
    """Code and title of an offence."""
    return _OFFENCES.at((mix(seed, 25, number) >> 11) / 2.0**53)


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def event_rows(force: Force, system: str, number: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows of one event; custody's stand with its person."""
    drawn = mix(force.seed, 26, _CODES[system], number)
    when = happened_at(force.seed, system, number)
    ref = reference(system, number, when)
    later = _stamp(when + timedelta(days=drawn % 300))
    home = dwelling_address(force.seed, (drawn >> 5) % force.households)
    if system == "crime":
        code, title = offence(force.seed, number)
        flags = _FLAGS.get(code, "HATE" if drawn % 80 == 0 else "")
        reported = when + timedelta(minutes=(drawn >> 9) % 4000)
        times = (
            _stamp(when),
            _stamp(when + timedelta(minutes=(drawn >> 21) % 300)),
            _stamp(reported),
            _stamp(reported + timedelta(hours=2)),
        )
        text = "Free text that no job reads."
        yield "crime/occurrence", (ref, code, title, *times, later, str(drawn % 20), flags, text)
        if drawn % 10:
            uprn = home.uprn if drawn % 3 == 0 else ""
            flat = home.flat.removeprefix("Flat ")
            place = (flat, home.house, home.street, home.locality, home.town, home.postcode, uprn, "DWELLING")
        else:
            place = ("", "", PLACES[drawn % len(PLACES)], "", home.town, "", "", "STREET")
        yield "crime/location", (ref, "1", *place)
        yield from _organisation(force, ref, later, drawn)
    elif system == "intel":
        old = when.year < 2018
        source, assessment = (
            ("ABCDE"[drawn % 5], "12345"[(drawn >> 4) % 5]) if old else ("123"[drawn % 3], "ABCDE"[(drawn >> 4) % 5])
        )
        handling = "12345"[(drawn >> 7) % 5] if old else "PC"[(drawn >> 7) % 2]
        review = (when + timedelta(days=365 * 6)).strftime("%Y-%m-%d")
        scheme = "5x5x5" if old else "3x5x2"
        text = "Sanitised text that no job reads."
        yield (
            "intel/report",
            (ref, scheme, source, assessment, handling, _stamp(when), later, text, "1234"[drawn % 4], review),
        )
    elif system == "incident":
        outside = drawn % 5 == 0
        where = PLACES[drawn % len(PLACES)] if outside else home.one_box
        postcode, uprn = ("", "") if outside else (home.postcode, home.uprn if drawn % 4 == 0 else "")
        yield (
            "incident/log",
            log_cells(ref, when, where, postcode, uprn, "STREET" if outside else "DWELLING", drawn),
        )
        yield from _placeholder_person(force, ref, drawn)


def _organisation(force: Force, crime: str, stamp: str, drawn: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A company or the Crown as the victim: a nominal that is nobody."""
    if mix(drawn, 1) / 2.0**64 >= force.settings.noise["organisations"] * PARTS_PER_EVENT["crime"]:
        return
    urn = f"N9{mix(drawn, 2) % 10**16:016d}"
    kind, name = _NOBODIES[mix(drawn, 3) % len(_NOBODIES)]
    yield "crime/nominal", (urn, "", "", "", name, "", kind, *[""] * 7, stamp, stamp)
    yield "crime/involvement", (crime, urn, "VICTIM", "", stamp)


def _placeholder_person(force: Force, log: str, drawn: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A caller whom nobody asked for a name: a record of no true person, under a number of its own below zero."""
    if mix(drawn, 4) / 2.0**64 >= force.settings.noise["placeholder_persons"] * PARTS_PER_EVENT["incident"]:
        return
    place = str(mix(drawn, 5) % 10**9)
    yield (
        "incident/person",
        (log, place, _PLACEHOLDERS[mix(drawn, 6) % len(_PLACEHOLDERS)], "", "", "", "CALLER"),
    )
    yield "truth/person", ("incident", f"{log}/{place}", str(-(mix(drawn, 7) >> 2)), "PLH", "none", "")


def log_cells(log: str, when: datetime, where: str, postcode: str, uprn: str, kind: str, drawn: int) -> tuple[str, ...]:
    """The cells of an incident log."""
    opening, closing = _OPENINGS[(drawn >> 13) % len(_OPENINGS)], _CLOSINGS[(drawn >> 17) % len(_CLOSINGS)]
    return (
        log,
        _stamp(when),
        opening,
        closing,
        where,
        postcode,
        uprn,
        kind,
        _stamp(when + timedelta(hours=3)),
    )
