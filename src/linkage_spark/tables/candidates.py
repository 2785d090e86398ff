"""The frames between blocking, comparison and decision. They live inside one run and are never published."""

from __future__ import annotations

from collections.abc import Sequence

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.linkage import LINK, LINK_WEIGHTS
from linkage_spark.tables.types import BOOLEAN, INT, LONG, STRING

COMPARED_COLUMNS: tuple[str, ...] = (
    "source_system",
    "person_ref",
    "variant_no",
    "given_tokens",
    "surname_tokens",
    "given_name",
    "surname",
    "given_first",
    "surname_last",
    "given_sound",
    "surname_sound",
    "date_of_birth",
    "dob_year",
    "dob_month",
    "dob_day",
    "saon",
    "paon",
    "street",
    "town",
    "postcode",
    "postcode_sector",
    "postcode_district",
    "uprn",
    "premises_key",
    "address_kind",
    "on_duty_sign",
    "name_issue",
    "dob_issue",
    "address_issue",
)
"""Columns of PERSON that a candidate pair carries, suffixed ``_l`` and ``_r``, beside ``rule_mask``. In an analyst's file
the further attributes stand beside them."""

BARRED_COLUMNS: tuple[str, ...] = (
    "employment_type",
    "role",
    "role_raw",
    "role_title",
    "team",
    "start_date",
    "assignment_no",
    "employee_id",
    "collar_number",
    "title_tokens",
    "sex",
    "gender",
    "ethnicity",
    "religion",
    "nationality",
    "naming_tradition",
    "pnc_id",
    "cro",
    "identifier",
    "identifier_raw",
)
"""What may never reach a screening rule, comparison or model (000-09, 000-13)."""

_FROM_LINK = (
    "employee_id",
    "source_system",
    "person_ref",
    "employee_variant_no",
    "person_variant_no",
    "rule_mask",
    "match_weight_millibits",
    *LINK_WEIGHTS,
    "level_name",
    "level_given",
    "level_surname",
    "level_date_of_birth",
    "level_address",
    "same_premises",
    "twin_pattern",
    "sex_marked_conflict",
    "rare_name",
    "on_duty_sign",
    "quality_name",
    "quality_date_of_birth",
    "quality_address",
)

SCORED_PAIR = TableContract(
    name="scored_pair",
    row="One candidate pair of variants with its levels and weights, above the model's floor.",
    key=("employee_id", "employee_variant_no", "source_system", "person_ref", "person_variant_no"),
    fields=(
        *(column for name in _FROM_LINK for column in LINK.fields if column.name == name),
        Field("dob_full", BOOLEAN, "Both dates of birth are full and equal.", required=True),
        Field(
            "dob_near",
            BOOLEAN,
            "Dates differ by a slip that writing explains: swap, one digit, transposition, century.",
            required=True,
        ),
        Field(
            "dob_contradicts",
            BOOLEAN,
            "Both years are known and no date level explains the difference.",
            required=True,
        ),
        Field("name_whole", BOOLEAN, "Given and surname parts agree, variants and order allowed.", required=True),
        Field("forename_agrees", BOOLEAN, "The given part agrees, variants and prefixes allowed.", required=True),
        Field("forename_differs", BOOLEAN, "Both have given names and none agrees.", required=True),
        Field("surname_agrees", BOOLEAN, "The surname part agrees, variants allowed.", required=True),
        Field(
            "same_postcode",
            BOOLEAN,
            "Both full postcodes are equal and both addresses are dwellings.",
            required=True,
        ),
        Field(
            "rare_surname",
            BOOLEAN,
            "The agreeing surname has fewer bearers than the model's limit.",
            required=True,
        ),
        Field("person_dob_year", INT, "Year of birth of the police record; null when unknown."),
        Field("person_dob_month", INT, "Its month; null when unknown."),
        Field("person_dob_day", INT, "Its day; null when unknown."),
        Field(
            "evidence_values",
            STRING,
            "Standard forms of the compared values, order-free; personal data.",
            required=True,
        ),
        Field(
            "frequency_one_in",
            LONG,
            "About one in this many person records bears the agreeing name; null when unknown or rarer than counted.",
        ),
    ),
)


def scored_pair_of(further: Sequence[str]) -> TableContract:
    """SCORED_PAIR with the level and weight of further attributes; itself where there are none.

    Args:
        further: columns of the further attributes, in the model's order.
    """
    if not further:
        return SCORED_PAIR
    columns = [
        column
        for name in further
        for column in (
            Field(f"level_{name}", STRING, f"Comparison level of {name}.", required=True),
            Field(
                f"weight_{name}",
                LONG,
                f"Weight of {name}, its correction for rare and common values included, 1/1000 bit.",
                required=True,
            ),
        )
    ]
    return TableContract(SCORED_PAIR.name, SCORED_PAIR.row, SCORED_PAIR.key, (*SCORED_PAIR.fields, *columns))
