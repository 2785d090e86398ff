"""Recording errors: what a police system makes of a person's particulars. Every slip names its class."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from linkage_spark.synthesis.addresses import NOWHERE, Address, dwelling_address
from linkage_spark.synthesis.chance import Dice
from linkage_spark.synthesis.names import Name, family_name
from linkage_spark.synthesis.names import traditions as all_traditions
from linkage_spark.synthesis.people import Force, Person

T = TypeVar("T")

_NEAR = {
    "a": "se", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl",
    "l": "ik", "m": "n", "n": "mb", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb",
    "w": "qe", "x": "zc", "y": "tu", "z": "xs",
}  # fmt: skip
_SOUNDS = (
    *(
        ("ph", "f"),
        ("ck", "k"),
        ("ll", "l"),
        ("ie", "y"),
        ("ey", "y"),
        ("ee", "ea"),
        ("tt", "t"),
        ("nn", "n"),
        ("c", "k"),
    ),
    *(
        ("y", "i"),
        ("z", "s"),
        ("ai", "ay"),
        ("oo", "u"),
        ("mm", "m"),
        ("rr", "r"),
        ("th", "t"),
        ("gh", "g"),
        ("e", "a"),
    ),
)
_MISREAD = {
    "a": "o",
    "n": "r",
    "r": "n",
    "l": "i",
    "i": "l",
    "w": "u",
    "u": "v",
    "e": "c",
    "h": "b",
    "m": "rn",
    "t": "l",
    "g": "q",
}

NICKNAMES: Mapping[str, tuple[str, ...]] = {
    "James": ("Jim", "Jimmy", "Jamie"), "John": ("Johnny", "Jack"), "David": ("Dave",), "Michael": ("Mike", "Mick"),
    "Robert": ("Rob", "Bob", "Bobby"), "Andrew": ("Andy", "Drew"), "Stephen": ("Steve",), "Christopher": ("Chris",),
    "Thomas": ("Tom", "Tommy"), "Daniel": ("Dan", "Danny"), "Matthew": ("Matt",), "Richard": ("Rick", "Dick", "Richie"),
    "Peter": ("Pete",), "Joshua": ("Josh",), "Anthony": ("Tony",), "Kevin": ("Kev",), "Stuart": ("Stu",), "Nathan": ("Nate",),
    "Samuel": ("Sam",), "Joseph": ("Joe",), "Benjamin": ("Ben",), "Alexander": ("Alex", "Al"), "William": ("Bill", "Will", "Billy"),
    "Harry": ("Harold",), "Charlie": ("Charles",), "Terence": ("Terry",), "Raymond": ("Ray",), "Kenneth": ("Ken",),
    "Ronald": ("Ron",), "Albert": ("Bert",), "Frederick": ("Fred",), "Leonard": ("Len",), "Walter": ("Wally",), "Gary": ("Gaz",),
    "Susan": ("Sue",), "Rebecca": ("Becky",), "Jennifer": ("Jenny", "Jen"), "Jessica": ("Jess",), "Charlotte": ("Charley", "Lottie"),
    "Samantha": ("Sam", "Sammy"), "Stephanie": ("Steph",), "Nicola": ("Nicky",), "Victoria": ("Vicky",), "Natalie": ("Nat",),
    "Amanda": ("Mandy",), "Joanne": ("Jo",), "Deborah": ("Debbie", "Deb"), "Jacqueline": ("Jackie",), "Christine": ("Chris", "Chrissy"),
    "Margaret": ("Maggie", "Peggy"), "Patricia": ("Pat", "Trish"), "Elizabeth": ("Liz", "Beth", "Betty"), "Pauline": ("Paula",),
    "Barbara": ("Babs",), "Sandra": ("Sandy",), "Catherine": ("Cath", "Kate"), "Danielle": ("Dani",), "Bethany": ("Beth",),
    "Eleanor": ("Ellie", "Nell"), "Abigail": ("Abby",), "Patrick": ("Paddy", "Pat"), "Kathleen": ("Kath",), "Bridget": ("Biddy",),
    "Gurpreet": ("Gurps",), "Harpreet": ("Harps",), "Manpreet": ("Manny",), "Jaspreet": ("Jas",), "Amandeep": ("Aman",),
    "Sukhvinder": ("Sukhi",), "Balvinder": ("Bal",), "Kulvinder": ("Kully",), "Rajinder": ("Raj",), "Parminder": ("Pam",),
    "Emmanuel": ("Manny",), "Ibrahim": ("Ibby",), "Abdullahi": ("Abdi",), "Mateusz": ("Mat",), "Aleksandra": ("Ola",),
    "Alexandru": ("Alex",), "Gabriel": ("Gabi",), "Winston": ("Win",), "Beverley": ("Bev",), "Desmond": ("Des",),
}  # fmt: skip
"""Short forms in use here. Written for the generator; the matcher's list is another."""

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "Mohammed": ("Muhammad", "Mohammad", "Mohamed", "Muhammed", "Mohd", "Md", "Mohamad"), "Hussain": ("Hussein", "Husain", "Hossain"),
    "Ahmed": ("Ahmad", "Ahmet"), "Usman": ("Osman", "Uthman"), "Yusuf": ("Yousuf", "Yousef", "Yusef"), "Khan": ("Kahn",),
    "Chaudhry": ("Choudhry", "Chaudhary", "Chowdhury"), "Chowdhury": ("Choudhury", "Chaudhury"), "Aisha": ("Ayesha", "Aysha"),
    "Fatima": ("Fatimah", "Fathima"), "Maryam": ("Mariam", "Miriam"), "Zainab": ("Zaynab", "Zeinab"), "Khadija": ("Khadijah",),
    "Rahman": ("Rehman", "Rahaman"), "Uddin": ("Udin", "Ud Din"), "Miah": ("Mia", "Miya"), "Bilal": ("Belal",), "Imran": ("Emran",),
    "Begum": ("Begam",), "Khatun": ("Khatoon",), "Iqbal": ("Eqbal",), "Qureshi": ("Quraishi", "Koreshi"), "Siddique": ("Siddiqui", "Sadique"),
    "Abdul": ("Abdal",), "Mahmood": ("Mehmood", "Mahmud"), "Akhtar": ("Akhter",), "Tariq": ("Tarik",), "Farooq": ("Farouk", "Faruk"),
    "Parveen": ("Parvin", "Perveen"), "Yasmin": ("Yasmeen", "Jasmin"), "Shaheen": ("Shahin",), "Sandhu": ("Sandhoo",),
    "Dhillon": ("Dhillion",), "Gurpreet": ("Gurprit",), "Kulvinder": ("Kulwinder",), "Balvinder": ("Balwinder",),
    "Jasvinder": ("Jaswinder",), "Mohamed": ("Mohamud", "Maxamed"), "Omar": ("Umar", "Cumar"), "Abdi": ("Cabdi",), "Hassan": ("Xasan", "Hasan"),
    "Chan": ("Chen",), "Wong": ("Wang", "Huang"), "Leung": ("Liang",), "Cheung": ("Zhang",), "Lau": ("Liu",), "Yeung": ("Yang",),
    "Patel": ("Patell",), "Mistry": ("Mistri",), "Shah": ("Sha",), "Nguyen": ("Nguyan",), "Youssef": ("Yousef", "Yusuf"),
    "Kowalski": ("Kovalski",), "Dumitru": ("Dimitru",), "Aleksandra": ("Alexandra",), "Siobhan": ("Shavaun", "Shivaun"),
    "Niamh": ("Neve", "Neave"), "Sean": ("Shaun", "Shawn"), "Aoife": ("Eefa",), "Stephen": ("Steven",), "Sarah": ("Sara",),
    "Claire": ("Clare",), "Kathleen": ("Cathleen",), "Catherine": ("Katherine", "Kathryn"), "Graham": ("Graeme",),
}  # fmt: skip
"""Spellings of one name in use here. Written for the generator; the matcher's list is another."""

_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "đ": "d", "Đ": "D", "ø": "o"})


@dataclass(frozen=True)
class Recorded:
    """A person's particulars as one system recorded them.

    Attributes:
        given: given names; may be empty.
        born: as (year, month, day) with 0 for a part that was not recorded.
        classes: error classes, in order of name.
        other: a further name or date that stands beside, as (kind, given, surname, born).
    """

    title: str
    given: tuple[str, ...]
    surname: str
    born: tuple[int, int, int]
    address: Address
    classes: frozenset[str] = frozenset()
    other: tuple[str, tuple[str, ...], str, tuple[int, int, int]] | None = None


def plain_letters(text: str) -> str:
    """Letters that a British keyboard has."""
    flat = unicodedata.normalize("NFD", text.translate(_LETTERS))
    return "".join(letter for letter in flat if not unicodedata.combining(letter))


def misspell(word: str, dice: Dice) -> str:
    """One slip of the keyboard, the ear or the hand; the first letter seldom changes."""
    if len(word) < 3:
        return word
    place = dice.between(1, len(word) - 1) if dice.happens(0.92) else 0
    how, letter = dice.unit(), word[place].lower()
    if how < 0.22:
        return word[:place] + word[place + 1 :]
    if how < 0.42 and place < len(word) - 1:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if how < 0.62 and letter in _NEAR:
        return word[:place] + dice.pick(_NEAR[letter]) + word[place + 1 :]
    if how < 0.72:
        return word[:place] + letter + word[place:]
    found = [(old, new) for old, new in _SOUNDS if old in word[1:].lower()]
    if found:
        old, new = dice.pick(found)
        at = word.lower().index(old, 1)
        return word[:at] + new + word[at + len(old) :]
    return word[:place] + word[place + 1 :]


def garble(word: str, dice: Dice) -> str:
    """Misread handwriting, or a clipped form: hardly the same word."""
    if dice.happens(0.3) and len(word) > 5:
        return word[: dice.between(2, 4)]
    return "".join(_MISREAD.get(letter, letter) if dice.happens(0.5) else letter for letter in word)


def clear(person: Person, force: Force, day: date) -> Recorded:
    """The true particulars on a day."""
    name = person.name
    married = person.former_until is None or day >= person.former_until
    surname = name.surname if married or name.former is None else name.former
    address = dwelling_address(force.seed, person.home_at(day))
    born = (person.born.year, person.born.month, person.born.day)
    return Recorded("", name.given, surname, born, address)


class _Slips:
    """Rolls for one record, and remembers which classes came up."""

    def __init__(self, dice: Dice, rates: Mapping[str, float]) -> None:
        self.dice, self.rates = dice, rates
        self.found: set[str] = set()

    def roll(self, error_class: str, rate: str, *, times: float = 1.0) -> bool:
        """True, and remembered, with the probability that the settings give ``rate``."""
        if not self.dice.happens(self.rates[rate] * times):
            return False
        self.found.add(error_class)
        return True

    def slip(self, error_class: str, rate: str, old: T, made: Callable[[], T]) -> T:
        """What ``made`` gives, with the probability that the settings give ``rate``.

        The class is remembered only when something changed: the truth names no slip that nobody can see.
        """
        if not self.dice.happens(self.rates[rate]):
            return old
        new = made()
        if new != old:
            self.found.add(error_class)
        return new

    def of_system(self, rate: str, system: str) -> str:
        """The system's own rate where the settings give one."""
        own = f"{rate}_{system}"
        return own if own in self.rates else rate


def record(
    person: Person, force: Force, dice: Dice, *, system: str, day: date, accused: bool, on_duty: bool
) -> Recorded:
    """What ``system`` recorded of a person on a day, slips and all."""
    slips = _Slips(dice, force.settings.errors)
    true = clear(person, force, day)
    surname, other = true.surname, None
    if surname != person.name.surname:
        slips.found.add("MAR")
        if system == "crime" and not dice.happens(slips.rates["former_name_unrecorded"]):
            other = ("MAIDEN", true.given, surname, (0, 0, 0))
            surname = person.name.surname
    given, surname = _names(person.name, list(true.given), surname, slips)
    if slips.roll("ALI", "alias"):
        alias = all_traditions()[person.tradition].given(dice, person.sex)
        if system == "crime" and dice.happens(0.7):
            other = ("ALIAS", (alias,), surname, (0, 0, 0))
        else:
            given = [alias]
    born = _born(true.born, slips, system)
    before = (given, surname, born)
    if accused and dice.happens(slips.rates["false_particulars"]):
        if dice.happens(0.6):
            year = born[0] + dice.between(1, 6) if born[0] else 0
            born = (year, dice.between(1, 12), dice.between(1, 28)) if year else born
        else:
            given = [all_traditions()[person.tradition].given(dice, person.sex)]
            surname = family_name(person.tradition, dice)
        if (given, surname, born) != before:
            slips.found.add("FAL")
    address = _address(person, force, true.address, slips, system=system, day=day)
    title = ""
    if not on_duty and slips.roll("TTL", "title"):
        title = dice.pick(("Mr", "MR", "Dr") if person.sex == "m" else ("Mrs", "Miss", "Ms"))
    return Recorded(title, tuple(given), surname, born, address, frozenset(slips.found), other)


def _names(name: Name, given: list[str], surname: str, slips: _Slips) -> tuple[list[str], str]:
    """Slips in the name."""
    dice = slips.dice
    call = min(name.call, len(given) - 1)
    if len(given) > 1 and call == 0 and slips.roll("MID", "no_middle_name"):
        given = given[:1]
    short = NICKNAMES.get(given[call])
    if short and slips.roll("NCK", "nickname", times=2):
        given[call] = dice.pick(short)
    if len(name.given) > 1 and slips.roll("OTH", "other_given_name"):
        given, call = [name.given[-1]], 0
    whole = [*given, surname]
    for place, word in enumerate(whole):
        if word in VARIANTS and slips.roll("TRL", "transliteration"):
            whole[place] = dice.pick(VARIANTS[word])
        elif not word.isascii() and slips.roll("TRL", "letters_dropped"):
            whole[place] = plain_letters(word)
    whole[call] = slips.slip("TYP", "typo_given", whole[call], lambda: misspell(whole[call], dice))
    whole[-1] = slips.slip("TYP", "typo_surname", whole[-1], lambda: misspell(whole[-1], dice))
    whole = slips.slip("GAR", "garbled", whole, lambda: _garbled(whole, call, dice))
    given, surname = whole[:-1], whole[-1]
    if slips.roll("INI", "initials_only"):
        given = [word[0] for word in given]
    if slips.roll("ORD", "swapped_names", times=8 if name.family_first else 1):
        given, surname = [surname], " ".join(given)
    return given, surname


def _garbled(whole: list[str], call: int, dice: Dice) -> list[str]:
    """A name with the given name in use, or the surname, garbled."""
    place = call if dice.happens(0.5) else len(whole) - 1
    return [garble(word, dice) if at == place else word for at, word in enumerate(whole)]


def _born(born: tuple[int, int, int], slips: _Slips, system: str) -> tuple[int, int, int]:
    """Slips in the date of birth; at most one."""
    dice = slips.dice
    year, month, day = born
    if slips.roll("NOD", slips.of_system("no_date_of_birth", system)):
        return 0, 0, 0
    if system == "intel" and slips.roll("YRO", "year_only_intel"):
        return year, 0, 0
    if day <= 12 and day != month and slips.roll("SWP", "day_month_swap", times=2.5):
        return year, day, month
    if slips.roll("DIG", "one_digit"):
        step = 1 if dice.happens(0.5) else -1
        if dice.happens(0.5) and 1 <= day + step <= 28:
            return year, month, day + step
        return year + step, month, min(day, 28)
    if (month, day) != (1, 1) and slips.roll("JAN", "first_of_january"):
        return year, 1, 1
    if slips.roll("YER", "year_wrong"):
        return year + dice.pick((-10, -3, -2, 2, 3, 10)), month, min(day, 28)
    if year < 2000 and slips.roll("YER", "century_wrong"):
        return year + 100, month, min(day, 28)
    return born


def _address(person: Person, force: Force, address: Address, slips: _Slips, *, system: str, day: date) -> Address:
    """Slips in the address."""
    dice = slips.dice
    if slips.roll("NOA", slips.of_system("no_address", system)):
        return NOWHERE
    if slips.roll("NFA", "no_fixed_abode"):
        return replace(NOWHERE, street="No fixed abode")
    moved = person.earlier and day >= person.earlier[-1][1]
    if moved and slips.roll("OLD", "old_address"):
        address = dwelling_address(force.seed, person.earlier[-1][0])
    if address.flat and slips.roll("FLT", "no_flat"):
        address = replace(address, flat="")
    if address.house.isdigit() and slips.roll("NUM", "wrong_number"):
        step = dice.pick((-2, 2, 10))
        address = replace(address, house=str(int(address.house) + (step if int(address.house) + step > 0 else 2)))
    if dice.happens(slips.rates["bad_postcode"]):
        true, address = address, replace(address, postcode=_bad_postcode(address.postcode, dice))
        if address != true:
            slips.found.add("PCD")
    elif slips.roll("PCD", "no_postcode"):
        address = replace(address, postcode="")
    if dice.happens(0.2):
        address = replace(address, postcode=address.postcode.replace(" ", ""))
    return address if dice.happens(0.3) else replace(address, uprn="")


def _bad_postcode(postcode: str, dice: Dice) -> str:
    """A partial postcode, one with a wrong letter, or O for 0."""
    how = dice.unit()
    if how < 0.35:
        return postcode.split(" ")[0]
    if how < 0.55:
        return postcode.replace("0", "O").replace("1", "I")
    return postcode[:-1] + ("B" if postcode[-1] != "B" else "D")
