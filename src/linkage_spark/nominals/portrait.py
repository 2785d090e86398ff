"""What a person looks like: every form of name, date of birth and address under which a nominal's records know them."""

from __future__ import annotations

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.nominals.records import is_police, record_id
from linkage_spark.tables.enums import AddressKind, DobIssue
from linkage_spark.tables.nominals import NOMINAL_PORTRAIT

NO_EVENT: Final[str] = ""
"""Category of a record that stands in no event."""

NO_FIXED_ABODE: Final[str] = "no fixed abode"

_EVENT_KEY = ("source_system", "event_ref")


def portrait(persons: DataFrame, involvements: DataFrame, events: DataFrame, member: DataFrame) -> DataFrame:
    """List the forms of each nominal, with how many records bear each and when it was seen.

    All forms stand side by side; none is chosen. A form counts in every category of data subject in which its
    record stands, and only there: what is known of a victim is not counted with what is known of a suspect. All
    variants of a record are forms of it. A value that is missing, or that standardising took for a placeholder, is
    no form; of a value that is known in part, the part is.

    Args:
        persons: PERSON; rows of the roster are left out, as are records that are no member.
        involvements: INVOLVEMENT.
        events: EVENT; an event that is missing counts, without a date.
        member: NOMINAL_MEMBER, quarantined ones too.

    Returns:
        NOMINAL_PORTRAIT. Records that stand in no event have the category '', no events and no dates.
    """
    borne = (
        _forms(persons)
        .join(member.select("record_id", "nominal_id"), on="record_id", how="inner")
        .join(_sightings(involvements, events), on="record_id", how="left")
        .withColumn("dpa_category", F.coalesce("dpa_category", F.lit(NO_EVENT)))
    )
    counted = borne.groupBy("nominal_id", "dpa_category", "attribute", "value").agg(
        F.count(F.lit(1)).cast("int").alias("records"),
        F.size(F.array_distinct(F.flatten(F.collect_list("events")))).alias("events"),
        F.min("first_seen").alias("first_seen"),
        F.max("last_seen").alias("last_seen"),
    )
    return NOMINAL_PORTRAIT.conform(counted)


def name_form() -> Column:
    """'GIVEN SURNAME' in standard form; null when neither is known."""
    return _line(" ", F.col("given_name"), F.col("surname"))


def date_of_birth_form() -> Column:
    """ISO date, '1980-05-??' for one known in part, '1985 or 1986' by a stated age; null when no year is known."""
    year = F.lpad(F.col("dob_year").cast("string"), 4, "0")
    either = F.concat(year, F.lit(" or "), (F.col("dob_year") + 1).cast("string"))
    partial = F.concat_ws("-", year, _two_digits("dob_month"), _two_digits("dob_day"))
    return (
        F.when(F.col("date_of_birth").isNotNull(), F.col("date_of_birth").cast("string"))
        .when(F.col("dob_year").isNull(), F.lit(None).cast("string"))
        .when(F.col("dob_issue") == DobIssue.STATED_AGE.value, either)
        .otherwise(partial)
    )


def address_form() -> Column:
    """Standard parts on one line, postcode last, '?' for what a partial one lacks; null when no part is known.

    An address of which only the property reference is known reads 'UPRN 100070000001'.
    """
    numbered = F.col("paon").rlike("^[0-9]")
    street = F.when(numbered, _line(" ", F.col("paon"), F.col("street"))).otherwise(
        _line(", ", F.col("paon"), F.col("street"))
    )
    postcode = F.coalesce(
        F.col("postcode"),
        F.concat(F.col("postcode_sector"), F.lit("??")),
        F.concat(F.col("postcode_district"), F.lit(" ???")),
    )
    abode = F.when(F.col("address_kind") == AddressKind.NO_FIXED_ABODE.value, F.lit(NO_FIXED_ABODE))
    parts = _line(", ", abode, F.col("saon"), street, F.col("locality"), F.col("town"), postcode)
    return F.coalesce(parts, F.concat(F.lit("UPRN "), F.col("uprn")))


def _forms(persons: DataFrame) -> DataFrame:
    """``record_id``, ``attribute``, ``value``: one row per police record and form, whatever its variants repeat."""
    of_variant = F.array(
        *[
            F.struct(F.lit(attribute).alias("attribute"), value.alias("value"))
            for attribute, value in (
                ("name", name_form()),
                ("date_of_birth", date_of_birth_form()),
                ("address", address_form()),
            )
        ]
    )
    known = F.filter(of_variant, lambda form: form["value"].isNotNull())
    return (
        persons.where(is_police())
        .groupBy(record_id().alias("record_id"))
        .agg(F.array_distinct(F.flatten(F.collect_list(known))).alias("forms"))
        .select("record_id", F.inline("forms"))
    )


def _sightings(involvements: DataFrame, events: DataFrame) -> DataFrame:
    """``record_id``, ``dpa_category``, ``events`` (keys), ``first_seen``, ``last_seen``: a record in one category."""
    dated = involvements.select(*_EVENT_KEY, "person_ref", "dpa_category").join(
        events.select(*_EVENT_KEY, "event_date"), on=list(_EVENT_KEY), how="left"
    )
    return dated.groupBy(record_id().alias("record_id"), "dpa_category").agg(
        F.collect_set(F.struct(*_EVENT_KEY)).alias("events"),
        F.min("event_date").alias("first_seen"),
        F.max("event_date").alias("last_seen"),
    )


def _line(separator: str, *parts: Column) -> Column:
    """The parts that are known in capitals, joined; null when none is."""
    return F.upper(F.nullif(F.concat_ws(separator, *parts), F.lit("")))


def _two_digits(name: str) -> Column:
    """A month or a day; '??' when it is not known."""
    return F.coalesce(F.lpad(F.col(name).cast("string"), 2, "0"), F.lit("??"))
