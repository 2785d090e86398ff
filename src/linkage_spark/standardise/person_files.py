"""An analyst's person file -> PERSON and further columns, and the rows that were kept out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, DoubleType, FloatType, StructField, StructType
from pyspark.sql.window import Window

from linkage_spark.model.schema import EXTRA_PREFIX
from linkage_spark.reference.standard import Reference
from linkage_spark.settings.mapping import Columns
from linkage_spark.settings.mapping_keys import ADDRESS, BORN, LOCALITY, NAME, POSTCODE
from linkage_spark.standardise.forming import ADDRESS_INPUTS, Reading, form_persons
from linkage_spark.standardise.inputs import with_age
from linkage_spark.standardise.person_file_columns import (
    Country,
    add_extras,
    add_places,
    further_columns,
)
from linkage_spark.standardise.person_file_dates import (
    born_columns,
    fill_early,
    formats_of,
    join_parts,
    whole_text,
    without_age,
)
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import NameIssue, RefusalReason, VariantKind
from linkage_spark.tables.types import STRING

REFUSED_COLUMNS: tuple[str, ...] = ("side", "row", "ref", "reason", "detail")
"""side; number of the row in a CSV, the first below the header is 1 and blank lines do not count, null for Parquet; ref as recorded, null when
missing; FileRefusal; the columns at fault, or null."""

_BORN = "born_text"
_ROW = "row_no"
_BLANKS = r" \t\r\n\u00a0"
_TEXT_KEYS = ("given_names", "surname", "full_name", "address", "locality", "postcode")


class FileRefusal(StrEnum):
    """Why a row of a person file was kept out."""

    MISSING_KEY = RefusalReason.MISSING_KEY.value
    DUPLICATE_ROW = RefusalReason.DUPLICATE_ROW.value
    CONFLICTING_ROWS = "conflicting_rows"


@dataclass(frozen=True)
class StandardFile:
    """A person file in standard form. Rows of the file = rows of persons + rows of refused.

    Attributes:
        persons: PERSON's columns in order, then ``further_columns``; one row per ref.
        refused: REFUSED_COLUMNS, one row per row that was kept out.
    """

    persons: DataFrame
    refused: DataFrame


def standardise_person_file(
    frame: DataFrame,
    *,
    columns: Columns,
    attributes: Collection[str],
    side: str,
    country: Country,
    reference: Reference,
    as_of: date | None,
    numbered: bool = False,
) -> StandardFile:
    """Bring a person file into standard form. Lazy; one shuffle by ref and one Python pass.

    A row without a ref is refused. Of rows that agree in every mapped column one is kept; when rows of one
    ref differ in any, all of them are refused, since nothing says which is right. Every kept row takes part
    in the comparison: ``not_screened_reason`` is null and ``on_duty_sign`` false. Without a British address
    PERSON's address columns are empty. What is not mapped has no issue; a single name has none where one part is mapped. Numbers in a Parquet file are read as text, whole ones without
    decimals.

    Args:
        frame: the file as ``read_person_file`` gives it; ``columns`` are all there (``missing_columns``).
        columns: what the file's columns mean, from ``settings.mapping.side``.
        attributes: what makes further columns; for linking, what both files have.
        side: 'left', 'right' or 'file'; becomes source_system.
        country: 'GB' or 'plain', from ``choose_country``.
        reference: names, placeholders, streets, postcodes.
        as_of: latest date of birth that is accepted; None for no upper limit.
        numbered: refused rows tell their number; for a frame that lies in one partition, as one CSV file does, since
            line ends may stand in its values.
    """
    texts = _read_texts(frame, columns, numbered)
    judged = _judge(texts)
    kept = judged.where(F.col("reason").isNull())
    further = further_columns(attributes, country)
    inputs = _inputs(kept, columns, further, side=side, country=country, reference=reference)
    carried = [StructField(name, STRING, True) for name in (*further, _BORN)]
    formats = formats_of(columns.date_of_birth)
    reading = Reading(date_formats=formats, surname_first=False, roster=True)
    schema = StructType([*PERSON.schema.fields, *carried])
    formed = form_persons(inputs, schema, readings={side: reading}, reference=reference, as_of=as_of)
    nothing = F.lit(None).cast("string")
    unasked = [issue for issue, at in _ISSUES.items() if not at & columns.attributes]
    unasked += ["address_issue"] if country != "GB" else []
    taking_part = formed.withColumns(dict.fromkeys(["not_screened_reason", *unasked], nothing))
    if not columns.full_name and not (columns.given_names and columns.surname):
        single = F.col("name_issue") == NameIssue.SINGLE_TOKEN.value
        taking_part = taking_part.withColumn("name_issue", F.when(~single, F.col("name_issue")))
    persons = fill_early(taking_part, _BORN, formats).select(*PERSON.names, *further)
    return StandardFile(persons=persons, refused=_refuse(judged, columns, side))


_ISSUES: Mapping[str, frozenset[str]] = {
    "name_issue": frozenset({NAME}),
    "dob_issue": frozenset({BORN}),
    "address_issue": frozenset({ADDRESS, LOCALITY, POSTCODE}),
}
"""What an issue is about: where none of it is mapped, nothing is missing."""


def count_refused(refused: DataFrame) -> DataFrame:
    """Rows kept out by reason: reason, rows. Lazy."""
    return refused.groupBy("reason").agg(F.count(F.lit(1)).alias("rows")).orderBy("reason")


def read_text(frame: DataFrame, names: Collection[str], separator: str = " ") -> Column:
    """Columns as one trimmed text, empty ones left out; null when all are empty or there is none."""
    if not names:
        return F.lit(None).cast("string")
    cells = [_cell(name, kind) for name in names for kind in [_type_of(frame, name)]]
    return cells[0] if len(cells) == 1 else F.nullif(F.concat_ws(separator, *cells), F.lit(""))


def _read_texts(frame: DataFrame, columns: Columns, numbered: bool) -> DataFrame:
    """The mapped columns as texts, named by the mapping's keys; person_ref is null when any part is empty.

    Beside them the row's number, which nothing but the list of refused rows depends on.
    """
    parts = [read_text(frame, [name]) for name in columns.ref]
    texts: dict[str, Column] = {"person_ref": F.concat(*[cell for part in parts for cell in (F.lit(" "), part)][1:])}
    texts |= {key: read_text(frame, getattr(columns, key), _separator(key)) for key in _TEXT_KEYS}
    born = columns.date_of_birth
    if born and born.column:
        texts["born_raw"] = read_text(frame, born.column)
        texts["born"] = whole_text(texts["born_raw"], born.formats)
    elif born and born.year:
        day, month, year = (read_text(frame, names) for names in (born.day, born.month, born.year))
        texts["born_raw"] = F.nullif(F.concat_ws("-", year, month, day), F.lit(""))
        texts["born"] = join_parts(day, month, year)
    else:
        texts["born_raw"] = texts["born"] = F.lit(None).cast("string")
    if born and born.age:
        age, as_of = read_text(frame, born.age), read_text(frame, born.age_as_of)
        texts |= {name: with_age(texts[name], age, as_of) for name in ("born_raw", "born")}
    texts |= {f"{EXTRA_PREFIX}{extra.name}": read_text(frame, extra.column) for extra in columns.extras}
    row = F.monotonically_increasing_id() + F.lit(1) if numbered else F.lit(None).cast("long")
    return frame.select(*[text.alias(name) for name, text in texts.items()], row.alias(_ROW))


def _separator(key: str) -> str:
    """What joins several columns of one key."""
    return ", " if key == "address" else " "


def _cell(name: str, kind: DataType) -> Column:
    """One column as trimmed text; null when it is empty or not a number. Whole numbers have no decimals."""
    quoted = f"`{name.replace('`', '``')}`"
    plain = f"cast({quoted} as string)"
    if isinstance(kind, DoubleType | FloatType | DecimalType):
        number = f"cast({quoted} as double)"
        whole = f"abs({number}) < 1e15 and {number} = floor({number})"
        plain = f"case when isnan({number}) then null when {whole} then cast(cast({number} as bigint) as string) else {plain} end"
    return F.expr(f"nullif(trim(both '{_BLANKS}' from {plain}), '')")


def _type_of(frame: DataFrame, name: str) -> DataType:
    """A column's type."""
    return next(field.dataType for field in frame.schema.fields if field.name == name)


def _judge(texts: DataFrame) -> DataFrame:
    """Add content (a hash of all texts) and reason (FileRefusal, null for a kept row).

    A stated number of partitions is kept as it is, where adaptive execution would put small rows into one
    and leave all the string work after it to one core; an unsplittable file is spread here.
    """
    partitions = int(texts.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    content = F.xxhash64(*[F.coalesce(F.col(name), F.lit("\x00")) for name in texts.columns if name != _ROW])
    rows = texts.withColumn("content", content).repartition(partitions, "person_ref")
    same_ref = Window.partitionBy("person_ref")
    rows = rows.withColumns(
        {
            "least": F.min("content").over(same_ref),
            "most": F.max("content").over(same_ref),
            "copy": F.row_number().over(same_ref.orderBy("content", _ROW)),
        }
    )
    reason = (
        F.when(F.col("person_ref").isNull(), F.lit(FileRefusal.MISSING_KEY.value))
        .when(F.col("least") != F.col("most"), F.lit(FileRefusal.CONFLICTING_ROWS.value))
        .when(F.col("copy") > 1, F.lit(FileRefusal.DUPLICATE_ROW.value))
    )
    return rows.withColumn("reason", reason).drop("least", "most", "copy")


def _inputs(
    kept: DataFrame,
    columns: Columns,
    further: Collection[str],
    *,
    side: str,
    country: Country,
    reference: Reference,
) -> DataFrame:
    """What ``form_persons`` reads, and what it carries along."""
    nothing = F.lit(None).cast("string")
    address: Mapping[str, Column] = {
        "box": F.col("address"),
        "town_in": F.col("locality"),
        "postcode_in": F.col("postcode"),
    }
    british = dict(address) if country == "GB" else {}
    kept = add_extras(add_places(kept, reference), columns.extras, reference)
    inputs: dict[str, Column] = {
        "reading": F.lit(side),
        "source_system": F.lit(side),
        "person_ref": F.col("person_ref"),
        "variant_no": F.lit(0),
        "variant_kind": F.lit(VariantKind.RECORDED.value),
        "source_version": F.lit(0).cast("long"),
        "title": nothing,
        "given": F.col("given_names"),
        "surname_in": F.col("surname"),
        "name": F.col("full_name"),
        "born": F.col("born"),
        **{name: british.get(name, nothing) for name in ADDRESS_INPUTS},
        "name_raw": F.nullif(F.concat_ws(" ", "given_names", "surname", "full_name"), F.lit("")),
        "date_of_birth_raw": F.col("born_raw"),
        "address_raw": F.nullif(F.concat_ws(", ", "address", "locality"), F.lit("")) if british else nothing,
        "postcode_raw": british.get("postcode_in", nothing),
        **{name: F.col(name) for name in further},
        _BORN: without_age(F.col("born")),
    }
    return kept.select(*[column.alias(name) for name, column in inputs.items()])


def _refuse(judged: DataFrame, columns: Columns, side: str) -> DataFrame:
    """REFUSED_COLUMNS of the rows kept out; of rows in conflict, the mapped columns that differ."""
    rows = judged.where(F.col("reason").isNotNull())
    same_ref = Window.partitionBy("person_ref", "reason")
    differing = []
    for key, names in _compared(columns).items():
        value = F.coalesce(F.col(key), F.lit("\x00"))
        label = F.lit(", ".join(names))
        differing.append(F.when(F.min(value).over(same_ref) != F.max(value).over(same_ref), label))
    at_conflict = F.concat_ws(", ", *differing) if differing else F.lit(None).cast("string")
    detail = F.when(F.col("reason") == FileRefusal.MISSING_KEY.value, F.lit(", ".join(columns.ref))).when(
        F.col("reason") == FileRefusal.CONFLICTING_ROWS.value, at_conflict
    )
    said = (F.lit(side), F.col(_ROW), F.col("person_ref"), F.col("reason"), detail)
    return rows.select(*[value.alias(name) for name, value in zip(REFUSED_COLUMNS, said, strict=True)])


def _compared(columns: Columns) -> dict[str, tuple[str, ...]]:
    """Text column of ``_read_texts`` -> the file's columns that it comes from."""
    born = columns.date_of_birth
    found = {key: getattr(columns, key) for key in _TEXT_KEYS}
    found["born_raw"] = born_columns(born)
    found |= {f"{EXTRA_PREFIX}{extra.name}": extra.column for extra in columns.extras}
    return {key: names for key, names in found.items() if names}
