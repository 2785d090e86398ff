"""Made-up PNC ids and CRO numbers in their standard forms."""

from __future__ import annotations

from linkage_spark.standardise.identifiers import CHECK_LETTERS


def letter(year: int, serial: str) -> str:
    """The check letter, by the published rule."""
    return CHECK_LETTERS[int(f"{year % 100:02}{serial}") % 23]


def pnc(year: int, serial: int) -> str:
    """A PNC id, e.g. 2004/0000123 and its letter."""
    return f"{year}/{serial:07}{letter(year, f'{serial:07}')}"


def cro(year: int, serial: int) -> str:
    """A CRO number, e.g. 000123/98 and its letter."""
    return f"{serial:06}/{year % 100:02}{letter(year, f'{serial:06}')}"
