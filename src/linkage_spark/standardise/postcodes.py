"""A recorded postcode -> unit, sector, district. Rules of form: the public ones of UK postcodes."""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from linkage_spark.reference.standard import Reference
from linkage_spark.tables.enums import AddressKind

_OUTWARD = (
    r"(?:[A-PR-UWYZ](?:[1-9]|[1-9]\d|[1-9][A-HJKSTUW])"
    r"|[A-PR-UWYZ][A-HK-Y](?:\d|[1-9]\d|\d[ABEHMNPRVWXY]))"
)
_INWARD = r"\d[ABD-HJLNP-UW-Z]{2}"
_FULL = re.compile(rf"(?P<out>{_OUTWARD})(?P<in>{_INWARD})")
_SECTOR = re.compile(rf"(?P<out>{_OUTWARD})(?P<digit>\d)")
_DISTRICT = re.compile(rf"(?P<out>{_OUTWARD})")
_AT_END = re.compile(r"^(?P<head>.*?)\b(?P<code>[A-Z]{1,2}[0-9OI][0-9A-Z]? ?[0-9OI][A-Z01]{2})$")
_MIXED_UP = {"O": "O0", "0": "0O", "I": "I1", "1": "1I"}


class PostcodeForm(NamedTuple):
    """A postcode in standard form.

    Attributes:
        postcode: unit with one space, or None.
        sector: such as 'B23 6', or None.
        district: such as 'B23', or None.
        kind: AddressKind that the postcode itself states (NF1, ZZ99), or None.
        faulty: True when it had to be repaired, is partial or cannot be read.
        placeholder: True when it stands for nothing known.
    """

    postcode: str | None = None
    sector: str | None = None
    district: str | None = None
    kind: str | None = None
    faulty: bool = False
    placeholder: bool = False


def read_postcode(text: str | None, reference: Reference) -> PostcodeForm:
    """Read one postcode, with or without its space.

    O and 0, I and 1 are exchanged only when that gives exactly one well-formed postcode in a real
    area. A partial postcode gives its district, and its sector where it has one.
    """
    plain = re.sub(r"[^A-Z0-9 ]", "", (text or "").upper()).strip()
    tight = plain.replace(" ", "")
    if not tight:
        return PostcodeForm()
    if " ".join(plain.lower().split()) in reference.postcode_placeholders or tight == "ZZ993WZ":
        return PostcodeForm(placeholder=True)
    if tight.startswith(("ZZ99", "NF1")):
        return PostcodeForm(kind=AddressKind.NO_FIXED_ABODE)
    full = _full(tight, reference)
    if full:
        return full
    mended = {form for form in (_full(other, reference) for other in _exchanges(tight)) if form}
    if len(mended) == 1:
        form = mended.pop()
        return PostcodeForm(form.postcode, form.sector, form.district, faulty=True)
    return _partial(plain, reference)


def find_postcode(line: str, reference: Reference) -> tuple[str, PostcodeForm | None]:
    """A postcode at the end of an upper-case address line -> (the line before it, the postcode)."""
    match = _AT_END.match(line)
    form = read_postcode(match["code"], reference) if match else None
    if match is None or form is None or not (form.postcode or form.kind or form.placeholder):
        return line, None
    return match["head"].strip(" ,-"), form


def _full(tight: str, reference: Reference) -> PostcodeForm | None:
    """A well-formed unit in a real area, or None."""
    match = _FULL.fullmatch(tight)
    if not match or not _is_real(match["out"], reference):
        return None
    outward, inward = match["out"], match["in"]
    return PostcodeForm(f"{outward} {inward}", f"{outward} {inward[0]}", outward)


def _is_real(outward: str, reference: Reference) -> bool:
    """True when the letters in front are a real area."""
    return re.split(r"\d", outward, maxsplit=1)[0] in reference.postcode_areas


def _exchanges(tight: str) -> list[str]:
    """Every text that differs in O/0 and I/1 only; none when there is nothing to exchange or too much."""
    choices = [_MIXED_UP.get(sign, sign) for sign in tight]
    if not 5 <= len(tight) <= 7 or sum(len(choice) > 1 for choice in choices) > 5:
        return []
    return ["".join(signs) for signs in itertools.product(*choices)]


def _partial(plain: str, reference: Reference) -> PostcodeForm:
    """District, and sector where the inward part begins; else unreadable."""
    parts = plain.split()
    if len(parts) == 2:
        match = _SECTOR.fullmatch(parts[0] + parts[1][0]) if _DISTRICT.fullmatch(parts[0]) else None
        if match and _DISTRICT.fullmatch(parts[0]) and _is_real(parts[0], reference):
            return PostcodeForm(None, f"{parts[0]} {parts[1][0]}", parts[0], faulty=True)
    tight = "".join(parts)
    for pattern in (_DISTRICT, _SECTOR):
        match = pattern.fullmatch(tight)
        if match and _is_real(match["out"], reference):
            sector = f"{match['out']} {match['digit']}" if pattern is _SECTOR else None
            return PostcodeForm(None, sector, match["out"], faulty=True)
    return PostcodeForm(faulty=True)
