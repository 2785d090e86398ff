"""Small worlds of made-up people whose police records come, change, go and come back, while reviewers judge pairs of them.

Every world has its own references, premises, postcodes and streets; each blocking rule of ``nominals_v1`` holds one of
these, so that worlds never meet and many fit in one run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from tests.support.numbers import cro, pnc
from tests.support.persons import person

DAYS = 5

Form = tuple[str, str, str | None, str | None, str]
"""One row of a record: given names, surname, ISO date of birth, home as ``person`` takes it, VariantKind."""

Number = tuple[str, str, bool]
"""A number of a record: IdentifierKind, standard form, whether it was verified."""

Version = tuple[int, tuple[Form, ...], tuple[Number, ...]]
"""``source_version`` of a record, its rows, the main one first, and its numbers."""

Live = dict[str, Version]
"""The records of one day by reference."""


@dataclass(frozen=True)
class Word:
    """One row of PERSON_JUDGEMENT: two references as the reviewer gave them, the word, the minute of its moment."""

    one: str
    other: str
    judgement: str
    minute: int


@dataclass(frozen=True)
class Someone:
    """One made-up person; the second home is where they move to."""

    given: str
    surname: str
    born: date
    homes: tuple[str, str]
    pnc: str = ""
    cro: str = ""


@dataclass
class World:
    """One world and its history.

    Attributes:
        no: its number; no other world has its references or places.
        people: who lives there.
        days: the live records of each day.
        words: all words said up to each day.
    """

    no: int
    people: list[Someone]
    days: list[Live] = field(default_factory=list)
    words: list[list[Word]] = field(default_factory=list)


# ---- people --------------------------------------------------------------------------------------------------

GIVENS = (
    *("adam", "belinda", "kwame", "imran", "sofia", "tomas", "yusuf", "grace"),
    *("leroy", "dylan", "ngozi", "joanna", "victor", "hazel", "ruben", "penelope"),
)
"""No two of these are forms of one name."""

_SURNAMES = (
    "vantrizzel",
    "belloquin",
    "okonkwo",
    "brannigan",
    "achebe",
    "lindqvist",
    "farouk",
    "mcallister",
    "dhillon",
)


def _places(no: int) -> tuple[str, str, str]:
    """A home, the house next door and one in another street; no other world has any of their parts but numbers."""
    return (
        f"14|elm grove {no}|birmingham|B{no} 6AB",
        f"16|elm grove {no}|birmingham|B{no} 6AB",
        f"3|mill lane {no}|walsall|B{no} 1AA",
    )


def _twins(draw: random.Random, home: str, away: str) -> list[Someone]:
    one, other = draw.sample(GIVENS, 2)
    surname, born = draw.choice(_SURNAMES), _born(draw, 1970)
    return [Someone(one, surname, born, (home, away)), Someone(other, surname, born, (home, away))]


def _marked_twins(draw: random.Random, home: str, away: str) -> list[Someone]:
    """Brother and sister of one forename: only the part that marks the sex tells them apart."""
    given, born = draw.choice(("harjit", "manpreet")), _born(draw, 1970)
    return [Someone(f"{given} {mark}", "dhillon", born, (home, away)) for mark in ("singh", "kaur")]


def _father_and_son(draw: random.Random, home: str, away: str) -> list[Someone]:
    father, years = Someone(draw.choice(GIVENS), draw.choice(_SURNAMES), _born(draw, 1950), (home, away)), 27
    later = draw.random() < 0.5  # on his father's birthday
    born = father.born.replace(year=father.born.year + years) if later else _born(draw, 1980)
    return [father, Someone(father.given, father.surname, born, (home, away))]


def _mother_and_daughter(draw: random.Random, home: str, away: str) -> list[Someone]:
    one, other = draw.sample(GIVENS, 2)
    surname = draw.choice(_SURNAMES)
    return [
        Someone(one, surname, _born(draw, 1955), (home, away)),
        Someone(f"{other} {one}", surname, _born(draw, 1985), (home, away)),
    ]


def _born(draw: random.Random, year: int) -> date:
    return date(year + draw.randrange(10), draw.randint(1, 12), draw.randint(2, 28))


_FAMILIES: tuple[Callable[[random.Random, str, str], list[Someone]], ...] = (
    _twins,
    _father_and_son,
    _twins,
    _mother_and_daughter,
    _marked_twins,
)


def _people(no: int, draw: random.Random) -> list[Someone]:
    """A family of two, and up to two more: one who moves in, one next door."""
    home, next_door, away = _places(no)
    found = _FAMILIES[no % len(_FAMILIES)](draw, home, away)
    lodger = Someone(draw.choice(GIVENS), draw.choice(_SURNAMES), _born(draw, 1975), (away, home))
    neighbour = Someone(found[0].given, draw.choice(_SURNAMES), found[0].born, (next_door, away))
    found += [someone for someone in (lodger, neighbour) if draw.random() < 0.4]
    serials = [8 * no + place for place in range(len(found))]
    return [
        replace(someone, pnc=pnc(2004, serial), cro=cro(1998, serial))
        for someone, serial in zip(found, serials, strict=True)
    ]


# ---- what is written of them ---------------------------------------------------------------------------------


def _record(draw: random.Random, someone: Someone, people: list[Someone]) -> tuple[Form, ...]:
    """One record of somebody, as likely with a slip as without, and sometimes with a second row."""
    others = [one for one in people if one is not someone]
    moved = draw.random() < 0.25
    home = someone.homes[moved]
    given, surname, born = someone.given, someone.surname, someone.born.isoformat()
    place: str | None = home
    slip = draw.random()
    if slip < 0.14:
        born = _slip_of_date(draw, someone.born)
    elif slip < 0.22:
        given, surname = draw.choice([(_typo(draw, given), surname), (given, _typo(draw, surname))])
    elif slip < 0.30:
        place = _slip_of_place(draw, home)
    elif slip < 0.38:  # both forenames of a household, a bridge
        given = f"{given} {draw.choice(others).given.split()[0]}"
    elif slip < 0.41:
        born = ""
    elif slip < 0.43:
        born = born[:4]
    if len(given.split()) == 2 and draw.random() < 0.3:
        given = given.split()[0]
    main = (given, surname, born or None, place, "recorded")
    return (main, *_further_rows(draw, someone, others, main)) if draw.random() < 0.3 else (main,)


def _numbers(draw: random.Random, someone: Someone, people: list[Someone]) -> tuple[Number, ...]:
    """What another register knows the person of a record by: mostly their own numbers, now and then somebody else's, or two of a kind."""
    found: set[Number] = set()
    for kind, share in (("pnc_id", 0.35), ("cro", 0.15)):
        while draw.random() < share:
            of = someone if draw.random() < 0.9 else draw.choice(people)
            found.add((kind, of.pnc if kind == "pnc_id" else of.cro, draw.random() < 0.8))
            share = 0.15
    return tuple(sorted(found))


def _further_rows(draw: random.Random, someone: Someone, others: list[Someone], main: Form) -> list[Form]:
    """One or two rows beside the main one: another name, another's name, another home, another date."""
    given, surname, born, place, _ = main
    away = someone.homes[place == someone.homes[0]]
    other = draw.choice(others)
    rows: list[Form] = [
        (given, surname, born, away, "other_address"),
        (given, draw.choice(_SURNAMES), born, place, "former_name"),
        (other.given, other.surname, born, place, "alias"),
        (other.given, other.surname, other.born.isoformat(), place, "alias"),
        (given, surname, _slip_of_date(draw, someone.born), place, "alias"),
    ]
    return draw.sample(rows, 1 + (draw.random() < 0.2))


def _slip_of_date(draw: random.Random, born: date) -> str:
    """Day and month exchanged, a digit of the year or the day, or the first of January."""
    forms = [
        born.replace(year=born.year + 10),
        born.replace(year=born.year - 10),
        born.replace(day=born.day + 10 if born.day < 19 else born.day - 10),
        born.replace(month=1, day=1),
    ]
    if born.day <= 12:
        forms += [born.replace(month=born.day, day=born.month)] * 3
    return draw.choice(forms).isoformat()


def _typo(draw: random.Random, name: str) -> str:
    """Two neighbouring letters exchanged, or one lost."""
    at = draw.randrange(1, len(name) - 1)
    if " " in name[at : at + 2]:
        return name
    return name[:at] + draw.choice([name[at + 1] + name[at], name[at + 1]]) + name[at + 2 :]


def _slip_of_place(draw: random.Random, home: str) -> str | None:
    """Another number, another postcode of the same world, none, or no place at all."""
    number, street, town, postcode = home.split("|")
    return draw.choice(
        [
            f"{number}1|{street}|{town}|{postcode}",
            f"{number}|{street}|{town}|{postcode.split()[0]} 9ZZ",
            f"{number}|{street}|{town}|",
            f"2/{number}|{street}|{town}|{postcode}",
            None,
        ]
    )


# ---- histories -----------------------------------------------------------------------------------------------


def make_world(no: int, *, seed: int) -> World:
    """A world with its whole history; the same for the same number and seed."""
    draw = random.Random(f"{seed} {no}")
    world = World(no, _people(no, draw))
    is_of = [someone for someone in world.people for _ in range(draw.randint(1, 5))]
    refs = {f"w{no}-{place}": someone for place, someone in enumerate(is_of)}
    waiting = [ref for ref in refs if draw.random() < 0.5]
    numbers = random.Random(f"numbers {seed} {no}") if no % 2 else None
    live: Live = {ref: _version(0, draw, numbers, refs[ref], world.people) for ref in refs if ref not in waiting}
    gone: Live = {}
    words: list[Word] = []
    for day in range(DAYS):
        if day:
            _amend_and_withdraw(draw, numbers, world, refs, live, gone)
        arriving = [ref for ref in waiting if draw.random() < 0.4]
        live |= {ref: _version(0, draw, numbers, refs[ref], world.people) for ref in arriving}
        waiting = [ref for ref in waiting if ref not in arriving]
        words = words + _say(draw, [*live, *gone], words, day)
        world.days.append(dict(live))
        world.words.append(words)
    return world


def _version(
    version: int, draw: random.Random, numbers: random.Random | None, someone: Someone, people: list[Someone]
) -> Version:
    """What a record says from now on; with numbers in every second world."""
    return version, _record(draw, someone, people), _numbers(numbers, someone, people) if numbers else ()


def _amend_and_withdraw(
    draw: random.Random, numbers: random.Random | None, world: World, refs: dict[str, Someone], live: Live, gone: Live
) -> None:
    """One day's changes: a third of those that are gone come back, as they were or otherwise."""
    back = [ref for ref in gone if draw.random() < 0.35]
    for ref in sorted(live):
        if (chance := draw.random()) < 0.07:
            gone[ref] = live.pop(ref)
        elif chance < 0.2:
            live[ref] = _amended(draw, numbers, world, refs[ref], live[ref])
    for ref in back:
        version = gone.pop(ref)
        live[ref] = version if draw.random() < 0.5 else _amended(draw, numbers, world, refs[ref], version)


def _amended(
    draw: random.Random, numbers: random.Random | None, world: World, someone: Someone, version: Version
) -> Version:
    """A later version: of the same person mostly, of another one of the world now and then."""
    told_of = someone if draw.random() < 0.85 else draw.choice(world.people)
    return _version(version[0] + 1, draw, numbers, told_of, world.people)


def _say(draw: random.Random, refs: list[str], words: list[Word], day: int) -> list[Word]:
    """What reviewers say on a day, of live records and of those that are gone; some of it was said before, and comes late."""
    said: list[Word] = []
    for place in range(draw.choice((0, 0, 1, 1, 2)) if len(refs) > 1 else 0):
        if words and draw.random() < 0.5:
            last = draw.choice(words)
            one, other = draw.sample((last.one, last.other), 2)
            judgement = draw.choice(("withdrawn", "withdrawn", "same", "not_same"))
        else:
            one, other = draw.sample(refs, 2)
            judgement = draw.choice(("same", "not_same", "not_same", "withdrawn"))
        late = draw.random() < 0.15
        minute = 100 * draw.randint(0, day) + 50 + place if late else 100 * day + place
        said.append(Word(one, other, judgement, minute))
        if draw.random() < 0.2:  # another word of the same moment
            said.append(Word(other, one, draw.choice(("same", "not_same", "withdrawn")), minute))
    known = {_key(word) for word in words}
    return [word for place, word in enumerate(said) if _key(word) not in known | {_key(one) for one in said[:place]}]


def _key(word: Word) -> tuple[Any, ...]:
    """PERSON_JUDGEMENT's key."""
    return *sorted((word.one, word.other)), word.judgement, word.minute


def in_force(words: Iterable[Word]) -> dict[frozenset[str], bool]:
    """Same or not, per pair that a word is in force for: the newest; of one moment *not the same*, then *same*."""
    order = ("withdrawn", "same", "not_same")
    newest: dict[frozenset[str], tuple[int, int]] = {}
    for word in words:
        pair = frozenset((word.one, word.other))
        newest[pair] = max(newest.get(pair, (-1, 0)), (word.minute, order.index(word.judgement)))
    return {pair: order[rank] == "same" for pair, (_, rank) in newest.items() if order[rank] != "withdrawn"}


def told_otherwise(world: World, *, days: int, seed: int) -> Iterator[tuple[Live, list[Word]]]:
    """Another history with the same end: each record goes through its versions at other times, words arrive in another order."""
    draw = random.Random(f"otherwise {seed} {world.no}")
    cuts = {
        ref: sorted(draw.randrange(DAYS) for _ in range(days - 1)) for ref in sorted({r for d in world.days for r in d})
    }
    words = draw.sample(world.words[-1], len(world.words[-1]))
    for day in range(days - 1):
        at = {ref: world.days[cut[day]] for ref, cut in cuts.items()}
        yield {ref: live[ref] for ref, live in at.items() if ref in live}, words[: len(words) * (day + 1) // days]
    yield world.days[-1], words


# ---- rows ----------------------------------------------------------------------------------------------------

SOURCES = ("crime", "custody", "intel", "incident")


def source_of(ref: str) -> str:
    """The system that a reference is of."""
    return SOURCES[int(ref.rpartition("-")[2]) % len(SOURCES)]


def person_rows(live: Live) -> list[dict[str, Any]]:
    """PERSON rows of a day's records."""
    return [
        person(
            ref,
            given,
            surname,
            born,
            place,
            variant_no=no,
            variant_kind=kind,
            source_system=source_of(ref),
            source_version=version,
        )
        for ref, (version, forms, _) in live.items()
        for no, (given, surname, born, place, kind) in enumerate(forms)
    ]


def number_rows(live: Live) -> list[dict[str, Any]]:
    """PERSON_IDENTIFIER rows of a day's records."""
    return [
        {
            "source_system": source_of(ref),
            "person_ref": ref,
            "kind": kind,
            "identifier_raw": f"{form} {'verified' if verified else 'told'}",
            "identifier": form,
            "verified": verified,
            "source_version": version,
        }
        for ref, (version, _, numbers) in live.items()
        for kind, form, verified in numbers
    ]


def known_by(version: Version) -> dict[str, str]:
    """The one verified number of each kind; none of a kind of which there are two."""
    found: dict[str, set[str]] = {}
    for kind, form, verified in version[2]:
        found.setdefault(kind, set()).update({form} if verified else ())
    return {kind: min(forms) for kind, forms in found.items() if len(forms) == 1}


def tell_apart(one: Form, other: Form) -> bool:
    """Two rows, by themselves, exclude that they are of one person: a generation between them, or a twin's pattern, or marks of both sexes.

    Only what is beyond doubt: names that are written as given, and full dates.
    """
    born = [form[2] for form in (one, other)]
    if not all(day and len(day) == 10 for day in born):
        return False
    years = abs(int(str(born[0])[:4]) - int(str(born[1])[:4]))
    if 13 <= years < 99:
        return True
    tokens = [set(form[0].split()) for form in (one, other)]
    if [names & {"singh", "kaur"} for names in tokens] in ([{"singh"}, {"kaur"}], [{"kaur"}, {"singh"}]):
        return True
    plain = all(names <= set(GIVENS) for names in tokens) and not tokens[0] & tokens[1]
    return plain and born[0] == born[1] and one[1] == other[1]
