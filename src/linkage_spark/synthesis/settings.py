"""The made-up force's settings, frozen and validated."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from linkage_spark.settings.files import Frozen, read_toml, validate

Rates = dict[str, float]

NEEDED: dict[str, frozenset[str]] = {
    "households": frozenset(
        {"single", "couple", "couple_with_children", "single_parent", "multi_generation", "shared_house"}
    ),
    "family": frozenset(
        {
            *("same_street_family", "same_street_family_close", "twin_birth", "same_name_son"),
            *("surname_at_marriage", "moved_in_last_years"),
        }
    ),
    "appearances": frozenset(
        {
            *("victim", "witness", "suspect", "offender", "detained", "additional_relevant"),
            *("intelligence_subject", "incident_person", "on_duty", "home_incident"),
        }
    ),
    "systems": frozenset({"crime", "incident", "intel", "custody"}),
    "errors": frozenset(
        {
            *("typo_surname", "typo_given", "garbled", "swapped_names", "nickname", "other_given_name"),
            *(
                "initials_only",
                "no_middle_name",
                "title",
                "transliteration",
                "letters_dropped",
                "day_month_swap",
            ),
            *("one_digit", "first_of_january", "year_wrong", "century_wrong", "no_date_of_birth"),
            *(
                "no_date_of_birth_intel",
                "year_only_intel",
                "no_date_of_birth_incident",
                "old_address",
                "wrong_number",
            ),
            *(
                "no_flat",
                "no_address",
                "no_address_intel",
                "bad_postcode",
                "no_postcode",
                "no_fixed_abode",
                "alias",
            ),
            *("former_name_unrecorded", "false_particulars", "same_urn"),
        }
    ),
    "noise": frozenset(
        {
            *("organisations", "placeholder_persons", "unmapped_role", "unreadable_date", "unknown_event"),
            "duplicate_row",
        }
    ),
}


class Employees(Frozen):
    """Rates among employees."""

    couple_of_employees: float = Field(ge=0, le=1)
    second_assignment: float = Field(ge=0, le=1)
    missing_date_of_birth: float = Field(ge=0, le=1)
    misspelt: float = Field(ge=0, le=1)
    twin: float = Field(ge=0, le=1)
    same_name_relative: float = Field(ge=0, le=1)
    namesake: float = Field(ge=0, le=1)
    types: Rates


class ForceSettings(Frozen):
    """Every rate that shapes the made-up force; each is a share from 0 to 1."""

    records_per_head: float = Field(gt=0)
    seen_rate: float = Field(gt=0, le=1)
    households: Rates
    family: Rates
    traditions: Rates
    employees: Employees
    appearances: Rates
    systems: Rates
    errors: Rates
    noise: Rates

    @model_validator(mode="after")
    def _complete(self) -> ForceSettings:
        for table, needed in NEEDED.items():
            rates: Rates = getattr(self, table)
            missing, unknown = sorted(needed - set(rates)), sorted(set(rates) - needed)
            if missing or unknown:
                raise ValueError(f"table {table}: missing keys {missing}, unknown keys {unknown}")
            if any(not 0 <= rate <= 1 for rate in rates.values()):
                raise ValueError(f"table {table}: every rate lies between 0 and 1")
        return self


def load_force(path: Path) -> ForceSettings:
    """Read the settings.

    Raises:
        SettingsError: names every faulty key.
    """
    return validate(ForceSettings, read_toml(path), source=path.name)
