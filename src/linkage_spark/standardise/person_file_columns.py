"""Further columns of an analyst's person file, beside PERSON: parts of a foreign address, and extra attributes.

Column expressions only, so that the Python pass that forms names and dates stays the only one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Literal

from anyascii import anyascii
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.model.schema import EXTRA_PREFIX, PLACE_PREFIX
from linkage_spark.reference.standard import Reference
from linkage_spark.settings.mapping import Columns, Extra
from linkage_spark.settings.mapping_keys import ADDRESS, BORN, LOCALITY, NAME, POSTCODE

Country = Literal["GB", "plain"]

PLACE_POSTCODE, PLACE_HOUSE = f"{PLACE_PREFIX}postcode", f"{PLACE_PREFIX}house"
PLACE_STREET, PLACE_LOCALITY = f"{PLACE_PREFIX}street", f"{PLACE_PREFIX}locality"
PLACE_KINDS: Mapping[str, str] = {
    PLACE_POSTCODE: "code",
    PLACE_HOUSE: "house",
    PLACE_STREET: "street",
    PLACE_LOCALITY: "text",
}
"""How each part of a place is compared (FURTHER_LEVELS)."""

PLACE_COLUMNS: tuple[str, ...] = tuple(PLACE_KINDS)
"""Parts of an address that is not read as a British one, in order."""

_MADE_OF = {PLACE_POSTCODE: POSTCODE, PLACE_HOUSE: ADDRESS, PLACE_STREET: ADDRESS, PLACE_LOCALITY: LOCALITY}
_OWN = frozenset((NAME, BORN, ADDRESS, LOCALITY, POSTCODE))
_NOTHING_KNOWN = ("nan", "null")
_LATIN = (range(0xC0, 0x250), range(0x1E00, 0x1F00))
_QUOTES = "'`\"\u2018\u2019\u02bc\u00b4"


def further_columns(attributes: Collection[str], country: Country) -> tuple[str, ...]:
    """Names of the columns beside PERSON, in order: parts of a place (country 'plain'), then extras by name.

    Args:
        attributes: what is mapped, on both sides where two files are linked.
        country: 'GB' reads addresses into PERSON's own columns.
    """
    places = [name for name in PLACE_COLUMNS if country == "plain" and _MADE_OF[name] in attributes]
    return (*places, *(f"{EXTRA_PREFIX}{name}" for name in sorted(set(attributes) - _OWN)))


def further_kinds(columns: Columns, attributes: Collection[str], country: Country) -> dict[str, str]:
    """Column beside PERSON -> how it is compared (FURTHER_LEVELS), in the order of ``further_columns``."""
    kinds: dict[str, str] = {**PLACE_KINDS, **{f"{EXTRA_PREFIX}{extra.name}": extra.kind for extra in columns.extras}}
    return {name: kinds[name] for name in further_columns(attributes, country)}


def add_places(frame: DataFrame, reference: Reference) -> DataFrame:
    """Add PLACE_COLUMNS out of the texts ``address``, ``locality`` and ``postcode``; null where nothing usable is.

    The house is the first word with a digit ('12-14' is '12 14'), the street all other words, with what
    abbreviates a type of street written out unless it is the first ('st kilda rd': 'st kilda road').

    Args:
        frame: the three texts as recorded, null when unknown, and any other column.
        reference: street words and placeholders.
    """
    missing, no_code = _placeholders(reference), sorted({*reference.postcode_placeholders, *_NOTHING_KNOWN})
    # Step by step: what is used more than once is computed once, and no generated method grows too large.
    steps = frame.withColumns({f"folded_{name}": fold(F.col(name)) for name in (ADDRESS, LOCALITY, POSTCODE)})
    chunks = F.filter(F.split("folded_address", r"[\s,;]+"), lambda chunk: chunk != "")
    steps = steps.withColumn("chunks", F.when(~_words("folded_address").isin(missing), chunks))
    steps = steps.withColumn("house", F.get(F.filter("chunks", lambda chunk: chunk.rlike(r"\p{N}")), F.lit(0)))
    at = F.coalesce(F.array_position(F.col("chunks"), F.col("house")), F.lit(0))
    others = F.filter("chunks", lambda _, place: place + 1 != at)
    steps = steps.withColumn("others", F.array_join(others, " "))
    code = F.upper(F.regexp_replace("folded_postcode", "[^a-z0-9]+", ""))
    made = {
        PLACE_POSTCODE: _filled(F.when(~_words("folded_postcode").isin(no_code), code)),
        PLACE_HOUSE: _words("house"),
        PLACE_STREET: _written_out(F.split(_words("others"), " "), reference),
        PLACE_LOCALITY: _known(_words("folded_locality"), missing),
    }
    return steps.select(*frame.columns, *[column.alias(name) for name, column in made.items()])


def add_extras(frame: DataFrame, extras: Sequence[Extra], reference: Reference) -> DataFrame:
    """Bring the texts ``extra_<name>`` into standard form; null when empty or a placeholder.

    Kind 'text' becomes words in lower case without accents and punctuation; kind 'exact' is trimmed and in
    lower case only.
    """
    missing = _placeholders(reference)
    for name, kind in ((f"{EXTRA_PREFIX}{extra.name}", extra.kind) for extra in extras):
        plain = _words("folded")
        exact = F.lower(F.upper(F.trim(name)))
        kept = _known(plain, missing) if kind == "text" else F.when(plain.isNull() | ~plain.isin(missing), exact)
        frame = frame.withColumn("folded", fold(F.col(name))).withColumn(name, _filled(kept)).drop("folded")
    return frame


def fold(text: Column) -> Column:
    """Lower case, Latin letters without accents (ł is l, ß is ss) as names have them, apostrophes and quotes gone.

    Letters of other scripts stay as they are.
    """
    lower = F.lower(text)
    unmarked = F.regexp_replace(F.translate(lower, _SINGLE_FROM, _SINGLE_TO), r"\p{M}+", "")
    folded = reduce(lambda column, pair: F.replace(column, F.lit(pair[0]), F.lit(pair[1])), _SEVERAL, unmarked)
    return F.when(lower.rlike(r"[^\x00-\x7f]"), folded).otherwise(F.translate(lower, "'`\"", ""))


def _words(folded: str) -> Column:
    """A folded text's words of letters and digits, one blank between two; null when there is none.

    A letter that was not UTF-8 stays a letter.
    """
    return _filled(F.trim(F.regexp_replace(folded, r"[^\p{L}\p{N}\ufffd]+", " ")))


def _placeholders(reference: Reference) -> list[str]:
    """Words that stand for nothing known."""
    return sorted({*reference.address_placeholders, *_NOTHING_KNOWN})


def _known(plain: Column, missing: list[str]) -> Column:
    """Null for a placeholder."""
    return F.when(~plain.isin(missing), plain)


def _filled(text: Column) -> Column:
    """Null for the empty text."""
    return F.when(text != "", text)


def _written_out(parts: Column, reference: Reference) -> Column:
    """Every word but the first with its abbreviation written out."""
    short = sorted((word, full) for word, full in reference.street_words.items() if word != full)
    listed = [word for word, _ in short]
    full = F.create_map(*[F.lit(part) for pair in short for part in pair])
    whole = F.transform(
        parts,
        lambda word, place: F.when((place > 0) & word.isin(listed), F.element_at(full, word)).otherwise(word),
    )
    return F.array_join(whole, " ")


def _foldings() -> dict[str, str]:
    """Lower-case Latin letter -> its plain letters, as names are folded."""
    letters = (chr(code) for span in _LATIN for code in span)
    plain = {letter: anyascii(letter).lower() for letter in letters if letter == letter.lower() and letter.isalpha()}
    return {letter: "".join(sign for sign in text if sign.isalnum()) for letter, text in plain.items()}


_FOLDINGS = _foldings()
_SINGLE_FROM = "".join(letter for letter, plain in _FOLDINGS.items() if len(plain) == 1) + _QUOTES
_SINGLE_TO = "".join(plain for plain in _FOLDINGS.values() if len(plain) == 1)
_SEVERAL = tuple((letter, _FOLDINGS[letter]) for letter in "ßæœþŋĳŉǆǉǌ")
