"""A household's history: the rows that its people leave in every feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from linkage_spark.synthesis import events
from linkage_spark.synthesis.addresses import STATIONS, Address, dwelling_address
from linkage_spark.synthesis.chance import Dice, mix
from linkage_spark.synthesis.people import TODAY, Force, Person, is_seen, make_household
from linkage_spark.synthesis.slips import Recorded, misspell, record

Row = tuple[str, tuple[str, ...]]
"""Feed, and its cells in the order of FEEDS."""

_JOBS = {
    "employee": (("Police Constable", 0.62), ("Sergeant", 0.12), ("Inspector", 0.03), ("Police Staff", 0.23)),
    "volunteer": (("Special Constable", 0.7), ("Volunteer", 0.3)),
    "contractor": (("Contractor", 0.6), ("Agency", 0.4)),
    "non_police": (("Non-Police Personnel", 1.0),),
}
_TEAMS = (
    "Response",
    "Neighbourhood",
    "CID",
    "Custody",
    "Contact Centre",
    "Roads Policing",
    "Public Protection",
    "Intelligence",
    "Estates",
    "IT",
)
_CRIME_ROLES = (
    ("VICTIM", 0.46),
    ("WITNESS", 0.16),
    ("SUSPECT", 0.16),
    ("OFFENDER", 0.05),
    ("DEFENDANT", 0.04),
    ("PERSON REPORTING", 0.05),
    ("ADDITIONAL RELEVANT", 0.08),
)
_INCIDENT_ROLES = (
    ("CALLER", 0.5),
    ("SUBJECT", 0.2),
    ("VICTIM", 0.15),
    ("WITNESS", 0.08),
    ("OTHER", 0.05),
    ("SUSPECT", 0.02),
)
_APPEARANCES = {
    "victim": ("crime", "VICTIM"), "witness": ("crime", "WITNESS"), "suspect": ("crime", "SUSPECT"), "offender": ("crime", "OFFENDER"),
    "additional_relevant": ("crime", "ADDITIONAL RELEVANT"), "detained": ("custody", ""), "intelligence_subject": ("intel", ""),
    "incident_person": ("incident", "CALLER"),
}  # fmt: skip
_RANKS = {
    "Police Constable": ("PC", "Pc", "DC"),
    "Sergeant": ("PS", "Sgt", "DS"),
    "Inspector": ("Insp", "DI"),
    "Special Constable": ("SC", "PC"),
}


def choose(weights: tuple[tuple[str, float], ...], place: float) -> str:
    """The word at a place in [0, 1)."""
    for word, weight in weights:
        if place < weight:
            return word
        place -= weight
    return weights[-1][0]


def employee_id(number: int) -> str:
    """HR's own number: unique, and in no order."""
    return str(1_000_000 + number * 7919 % 900_000)


def household_rows(force: Force, household: int) -> Iterator[Row]:
    """Every row that the people of one household leave."""
    for person in make_household(force, household):
        history = _History(force, person)
        if person.employee is not None:
            yield from history.roster()
            yield from history.of_employee()
        elif is_seen(force, person):
            yield from history.of_anybody()


class _History:
    """One person's rows."""

    def __init__(self, force: Force, person: Person) -> None:
        self.force, self.person, self.settings = force, person, force.settings
        self.dice = Dice(force.seed, 4, person.person_id)
        self.records = 0
        self.urn = ""
        self.urn_uses = 0

    # ---- who they work for ---------------------------------------------------------------------------------

    def roster(self) -> Iterator[Row]:
        """The HR extract: one row per assignment, and the truth."""
        person, dice, rates = (
            self.person,
            Dice(self.force.seed, 5, self.person.person_id),
            self.settings.employees,
        )
        kind = choose(tuple(rates.types.items()), dice.unit())
        job = choose(_JOBS[kind], dice.unit())
        self.job = job
        address = dwelling_address(self.force.seed, person.dwelling)
        given = list(person.name.given)
        surname = person.name.surname
        if dice.happens(rates.misspelt):
            surname = misspell(surname, dice)
        born = "" if dice.happens(rates.missing_date_of_birth) else _day_in_words(person.born)
        start = max(person.born + timedelta(days=19 * 365), TODAY - timedelta(days=dice.between(30, 30 * 365)))
        identity = (
            *(
                employee_id(person.employee or 0),
                dice.pick(("Mr", "Mr", "")) if person.sex == "m" else dice.pick(("Ms", "Mrs", "")),
            ),
            *(given[0], " ".join(given[1:]), surname, born),
            *_hr_lines(address),
        )
        person_type = {
            "employee": "Police Staff" if job == "Police Staff" else "Police Officer",
            "volunteer": job,
        }.get(kind, job)
        yield "hr/extract", (*identity, "1", person_type, job, dice.pick(_TEAMS), _day_in_words(start))
        if dice.happens(rates.second_assignment):
            later = min(start + timedelta(days=dice.between(100, 2000)), TODAY)
            yield "hr/extract", (*identity, "2", person_type, job, dice.pick(_TEAMS), _day_in_words(later))
        yield "truth/employee", (employee_id(person.employee or 0), str(person.person_id), person.tradition)

    # ---- what they appear in -------------------------------------------------------------------------------

    def of_employee(self) -> Iterator[Row]:
        """Appearances at the set rate in each role, on duty too, and incidents at the home."""
        rates, dice = self.settings.appearances, self.dice
        for role, (system, raw) in _APPEARANCES.items():
            if dice.happens(rates[role]):
                for _ in range(1 + (dice.unit() < 0.25) + (dice.unit() < 0.10)):
                    yield from self._appear(system, raw)
        if self.job in _RANKS and dice.happens(rates["on_duty"]):
            for _ in range(1 + (dice.unit() < 0.3)):
                yield from self._appear("crime", dice.pick(("VICTIM", "WITNESS")), on_duty=True)
        if dice.happens(rates["home_incident"]):
            for repeat in range(1 + (dice.unit() < 0.33) * dice.between(1, 4)):
                yield from self._home_incident(repeat)

    def of_anybody(self) -> Iterator[Row]:
        """Records of somebody whom a system holds: most have one or two, a few very many."""
        dice = self.dice
        count, place = 1, dice.unit()
        while place < 0.52 and count < 40:
            count, place = count + 1, dice.unit()
        if dice.happens(0.004):
            count += dice.between(8, 30)
        for _ in range(count):
            system = choose(tuple(self.settings.systems.items()), dice.unit())
            raw = {"crime": _CRIME_ROLES, "incident": _INCIDENT_ROLES}.get(system)
            yield from self._appear(system, choose(raw, dice.unit()) if raw else "")

    def _appear(self, system: str, raw_role: str, *, on_duty: bool = False) -> Iterator[Row]:
        """One part in one event."""
        dice = self.dice
        place = mix(self.force.seed, 6, self.person.person_id, self.records)
        self.records += 1
        number = place % events.count(self.force, system)
        when = events.happened_at(self.force.seed, system, number)
        if when.date() < self.person.born + timedelta(days=365):
            return
        accused = raw_role in ("SUSPECT", "OFFENDER", "DEFENDANT") or system == "custody"
        said = record(self.person, self.force, dice, system=system, day=when.date(), accused=accused, on_duty=on_duty)
        if on_duty:
            said = self._on_duty(said)
        if dice.happens(self.settings.noise["unmapped_role"]) and raw_role:
            raw_role = dice.pick(("INTERPRETER", "KEYHOLDER", "LOSS ADJUSTER"))
        disclosed = (
            ("Y" if dice.happens(0.35) else "N") if self.person.employee is not None and dice.happens(0.6) else ""
        )
        yield from getattr(self, f"_{system}")(said, raw_role, number, when, disclosed, on_duty)

    def _on_duty(self, said: Recorded) -> Recorded:
        """An officer in the records: rank or collar number in the name, a station for an address."""
        dice = self.dice
        rank, collar = dice.pick(_RANKS[self.job]), str(dice.between(1000, 29999))
        given = said.given if dice.happens(0.55) else ()
        title = f"{rank} {collar}" if dice.happens(0.7) else rank
        address = dice.pick(STATIONS) if dice.happens(0.85) else said.address
        born = said.born if dice.happens(0.15) else (0, 0, 0)
        return replace(
            said,
            title=title,
            given=given,
            address=address,
            born=born,
            classes=said.classes | {"DUTY"},
            other=None,
        )

    # ---- one feed each -------------------------------------------------------------------------------------

    def _truth(self, system: str, ref: str, said: Recorded) -> Row:
        person = self.person
        cells = (
            system,
            ref,
            str(person.person_id),
            ",".join(sorted(said.classes)),
            person.tradition,
            person.hard_negative or "",
        )
        return "truth/person", cells

    def _crime(
        self, said: Recorded, role: str, number: int, when: datetime, disclosed: str, on_duty: bool
    ) -> Iterator[Row]:
        again = self.urn and not on_duty and self.dice.happens(self.settings.errors["same_urn"])
        if not again:
            urn = f"N{mix(self.force.seed, 7, self.person.person_id, self.records) % 10**16:016d}"
            title, given = said.title, list(said.given)
            first, second = (given[0] if given else ""), " ".join(given[1:])
            born = self._iso(said.born)
            created, stamp = _stamp(when), _stamp(when + timedelta(days=self.dice.between(0, 400)))
            yield (
                "crime/nominal",
                (
                    urn,
                    title,
                    first,
                    second,
                    said.surname,
                    born,
                    "PERSON",
                    *_parts(said.address),
                    created,
                    stamp,
                ),
            )
            yield self._truth("crime", urn, said)
            if said.other is not None:
                kind, other_given, other_surname, _ = said.other
                rest = " ".join(other_given[1:])
                yield (
                    "crime/nominal_alias",
                    (urn, "1", kind, other_given[0], rest, other_surname, "", "", "", "", "", "", ""),
                )
            if not on_duty:
                self.urn = urn
        else:
            urn = self.urn
        crime = events.reference("crime", number, when)
        if self.dice.happens(self.settings.noise["unknown_event"]):
            crime = f"{crime}X"
        part = ("crime/involvement", (crime, urn, role, disclosed, _stamp(when)))
        yield part
        if self.dice.happens(self.settings.noise["duplicate_row"]):
            yield part

    def _custody(
        self, said: Recorded, role: str, number: int, when: datetime, disclosed: str, on_duty: bool
    ) -> Iterator[Row]:
        ref = f"C{mix(self.force.seed, 8, self.person.person_id, self.records) % 10**16:016d}"
        released = when + timedelta(minutes=self.dice.between(90, 2160))
        name = f"{said.surname.upper()}, {' '.join([*([said.title] if said.title else []), *said.given])}".strip(", ")
        offence = events.offence(self.force.seed, number)[0]
        cells = (
            ref,
            name,
            self._british(said.born),
            said.address.one_box,
            said.address.postcode,
            _stamp(when),
            _stamp(released),
        )
        yield "custody/record", (*cells, offence, disclosed, _stamp(released))
        yield self._truth("custody", ref, said)

    def _intel(
        self, said: Recorded, role: str, number: int, when: datetime, disclosed: str, on_duty: bool
    ) -> Iterator[Row]:
        report = events.reference("intel", number, when)
        place = str(mix(self.force.seed, 9, self.person.person_id, self.records) % 10**9)
        names = [*said.given, said.surname]
        name = f"{said.surname.upper()} {' '.join(said.given)}".strip() if self.dice.happens(0.3) else " ".join(names)
        yield (
            "intel/subject",
            (report, place, name, self._british(said.born), said.address.one_box, said.address.postcode),
        )
        yield self._truth("intel", f"{report}/{place}", said)

    def _incident(
        self, said: Recorded, role: str, number: int, when: datetime, disclosed: str, on_duty: bool
    ) -> Iterator[Row]:
        log = events.reference("incident", number, when)
        place = str(mix(self.force.seed, 10, self.person.person_id, self.records) % 10**9)
        name = " ".join([*([said.title] if said.title else []), *said.given, said.surname])
        box = (name, self._british(said.born), said.address.one_box, said.address.postcode, role)
        yield "incident/person", (log, place, *box)
        yield self._truth("incident", f"{log}/{place}", said)

    def _home_incident(self, repeat: int) -> Iterator[Row]:
        """A call to the home; nobody is named."""
        drawn = mix(self.force.seed, 14, self.person.person_id, repeat)
        when = events.moment(drawn)
        address = dwelling_address(self.force.seed, self.person.home_at(when.date()))
        log = f"H{drawn % 10**10:010d}-{when:%Y%m%d}"
        yield (
            "incident/log",
            events.log_cells(
                log,
                when,
                address.one_box,
                address.postcode,
                address.uprn if drawn % 3 == 0 else "",
                "DWELLING",
                drawn,
            ),
        )

    # ---- dates as systems write them -----------------------------------------------------------------------

    def _iso(self, born: tuple[int, int, int]) -> str:
        year, month, day = born
        if not year:
            return "1900-01-01" if self.dice.happens(0.1) else ""
        return f"{year:04d}-{month:02d}-{day:02d}" if month else str(year)

    def _british(self, born: tuple[int, int, int]) -> str:
        year, month, day = born
        if self.dice.happens(self.settings.noise["unreadable_date"]):
            return "31/02/19x"
        if not year:
            return ""
        return f"{day:02d}/{month:02d}/{year:04d}" if month else str(year)


def _day_in_words(day: date) -> str:
    return day.strftime("%d-%b-%Y").upper()


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _hr_lines(address: Address) -> tuple[str, ...]:
    """Three address lines, town, postcode."""
    street = f"{address.house} {address.street}".strip()
    lines = [line for line in (address.flat, street, address.locality) if line]
    return (*[*lines, "", "", ""][:3], address.town, address.postcode)


def _parts(address: Address) -> tuple[str, ...]:
    """The columns of a crime system's address."""
    flat = address.flat.removeprefix("Flat ")
    return (
        flat,
        address.house,
        address.street,
        address.locality,
        address.town,
        address.postcode,
        address.uprn,
    )
