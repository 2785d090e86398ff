"""A made-up force in small worlds whose feeds change from day to day: rows come, are amended, sent again, come late, and go.

A history is the content of every feed at the end of each day. What a day brings is drawn by a seed; ``KINDS`` names everything
that can happen, and ``History.happened`` says how often it did.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.draws import CLOCKS
from tests.support.feeds import (
    ALIAS_COLUMNS,
    CALLER_COLUMNS,
    COLUMNS,
    CUSTODY_COLUMNS,
    HR_COLUMNS,
    INVOLVEMENT_COLUMNS,
    LOCATION_COLUMNS,
    LOG_COLUMNS,
    NOMINAL_COLUMNS,
    OCCURRENCE_COLUMNS,
    REPORT_COLUMNS,
    SUBJECT_COLUMNS,
)
from tests.support.numbers import pnc

Row = dict[str, Any]
Feeds = dict[str, dict[str, Row]]
"""By ``source.feed``: rows by a name that the history alone knows, so that two equal rows are two."""

FIRST_DAY = {"forward": date(2026, 3, 27), "back": date(2026, 10, 23)}[CLOCKS]
"""The day of the backfill; two days later the clocks go forward, or back."""

_GIVENS = ("Adam", "Belinda", "Kwame", "Imran", "Sofia", "Tomas", "Yusuf", "Grace", "Leroy", "Dylan", "Ngozi", "Hazel")
_STARTS, _MIDDLES = (
    ("Van", "Bel", "Okon", "Bran", "Ach", "Lind", "Far", "Mac", "Dhil", "Tren"),
    ("do", "li", "ra", "mu", "ke", "so"),
)
_ENDS = ("zel", "quin", "kwo", "gan", "berg", "quist", "ouk", "ter", "lon", "with")
_SURNAMES = tuple(f"{one}{two}{three}" for one in _STARTS for two in _MIDDLES for three in _ENDS)
"""So many that none is common among a few hundred records: a name that everybody bears links nobody."""

_STREETS = ("Elm Grove", "Mill Lane", "Church Road", "Park Road", "High Street", "Green Lane")
_ROLES = ("SUSPECT", "VICTIM", "WITNESS", "OFFENDER", "INTERPRETER")


@dataclass
class Someone:
    """A made-up person: an employee, or somebody who is taken for one."""

    given: str
    surname: str
    born: date
    number: int
    street: str
    postcode: str

    @property
    def home(self) -> str:
        """House and street."""
        return f"{self.number} {self.street}"

    @property
    def pnc_id(self) -> str:
        """Of every third; some with a wrong check letter, and some that others have too."""
        if self.number % 3:
            return ""
        right = pnc(1990 + self.number % 30, self.born.toordinal() % 50 + 1)
        return right if self.number % 4 else f"{right[:-1]}I"


@dataclass
class History:
    """All worlds, day by day.

    Attributes:
        days: content of the feeds at the end of each day; the first is what the backfill reads.
        happened: how often each kind of change was drawn after the first day.
    """

    days: list[Feeds] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)


class _World:
    """One world at work on the feeds that all worlds share."""

    def __init__(self, no: int, draw: random.Random, feeds: Feeds, happened: Counter[str]) -> None:
        self.no, self.draw, self.feeds, self.happened = no, draw, feeds, happened
        self.serial = 0
        self.day = 0
        self.staff: dict[str, Someone] = {}
        self.urns: dict[str, Someone] = {}
        self.crimes: list[str] = []
        for _ in range(2):
            self.join()
        for _ in range(3):
            self.crime()
        self.detention()
        self.log()
        self.report()

    # ---- names and times ---------------------------------------------------------------------------------

    def name(self, kind: str) -> str:
        self.serial += 1
        return f"{kind}{self.no:03d}-{self.serial}"

    def now(self, *, days_ago: int = 0) -> datetime:
        moment = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 0, 30, tzinfo=UTC)
        return moment + timedelta(days=self.day - days_ago, minutes=self.draw.randrange(120))

    def someone(self) -> Someone:
        draw = self.draw
        return Someone(
            given=draw.choice(_GIVENS),
            surname=draw.choice(_SURNAMES),
            born=date(1960 + draw.randrange(40), draw.randint(1, 12), draw.randint(1, 28)),
            number=draw.randint(1, 30),
            street=draw.choice(_STREETS),
            postcode=f"B{1 + self.no % 30} {1 + draw.randrange(3)}{draw.choice('AB')}{draw.choice('ABDE')}",
        )

    def of_interest(self) -> Someone:
        """An employee, a twin, a namesake, or a stranger."""
        draw = self.draw
        if not self.staff or draw.random() < 0.3:
            return self.someone()
        one = copy.copy(draw.choice(list(self.staff.values())))
        chance = draw.random()
        if chance < 0.1:
            one.given = draw.choice(_GIVENS)
        elif chance < 0.2:
            one.number, one.street, one.postcode = 77, "Moor Road", "CV1 1AA"
        elif chance < 0.3:
            one.born = one.born.replace(year=one.born.year + 1)
        elif chance < 0.4:
            one.surname = one.surname[:-1]
        elif chance < 0.46:
            one.born = self.day_to_come()
        return one

    def day_to_come(self) -> date:
        """What somebody wrote for a date of birth: tomorrow, or the day after."""
        return FIRST_DAY + timedelta(days=self.day + 1 + self.serial % 2)

    def put(self, feed: str, name: str, columns: list[str], **values: Any) -> None:
        self.feeds[feed][name] = dict.fromkeys(columns, "") | values

    def said(self, kind: str) -> None:
        self.happened[kind] += self.day > 0

    def count(self, feed: str, kind: str, column: str, value: Any) -> int:
        """Rows of this world that have a value."""
        own = [row for name, row in self.feeds[feed].items() if name.startswith(f"{kind}{self.no:03d}-")]
        return sum(row[column] == value for row in own)

    # ---- the roster --------------------------------------------------------------------------------------

    def employee_row(self, ref: str, one: Someone, **others: str) -> None:
        values = {
            "PERSON_NUMBER": ref,
            "FIRST_NAME": one.given,
            "LAST_NAME": one.surname,
            "DATE_OF_BIRTH": one.born.strftime("%d-%b-%Y").upper(),
            "ADDRESS_LINE_1": one.home,
            "TOWN_OR_CITY": "Birmingham",
            "POSTAL_CODE": one.postcode,
            "ASSIGNMENT_NUMBER": f"{ref}-1",
            "PERSON_TYPE": "Police Officer",
            "JOB": "Constable",
            "TEAM": "Response",
            "START_DATE": "01-SEP-2010",
        }
        self.put("hr.extract", ref, HR_COLUMNS, **{**values, **others})

    def join(self) -> None:
        ref = self.name("E")
        self.staff[ref] = self.someone()
        if (self.no + self.serial) % 10 == 3:
            self.staff[ref].born = self.day_to_come()
        self.employee_row(ref, self.staff[ref])
        self.said("employee joins")

    def leave(self) -> None:
        if len(self.staff) > 1:
            ref = self.draw.choice(sorted(self.staff))
            del self.staff[ref]
            self.feeds["hr.extract"].pop(ref)
            self.said("employee leaves")

    def move(self) -> None:
        ref = self.draw.choice(sorted(self.staff))
        one = self.staff[ref]
        one.number, one.street = self.draw.randint(1, 30), self.draw.choice(_STREETS)
        self.employee_row(ref, one)
        self.said("employee moves")

    def new_team(self) -> None:
        ref = self.draw.choice(sorted(self.staff))
        self.feeds["hr.extract"][ref]["TEAM"] = f"Team {self.day}"
        self.said("employee changes team")

    # ---- crime -------------------------------------------------------------------------------------------

    def nominal(self, urn: str, one: Someone, *, name: str | None = None, **others: Any) -> None:
        self.put(
            "crime.nominal",
            name or urn,
            NOMINAL_COLUMNS,
            **{
                "NOMINAL_URN": urn,
                "FORENAME_1": one.given.upper(),
                "SURNAME": one.surname.upper(),
                "DOB": one.born.isoformat(),
                "NOMINAL_TYPE": "PERSON",
                "HOUSE_NO": str(one.number),
                "STREET": one.street.upper(),
                "TOWN": "BIRMINGHAM",
                "POSTCODE": one.postcode,
                "UPRN": one.pnc_id,
                "CREATED_AT": self.now(),
                "UPDATED_AT": self.now(),
                **others,
            },
        )

    def new_nominal(self) -> str:
        urn = self.name("N")
        self.urns[urn] = self.of_interest()
        kind = "ORGANISATION" if self.draw.random() < 0.06 else "PERSON"
        self.nominal(urn, self.urns[urn], NOMINAL_TYPE=kind)
        if self.draw.random() < 0.25:
            self.alias(urn)
        return urn

    def alias(self, urn: str) -> None:
        name = self.name("A")
        self.put(
            "crime.nominal_alias",
            name,
            ALIAS_COLUMNS,
            NOMINAL_URN=urn,
            ALIAS_SEQ=self.serial,
            ALIAS_KIND=self.draw.choice(["ALIAS", "MAIDEN"]),
            SURNAME=self.draw.choice(_SURNAMES).upper(),
        )

    def occurrence(self, crime: str) -> None:
        moment = self.now()
        times = dict.fromkeys(("OCC_FROM", "REPORTED_AT", "RECORDED_AT", "UPDATED_AT"), moment)
        self.put(
            "crime.occurrence",
            crime,
            OCCURRENCE_COLUMNS,
            **{"CRIME_NO": crime, "OFFENCE_CODE": "008/06", "OFFENCE_TITLE": "Common assault", "OCC_TO": None, **times},
        )

    def involve(self, crime: str, urn: str) -> str:
        name = self.name("I")
        values = (crime, urn, self.draw.choice(_ROLES), self.draw.choice(["", "Y", "N"]), self.now())
        self.feeds["crime.involvement"][name] = dict(zip(INVOLVEMENT_COLUMNS, values, strict=True))
        return name

    def place(self, crime: str) -> None:
        one = self.of_interest()
        self.put(
            "crime.location",
            self.name("L"),
            LOCATION_COLUMNS,
            CRIME_NO=crime,
            LOC_SEQ=self.serial,
            HOUSE_NO=str(one.number),
            STREET=one.street.upper(),
            TOWN="BIRMINGHAM",
            POSTCODE=one.postcode,
            LOC_TYPE="DWELLING",
        )

    def crime(self) -> None:
        crime = self.name("20/")
        self.crimes.append(crime)
        self.occurrence(crime)
        for _ in range(self.draw.randint(1, 2)):
            known = sorted(self.urns)
            urn = self.draw.choice(known) if known and self.draw.random() < 0.3 else self.new_nominal()
            self.involve(crime, urn)
        if self.draw.random() < 0.5:
            self.place(crime)
        self.said("new crime")

    def part_before_its_crime(self) -> None:
        """The involvement comes today, the crime and the person on another day, or never."""
        crime, urn = self.name("20/"), self.name("N")
        self.urns[urn] = self.of_interest()
        self.involve(crime, urn)
        self.crimes.append(crime)
        if self.draw.random() < 0.5:
            self.nominal(urn, self.urns[urn])
        self.said("involvement before its event or person")

    def crime_comes_late(self) -> None:
        missing = [crime for crime in self.crimes if crime not in self.feeds["crime.occurrence"]]
        for crime in missing[:1]:
            self.occurrence(crime)
            self.said("event comes late, or again")

    def person_comes_late(self) -> None:
        missing = [urn for urn in sorted(self.urns) if urn not in self.feeds["crime.nominal"]]
        for urn in missing[:1]:
            self.nominal(urn, self.urns[urn])
            self.said("person comes late, or again")

    def amend_nominal(self) -> None:
        there = [urn for urn in sorted(self.urns) if urn in self.feeds["crime.nominal"]]
        if there:
            urn = self.draw.choice(there)
            self.urns[urn] = self.of_interest()
            kind = "REX" if self.draw.random() < 0.1 else "PERSON"
            self.nominal(urn, self.urns[urn], NOMINAL_TYPE=kind)
            self.said("person amended")

    def older_version(self) -> None:
        """A version of a record that is behind the one already here: it changes nothing that is shown."""
        there = [urn for urn in sorted(self.urns) if urn in self.feeds["crime.nominal"]]
        if there:
            urn = self.draw.choice(there)
            self.nominal(urn, self.someone(), name=self.name("old"), UPDATED_AT=self.now(days_ago=400))
            self.said("older version comes after the newer")

    def newer_beside_older(self) -> None:
        """A further row of a record with a later version; the former row stays in the feed."""
        there = [urn for urn in sorted(self.urns) if urn in self.feeds["crime.nominal"]]
        if there:
            urn = self.draw.choice(there)
            self.nominal(urn, self.of_interest(), name=self.name("new"), UPDATED_AT=self.now() + timedelta(days=1))
            self.said("newer version beside the older")

    def again(self) -> None:
        feed = self.draw.choice(["crime.nominal", "crime.involvement", "custody.record", "incident.log"])
        own = [name for name in self.feeds[feed] if f"{self.no:03d}-" in name]
        if own:
            name = self.draw.choice(own)
            self.feeds[feed][self.name("again")] = dict(self.feeds[feed][name])
            self.said("row sent again")

    def without_key(self) -> None:
        self.nominal("", self.of_interest(), name=self.name("keyless"))
        self.said("row without a key")

    def take_out(self) -> None:
        feed = self.draw.choice(
            ["crime.nominal", "crime.nominal_alias", "crime.occurrence", "crime.involvement", "crime.location"]
            + ["custody.record", "incident.log", "incident.person", "intel.subject", "intel.report"]
        )
        own = [name for name in self.feeds[feed] if f"{self.no:03d}-" in name]
        if own:
            self.feeds[feed].pop(self.draw.choice(own))
            self.said(f"row gone from {feed}")

    # ---- the other systems -------------------------------------------------------------------------------

    def detention(self) -> None:
        number, one = self.name("C"), self.of_interest()
        self.custody(number, one)
        self.said("new detention")

    def custody(self, number: str, one: Someone) -> None:
        arrived = self.now()
        values = (
            *(number, f"{one.surname.upper()}, {one.given}", one.born.strftime("%d/%m/%Y"), one.home, one.postcode),
            *(arrived, arrived + timedelta(hours=9), "008/06", "N", self.now()),
        )
        self.feeds["custody.record"][number] = dict(zip(CUSTODY_COLUMNS, values, strict=True))

    def amend_detention(self) -> None:
        own = [name for name in self.feeds["custody.record"] if name.startswith(f"C{self.no:03d}-")]
        if own:
            self.custody(self.draw.choice(own), self.of_interest())
            self.said("detention amended")

    def log(self) -> None:
        number, place, caller = self.name("G"), self.of_interest(), self.of_interest()
        logged = self.now().replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
        values = (number, logged, "DOM", "CL1", f"{place.home}, Birmingham", place.postcode, "", "DWELLING", logged)
        self.feeds["incident.log"][number] = dict(zip(LOG_COLUMNS, values, strict=True))
        born = caller.born.strftime("%d/%m/%Y") if self.draw.random() < 0.7 else ""
        told = (number, "1", f"{caller.given} {caller.surname}", born, caller.home, caller.postcode, "CALLER")
        self.feeds["incident.person"][f"{number}/1"] = dict(zip(CALLER_COLUMNS, told, strict=True))
        self.said("new incident")

    def close_log(self) -> None:
        own = [name for name in self.feeds["incident.log"] if name.startswith(f"G{self.no:03d}-")]
        if own:
            row = self.feeds["incident.log"][self.draw.choice(own)]
            updated = FIRST_DAY + timedelta(days=self.day + 5)
            row |= {"CLOSE_CODE": f"CL{self.day + 1}", "UPDATED": f"{updated} 01:30:00"}
            self.said("incident closed")

    def disposal(self) -> date | None:
        """Every third report is kept for a day or two, every third for good."""
        return [None, FIRST_DAY + timedelta(days=self.day + 1 + self.serial % 2), date(2030, 8, 1)][self.serial % 3]

    def report(self) -> None:
        number, one, moment = self.name("R"), self.of_interest(), self.now()
        values = (number, "3x5x2", "2", "B", "P", moment, moment, "never read", "2", self.disposal())
        self.feeds["intel.report"][number] = dict(zip(REPORT_COLUMNS, values, strict=True))
        told = (number, 1, f"{one.given} {one.surname}", one.born.strftime("%d/%m/%Y"), one.home, one.postcode)
        self.feeds["intel.subject"][f"{number}/1"] = dict(zip(SUBJECT_COLUMNS, told, strict=True))
        self.said("new intelligence report")

    def next_day(self) -> None:
        """A handful of things."""
        self.day += 1
        today = FIRST_DAY + timedelta(days=self.day)
        self.happened["disposal falls due"] += self.count("intel.report", "R", "REVIEW_DATE", today)
        self.happened["a nominal's date of birth comes"] += self.count("crime.nominal", "N", "DOB", today.isoformat())
        self.happened["an employee's date of birth comes"] += self.count(
            "hr.extract", "E", "DATE_OF_BIRTH", today.strftime("%d-%b-%Y").upper()
        )
        for _ in range(self.draw.randint(0, 3)):
            getattr(self, self.draw.choice(KINDS))()


KINDS = (
    *("join", "leave", "move", "new_team"),
    *("crime", "crime", "part_before_its_crime", "crime_comes_late", "person_comes_late"),
    *(
        "amend_nominal",
        "older_version",
        "newer_beside_older",
        "again",
        "without_key",
        "take_out",
        "take_out",
        "take_out",
    ),
    *("detention", "amend_detention", "log", "close_log", "report"),
)
"""What can happen, as likely as it stands here."""


def make_history(*, seed: int, worlds: int, days: int) -> History:
    """A history; the same for the same seed and sizes, from FIRST_DAY on.

    Args:
        seed: of everything drawn.
        worlds: how many.
        days: days after the first.
    """
    feeds: Feeds = {key: {} for key in COLUMNS}
    history = History()
    everyone = [_World(no, random.Random(f"{seed} {no}"), feeds, history.happened) for no in range(1, worlds + 1)]
    history.days.append(copy.deepcopy(feeds))
    for _ in range(days):
        for world in everyone:
            world.next_day()
        history.days.append(copy.deepcopy(feeds))
    return history
