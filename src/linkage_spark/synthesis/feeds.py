"""The columns of every raw feed of the made-up force, as a force's systems would have them."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

_ADDRESS = ("FLAT_NO", "HOUSE_NO", "STREET", "LOCALITY", "TOWN", "POSTCODE", "UPRN")

FEEDS: Mapping[str, tuple[str, ...]] = {
    "hr/extract": (
        *("PERSON_NUMBER", "TITLE", "FIRST_NAME", "MIDDLE_NAMES", "LAST_NAME", "DATE_OF_BIRTH"),
        *("ADDRESS_LINE_1", "ADDRESS_LINE_2", "ADDRESS_LINE_3", "TOWN_OR_CITY", "POSTAL_CODE"),
        *("ASSIGNMENT_NUMBER", "PERSON_TYPE", "JOB", "TEAM", "START_DATE"),
    ),
    "crime/nominal": (
        *("NOMINAL_URN", "TITLE", "FORENAME_1", "FORENAME_2", "SURNAME", "DOB", "NOMINAL_TYPE", *_ADDRESS),
        *("CREATED_AT", "UPDATED_AT"),
    ),
    "crime/nominal_alias": (
        *("NOMINAL_URN", "ALIAS_SEQ", "ALIAS_KIND", "FORENAME_1", "FORENAME_2", "SURNAME", "DOB"),
        *("FLAT_NO", "HOUSE_NO", "STREET", "LOCALITY", "TOWN", "POSTCODE"),
    ),
    "crime/occurrence": (
        *("CRIME_NO", "OFFENCE_CODE", "OFFENCE_TITLE", "OCC_FROM", "OCC_TO", "REPORTED_AT", "RECORDED_AT"),
        *("UPDATED_AT", "CLOSING_CODE", "FLAGS", "FREE_TEXT"),
    ),
    "crime/involvement": ("CRIME_NO", "NOMINAL_URN", "ROLE", "OCCUPATION_DISCLOSED", "UPDATED_AT"),
    "crime/location": ("CRIME_NO", "LOC_SEQ", *_ADDRESS, "LOC_TYPE"),
    "custody/record": (
        *("CUSTODY_NO", "DETAINEE_NAME", "DETAINEE_DOB", "ADDRESS", "POSTCODE", "ARRIVED_AT", "RELEASED_AT"),
        *("OFFENCE_CODE", "OCCUPATION_DISCLOSED", "UPDATED_AT"),
    ),
    "intel/report": (
        *(
            "REPORT_NO",
            "GRADING_SCHEME",
            "SOURCE_EVAL",
            "INTEL_ASSESS",
            "HANDLING",
            "REPORT_DATE",
            "UPDATED_AT",
        ),
        *("SANITISED_TEXT", "MOPI_GROUP", "REVIEW_DATE"),
    ),
    "intel/subject": (
        "REPORT_NO",
        "SUBJECT_SEQ",
        "SUBJECT_NAME",
        "SUBJECT_DOB",
        "SUBJECT_ADDRESS",
        "SUBJECT_POSTCODE",
    ),
    "incident/log": (
        *(
            "LOG_NUMBER",
            "LOG_DATE",
            "OPEN_CODE",
            "CLOSE_CODE",
            "LOCATION_TEXT",
            "LOCATION_POSTCODE",
            "LOCATION_UPRN",
        ),
        *("LOCATION_KIND", "UPDATED"),
    ),
    "incident/person": (
        *(
            "LOG_NUMBER",
            "PERSON_SEQ",
            "PERSON_NAME",
            "PERSON_DOB",
            "PERSON_ADDRESS",
            "PERSON_POSTCODE",
            "PERSON_ROLE",
        ),
    ),
    "truth/employee": ("employee_id", "true_person_id", "naming_tradition"),
    "truth/person": (
        *(
            "source_system",
            "person_ref",
            "true_person_id",
            "error_classes",
            "naming_tradition",
            "hard_negative",
        ),
    ),
}
"""Columns by feed. Every value is made as text; ``TYPES`` says which are written as something else."""

FORMATS: Mapping[str, str] = {
    "hr": "csv",
    "crime": "delta",
    "custody": "parquet",
    "intel": "parquet",
    "incident": "csv",
}
"""Storage format by source; the truth is Parquet."""

_TIMES = (
    "CREATED_AT",
    "UPDATED_AT",
    "OCC_FROM",
    "OCC_TO",
    "REPORTED_AT",
    "RECORDED_AT",
    "ARRIVED_AT",
    "RELEASED_AT",
    "REPORT_DATE",
)

WIDEST = max(len(columns) for columns in FEEDS.values())
"""How many cells the widest feed has: every row travels as that many texts."""


def typed(feed: str) -> list[Column]:
    """A feed's columns out of the cells c0, c1, …, in the feed's own types."""
    return [_cell(feed, name, F.col(f"c{place}")).alias(name) for place, name in enumerate(FEEDS[feed])]


def _cell(feed: str, name: str, cell: Column) -> Column:
    if feed.startswith(("hr/", "incident/")):
        return cell
    if name in _TIMES:
        return F.try_to_timestamp(cell)
    if name in ("ALIAS_SEQ", "LOC_SEQ", "SUBJECT_SEQ"):
        return cell.cast("int")
    if name == "REVIEW_DATE":
        return F.try_to_timestamp(cell).cast("date")
    if name == "true_person_id":
        return cell.cast("long")
    if name == "error_classes":
        return F.when(cell == "", F.array().cast("array<string>")).otherwise(F.split(cell, ","))
    return F.when(cell != "", cell) if feed.startswith("truth/") else cell
