"""Names that mirror the West Midlands: naming traditions with common, middling and rare names.

Real frequency tables are used where a well-kept package ships them (Faker: British surnames with their
counts); elsewhere the lists are in order of how common a name is, and weights fall off as Zipf found.
A tradition stands in the truth alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.resources import files

from linkage_spark.synthesis.chance import Dice, Weighted

ZIPF = 0.75
"""Exponent for forenames and for surnames without counts (British birth registers lie near 0.7 to 0.9)."""


@dataclass(frozen=True)
class Name:
    """A person's own name.

    Attributes:
        given: given names in order; the first may be a prefix such as Mohammed.
        call: place of the name in use among ``given``.
        surname: surname, also of several words.
        former: surname before marriage; None when it never changed.
        family_first: the family writes the surname first.
    """

    given: tuple[str, ...]
    surname: str
    call: int = 0
    former: str | None = None
    family_first: bool = False


@dataclass(frozen=True)
class Tradition:
    """How one tradition names people.

    Attributes:
        male, female: given names.
        surnames: family names.
        name: makes a whole name from (dice, sex, family surname or None, father's given name or None).
    """

    male: Weighted[str]
    female: Weighted[str]
    surnames: Weighted[str]
    middle_rate: float = 0.0

    def given(self, dice: Dice, sex: str) -> str:
        """One given name."""
        return (self.male if sex == "m" else self.female).draw(dice)


def _faker(locale: str, attribute: str) -> tuple[str, ...]:
    """A list of Faker's, without names of other letters than Latin ones."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    return tuple(dict.fromkeys(str(name) for name in getattr(provider, attribute)))


@cache
def _own() -> Mapping[str, tuple[str, ...]]:
    """Our own lists by name, common names first."""
    with files("linkage_spark.synthesis").joinpath("data/names.csv").open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {row["list"]: tuple(row["names"].split()) for row in rows}


def _ranked(*lists: Sequence[str], exponent: float = ZIPF) -> Weighted[str]:
    """Lists one after the other, in order of how common a name is."""
    return Weighted.ranked(tuple(dict.fromkeys(name for part in lists for name in part)), exponent=exponent)


@cache
def rare_surnames() -> tuple[str, ...]:
    """Some thousands of place-like surnames that hardly anybody bears: the long tail."""
    own = _own()
    return tuple(f"{start}{end}" for start in own["rare_start"] for end in own["rare_end"])


def _british_surnames() -> Weighted[str]:
    """Faker's British surnames with their counts make seven in ten bearers, the long tail the rest."""
    provider = import_module("faker.providers.person.en_GB").Provider
    counted: Mapping[str, float] = provider.last_names
    total, tail = sum(counted.values()), rare_surnames()
    known = {name: 0.70 * weight / total for name, weight in counted.items()}
    weights = [1.0 / (rank + 5.0) ** 0.4 for rank in range(len(tail))]
    whole = sum(weights)
    return Weighted([*known, *tail], [*known.values(), *(0.30 * weight / whole for weight in weights)])


@cache
def traditions() -> Mapping[str, Tradition]:
    """All traditions by name."""
    own = _own()
    british = Tradition(
        male=_ranked(own["british_male"], _faker("en_GB", "first_names_male")),
        female=_ranked(own["british_female"], _faker("en_GB", "first_names_female")),
        surnames=_british_surnames(),
        middle_rate=0.75,
    )
    return {
        "british": british,
        "irish": Tradition(
            male=_ranked(own["irish_male"], _faker("en_IE", "first_names_male")),
            female=_ranked(own["irish_female"], _faker("en_IE", "first_names_female")),
            surnames=_ranked(own["irish_surname"], _faker("en_IE", "last_names")),
            middle_rate=0.6,
        ),
        "south_asian_muslim": Tradition(
            male=_ranked(own["muslim_male"]),
            female=_ranked(own["muslim_female"]),
            surnames=_ranked(own["muslim_surname"], _faker("en_PK", "last_names"), exponent=1.0),
        ),
        "sikh": Tradition(_ranked(own["sikh_given"]), _ranked(own["sikh_given"]), _ranked(own["sikh_surname"])),
        "hindu": Tradition(
            male=_ranked(own["hindu_male"], _faker("en_IN", "first_names_male")),
            female=_ranked(own["hindu_female"], _faker("en_IN", "first_names_female")),
            surnames=_ranked(own["hindu_surname"], _faker("en_IN", "last_names"), exponent=1.1),
        ),
        "polish": Tradition(
            male=_ranked(_faker("pl_PL", "first_names_male")),
            female=_ranked(_faker("pl_PL", "first_names_female")),
            surnames=_ranked(own["polish_surname"]),
        ),
        "romanian": Tradition(
            male=_ranked(own["romanian_male"], _faker("ro_RO", "first_names_male")),
            female=_ranked(own["romanian_female"], _faker("ro_RO", "first_names_female")),
            surnames=_ranked(own["romanian_surname"], _faker("ro_RO", "last_names")),
            middle_rate=0.3,
        ),
        "african": Tradition(
            male=_ranked(own["african_male"], _faker("yo_NG", "first_names_male"), _faker("tw_GH", "first_names_male")),
            female=_ranked(
                own["african_female"],
                _faker("yo_NG", "first_names_female"),
                _faker("tw_GH", "first_names_female"),
            ),
            surnames=_ranked(own["african_surname"], _faker("yo_NG", "last_names"), _faker("tw_GH", "last_names")),
            middle_rate=0.5,
        ),
        "somali": Tradition(_ranked(own["somali_male"]), _ranked(own["somali_female"]), _ranked(own["somali_male"])),
        "caribbean": Tradition(
            male=_ranked(own["caribbean_male"], _faker("en_GB", "first_names_male")),
            female=_ranked(own["caribbean_female"], _faker("en_GB", "first_names_female")),
            surnames=_ranked(own["caribbean_surname"]),
            middle_rate=0.7,
        ),
        "chinese": Tradition(
            male=_ranked(own["chinese_given"]),
            female=_ranked(own["chinese_given"]),
            surnames=_ranked(own["chinese_surname"]),
        ),
        "vietnamese": Tradition(
            _ranked(own["vietnamese_male"]),
            _ranked(own["vietnamese_female"]),
            _ranked(own["vietnamese_surname"], exponent=1.4),
        ),
        "arabic_kurdish": Tradition(
            male=_ranked(own["arabic_male"], _faker("fr_DZ", "first_names_male")),
            female=_ranked(own["arabic_female"], _faker("fr_DZ", "first_names_female")),
            surnames=_ranked(own["arabic_surname"], _faker("fr_DZ", "last_names")),
        ),
    }


Maker = Callable[[Tradition, Dice, str, str, str], Name]
"""(tradition, dice, sex, the family's name, the father's given name) -> a whole name."""


def _plain(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    given = [tradition.given(dice, sex)]
    if dice.happens(tradition.middle_rate):
        middle = tradition.given(dice, sex)
        given += [middle] if middle not in given else []
    return Name(given=tuple(given), surname=family)


def _muslim(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    """Mohammed as a prefix; Begum, Bibi and Khatun in a surname's place; a father's name as surname."""
    given = tradition.given(dice, sex)
    if sex == "m":
        prefixed = dice.happens(0.38)
        surname = father if dice.happens(0.25) else family
        return Name(given=("Mohammed", given) if prefixed else (given,), surname=surname, call=int(prefixed))
    title = dice.unit()
    if title < 0.28:
        return Name(given=(given,), surname=("Begum", "Bibi", "Khatun", "Akhtar")[int(title / 0.07)])
    return Name(given=(given,), surname=father if title < 0.40 else family)


def _sikh(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    """Singh or Kaur as surname, or as a middle name before a family name."""
    marked = "Singh" if sex == "m" else "Kaur"
    given = tradition.given(dice, sex)
    if dice.happens(0.45):
        return Name(given=(given,), surname=marked)
    return Name(given=(given, marked), surname=family)


def _hindu(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    given = tradition.given(dice, sex)
    return Name(given=(given, father) if dice.happens(0.2) else (given,), surname=family)


def _polish(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    """Endings marked for sex: Kowalski and Kowalska."""
    surname = family
    if sex == "f":
        surname = next((family[:-1] + "a" for end in ("ski", "cki", "dzki") if family.endswith(end)), family)
    return replace(_plain(tradition, dice, sex, family, father), surname=surname)


def _somali(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    """Own, father's and grandfather's name."""
    return Name(given=(tradition.given(dice, sex), father), surname=family)


def _chinese(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    """Two syllables, sometimes written apart; an English name beside them in a third."""
    first, second = tradition.given(dice, sex), tradition.given(dice, sex).lower()
    own = (first, second.capitalize()) if dice.happens(0.4) else (f"{first}{second}",)
    if dice.happens(0.33):
        return Name(given=(traditions()["british"].given(dice, sex), *own), surname=family, family_first=True)
    return Name(given=own, surname=family, family_first=True)


def _vietnamese(tradition: Tradition, dice: Dice, sex: str, family: str, father: str) -> Name:
    return Name(
        given=("Van" if sex == "m" else "Thi", tradition.given(dice, sex)),
        surname=family,
        call=1,
        family_first=True,
    )


_MAKERS: Mapping[str, Maker] = {
    "south_asian_muslim": _muslim,
    "sikh": _sikh,
    "hindu": _hindu,
    "polish": _polish,
    "somali": _somali,
    "chinese": _chinese,
    "vietnamese": _vietnamese,
}


def make_name(tradition: str, dice: Dice, sex: str, *, family: str, father: str) -> Name:
    """A name of a tradition within a family."""
    return _MAKERS.get(tradition, _plain)(traditions()[tradition], dice, sex, family, father)


def family_name(tradition: str, dice: Dice) -> str:
    """A family's name; one in forty British families has a double-barrelled one."""
    drawn = traditions()[tradition].surnames.draw(dice)
    if tradition in ("british", "irish") and dice.happens(0.025):
        other = traditions()[tradition].surnames.draw(dice)
        return f"{drawn}-{other}" if other != drawn else drawn
    return drawn
