"""A recorded address -> flat, number, street, town, what stands there, premises key. Pure Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from linkage_spark.reference.standard import Reference
from linkage_spark.standardise.postcodes import PostcodeForm, find_postcode, read_postcode
from linkage_spark.standardise.text import to_ascii
from linkage_spark.tables.enums import AddressIssue, AddressKind

_NUMBER = r"\d+ ?[A-Z]?(?: ?- ?\d+ ?[A-Z]?)?"
_FLAT = re.compile(
    r"^(?:THE )?(?:FLAT|FLT|APARTMENT|APPARTMENT|APT|UNIT|ROOM|RM|STUDIO|MAISONETTE|BEDSIT)"
    r"(?: NO| NUMBER)? ?(?P<id>\d+ ?[A-Z]?|[A-Z](?: ?\d+)?)\b[ ,]*(?P<rest>.*)$"
)
_FLAT_LAST = re.compile(
    r"^(?P<rest>\S.*?)[ ,]+(?:FLAT|FLT|APARTMENT|APPARTMENT|APT)(?: NO| NUMBER)? ?(?P<id>\d+ ?[A-Z]?|[A-Z])$"
)
_FLOOR = re.compile(
    r"^(?:THE )?(?P<id>FLAT ABOVE|FLAT OVER|ABOVE|OVER|GROUND FLOOR|FIRST FLOOR|SECOND FLOOR|THIRD FLOOR|TOP FLOOR|BASEMENT|GARDEN|GFF|FFF|TFF)"
    r"(?: FLAT)?\b[ ,]*(?P<rest>.*)$"
)
_SLASH = re.compile(r"^(?P<id>\d+[A-Z]?) ?/ ?(?P<rest>\d+[A-Z]? .+)$")
_NUMBERED = re.compile(rf"^(?P<number>{_NUMBER})(?: (?P<street>\S.*))?$")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_MEMO = 100_000
_BUILDINGS = frozenset("COURT HOUSE LODGE TOWER TOWERS POINT HEIGHTS MANSIONS BUILDING BUILDINGS".split())
_FIRST_WORDS = {"mt": "mount", "gt": "great", "upr": "upper", "lwr": "lower", "nth": "north", "sth": "south"}
_FLOORS = {
    "FLAT ABOVE": "ABOVE",
    "FLAT OVER": "ABOVE",
    "OVER": "ABOVE",
    "GFF": "GROUND FLOOR",
    "FFF": "FIRST FLOOR",
    "TFF": "TOP FLOOR",
}


class AddressForm(NamedTuple):
    """An address in standard form; field for field the address columns of the tables."""

    saon: str | None = None
    paon: str | None = None
    street: str | None = None
    locality: str | None = None
    town: str | None = None
    postcode: str | None = None
    postcode_sector: str | None = None
    postcode_district: str | None = None
    uprn: str | None = None
    premises_key: str | None = None
    address_kind: str = AddressKind.UNKNOWN
    address_issue: str | None = None


class _Parts(NamedTuple):
    """What the words say, beside the postcode."""

    saon: str | None = None
    paon: str | None = None
    street: str | None = None
    locality: str | None = None
    town: str | None = None


def read_address(
    *,
    flat: str | None,
    house: str | None,
    street: str | None,
    locality: str | None,
    town: str | None,
    box: str | None,
    postcode: str | None,
    uprn: str | None,
    reference: Reference,
    stated_kind: str | None = None,
) -> AddressForm:
    """Bring one recorded address into standard form.

    Parts and a single box may both be given: the box then holds what stands before the town.

    Args:
        flat: flat or unit; likewise house, street, locality and town as the source parts them.
        house: house number or name.
        street: street.
        locality: locality.
        town: town.
        box: address lines in one text, parted by commas or line ends.
        postcode: postcode column; when it is empty, a postcode at the end of the box is read.
        uprn: unique property reference number.
        reference: streets, institutions, places, placeholders.
        stated_kind: AddressKind that the source itself states; it wins over what the words say.
    """
    return AddressReader(reference).read(flat, house, street, locality, town, box, postcode, uprn, stated_kind)


class AddressReader:
    """Reads addresses with one reference and remembers their parts: streets, towns and postcodes repeat.

    What it remembers follows from the texts alone, so that it never changes a result.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._postcode = lru_cache(maxsize=_MEMO)(lambda text: read_postcode(text, reference))
        self._street = lru_cache(maxsize=_MEMO)(lambda text: _street(text, reference))
        self._is_street = lru_cache(maxsize=_MEMO)(lambda text: _is_street(text, reference))
        self._phrases = lru_cache(maxsize=_MEMO)(self._find_phrases)
        self._places = lru_cache(maxsize=_MEMO)(lambda *texts: _places(texts[2:], texts[0], texts[1], reference))
        self._by_first_word: dict[str, list[int]] = {}
        for number, (phrase, _, _) in enumerate(reference.institutions):
            self._by_first_word.setdefault(phrase.split()[0], []).append(number)

    def read(
        self,
        flat: str | None,
        house: str | None,
        street: str | None,
        locality: str | None,
        town: str | None,
        box: str | None,
        postcode: str | None,
        uprn: str | None,
        stated_kind: str | None,
    ) -> AddressForm:
        """As ``read_address``."""
        parts = (_tidy(flat), _tidy(house), _tidy(street), _tidy(locality), _tidy(town))
        code, lines = self._choose_postcode(postcode, _tidy_box(box))
        texts = [text for text in (*parts, *lines) if text]
        number = _read_uprn(uprn)
        recorded_code = bool(postcode and postcode.strip())
        if not texts and not recorded_code and not number:
            return AddressForm(address_issue=AddressIssue.MISSING)
        plains = [_plain(text) for text in texts]
        if " ".join(plains) in self._reference.address_placeholders:
            return _form(_Parts(), code, uprn=number, kind=AddressKind.UNKNOWN, issue=AddressIssue.PLACEHOLDER)
        kind = stated_kind or code.kind or self._kind_of(plains)
        found = _Parts() if kind == AddressKind.NO_FIXED_ABODE else self._read_parts(parts, lines)
        if kind is None:
            known = found.paon or found.street or code.district or number
            kind = AddressKind.DWELLING if known else AddressKind.UNKNOWN
        return _form(found, code, uprn=number, kind=kind, issue=_issue(found, code, kind, recorded_code=recorded_code))

    def _choose_postcode(self, postcode: str | None, lines: list[str]) -> tuple[PostcodeForm, list[str]]:
        """The postcode column's, else the one at the end of the box; and the box without it."""
        code = self._postcode(postcode)
        if not lines:
            return code, lines
        head, found = find_postcode(lines[-1], self._reference)
        if found is None:
            return code, lines
        rest = [*lines[:-1], head] if head else lines[:-1]
        return (code if (postcode or "").strip() else found), rest

    def _find_phrases(self, plain: str) -> tuple[int, ...]:
        """Numbers of the institutions' phrases whose first word stands in a text."""
        first = self._by_first_word
        return tuple(number for word in plain.split() if word in first for number in first[word])

    def _kind_of(self, plains: Sequence[str]) -> str | None:
        """What the words say stands there; None when they say nothing."""
        if not any(map(self._phrases, plains)):
            return None
        numbers = {number for plain in plains for number in self._phrases(plain)}
        for phrase, place, kind in (self._reference.institutions[number] for number in sorted(numbers)):
            for position, plain in enumerate(plains):
                if _says(plain, phrase, place, position, self._reference):
                    return kind
        return None

    def _read_parts(self, parts: Sequence[str], lines: Sequence[str]) -> _Parts:
        """Flat, number, street and places out of the source's parts and lines."""
        flat, house, street, locality, town = parts
        saon = _flat_id(flat) if flat else None
        places: list[str] = []
        paon: str | None = None
        named: str | None = None
        standard: str | None = None
        head = [text for text in (house, street) if text]
        if house and street and _numbered(house) and not _numbered(street):
            head = [f"{house} {street}"]
        queue = [*head, *lines]
        while queue:
            text = queue.pop(0)
            split = _take_flat(text) if saon is None else None
            if split:
                saon, rest = split
                if rest:
                    queue.insert(0, rest)
                continue
            numbered = _numbered(text)
            if numbered and paon is None and standard is None:
                paon = numbered[0]
                if numbered[1]:
                    standard = self._street(numbered[1])
                elif queue and not _numbered(queue[0]):
                    standard = self._street(queue.pop(0))
            elif (standard is None and named is None and text is not street and self._street_comes(queue)) or (
                standard is None and named is None and saon and text.split()[-1] in _BUILDINGS
            ):
                named = text
            elif standard is None and (text is street or self._is_street(text)):
                standard = self._street(text)
            elif standard is None and named is None and (text is house or len(queue) > 1):
                named = text
            else:
                places.append(text)
        locality_, town_ = self._places(locality, town, *places)
        return _Parts(
            saon=saon,
            paon=paon or (named and named.removeprefix("THE ")),
            street=standard,
            locality=locality_,
            town=town_,
        )

    def _street_comes(self, queue: Sequence[str]) -> bool:
        """True when a later part is a street."""
        return any(self._is_street(text) or _numbered(text) for text in queue)


def _form(found: _Parts, code: PostcodeForm, *, uprn: str | None, kind: str, issue: str | None) -> AddressForm:
    """Everything together. The premises key needs a dwelling's postcode and PAON."""
    key = None
    if kind == AddressKind.DWELLING and code.postcode and found.paon:
        key = f"{code.postcode}|{found.paon}|{found.saon or ''}"
    return AddressForm(
        saon=found.saon,
        paon=found.paon,
        street=found.street,
        locality=found.locality,
        town=found.town,
        postcode=code.postcode,
        postcode_sector=code.sector,
        postcode_district=code.district,
        uprn=uprn,
        premises_key=key,
        address_kind=kind,
        address_issue=issue,
    )


def _issue(found: _Parts, code: PostcodeForm, kind: str, *, recorded_code: bool) -> str | None:
    """The one issue to name, the gravest first."""
    if code.placeholder and kind == AddressKind.UNKNOWN:
        return AddressIssue.PLACEHOLDER
    if kind not in (AddressKind.DWELLING, AddressKind.UNKNOWN):
        return AddressIssue.NOT_A_DWELLING
    if code.faulty:
        return AddressIssue.BAD_POSTCODE
    if code.postcode is None:
        return AddressIssue.BAD_POSTCODE if recorded_code and not code.placeholder else AddressIssue.NO_POSTCODE
    return None if found.paon else AddressIssue.NO_PREMISES


@lru_cache(maxsize=_MEMO)
def _tidy(text: str | None) -> str:
    """Upper-case ASCII, one space, no full stops; commas, hyphens and slashes stay."""
    if not text:
        return ""
    plain = re.sub(r"[^A-Z0-9,/\- ]+", " ", to_ascii(text).upper())
    return re.sub(r" *- *", "-", " ".join(plain.split())).strip(" ,-")


def _tidy_box(box: str | None) -> list[str]:
    """The parts of a box, parted at commas, semicolons and line ends, empty ones left out."""
    if not box:
        return []
    return [part for part in (_tidy(text) for text in re.split(r"[,;\r\n]+", box)) if part]


@lru_cache(maxsize=_MEMO)
def _plain(text: str) -> str:
    """Lower-case words."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _read_uprn(uprn: str | None) -> str | None:
    """Digits without leading zeros; None for nothing, too many digits, or all the same digit."""
    text = (uprn or "").strip().removesuffix(".0")
    digits = text.lstrip("0")
    if not digits.isdigit() or len(digits) > 12 or (len(digits) > 3 and len(set(digits)) == 1):
        return None
    return digits


def _says(plain: str, phrase: str, place: str, position: int, reference: Reference) -> bool:
    """True when a phrase stands in a text where it means an institution."""
    at = f" {plain} ".find(f" {phrase} ")
    if at < 0 or (place == "start" and (at or position > 1)) or (place == "whole" and plain != phrase):
        return False
    after = plain[at + len(phrase) :].split()
    if place == "end" and after:
        return False
    return place == "start" or not _names_a_street(after, plain, reference)


def _names_a_street(after: Sequence[str], plain: str, reference: Reference) -> bool:
    """True when a phrase is part of a street's name: '14 Hospital Street', '3 Old Police Station Yard'."""
    return bool(after) and (
        after[0] in reference.street_types or (plain[0].isdigit() and after[-1] in reference.street_words)
    )


@lru_cache(maxsize=_MEMO)
def _numbered(text: str) -> tuple[str, str | None] | None:
    """'041 A HIGH STREET' -> ('41A', 'HIGH STREET'); None when no number stands in front."""
    match = _NUMBERED.fullmatch(text)
    return (_number(match["number"]), match["street"]) if match else None


@lru_cache(maxsize=_MEMO)
def _take_flat(text: str) -> tuple[str, str] | None:
    """A flat at the front or the end of a part -> (its id, the rest)."""
    for pattern in (_FLAT, _FLOOR, _SLASH, _FLAT_LAST):
        match = pattern.match(text)
        if match:
            return _flat_id(match["id"]), match["rest"].strip(" ,-")
    return None


@lru_cache(maxsize=_MEMO)
def _flat_id(text: str) -> str:
    """'FLAT 02A' -> '2A'."""
    match = _FLAT.match(text) or _FLOOR.match(text)
    plain = match["id"] if match else text
    plain = _FLOORS.get(plain, plain)
    return _LEADING_ZEROS.sub("", re.sub(r"(?<=\d) (?=[A-Z]\b)|(?<=\b[A-Z]) (?=\d)", "", plain.strip()))


def _number(text: str) -> str:
    """'041 A' -> '41A', '12 - 14' -> '12-14'."""
    return _LEADING_ZEROS.sub("", text.replace(" ", ""))


def _street(text: str, reference: Reference) -> str | None:
    """Lower case, the type written out, 'st' in front of a name as 'saint', 'mt' as 'mount'."""
    words = _plain(text).split()
    if not words:
        return None
    if len(words) > 1:
        words[-1] = reference.street_words.get(words[-1], words[-1])
    words[0] = _FIRST_WORDS.get(words[0], words[0])
    return " ".join("saint" if word == "st" else word for word in words)


def _is_street(text: str, reference: Reference) -> bool:
    """True when the part ends in a street type and has a name before it."""
    words = _plain(text).split()
    return len(words) > 1 and words[-1] in reference.street_words


def _places(places: Sequence[str], locality: str, town: str, reference: Reference) -> tuple[str | None, str | None]:
    """Locality and town, counties left out, other ways to write a town made one."""
    known = [_plain(text) for text in (*places, locality, town) if text]
    known = [reference.towns.get(text, text) for text in known if text not in reference.counties]
    known = list(dict.fromkeys(known))
    stated = reference.towns.get(_plain(town), _plain(town))
    if stated and stated in known:
        before = [text for text in known if text != stated]
        return (before[-1] if before else None), stated
    if locality and not town:
        return known[-1] if known else None, None
    if not known:
        return None, None
    return (known[-2] if len(known) > 1 else None), known[-1]
