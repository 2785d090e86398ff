"""Feeds -> PERSON_IDENTIFIER: PNC ids and CRO numbers in standard form. They serve nominals only.

Forms and check letters are those of the Ministry of Justice's person record (github.com/ministryofjustice/hmpps-person-record,
``model/identifiers/PNCIdentifier.kt`` and ``CROIdentifier.kt``): the two digits of the year followed by the serial number,
as one whole number modulo 23, is the place of the check letter among ``ZABCDEFGHJKLMNPQRTUVWXY``, from 0. Serial numbers are
padded to seven digits (PNC) or six (CRO); those of the older SF form stay as written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from linkage_spark.settings.sources import IDENTIFIER_INPUTS, FeedMapping, Produces, SourceMapping
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.events import blocks_of, refuse_unknown_persons
from linkage_spark.standardise.rows import judge_rows, kept, open_rows, refuse_older, refuse_withdrawn, union_rows
from linkage_spark.tables.enums import IdentifierIssue, IdentifierKind, RefusalReason
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER

CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
EARLIEST_YEAR = 1900

_PNC = r"^(\d{4}|\d{2})/(\d{1,7})([A-Z])$"
_PNC_WITHOUT_SLASH = r"^(\d{4})(\d{7})([A-Z])$"
_CRO = r"^(\d{1,6})/(\d{2})([A-Z])$"
_CRO_SF = r"^SF(\d{2})/(\d{1,6})([A-Z])$"


# ---- rows --------------------------------------------------------------------------------------------------


def judge_identifiers(
    feeds: Mapping[str, DataFrame], source: SourceMapping, *, persons: DataFrame | None
) -> DataFrame | None:
    """One row per number that a row of the feeds states, with its reason for refusal; None where the source maps none.

    Rows that make the person too are versions of it, whichever feed they come from, so that of all that tell of a kind
    the newest alone holds, with its number or without one. Elsewhere a person may have several rows, and all their
    numbers hold; versions of one number are compared within one feed only. What then states a number once more is a
    duplicate: the row that calls the number verified is kept.

    Args:
        feeds: the feeds that are there.
        source: the mapping.
        persons: judged persons of the source; a number of a person that is not there is refused.
    """
    of_persons: list[DataFrame] = []
    lists: list[DataFrame] = []
    for feed, block in blocks_of(feeds, source, "person_identifier"):
        rows = _open_numbers(feeds[feed.key], feed, block)
        (of_persons if feed.makes_too(block, "person", "person_ref") else lists).append(rows)
    inline, listed = union_rows(of_persons), union_rows(lists)
    current = []
    if inline is not None:
        current.append(refuse_older(inline, ("person_ref", "kind"), by=("source_version", "content_hash")))
    if listed is not None:
        current.append(refuse_older(listed, ("feed", "person_ref", "kind", "identifier_raw"), by=("source_version",)))
    together = union_rows(current)
    if together is None:
        return None
    stated = refuse_withdrawn(together.where(F.col("identifier_raw").isNotNull()))
    return _one_per_number(refuse_unknown_persons(stated, persons, F.col("key_columns"), source)).drop("key_columns")


def _one_per_number(rows: DataFrame) -> DataFrame:
    """Refuse all but one row of every number of a person as duplicates; verified rows go first, then newer ones."""
    open_ = F.col("reason").isNull()
    same = Window.partitionBy("person_ref", "kind", "identifier_raw", open_).orderBy(
        F.desc("verified"), F.desc("source_version"), F.desc("content_hash"), "feed"
    )
    again = open_ & (F.row_number().over(same) > 1)
    return rows.withColumn("reason", F.when(again, F.lit(RefusalReason.DUPLICATE_ROW.value)).otherwise(F.col("reason")))


def form_identifiers(judged: DataFrame, *, as_of: date | None) -> DataFrame:
    """Kept rows -> PERSON_IDENTIFIER.

    Args:
        judged: what ``judge_identifiers`` gave, settled.
        as_of: as in ``standard_pnc``.
    """
    raw, is_pnc = F.col("identifier_raw"), F.col("kind") == F.lit(IdentifierKind.PNC_ID.value)
    form = F.when(is_pnc, standard_pnc(raw, as_of=as_of)).otherwise(standard_cro(raw))
    rows = kept(judged).withColumn("form", form)
    return PERSON_IDENTIFIER.conform(rows.select("*", "form.identifier", "form.identifier_issue"))


def count_numbers(frame: DataFrame, feed: FeedMapping) -> Column:
    """Aggregate: how many numbers the rows of a feed state; 0 where none is mapped."""
    blocks = [block for block in feed.produces if block.table == "person_identifier"]
    counts = [F.count(column) for block in blocks for column in _stated(frame, block).values()]
    return reduce(lambda one, other: one + other, counts, F.lit(0).cast("long"))


def _open_numbers(frame: DataFrame, feed: FeedMapping, block: Produces) -> DataFrame:
    """Every row once per kind that its block maps; ``identifier_raw`` is null where the row states none."""
    numbers = [
        F.struct(F.lit(kind).alias("kind"), column.alias("identifier_raw"))
        for kind, column in _stated(frame, block).items()
    ]
    none = F.array().cast("array<struct<kind:string,identifier_raw:string>>")
    inputs = {
        "person_ref": C.key(block.columns["person_ref"]),
        "key_columns": F.lit(", ".join(block.columns["person_ref"])),
        "verified": _verified(frame, block),
        "numbers": F.array(*numbers) if numbers else none,
    }
    opened = open_rows(frame, feed, block, inputs).withColumn("number", F.explode("numbers"))
    rows = opened.select("*", "number.kind", "number.identifier_raw").drop("number", "numbers")
    missing = F.col("person_ref").isNull()
    return judge_rows(rows, [(missing, RefusalReason.MISSING_KEY, F.col("key_columns"))])


def _stated(frame: DataFrame, block: Produces) -> dict[str, Column]:
    """The numbers as recorded, by IdentifierKind; parts in several columns are joined by '/'."""
    found = {
        kind: [name for name in block.columns.get(kind, ()) if name in frame.columns] for kind in IDENTIFIER_INPUTS
    }
    return {kind: C.joined(names, "/") for kind, names in found.items() if names}


def _verified(frame: DataFrame, block: Produces) -> Column:
    """What the source says of the row's numbers; false when it says nothing."""
    names = block.columns.get("verified")
    if names is None or names[0] not in frame.columns:
        return F.lit(bool(block.constants.get("verified", False)))
    words = block.verified or {"TRUE": True, "FALSE": False}
    return F.coalesce(C.looked_up(C.text(names[0]), words), F.lit(False))


# ---- forms -------------------------------------------------------------------------------------------------


def standard_pnc(raw: Column, *, as_of: date | None) -> Column:
    """A PNC id in standard form 'YYYY/NNNNNNNL', from a year of two or four digits and up to seven digits.

    A year of two digits is of this century up to the year of ``as_of``, else of the last. Without the slash only the
    full form of twelve signs can be told apart from others; what can be read in two ways is malformed.

    Args:
        raw: the number as recorded; null gives null twice.
        as_of: the run's own date: a later year is malformed. None: no year is too late, and one of two digits is malformed.

    Returns:
        STRUCT of ``identifier`` and ``identifier_issue`` (IdentifierIssue), of which one at most is set. A serial number
        of zeros is a dummy, whatever its year and letter.
    """
    plain = F.regexp_replace(_plain(raw), _PNC_WITHOUT_SLASH, "$1/$2$3")
    recorded, serial = F.regexp_extract(plain, _PNC, 1), F.lpad(F.regexp_extract(plain, _PNC, 2), 7, "0")
    year = _full_year(recorded, as_of)
    out_of_range = year.isNull() | (year < EARLIEST_YEAR)
    if as_of is not None:
        out_of_range = out_of_range | (year > as_of.year)
    letter = F.regexp_extract(plain, _PNC, 3)
    digits = F.concat(F.right(recorded, F.lit(2)), serial)
    form = F.concat(year.cast("string"), F.lit("/"), serial, letter)
    return _told(
        plain, form, fits=plain.rlike(_PNC), unlikely=out_of_range, serial=serial, digits=digits, letter=letter
    )


def standard_cro(raw: Column) -> Column:
    """A CRO number in standard form: 'NNNNNN/YYL', padded with zeros, or the older 'SFYY/NNNNNNL', its serial number as written.

    The two digits of the year stay as they are. Dummies such as 000000/00Z have a serial number of zeros.

    Args:
        raw: the number as recorded; null gives null twice.

    Returns:
        As ``standard_pnc``.
    """
    plain = _plain(raw)
    is_sf = plain.rlike(_CRO_SF)
    sf_year, sf_serial = F.regexp_extract(plain, _CRO_SF, 1), F.regexp_extract(plain, _CRO_SF, 2)
    year = F.when(is_sf, sf_year).otherwise(F.regexp_extract(plain, _CRO, 2))
    serial = F.when(is_sf, sf_serial).otherwise(F.lpad(F.regexp_extract(plain, _CRO, 1), 6, "0"))
    letter = F.right(plain, F.lit(1))
    form = F.when(is_sf, F.concat(F.lit("SF"), year, F.lit("/"), serial, letter)).otherwise(
        F.concat(serial, F.lit("/"), year, letter)
    )
    fits = is_sf | plain.rlike(_CRO)
    digits = F.concat(year, serial)
    return _told(plain, form, fits=fits, unlikely=F.lit(False), serial=serial, digits=digits, letter=letter)


def _plain(raw: Column) -> Column:
    """Upper case, without blanks."""
    return F.upper(F.regexp_replace(raw, r"\s", ""))


def _full_year(recorded: Column, as_of: date | None) -> Column:
    """The year with its century; null where that is not known."""
    number = recorded.try_cast("int")
    short = F.length(recorded) == 2
    if as_of is None:
        return F.when(~short, number)
    this_century = as_of.year - as_of.year % 100
    century = F.when(number <= F.lit(as_of.year % 100), F.lit(this_century)).otherwise(F.lit(this_century - 100))
    return F.when(short, number + century).otherwise(number)


def _told(
    plain: Column, form: Column, *, fits: Column, unlikely: Column, serial: Column, digits: Column, letter: Column
) -> Column:
    """The standard form, or what speaks against it."""
    place = (digits.try_cast("long") % F.lit(len(CHECK_LETTERS))).cast("int") + F.lit(1)
    right = letter == F.substr(F.lit(CHECK_LETTERS), place, F.lit(1))
    issue = (
        F.when(plain.isNull(), F.lit(None))
        .when(~fits, F.lit(IdentifierIssue.MALFORMED.value))
        .when(serial.rlike("^0+$"), F.lit(IdentifierIssue.DUMMY.value))
        .when(unlikely, F.lit(IdentifierIssue.MALFORMED.value))
        .when(~right, F.lit(IdentifierIssue.CHECK_LETTER_WRONG.value))
    )
    identifier = F.when(issue.isNull(), form)
    return F.struct(identifier.alias("identifier"), issue.alias("identifier_issue"))
