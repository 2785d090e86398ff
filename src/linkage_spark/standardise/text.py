"""Text as recorded -> plain ASCII, with mojibake mended where that is safe."""

from __future__ import annotations

import re

from anyascii import anyascii

_MOJIBAKE = re.compile(
    "[\u00c2\u00c3\u00c4\u00c5\u00c8\u00e2][\u0080-\u00ff\u0152-\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_QUOTES = str.maketrans("", "", "'`\"")


def mend_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252, when the whole text round-trips and gets shorter.

    Text that holds no such pair, or does not round-trip, is returned as it is.
    """
    if text.isascii() or not _MOJIBAKE.search(text):
        return text
    for encoding in ("cp1252", "latin-1"):
        try:
            mended = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return mended
    return text


def to_ascii(text: str) -> str:
    """Plain ASCII: mojibake mended, letters transliterated (ł is l), apostrophes and quotes gone."""
    if not text.isascii():
        text = anyascii(mend_mojibake(text))
    return text.translate(_QUOTES) if "'" in text or "`" in text or '"' in text else text


def words_of(text: str) -> list[str]:
    """Lower-case ASCII words of letters and digits."""
    return re.findall(r"[a-z0-9]+", to_ascii(text).lower())
