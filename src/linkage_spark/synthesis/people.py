"""Households: who lives together, how they are related, what they are called, where they lived before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

from linkage_spark.synthesis.chance import Dice, Weighted, unit
from linkage_spark.synthesis.names import Name, family_name, make_name, traditions
from linkage_spark.synthesis.settings import ForceSettings

TODAY = date(2026, 11, 20)
FIRST_RECORD = date(2011, 11, 20)
MOST_IN_HOUSEHOLD = 64
_GENERATION_DAYS = 14 * 365
_CLOSE = frozenset({"south_asian_muslim", "sikh", "somali"})
_TAKES_SURNAME = frozenset({"british", "irish", "hindu", "polish", "romanian", "african", "caribbean"})


@dataclass
class Person:
    """One true person.

    Attributes:
        person_id: 64 × household + place within it.
        former_until: date of marriage; before it the former surname was in use.
        dwelling: where the person lives now.
        earlier: (dwelling, until) of earlier homes, oldest first.
        employee: number of the employee; None when not employed.
        spouse: person id of the husband or wife at home; None when there is none.
        hard_negative: how the person resembles an employee; None when not.
    """

    person_id: int
    tradition: str
    sex: str
    name: Name
    born: date
    dwelling: int
    former_until: date | None = None
    earlier: list[tuple[int, date]] = field(default_factory=list)
    employee: int | None = None
    spouse: int | None = None
    hard_negative: str | None = None

    @property
    def called(self) -> tuple[str, str]:
        """The given name in use and the surname: a prefix such as Mohammed calls nobody."""
        return self.name.given[self.name.call], self.name.surname

    def home_at(self, day: date) -> int:
        """The dwelling on a day."""
        return next((dwelling for dwelling, until in self.earlier if day < until), self.dwelling)


@dataclass(frozen=True)
class Force:
    """Size and seed of one made-up force."""

    seed: int
    employees: int
    households: int
    settings: ForceSettings

    def employee_numbers(self, household: int) -> tuple[int, ...]:
        """Employees who live in a household; each of them lives in exactly one."""
        step = (
            round(1 / self.settings.employees.couple_of_employees) if self.settings.employees.couple_of_employees else 0
        )
        first = household * self.employees // self.households
        last = (household + 1) * self.employees // self.households + 1
        return tuple(
            k for k in range(max(0, first - 1), min(self.employees, last + 1)) if self._home(k, step) == household
        )

    def _home(self, employee: int, step: int) -> int:
        """Household of an employee; of every ``step`` the second joins the first."""
        slot = employee - 1 if step and employee % step == 1 else employee
        return -(-slot * self.households // self.employees) if slot else 0


@cache
def _shares(settings_key: tuple[tuple[str, float], ...]) -> Weighted[str]:
    return Weighted(tuple(name for name, _ in settings_key), tuple(rate for _, rate in settings_key))


def _drawn(rates: dict[str, float], dice: Dice) -> str:
    return _shares(tuple(rates.items())).draw(dice)


def _born(dice: Dice, youngest: int, oldest: int) -> date:
    """A date of birth by age; every day of the year alike."""
    return TODAY - timedelta(days=dice.between(youngest * 365 + 90, oldest * 365))


def make_household(force: Force, household: int) -> list[Person]:
    """The people of one household, the same whenever it is asked for."""
    settings, dice = force.settings, Dice(force.seed, 1, household)
    kin = Dice(force.seed, 2, household // 3)
    tradition, family = _drawn(settings.traditions, kin), ""
    family = family_name(tradition, kin)
    rate = settings.family["same_street_family_close" if tradition in _CLOSE else "same_street_family"]
    if not kin.happens(rate):
        tradition = _drawn(settings.traditions, dice)
        family = family_name(tradition, dice)
    kind = _drawn(settings.households, dice)
    employees = force.employee_numbers(household)
    if len(employees) > 1 and kind in ("single", "single_parent"):
        kind = "couple"
    people = _Builder(force, household, tradition, family, dice)
    people.settle(kind)
    people.employ(employees)
    return people.made


class _Builder:
    """Adds people to one household."""

    def __init__(self, force: Force, household: int, tradition: str, family: str, dice: Dice) -> None:
        self.force, self.household, self.tradition, self.family, self.dice = (
            force,
            household,
            tradition,
            family,
            dice,
        )
        self.father = traditions()[tradition].given(dice, "m")
        self.made: list[Person] = []

    def settle(self, kind: str) -> None:
        """Fill the household."""
        if kind == "shared_house":
            for _ in range(self.dice.between(3, 7)):
                tradition = _drawn(self.force.settings.traditions, self.dice)
                self._adult(18, 45, tradition=tradition, family=family_name(tradition, self.dice))
            return
        head = self._adult(*((20, 88) if kind in ("single", "couple") else (24, 58)))
        if kind in ("couple", "couple_with_children", "multi_generation"):
            self._spouse(head)
        if kind in ("couple_with_children", "single_parent", "multi_generation"):
            self._children(head, self.dice.between(1, 3 + (self.tradition in _CLOSE) * 2))
        if kind == "multi_generation":
            elder = self._adult(0, 0, born=head.born - timedelta(days=self.dice.between(20 * 365, 34 * 365)))
            self._spouse(elder)

    def _add(
        self, sex: str, name: Name, born: date, *, tradition: str | None = None, dwelling: int | None = None
    ) -> Person:
        place = len(self.made)
        home = self.household if dwelling is None else dwelling
        person = Person(
            self.household * MOST_IN_HOUSEHOLD + place,
            tradition or self.tradition,
            sex,
            name,
            born,
            dwelling=home,
        )
        self.made.append(person)
        return person

    def _adult(
        self,
        youngest: int,
        oldest: int,
        *,
        tradition: str | None = None,
        family: str | None = None,
        born: date | None = None,
    ) -> Person:
        sex = "m" if self.dice.happens(0.5) else "f"
        own = tradition or self.tradition
        name = make_name(own, self.dice, sex, family=family or self.family, father=self.father)
        person = self._add(sex, name, born or _born(self.dice, youngest, oldest), tradition=own)
        self._move(person)
        return person

    def _move(self, person: Person) -> None:
        """An earlier home, for those who moved within the span of the records."""
        if self.dice.happens(self.force.settings.family["moved_in_last_years"]):
            until = FIRST_RECORD + timedelta(days=self.dice.between(200, (TODAY - FIRST_RECORD).days - 30))
            person.earlier.append((self.dice.between(0, self.force.households - 1), until))

    def _spouse(self, head: Person) -> None:
        sex = "f" if head.sex == "m" else "m"
        born = head.born + timedelta(days=self.dice.between(-9 * 365, 9 * 365))
        born = min(born, TODAY - timedelta(days=19 * 365))
        own = family_name(self.tradition, self.dice)
        takes = self.tradition in _TAKES_SURNAME and self.dice.happens(
            self.force.settings.family["surname_at_marriage"]
        )
        if not takes:
            self._moved_with(
                head,
                self._add(sex, make_name(self.tradition, self.dice, sex, family=own, father=self.father), born),
            )
            return
        married = max(born + timedelta(days=self.dice.between(20 * 365, 40 * 365)), date(1960, 1, 1))
        wife, husband = ("f", "m")
        name = make_name(
            self.tradition,
            self.dice,
            sex,
            family=head.name.surname if sex == wife else own,
            father=self.father,
        )
        if sex == wife:
            name = replace(name, surname=_for_sex(head.name.surname, self.tradition, wife), former=own)
            person = self._add(sex, name, born)
            person.former_until = married
        else:
            person = self._add(husband, name, born)
            head.name = replace(head.name, surname=_for_sex(own, self.tradition, wife), former=head.name.surname)
            head.former_until = married
        self._moved_with(head, person)

    def _moved_with(self, head: Person, person: Person) -> None:
        """A married couple; half of them moved together, the others have homes of their own behind them."""
        head.spouse, person.spouse = person.person_id, head.person_id
        if head.earlier and self.dice.happens(0.5):
            person.earlier = list(head.earlier)
        else:
            self._move(person)

    def _children(self, head: Person, count: int) -> None:
        settings, dice = self.force.settings.family, self.dice
        father = next((p for p in self.made if p.sex == "m"), None)
        oldest = max(0, (TODAY - head.born).days // 365 - 20)
        if oldest < 1:
            return
        last: Person | None = None
        for _ in range(count):
            sex = "m" if dice.happens(0.5) else "f"
            surname = father.name.surname if father else self.family
            surname = (
                surname if father is None or self.tradition not in ("polish",) else _for_sex(surname, "polish", sex)
            )
            called = father.name.given[father.name.call] if father else self.father
            name = make_name(self.tradition, dice, sex, family=surname, father=called)
            if last is not None and dice.happens(settings["twin_birth"] * 2):
                born = last.born
                name = replace(self._name_beside(last, sex), surname=name.surname)
            else:
                born = _born(dice, 0, min(oldest, 34))
            if father and sex == "m" and dice.happens(settings["same_name_son"] * 2):
                name = replace(name, given=father.name.given, call=father.name.call, surname=father.name.surname)
            last = self._add(sex, name, born)
            last.earlier = list(head.earlier)

    def _name_beside(self, other: Person, sex: str) -> Name:
        """A name for a twin: no parents call both by one name."""
        for _ in range(20):
            name = make_name(other.tradition, self.dice, sex, family=other.name.surname, father=self.father)
            if name.given[name.call] != other.name.given[other.name.call]:
                break
        return name

    def employ(self, numbers: tuple[int, ...]) -> None:
        """Make adults employees, and add the people who are easily taken for them."""
        grown = [p for p in self.made if 19 * 365 < (TODAY - p.born).days < 68 * 365]
        for number in numbers:
            person = grown.pop(0) if grown else self._adult(21, 60)
            person.employee = number
        for person in [p for p in self.made if p.employee is not None]:
            self._mark_household(person)
            self._look_alikes(person)

    def _mark_household(self, employee: Person) -> None:
        for other in self.made:
            if other is employee or other.employee is not None or other.dwelling != employee.dwelling:
                continue
            if other.born == employee.born and other.name.surname == employee.name.surname:
                kind = "twin_of_employee"
            elif other.called == employee.called and abs((other.born - employee.born).days) > _GENERATION_DAYS:
                kind = "parent_child_same_name"
            else:
                kind = "spouse" if other.person_id == employee.spouse else "household"
            other.hard_negative = other.hard_negative or kind

    def _look_alikes(self, employee: Person) -> None:
        rates, dice = self.force.settings.employees, self.dice
        if dice.happens(rates.twin):
            sex = employee.sex if dice.happens(0.7) else ("f" if employee.sex == "m" else "m")
            name = self._name_beside(employee, sex)
            surname = employee.name.former or employee.name.surname
            twin = self._add(sex, replace(name, surname=_for_sex(surname, employee.tradition, sex)), employee.born)
            twin.tradition, twin.hard_negative = employee.tradition, "twin_of_employee"
        if dice.happens(rates.same_name_relative):
            years = dice.between(20, 36)
            gap = timedelta(days=years * 365 + dice.between(0, 364))
            older = (TODAY - employee.born).days > 40 * 365
            relative = self._add(employee.sex, employee.name, employee.born + gap if older else employee.born - gap)
            relative.tradition, relative.hard_negative = employee.tradition, "parent_child_same_name"
        if dice.happens(rates.namesake):
            elsewhere = dice.between(0, self.force.households - 1)
            name = replace(employee.name, given=employee.name.given[: employee.name.call + 1], former=None)
            other = self._add(employee.sex, name, employee.born, dwelling=elsewhere)
            other.tradition, other.hard_negative = employee.tradition, "namesake_same_dob"


def _for_sex(surname: str, tradition: str, sex: str) -> str:
    """A Polish surname in the form for a woman or a man."""
    if tradition != "polish":
        return surname
    for man, woman in (("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")):
        if sex == "f" and surname.endswith(man):
            return surname[: -len(man)] + woman
        if sex == "m" and surname.endswith(woman):
            return surname[: -len(woman)] + man
    return surname


def is_seen(force: Force, person: Person) -> bool:
    """True for those of the general population whom any police system holds."""
    if (TODAY - person.born).days < 10 * 365:
        return False
    if person.hard_negative in ("twin_of_employee", "parent_child_same_name", "namesake_same_dob"):
        return True
    return unit(force.seed, 3, person.person_id) < force.settings.seen_rate
