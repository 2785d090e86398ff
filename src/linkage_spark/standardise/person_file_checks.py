"""What an analyst should hear of a person file: missing columns, the country, what is empty or unreadable."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, MapType, StructType

from linkage_spark.settings.mapping import Columns
from linkage_spark.settings.mapping_keys import ADDRESS, BORN, LOCALITY, NAME, POSTCODE
from linkage_spark.standardise.person_file_columns import Country
from linkage_spark.standardise.person_file_dates import born_columns
from linkage_spark.standardise.person_files import read_text
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import AddressIssue, DobIssue, NameIssue

GB_SHARE, GB_LEAST = 0.8, 20
"""Postcodes are British when this share of them looks so; of fewer than GB_LEAST all must."""

MANY = 0.1
"""From this share of records on, unreadable values are worth a warning."""

_GB_POSTCODE = r"^[A-Z]{1,2}\d[0-9A-Z]?\s*\d[A-Z]{2}$"
_UNREADABLE_LETTER = "\ufffd"
_SHOWN = 12


@dataclass(frozen=True)
class CountryChoice:
    """How addresses are read.

    Attributes:
        country: 'GB' for British addresses, 'plain' for tokens and a plain code.
        reason: one sentence that says what was chosen and why.
    """

    country: Country
    reason: str


def missing_columns(frame_columns: Sequence[str], mapped: Mapping[str, tuple[str, ...]], file: str) -> list[str]:
    """Faults: every mapped column that the file lacks, with near spellings that it has. Capitals count.

    Args:
        frame_columns: names of the file's columns.
        mapped: mapping key -> columns, as ``Columns.keys``.
        file: what messages call the file.
    """
    there, faults = set(frame_columns), []
    for key, names in mapped.items():
        for name in (name for name in names if name not in there):
            folded = {plain.lower(): plain for plain in frame_columns}
            near = [folded[text] for text in get_close_matches(name.lower(), list(folded), n=3, cutoff=0.6)]
            further = ", ".join(frame_columns[:_SHOWN]) + (", …" if len(frame_columns) > _SHOWN else "")
            hint = f"did you mean {' or '.join(repr(text) for text in near)}?" if near else f"there are {further}"
            faults.append(f"{file}: column {name!r} ({key}) is not in the file; correct the mapping: {hint}")
    return faults


def unusable_columns(frame: DataFrame, mapped: Mapping[str, tuple[str, ...]], file: str) -> list[str]:
    """Faults: every mapped column that holds lists, maps, structures or bytes, which are no text.

    Args:
        frame: the file.
        mapped: mapping key -> columns, as ``Columns.keys``; one that the file lacks is none.
        file: what messages call the file.
    """
    kinds = {item.name: item.dataType for item in frame.schema.fields}
    return [
        f"{file}: column {name!r} ({key}) has type {kinds[name].simpleString()}; give it as text, a number or a date"
        for key, names in mapped.items()
        for name in names
        if isinstance(kinds.get(name), ArrayType | MapType | StructType | BinaryType)
    ]


# ---- the country -------------------------------------------------------------------------------------------


def count_postcodes(frame: DataFrame, columns: Columns) -> DataFrame:
    """One row: ``postcodes`` (records that have one) and ``shaped`` (of them formed like British ones). Lazy."""
    text = F.upper(read_text(frame, columns.postcode))
    shaped = text.rlike(_GB_POSTCODE)
    return frame.select(F.count(text).alias("postcodes"), F.count_if(F.coalesce(shaped, F.lit(False))).alias("shaped"))


def choose_country(counts: Mapping[str, Mapping[str, int]], *, stated: str | None) -> CountryChoice:
    """Choose how addresses are read; what the mapping states wins.

    Args:
        counts: what the file is called -> the row of ``count_postcodes``, of every file with a mapped postcode. A
            file without any postcode has no say; each of the others must look British.
        stated: the mapping's country; None when it states none.
    """
    if stated is not None:
        country: Country = "GB" if stated == "GB" else "plain"
        return CountryChoice(country, f"Country {stated}, as the mapping states: {_HOW[country]}.")
    having = {file: row for file, row in counts.items() if row["postcodes"]}
    if not having:
        why = "no postcode is mapped" if not counts else "no record has a postcode"
        return CountryChoice("plain", f"No country is stated and {why}: {_HOW['plain']}.")
    country = "GB" if all(_looks_british(row) for row in having.values()) else "plain"
    shares = " and ".join(
        f"{row['shaped']:,} of {row['postcodes']:,} postcodes ({file})" for file, row in sorted(having.items())
    )
    other = "" if country == "GB" else '; state country = "GB" in the mapping if they are British'
    return CountryChoice(
        country, f"No country is stated; {shares} are formed like British ones: {_HOW[country]}{other}."
    )


_HOW: Mapping[Country, str] = {
    "GB": "addresses are read as British ones",
    "plain": "addresses are compared as words and the postcode as a plain code",
}


def _looks_british(row: Mapping[str, int]) -> bool:
    """True when enough of a file's postcodes have the British form."""
    least = GB_SHARE if row["postcodes"] >= GB_LEAST else 1.0
    return row["shaped"] >= least * row["postcodes"]


# ---- what the records hold ---------------------------------------------------------------------------------


def count_file(persons: DataFrame) -> DataFrame:
    """One row of counts of a file in standard form. Lazy.

    Columns, all BIGINT: records; with_given, with_surname, with_name (either); with_full_date,
    with_partial_date; name_<NameIssue>, dob_<DobIssue>, address_<AddressIssue> (without postcodes that were repaired); recorded_postcode, with_postcode,
    recorded_address, with_address (of British addresses); filled_<further column>; broken_letters (records with a letter that was not UTF-8).

    Args:
        persons: of ``StandardFile``.
    """
    further = [name for name in persons.columns if name not in PERSON.names]
    given, surname = F.col("given_first").isNotNull(), F.col("surname_last").isNotNull()
    texts = ("name_raw", "address_raw", "date_of_birth_raw", *further)
    broken = F.concat_ws(" ", *texts).contains(_UNREADABLE_LETTER)
    conditions: dict[str, Column] = {
        "records": F.lit(True),
        "with_given": given,
        "with_surname": surname,
        "with_name": given | surname,
        "with_full_date": F.col("date_of_birth").isNotNull(),
        "with_partial_date": F.col("date_of_birth").isNull() & F.col("dob_year").isNotNull(),
        **{
            f"{prefix}_{issue.value}": _issue(prefix).eqNullSafe(issue.value)
            for prefix, (_, kinds) in _ISSUES.items()
            for issue in kinds
        },
        "recorded_postcode": F.col("postcode_raw").isNotNull(),
        "with_postcode": F.col("postcode").isNotNull(),
        "recorded_address": F.col("address_raw").isNotNull(),
        "with_address": F.coalesce("paon", "street", "town").isNotNull(),
        **{f"filled_{name}": F.col(name).isNotNull() for name in further},
        "broken_letters": broken,
    }
    return persons.select(*[F.count_if(condition).alias(name) for name, condition in conditions.items()])


_ISSUES: Mapping[str, tuple[str, type[NameIssue] | type[DobIssue] | type[AddressIssue]]] = {
    "name": (NAME, NameIssue),
    "dob": (BORN, DobIssue),
    "address": (ADDRESS, AddressIssue),
}
"""Start of PERSON's column of issues -> the mapping's attribute, and the issues."""


def _issue(prefix: str) -> Column:
    """PERSON's issue of an attribute; null where the recorded postcode could be repaired."""
    issue = F.col(f"{prefix}_issue")
    if prefix != "address":
        return issue
    repaired = (issue == AddressIssue.BAD_POSTCODE.value) & F.col("postcode").isNotNull()
    return F.when(~F.coalesce(repaired, F.lit(False)), issue)


def find_issues(persons: DataFrame, side: str) -> DataFrame:
    """Values that count as unknown or as less, without those that are simply missing or could be repaired. Lazy.

    As many rows of each attribute and issue as ``issue_counts`` tells, but for those that are missing.

    Args:
        persons: of ``StandardFile``.
        side: 'left', 'right' or 'file'.

    Returns:
        ``side``, ``ref``, ``attribute`` (name, date_of_birth, address), ``issue`` (NameIssue, DobIssue, AddressIssue).
    """
    found = F.array(
        *[
            F.struct(F.lit(attribute).alias("attribute"), _issue(prefix).alias("issue"))
            for prefix, (attribute, _) in _ISSUES.items()
        ]
    )
    rows = persons.select(F.lit(side).alias("side"), F.col("person_ref").alias("ref"), F.explode(found).alias("found"))
    return rows.select("side", "ref", "found.*").where(F.col("issue") != DobIssue.MISSING.value)


def issue_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """``count_file``'s row -> records by 'attribute: issue', missing values among them; those that occur."""
    named = {
        f"{attribute}: {issue.value}": counts[f"{prefix}_{issue.value}"]
        for prefix, (attribute, kinds) in _ISSUES.items()
        for issue in kinds
    }
    return {name: records for name, records in named.items() if records}


def file_warnings(counts: Mapping[str, int], *, columns: Columns, file: str, country: Country) -> list[str]:
    """Sentences on what is empty or cannot be read, with the remedy; counts and column names only.

    Args:
        counts: the row of ``count_file``.
        columns: what is mapped.
        file: what messages call the file.
        country: how addresses are read.
    """
    records = counts["records"]
    if not records:
        return [f"{file}: no record is left to compare; look at the rows that were kept out"]
    found = [
        *_name_warnings(counts, columns, records),
        *_date_warnings(counts, columns, records),
        *(_british_warnings(counts, columns, records) if country == "GB" else ()),
        *_further_warnings(counts, columns, records),
    ]
    if counts["broken_letters"]:
        found.append(f"{counts['broken_letters']:,} records hold letters that are not UTF-8; export the file as UTF-8")
    return [f"{file}: {sentence}" for sentence in found]


def _empty(names: Collection[str], key: str, records: int) -> str:
    """A mapped column in which nothing usable stands."""
    return (
        f"column {', '.join(names)} ({key}) has no usable value in any of {records:,} records and is not compared; "
        "supply it, or correct the mapping"
    )


def _name_warnings(counts: Mapping[str, int], columns: Columns, records: int) -> list[str]:
    """Names that are never filled."""
    counted = {"given_names": "with_given", "surname": "with_surname", "full_name": "with_name"}
    mapped = {key: getattr(columns, key) for key in counted}
    return [_empty(names, key, records) for key, names in mapped.items() if names and not counts[counted[key]]]


def _date_warnings(counts: Mapping[str, int], columns: Columns, records: int) -> list[str]:
    """No date of birth at all, or many that cannot be read."""
    born = columns.date_of_birth
    if born is None:
        return ["no date of birth is mapped; records are compared without one"]
    names = born_columns(born)
    unread = counts[f"dob_{DobIssue.UNREADABLE.value}"]
    recorded = records - counts[f"dob_{DobIssue.MISSING.value}"]
    if not recorded:
        return [_empty(names, BORN, records)]
    found = []
    if unread >= max(1, MANY * recorded):
        formats = ", ".join(born.formats) if born.column else "day, month, year"
        stated = (
            "correct its format" if born.stated else 'state its format, as in { column = …, format = "MM/dd/yyyy" }'
        )
        remedy = stated if born.column else "correct the columns of its parts"
        found.append(
            f"{unread:,} of {recorded:,} dates of birth (column {', '.join(names)}) cannot be read as {formats}; {remedy}"
        )
    if not counts["with_full_date"] and not found:
        found.append(f"no full date of birth is known in {records:,} records (column {', '.join(names)})")
    return found


def _british_warnings(counts: Mapping[str, int], columns: Columns, records: int) -> list[str]:
    """British addresses that are never filled, or never British."""
    found = []
    if columns.postcode and not counts["recorded_postcode"]:
        found.append(_empty(columns.postcode, POSTCODE, records))
    elif columns.postcode and counts["with_postcode"] < (1 - GB_SHARE) * counts["recorded_postcode"]:
        found.append(
            f"{counts['with_postcode']:,} of {counts['recorded_postcode']:,} postcodes (column "
            f"{', '.join(columns.postcode)}) are British ones; state another country in the mapping if they are not"
        )
    place = (*columns.address, *columns.locality)
    if place and not counts["with_address"]:
        found.append(_empty(place, ADDRESS if columns.address else LOCALITY, records))
    return found


def _further_warnings(counts: Mapping[str, int], columns: Columns, records: int) -> list[str]:
    """Further columns that are never filled, each named by what it is made of."""
    sources = {
        "place_postcode": (POSTCODE, columns.postcode),
        "place_street": (ADDRESS, columns.address),
        "place_locality": (LOCALITY, columns.locality),
        **{f"extra_{extra.name}": (f"extra.{extra.name}", extra.column) for extra in columns.extras},
    }
    return [
        _empty(names, key, records)
        for name, (key, names) in sources.items()
        if names
        and counts.get(f"filled_{name}", 1) == 0
        and not (name == "place_street" and counts["filled_place_house"])
    ]
