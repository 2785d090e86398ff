"""Feeds -> PERSON, EMPLOYEE and ASSIGNMENT: police persons with their variants, and the roster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType
from pyspark.sql.window import Window

from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import FeedMapping, Produces, SourceMapping
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.forming import ADDRESS_INPUTS, Reading, form_persons
from linkage_spark.standardise.rows import judge_rows, keep_newest, kept, open_rows, union_rows
from linkage_spark.tables.canonical import ASSIGNMENT, EMPLOYEE, PERSON
from linkage_spark.tables.enums import RefusalReason, VariantKind
from linkage_spark.tables.types import STRING

_NAME_INPUTS = ("title", "given", "surname_in", "name")
INPUTS = (*_NAME_INPUTS, "born", *ADDRESS_INPUTS)
_PLACE_INPUTS = {
    "flat": "flat",
    "house": "house",
    "street": "street_in",
    "locality": "locality_in",
    "town": "town_in",
    "address": "box",
    "postcode": "postcode_in",
    "uprn": "uprn_in",
}
_CARRIED = ("source_system", "person_ref", "variant_no", "variant_kind", "source_version")
_SEPARATOR = "\x1f"


def judge_persons(feeds: Mapping[str, DataFrame], source: SourceMapping) -> DataFrame | None:
    """Every person row of a police source with its reason for refusal, variants filled from their record.

    One shuffle by person_ref serves both the newest version of every key and the filling in.
    """
    blocks = person_blocks(feeds, source)
    frames = [_read_rows(feeds[feed.key], feed, block, number) for number, feed, block in blocks]
    rows = union_rows(frames)
    if rows is None:
        return None
    rows = keep_newest(_by_person(rows), ("person_ref", "variant_no"))
    if not any(block.is_variant for _, _, block in blocks):
        return _refuse_organisations(rows, F.col("is_person"))
    is_record, of_person = F.col("variant_no") == 0, Window.partitionBy("person_ref")
    record = F.when(F.col("reason").isNull() & is_record, F.struct(F.lit(True).alias("found"), "is_person", *INPUTS))
    rows = rows.withColumns(
        {
            "record": F.max(record).over(of_person),
            "record_gone": F.max(F.when(is_record, F.col("gone"))).over(of_person),
        }
    )
    rows = _refuse_organisations(rows, F.coalesce(F.col("record.is_person"), F.lit(True)))
    parted = F.col("record").isNull() & F.col("person_ref").isNotNull()
    orphan = F.col("reason").isNull() & F.col("record").isNull()
    rows = rows.withColumns(
        {
            "reason": F.when(orphan, F.lit(RefusalReason.UNKNOWN_PERSON.value)).otherwise(F.col("reason")),
            "gone": F.coalesce("gone", F.when(parted, F.col("record_gone"))),
        }
    )
    return _fill_variants(rows).drop("record", "record_gone")


def _by_person(rows: DataFrame) -> DataFrame:
    """Rows by person, in as many partitions as a shuffle has.

    A stated number is kept as it is, where adaptive execution would put small rows into one partition
    and leave all the string work after it to one core.
    """
    partitions = int(rows.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    return rows.repartition(partitions, "person_ref")


def form_police(
    judged: Mapping[str, DataFrame],
    feeds: Mapping[str, DataFrame],
    sources: tuple[SourceMapping, ...],
    *,
    reference: Reference,
    as_of: date | None,
) -> DataFrame | None:
    """Judged person rows of all police sources -> PERSON, in one Python pass."""
    rows = union_rows(kept(frame).select("reading", *_CARRIED, *INPUTS) for frame in judged.values())
    if rows is None:
        return None
    readings = {key: way for source in sources for key, way in _readings(feeds, source).items()}
    return form_persons(_with_raw(rows), PERSON.schema, readings=readings, reference=reference, as_of=as_of)


def person_blocks(feeds: Mapping[str, DataFrame], source: SourceMapping) -> list[tuple[int, FeedMapping, Produces]]:
    """The blocks that make persons, of the feeds that are there: (number, feed, block)."""
    listed = [(feed, block) for feed in source.feeds.values() for block in feed.produces if feed.key in feeds]
    return [(number, feed, block) for number, (feed, block) in enumerate(listed) if block.table == "person"]


def _readings(feeds: Mapping[str, DataFrame], source: SourceMapping) -> dict[str, Reading]:
    """How each block is read; a variant may hold its record's date, so it knows the formats of both."""
    blocks = person_blocks(feeds, source)
    all_formats = [form for _, _, block in blocks for form in block.date_formats]
    return {
        f"{source.source_system}.{number}": Reading(
            date_formats=tuple(dict.fromkeys([*block.date_formats, *all_formats])),
            surname_first=block.name_order == "surname_first",
            roster=source.roster,
        )
        for number, _, block in blocks
    }


def person_inputs(frame: DataFrame, block: Produces, reading: str) -> dict[str, Column]:
    """The inputs of one block as columns; null where the block or the feed has none."""
    nothing = F.lit(None).cast("string")

    def given(name: str, separator: str) -> Column:
        names = [column for column in block.columns.get(name, ()) if column in frame.columns]
        return C.joined(names, separator) if names else nothing

    born = given("date_of_birth", " ")
    if "age" in block.columns:
        born = C.with_age(born, given("age", " "), given("age_as_of", " "))
    return {
        "reading": F.lit(reading),
        "title": given("title", " "),
        "given": given("given", " "),
        "surname_in": given("surname", " "),
        "name": given("name", " "),
        "born": born,
        **{to: given(name, ", ") for name, to in _PLACE_INPUTS.items()},
    }


def _read_rows(frame: DataFrame, feed: FeedMapping, block: Produces, number: int) -> DataFrame:
    """One block's rows with what speaks against each on its own."""
    if block.skip_when_empty:
        frame = frame.where(F.coalesce(*[C.text(name) for name in block.skip_when_empty]).isNotNull())
    reading = f"{feed.source_system}.{number}"
    kind = block.columns.get("person_kind")
    is_person = F.lit(True)
    if kind and kind[0] in frame.columns:
        stated = C.looked_up(C.text(kind[0]), {raw: str(to) for raw, to in block.person_kinds.items()})
        is_person = F.coalesce(stated != "not_a_person", F.lit(True))
    rows = open_rows(
        frame,
        feed,
        block,
        {
            "person_ref": C.key(block.columns["person_ref"]),
            "variant_no": _variant_no(block),
            "variant_kind": _variant_kind(block),
            "is_person": is_person,
            **person_inputs(frame, block, reading),
        },
    )
    at_key = F.lit(", ".join(block.columns["person_ref"]))
    checks = [(F.col("person_ref").isNull(), RefusalReason.MISSING_KEY, at_key)]
    if "variant_no" in block.columns:
        wrong = F.col("variant_no").isNull() | (F.col("variant_no") < 1)
        checks.append((wrong, RefusalReason.WRONG_TYPE, F.lit(block.columns["variant_no"][0])))
    return judge_rows(rows, checks)


def _variant_no(block: Produces) -> Column:
    """0 for the record itself."""
    if "variant_no" in block.columns:
        return C.whole_number(block.columns["variant_no"][0])
    return F.lit(int(block.constants.get("variant_no", 0))).cast("int")


def _variant_kind(block: Produces) -> Column:
    """VariantKind; a variant of an unlisted kind is an alias."""
    if "variant_kind" in block.columns:
        listed = C.looked_up(C.text(block.columns["variant_kind"][0]), block.variant_kinds)
        return F.coalesce(listed.cast("string"), F.lit(VariantKind.ALIAS.value))
    usual = VariantKind.ALIAS if block.is_variant else VariantKind.RECORDED
    return F.lit(str(block.constants.get("variant_kind", usual.value)))


def _refuse_organisations(rows: DataFrame, is_person: Column) -> DataFrame:
    """Organisations and Rex are no persons."""
    reason = F.when(F.col("reason").isNull() & ~is_person, F.lit(RefusalReason.NOT_A_PERSON.value))
    return rows.withColumn("reason", F.coalesce(F.col("reason"), reason))


def _fill_variants(rows: DataFrame) -> DataFrame:
    """A variant holds only what differs; the rest is its record's: given names, surname, date, address."""
    further = F.col("variant_no") > 0
    boxed = F.col("name").isNotNull()
    no_place = F.lit(True)
    for name in ADDRESS_INPUTS:
        no_place = no_place & F.col(name).isNull()
    missing = {
        **{name: F.col(name).isNull() & ~boxed for name in ("title", "given", "surname_in")},
        "name": ~boxed & F.col("given").isNull() & F.col("surname_in").isNull(),
        "born": F.col("born").isNull(),
        **dict.fromkeys(ADDRESS_INPUTS, no_place),
    }
    return rows.withColumns(
        {
            name: F.when(further & absent, F.col(f"record.{name}")).otherwise(F.col(name))
            for name, absent in missing.items()
        }
    )


def _with_raw(rows: DataFrame) -> DataFrame:
    """Add the texts as recorded."""

    def together(separator: str, *names: str) -> Column:
        return F.nullif(F.concat_ws(separator, *names), F.lit(""))

    return rows.withColumns(
        {
            "name_raw": together(" ", "title", "given", "surname_in", "name"),
            "date_of_birth_raw": F.col("born"),
            "address_raw": together(", ", "flat", "house", "street_in", "box", "locality_in", "town_in"),
            "postcode_raw": F.col("postcode_in"),
        }
    )


# ---- the roster --------------------------------------------------------------------------------------------


def judge_roster(
    feeds: Mapping[str, DataFrame], source: SourceMapping, *, reference: Reference, as_of: date | None
) -> tuple[DataFrame, DataFrame]:
    """HR rows -> (judged assignment rows, PERSON of every kept employee).

    A row of the roster is an assignment. All rows of an employee are refused when their name, date of
    birth or address differ in standard form; otherwise they are one PERSON and as many ASSIGNMENTs.
    """
    feed, block = next((f, b) for f in source.feeds.values() for b in f.produces if b.table == "assignment")
    key = ("employee_id", "assignment_no")
    opened = _read_assignments(feeds, feed, block, source)
    rows = keep_newest(opened, key)
    # Rows of one version that differ contend with each other: no hash may choose who an employee is.
    newest = F.max("source_version").over(Window.partitionBy(*key))
    contending = (
        kept(opened).withColumn("newest", newest).where("source_version = newest and gone is null").drop("newest")
    )
    formed = _form_roster(contending, feeds, source, reference=reference, as_of=as_of)
    identity = F.concat_ws(_SEPARATOR, *[F.coalesce(column, F.lit("")) for column in _identity()])
    conflicts = (
        formed.where(F.col("variant_no") == 0)
        .groupBy("person_ref")
        .agg(F.min(identity).alias("least"), F.max(identity).alias("most"))
        .where(F.col("least") != F.col("most"))
        .select(F.col("person_ref").alias("employee_id"), F.lit(True).alias("conflict"))
    )
    judged = rows.join(F.broadcast(conflicts), on="employee_id", how="left")
    conflicting, superseded = RefusalReason.CONFLICTING_ROSTER_ROWS.value, RefusalReason.SUPERSEDED_VERSION.value
    judged = judged.withColumn(
        "reason",
        F.when(
            F.col("conflict") & (F.col("reason").isNull() | (F.col("reason") == superseded)), F.lit(conflicting)
        ).otherwise(F.col("reason")),
    ).drop("conflict")
    sound = formed.join(F.broadcast(conflicts), formed.person_ref == conflicts.employee_id, "left_anti")
    first = Window.partitionBy("person_ref", "variant_no").orderBy(
        "assignment_no", "name_raw", "address_raw", "postcode_raw"
    )
    person = sound.withColumn("place", F.row_number().over(first)).where(F.col("place") == 1)
    return judged, PERSON.conform(person)


def form_assignments(judged: DataFrame) -> DataFrame:
    """Kept roster rows -> ASSIGNMENT."""
    return ASSIGNMENT.conform(kept(judged))


def form_employees(assignments: DataFrame) -> DataFrame:
    """ASSIGNMENT -> EMPLOYEE: the first assignment (by start, then number) says type, role and team."""
    order = Window.partitionBy("employee_id").orderBy(F.col("start_date").asc_nulls_last(), "assignment_no")
    whole = Window.partitionBy("employee_id")
    counted = assignments.withColumns(
        {
            "place": F.row_number().over(order),
            "assignment_count": F.count("*").over(whole).cast("int"),
            "start_date": F.min("start_date").over(whole),
        }
    )
    return EMPLOYEE.conform(counted.where(F.col("place") == 1))


def _read_assignments(
    feeds: Mapping[str, DataFrame], feed: FeedMapping, block: Produces, source: SourceMapping
) -> DataFrame:
    """Roster rows with assignment and person inputs side by side."""
    frame = feeds[feed.key]

    def optional(name: str) -> Column:
        names = [column for column in block.columns.get(name, ()) if column in frame.columns]
        return C.joined(names, " ") if names else F.lit(None).cast("string")

    if "employment_type" in block.columns:
        kind = C.looked_up(C.text(block.columns["employment_type"][0]), block.employment_types).cast("string")
    else:
        kind = F.lit(str(block.constants["employment_type"]))
    start = block.columns.get("start_date")
    inputs: dict[str, Column] = {
        "employee_id": C.key(block.columns["employee_id"]),
        "assignment_no": C.key(block.columns["assignment_no"]),
        "employment_type": kind,
        "role_title": optional("role_title"),
        "team": optional("team"),
        "start_date": C.day(frame, start[0], block) if start else F.lit(None).cast("date"),
    }
    for number, person_feed, person in person_blocks(feeds, source):
        if person_feed.key == feed.key:
            reading = f"{source.source_system}.{number}"
            inputs[f"person_{number}"] = F.struct(
                *[column.alias(name) for name, column in person_inputs(frame, person, reading).items()]
            )
    rows = open_rows(frame, feed, block, inputs)
    keys = [*block.columns["employee_id"], *block.columns["assignment_no"]]
    checks = [
        (
            F.col("employee_id").isNull() | F.col("assignment_no").isNull(),
            RefusalReason.MISSING_KEY,
            F.lit(", ".join(keys)),
        ),
        (
            F.col("employment_type").isNull(),
            RefusalReason.UNKNOWN_VALUE,
            F.lit(", ".join(block.columns.get("employment_type", ()))),
        ),
    ]
    return judge_rows(rows, checks)


def _form_roster(
    rows: DataFrame,
    feeds: Mapping[str, DataFrame],
    source: SourceMapping,
    *,
    reference: Reference,
    as_of: date | None,
) -> DataFrame:
    """PERSON with assignment_no, one row per assignment and variant, in one Python pass."""
    parts = []
    for number, _, block in person_blocks(feeds, source):
        part = rows.select(
            "source_system",
            F.col("employee_id").alias("person_ref"),
            "assignment_no",
            F.lit(int(block.constants.get("variant_no", 0))).cast("int").alias("variant_no"),
            _variant_kind(block).alias("variant_kind"),
            "source_version",
            f"person_{number}.*",
        )
        parts.append(part if not block.is_variant else _known_as(part, rows, number, feeds, source))
    listed = union_rows(parts)
    assert listed is not None
    schema = StructType([*PERSON.schema.fields, StructField("assignment_no", STRING, True)])
    readings = _readings(feeds, source)
    return form_persons(_with_raw(listed), schema, readings=readings, reference=reference, as_of=as_of)


def _known_as(
    part: DataFrame, rows: DataFrame, number: int, feeds: Mapping[str, DataFrame], source: SourceMapping
) -> DataFrame:
    """A further name of the roster: only where it is filled; what it lacks is the record's."""
    base = next(n for n, _, block in person_blocks(feeds, source) if not block.is_variant)
    both = rows.select(
        "employee_id",
        "assignment_no",
        F.col(f"person_{number}").alias("own"),
        F.col(f"person_{base}").alias("record"),
    )
    filled = both.where(F.coalesce("own.given", "own.surname_in", "own.name").isNotNull())
    completed = filled.select(
        F.col("employee_id").alias("person_ref"),
        "assignment_no",
        F.col("own.reading").alias("reading"),
        *[F.coalesce(f"own.{name}", f"record.{name}").alias(name) for name in INPUTS],
    )
    heads = part.select("source_system", "person_ref", "assignment_no", "variant_no", "variant_kind", "source_version")
    return heads.join(completed, on=["person_ref", "assignment_no"])


def _identity() -> list[Column]:
    """What two rows of one employee must agree on."""
    no_number = F.when(F.col("paon").isNull(), F.coalesce(F.col("street"), F.col("address_raw")))
    return [
        F.col("given_name"),
        F.col("surname"),
        *[F.col(name).cast("string") for name in ("dob_year", "dob_month", "dob_day")],
        F.coalesce(F.col("postcode"), F.upper(F.col("postcode_raw"))),
        F.col("paon"),
        F.col("saon"),
        no_number,
    ]
