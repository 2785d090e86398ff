"""A recorded address -> flat, number, street, town, what stands there, premises key. Pure Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from linkage_spark.reference.standard import Reference
from linkage_spark.standardise.postcodes import PostcodeForm, find_postcode, read_postcode
from linkage_spark.standardise.text import to_ascii
from linkage_spark.tables.enums import AddressIssue, AddressKind

_NUMBER = r"\d+ ?[A-Z]?(?: ?- ?\d+ ?[A-Z]?)?"
_FLAT = re.compile(
    r"^(?:THE )?(?:FLAT|FLT|APARTMENT|APPARTMENT|APT|UNIT|ROOM|RM|STUDIO|MAISONETTE|BEDSIT)"
    r"(?: NO| NUMBER)? ?(?P<id>\d+ ?[A-Z]?|[A-Z](?: ?\d+)?)\b[ ,]*(?P<rest>.*)$"
)
_FLOOR = re.compile(
    r"^(?P<id>GROUND FLOOR|FIRST FLOOR|SECOND FLOOR|THIRD FLOOR|TOP FLOOR|BASEMENT|GARDEN|GFF|FFF|TFF)"
    r"(?: FLAT)?\b[ ,]*(?P<rest>.*)$"
)
_SLASH = re.compile(r"^(?P<id>\d+[A-Z]?) ?/ ?(?P<rest>\d+[A-Z]? .+)$")
_NUMBERED = re.compile(rf"^(?P<number>{_NUMBER})(?: (?P<street>\S.*))?$")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_MEMO = 100_000
_BUILDINGS = frozenset("COURT HOUSE LODGE TOWER TOWERS POINT HEIGHTS MANSIONS BUILDING BUILDINGS".split())
_FLOORS = {"GFF": "GROUND FLOOR", "FFF": "FIRST FLOOR", "TFF": "TOP FLOOR"}


@dataclass(frozen=True)
class AddressForm:
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


@dataclass(frozen=True)
class _Parts:
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
    parts = [_tidy(text) for text in (flat, house, street, locality, town)]
    lines = _tidy_box(box)
    code, lines = _choose_postcode(postcode, lines, reference)
    texts = [text for text in (*parts, *lines) if text]
    number = _read_uprn(uprn)
    if not texts and not (postcode or "").strip() and not number:
        return AddressForm(address_issue=AddressIssue.MISSING)
    plain = " ".join(_plain(text) for text in texts)
    if plain in reference.address_placeholders:
        return _form(_Parts(), code, uprn=number, kind=AddressKind.UNKNOWN, issue=AddressIssue.PLACEHOLDER)
    kind = stated_kind or code.kind or _kind_of(texts, reference)
    found = _Parts() if kind == AddressKind.NO_FIXED_ABODE else _read_parts(parts, lines, reference)
    if kind is None:
        known = found.paon or found.street or code.district or number
        kind = AddressKind.DWELLING if known else AddressKind.UNKNOWN
    issue = _issue(found, code, kind, recorded_code=bool((postcode or "").strip()))
    return _form(found, code, uprn=number, kind=kind, issue=issue)


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


def _choose_postcode(postcode: str | None, lines: list[str], reference: Reference) -> tuple[PostcodeForm, list[str]]:
    """The postcode column's, else the one at the end of the box; and the box without it."""
    code = read_postcode(postcode, reference)
    if not lines:
        return code, lines
    head, found = find_postcode(lines[-1], reference)
    if found is None:
        return code, lines
    rest = [*lines[:-1], head] if head else lines[:-1]
    return (code if (postcode or "").strip() else found), rest


def _read_uprn(uprn: str | None) -> str | None:
    """Digits without leading zeros; None for nothing, too many digits, or all the same digit."""
    text = (uprn or "").strip().removesuffix(".0")
    digits = text.lstrip("0")
    if not digits.isdigit() or len(digits) > 12 or (len(digits) > 3 and len(set(digits)) == 1):
        return None
    return digits


def _kind_of(texts: Sequence[str], reference: Reference) -> str | None:
    """What the words say stands there; None when they say nothing."""
    plains = [_plain(text) for text in texts]
    if reference.institution_words.isdisjoint(word for plain in plains for word in plain.split()):
        return None
    for phrase, place, kind in reference.institutions:
        for position, plain in enumerate(plains):
            at = f" {plain} ".find(f" {phrase} ")
            if at < 0 or (place == "start" and (at or position > 1)) or (place == "whole" and plain != phrase):
                continue
            after = plain[at + len(phrase) :].split()
            if place == "end" and after:
                continue
            if place != "start" and _names_a_street(after, plain, reference):
                continue
            return kind
    return None


def _names_a_street(after: Sequence[str], plain: str, reference: Reference) -> bool:
    """True when a phrase is part of a street's name: '14 Hospital Street', '3 Old Police Station Yard'."""
    return bool(after) and (
        after[0] in reference.street_types or (plain[0].isdigit() and after[-1] in reference.street_words)
    )


def _read_parts(parts: Sequence[str], lines: Sequence[str], reference: Reference) -> _Parts:
    """Flat, number, street and places out of the source's parts and lines."""
    flat, house, street, locality, town = parts
    saon = _flat_id(flat) if flat else None
    places: list[str] = []
    paon: str | None = None
    named: str | None = None
    standard: str | None = None
    head = [text for text in (house, street) if text]
    if house and street and _NUMBERED.fullmatch(house) and not _NUMBERED.fullmatch(street):
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
        numbered = _NUMBERED.fullmatch(text)
        if numbered and paon is None and standard is None:
            paon = _number(numbered["number"])
            if numbered["street"]:
                standard = _street(numbered["street"], reference)
            elif queue and not _NUMBERED.fullmatch(queue[0]):
                standard = _street(queue.pop(0), reference)
        elif (standard is None and named is None and text is not street and _street_comes(queue, reference)) or (
            standard is None and named is None and saon and text.split()[-1] in _BUILDINGS
        ):
            named = text
        elif standard is None and (text is street or _is_street(text, reference)):
            standard = _street(text, reference)
        elif standard is None and named is None and (text is house or len(queue) > 1):
            named = text
        else:
            places.append(text)
    locality_, town_ = _places(places, locality, town, reference)
    return _Parts(saon=saon, paon=paon or named, street=standard, locality=locality_, town=town_)


def _street_comes(queue: Sequence[str], reference: Reference) -> bool:
    """True when a later part is a street."""
    return any(_is_street(text, reference) or _NUMBERED.fullmatch(text) for text in queue)


def _take_flat(text: str) -> tuple[str, str] | None:
    """A flat at the front of a part -> (its id, what follows)."""
    for pattern in (_FLAT, _FLOOR, _SLASH):
        match = pattern.match(text)
        if match:
            return _flat_id(match["id"]), match["rest"].strip(" ,-")
    return None


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
    """Lower case, the type written out, 'st' in front of a name as 'saint'."""
    words = _plain(text).split()
    if not words:
        return None
    if len(words) > 1:
        words[-1] = reference.street_words.get(words[-1], words[-1])
    words = ["saint" if word == "st" else word for word in words]
    return " ".join(words)


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
