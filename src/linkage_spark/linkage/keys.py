"""Blocking keys: their parts as Column expressions, and how parts become one hashed key per rule.

A part is a function of PERSON columns alone. A rule's key is the tuple of its parts; it is null, and
proposes nothing, when any part is null. Some parts are *one-sided*: the roster side always has them, the
history side only under a condition (an undated record, an on-duty record), so that a broad key stays
affordable.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from linkage_spark.errors import SettingsError
from linkage_spark.model.schema import Model, Rule
from linkage_spark.tables.enums import AddressKind

Read = Callable[[str], Column]
"""Gives the Column of one PERSON column, on whichever side the part is read."""

MOST_RULES = 62
"""A rule is one bit of a signed 64-bit mask."""


def side(suffix: str = "") -> Read:
    """Read PERSON columns whose names end in ``suffix``."""
    return lambda name: F.col(name + suffix)


@dataclass(frozen=True)
class KeyPart:
    """One part of a key.

    Attributes:
        name: the part's name in a model file.
        reads: the PERSON columns it reads; nothing else can reach it.
        value: the part's value; null when unknown.
        history_only_if: on the history side the part is null unless this holds; None for a two-sided part.
        history_value: the value on the history side where it is another one than on the roster's: a name
            written into the other box.
    """

    name: str
    reads: tuple[str, ...]
    value: Callable[[Read], Column]
    history_only_if: Callable[[Read], Column] | None = None
    history_value: Callable[[Read], Column] | None = None

    def roster(self, read: Read) -> Column:
        """The part on the roster side."""
        return self.value(_only(read, self.reads))

    def history(self, read: Read) -> Column:
        """The part on the history side."""
        own = _only(read, self.reads)
        value = (self.history_value or self.value)(own)
        return value if self.history_only_if is None else F.when(self.history_only_if(own), value)


def _only(read: Read, allowed: Sequence[str]) -> Read:
    """``read`` that refuses every column not in ``allowed``."""

    def checked(name: str) -> Column:
        if name not in allowed:
            raise SettingsError(f"a key part reads {name}, which it does not declare")
        return read(name)

    return checked


def _both(left: Column, right: Column) -> Column:
    """True when neither is null."""
    return left.isNotNull() & right.isNotNull()


def _pair(left: Column, right: Column) -> Column:
    """Two strings without their order; null when either is null (``least`` alone would skip a null)."""
    return F.when(_both(left, right), F.concat(F.least(left, right), F.lit("|"), F.greatest(left, right)))


def _sounds(read: Read) -> Column:
    return _pair(read("given_sound"), read("surname_sound"))


def _initials(read: Read) -> Column:
    return _pair(F.substring(read("given_first"), 1, 1), F.substring(read("surname_last"), 1, 1))


def _outer_initials(read: Read) -> Column:
    tokens = read("given_tokens"), read("surname_tokens")
    # ``least`` and ``greatest`` pass over the null of an empty list.
    first = F.least(*[F.array_min(each) for each in tokens])
    last = F.greatest(*[F.array_max(each) for each in tokens])
    return F.concat(F.substring(first, 1, 1), F.substring(last, 1, 1))


def _month_and_day(read: Read) -> Column:
    month, day = read("dob_month"), read("dob_day")
    return F.when(_both(month, day), F.least(month, day) * 100 + F.greatest(month, day))


def _month_day(read: Read) -> Column:
    first_of_january = (read("dob_month") == 1) & (read("dob_day") == 1)
    return F.when(~first_of_january, _month_and_day(read))


def _date(read: Read) -> Column:
    return read("dob_year") * 10_000 + _month_and_day(read)


def _year_month(read: Read) -> Column:
    return read("dob_year") * 100 + read("dob_month")


def _at_home(read: Read) -> Column:
    return read("address_kind").isin(AddressKind.DWELLING.value, AddressKind.UNKNOWN.value)


def _house_street(read: Read) -> Column:
    return F.when(_at_home(read), F.concat(read("paon"), F.lit("|"), read("street")))


def _home_postcode(read: Read) -> Column:
    return F.when(_at_home(read), read("postcode"))


def _last_letters(column: str, count: int) -> Callable[[Read], Column]:
    return lambda read: F.when(F.length(read(column)) >= count, F.right(read(column), F.lit(count)))


def _first_word(column: str) -> Callable[[Read], Column]:
    return lambda read: F.substring_index(read(column), " ", 1)


def _letters(column: str, count: int) -> Callable[[Read], Column]:
    return lambda read: F.substring(read(column), 1, count)


def _column(name: str) -> Callable[[Read], Column]:
    return lambda read: read(name)


_SOUNDS = ("given_sound", "surname_sound")
_DAY_AND_MONTH = ("dob_month", "dob_day")

PARTS: dict[str, KeyPart] = {
    part.name: part
    for part in (
        # Names.
        KeyPart("sounds", _SOUNDS, _sounds),  # order-free
        KeyPart("given_sound", ("given_sound",), _column("given_sound")),
        KeyPart("surname_sound", ("surname_sound",), _column("surname_sound")),
        KeyPart("given_initial", ("given_first",), _letters("given_first", 1)),
        KeyPart("surname_initial", ("surname_last",), _letters("surname_last", 1)),
        KeyPart("given3", ("given_first",), _letters("given_first", 3)),
        KeyPart("surname3", ("surname_last",), _letters("surname_last", 3)),
        KeyPart("given_end3", ("given_first",), _last_letters("given_first", 3)),
        KeyPart("surname_end3", ("surname_last",), _last_letters("surname_last", 3)),
        KeyPart("initials", ("given_first", "surname_last"), _initials),  # order-free
        KeyPart(
            "outer_initials", ("given_tokens", "surname_tokens"), _outer_initials
        ),  # any order of any number of tokens
        # Dates; day and month in either order.
        KeyPart("date", ("dob_year", *_DAY_AND_MONTH), _date),
        KeyPart("year", ("dob_year",), _column("dob_year")),
        KeyPart("year_month", ("dob_year", "dob_month"), _year_month),
        KeyPart("month_day", _DAY_AND_MONTH, _month_day),  # never 1 January
        # Places where somebody may live.
        KeyPart("premises", ("premises_key",), _column("premises_key")),
        KeyPart("home_postcode", ("postcode", "address_kind"), _home_postcode),
        KeyPart("district", ("postcode_district",), _column("postcode_district")),
        KeyPart("house_street", ("paon", "street", "address_kind"), _house_street),
        KeyPart("street_word", ("street",), _first_word("street")),
        KeyPart("town", ("town",), _column("town")),
        # Every pair of an analyst's small file.
        KeyPart("everyone", (), lambda read: F.lit(1)),
        # A name in the other box, such as the only name of a record.
        KeyPart("given_as_surname", _SOUNDS, _column("given_sound"), history_value=_column("surname_sound")),
        KeyPart("surname_as_given", _SOUNDS, _column("surname_sound"), history_value=_column("given_sound")),
        # One-sided parts.
        KeyPart("undated_sounds", (*_SOUNDS, "dob_year"), _sounds, lambda read: read("dob_year").isNull()),
        KeyPart(
            "duty_surname",
            ("surname_sound", "on_duty_sign"),
            _column("surname_sound"),
            lambda read: read("on_duty_sign"),
        ),
    )
}
"""Every part that a model's rules may name, but for those of its further attributes."""

_FURTHER_FORMS: dict[str, Callable[[str], Callable[[Read], Column]]] = {
    "": _column,
    ":start": lambda name: _letters(name, 6),
    ":word": _first_word,
}
"""Forms of a further attribute that can be a part: the whole value, its first six letters, its first word."""


def parts_of(model: Model) -> dict[str, KeyPart]:
    """Every part that this model's rules may name: PARTS, and three forms of each further attribute."""
    further = [
        KeyPart(f"{name}{form}", (name,), make(name)) for name in model.further for form, make in _FURTHER_FORMS.items()
    ]
    return PARTS | {part.name: part for part in further}


def key_parts(model: Model) -> tuple[KeyPart, ...]:
    """The parts that the model's rules use, second keys included, each once, in order of first use.

    Raises:
        SettingsError: a rule names an unknown part, two rules share an id, or there are more than 62.
    """
    known = parts_of(model)
    faults = [
        f"rule {rule.id}: unknown key part '{name}'; known are {', '.join(sorted(known))}"
        for rule in model.rules
        for name in _names(rule)
        if name not in known
    ]
    ids = [rule.id for rule in model.rules]
    faults += [f"rule {name}: listed {ids.count(name)} times" for name in sorted(set(ids)) if ids.count(name) > 1]
    if not 1 <= len(ids) <= MOST_RULES:
        faults.append(f"{len(ids)} rules; a model has 1 to {MOST_RULES}")
    if faults:
        raise SettingsError("\n".join(f"model {model.id}: {fault}" for fault in faults))
    used = dict.fromkeys(name for rule in model.rules for name in _names(rule))
    return tuple(known[name] for name in used)


def _names(rule: Rule) -> tuple[str, ...]:
    """The parts of a rule, its second key included where it has one."""
    return (*rule.parts, rule.refine) if rule.refine else rule.parts


def is_symmetric(model: Model) -> bool:
    """True when its rules propose the same pairs whichever record is on which side."""
    return all(part.history_only_if is None and part.history_value is None for part in key_parts(model))


def part_column(name: str) -> str:
    """Name of the helper column that holds a part."""
    return f"key_part_{name.replace(':', '_by_')}"


def part_columns(model: Model, *, on_roster: bool) -> list[Column]:
    """The parts of all rules, read from PERSON columns, under their helper names (``part_column``)."""
    read = side()
    return [
        (part.roster(read) if on_roster else part.history(read)).alias(part_column(part.name))
        for part in key_parts(model)
    ]


def rule_keys(model: Model) -> Column:
    """The keys of all rules in order, from ``part_columns``; null where a part is unknown."""
    return F.array(*[key_hash(rule) for rule in model.rules])


def key_hash(rule: Rule) -> Column:
    """The rule's key from its part columns: xxhash64 salted with the rule's id; null when any part is null.

    It never leaves the run: what is stored is ``key_hmac`` of it.
    """
    parts = [F.col(part_column(name)) for name in rule.parts]
    known = reduce(lambda left, right: left & right, [part.isNotNull() for part in parts])
    return F.when(known, F.xxhash64(F.lit(rule.id), *parts))


def key_hmac(secret: bytes, rule_id: str, key: int) -> str:
    """HMAC-SHA-256 in hex of one in-flight key of one rule: the only form in which a key is stored."""
    return hmac.new(secret, f"{rule_id}\x1f{key}".encode(), hashlib.sha256).hexdigest()
