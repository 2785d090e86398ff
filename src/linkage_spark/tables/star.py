"""The published star: what business-intelligence tools load, as flat tables.

Rules that hold for every table here, each tested:

- only text, 32-bit integers and doubles: no arrays, maps, structs, times, dates or 64-bit integers;
- ``run_id`` stands in every table: a reader filters by the one run of ``current_run`` and drops it;
- a column name ends in ``_key`` and is never null, or belongs to one table alone and starts with its name;
- once ``run_id`` is dropped any two tables share at most one column, and there is no circle among them;
- days are integers such as 20240229, 0 when unknown; times are ISO text in UTC; yes and no are 1 and 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.enums import (
    AddressIssue,
    DobIssue,
    DpaCategory,
    EmploymentType,
    EventType,
    Lane,
    NameIssue,
    NotScreenedReason,
    PolicyReason,
    Purpose,
    Role,
    SourceSystem,
    Tier,
    WithdrawalReason,
)
from linkage_spark.tables.types import DOUBLE, INT, STRING

PLAIN_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "policy_reason": {
        PolicyReason.SAME_PREMISES_AND_DATE: "name, date of birth and home agree",
        PolicyReason.SAME_NAME_DATE_AND_POSTCODE: "whole name, date of birth and postcode agree",
        PolicyReason.SAME_PREMISES_NEAR_DATE: "name and home agree, the date of birth but for a slip",
        PolicyReason.NAME_AND_DATE_ONLY: "name and date of birth agree, no address does: at most possible",
        PolicyReason.NAME_AND_PREMISES_ONLY: "name and home agree, no date of birth does: at most possible",
        PolicyReason.DATE_AND_PREMISES_ONLY: "date of birth and home agree, the name does not",
        PolicyReason.RARE_NAME_ALONE: "a rare name agrees, nothing else is known",
        PolicyReason.CONFLICT: "something recorded speaks against the link",
        PolicyReason.TWIN_PATTERN: "surname, date of birth and home agree, the forename differs: a twin?",
        PolicyReason.ON_DUTY_NAME: "the record seems to name an officer on duty",
        PolicyReason.RIVAL_TOO_CLOSE: "another employee fits the same record nearly as well",
        PolicyReason.RIVAL_RECORD_TOO_CLOSE: "another record that contradicts this one fits the employee nearly as well",
        PolicyReason.BELOW_THRESHOLD: "too little agrees",
        PolicyReason.ONE_ELEMENT_ONLY: "only one of name, date of birth and address agrees",
        PolicyReason.CONTRADICTION: "what is recorded contradicts the link",
    },
    "tier": {
        Tier.MATCH: "strong possible link",
        Tier.POSSIBLE: "possible link",
        Tier.NON_MATCH: "not shown",
    },
    "role": {
        Role.SUSPECT: "suspect",
        Role.OFFENDER: "offender",
        Role.DETAINED: "detained",
        Role.VICTIM: "victim",
        Role.WITNESS: "witness",
        Role.ADDITIONAL_RELEVANT: "additional relevant",
        Role.INTELLIGENCE_SUBJECT: "subject of intelligence",
    },
    "lane": {Lane.CONDUCT: "conduct", Lane.WELFARE: "welfare", Lane.TRIAGE: "triage"},
    "purpose": {
        Purpose.LAW_ENFORCEMENT: "law enforcement (Data Protection Act 2018, Part 3)",
        Purpose.PUBLIC_TASK: "public task (UK GDPR)",
    },
    "event_type": {
        EventType.CRIME: "crime",
        EventType.CUSTODY: "custody",
        EventType.INTELLIGENCE: "intelligence",
        EventType.INCIDENT: "incident",
    },
    "employment_type": {
        EmploymentType.EMPLOYEE: "employee",
        EmploymentType.VOLUNTEER: "volunteer",
        EmploymentType.CONTRACTOR: "contractor",
        EmploymentType.NON_POLICE: "non-police personnel",
    },
    "dpa_category": {
        DpaCategory.SUSPECT: "suspected",
        DpaCategory.CONVICTED: "convicted",
        DpaCategory.VICTIM: "victim",
        DpaCategory.WITNESS_OTHER: "witness or other",
    },
    "source_system": {
        SourceSystem.HR: "HR roster",
        SourceSystem.CRIME: "crime system",
        SourceSystem.CUSTODY: "custody system",
        SourceSystem.INTEL: "intelligence system",
        SourceSystem.INCIDENT: "incident logs",
    },
    "place_level": {
        "same_property": "same property by its reference number",
        "same_dwelling": "same postcode, number and flat",
        "same_building": "same postcode and number, one record names no flat",
    },
    "not_screened_reason": {
        NotScreenedReason.NO_DATE_OF_BIRTH: "no date of birth",
        NotScreenedReason.UNUSABLE_NAME: "no name that can be compared",
        NotScreenedReason.NAME_ALONE: "a name and nothing else",
        "refused": "every HR row of the employee was refused",
    },
    "withdrawal_reason": {
        WithdrawalReason.JUDGED_NOT_SAME: "a reviewer has said of this evidence that the two are not the same",
        WithdrawalReason.MODEL_CHANGED: "another model decides now",
        WithdrawalReason.LEFT_ROSTER: "the employee is no longer on the roster",
        WithdrawalReason.RECORD_WITHDRAWN: "the source has taken the record back",
        WithdrawalReason.ROSTER_REFUSED: "the employee is still on the roster, and the HR rows were refused",
        WithdrawalReason.RECORD_REFUSED: "the source still holds the record, and its rows were refused",
        WithdrawalReason.RECORD_AMENDED: "the source has amended the record",
        WithdrawalReason.ROSTER_AMENDED: "HR has amended the employee's particulars",
        WithdrawalReason.SOFTWARE_CHANGED: "software, settings or mappings changed",
    },
    "quality_name": {
        NameIssue.MISSING: "no name recorded",
        NameIssue.PLACEHOLDER: "a stand-in for an unknown name",
        NameIssue.SINGLE_TOKEN: "one name part only",
        NameIssue.INITIALS_ONLY: "initials only",
    },
    "quality_date_of_birth": {
        DobIssue.MISSING: "no date of birth recorded",
        DobIssue.PLACEHOLDER: "a stand-in for an unknown date",
        DobIssue.UNREADABLE: "not readable as a date",
        DobIssue.OUT_OF_RANGE: "out of range",
        DobIssue.PARTIAL: "part of the date only",
        DobIssue.FIRST_OF_JANUARY: "1 January, which often stands for an unknown day",
        DobIssue.STATED_AGE: "reckoned from a stated age: one of two years",
        DobIssue.APPROXIMATE_AGE: "an age from which no year follows",
    },
    "quality_address": {
        AddressIssue.MISSING: "no address recorded",
        AddressIssue.PLACEHOLDER: "a stand-in for an unknown address",
        AddressIssue.NO_POSTCODE: "no postcode",
        AddressIssue.BAD_POSTCODE: "postcode not formed right",
        AddressIssue.NOT_A_DWELLING: "not a dwelling",
        AddressIssue.NO_PREMISES: "no house number or name",
    },
}
"""Every coded value of the star in plain words, by its list. The table ``reason`` publishes them."""

_RUN_ID = Field("run_id", STRING, "The run; filter by the one in current_run, then drop the column.", required=True)
_HIT_KEY = Field("hit_key", STRING, "The hit; stable over runs.", required=True)
_LINK_KEY = Field("link_key", STRING, "The link; 32 hex digits, stable over runs.", required=True)
_EMPLOYEE_KEY = Field(
    "employee_key",
    STRING,
    "The employee's HR reference in upper case, fit as a reduction field of section access.",
    required=True,
)
_EVENT_KEY = Field("event_key", STRING, "Source and reference of the event, joined by '/'.", required=True)
_DATE_KEY = Field("date_key", INT, "Day of the event in Europe/London as yyyymmdd; 0 when unknown.", required=True)
_REASON_KEY = Field("reason_key", STRING, "List and code, joined by '/'.", required=True)


def _text(name: str, description: str, *, required: bool = False) -> Field:
    return Field(name, STRING, description, required=required)


def _number(name: str, description: str, *, required: bool = False) -> Field:
    return Field(name, INT, description, required=required)


def _flag(name: str, description: str, *, required: bool = True) -> Field:
    return Field(
        name,
        INT,
        f"1 when {description}, else 0{'' if required else '; null when unknown'}.",
        required=required,
    )


def _followed(table: str) -> tuple[Field, ...]:
    """Columns of a hit that say what became of it from run to run."""
    return (
        _text(
            f"{table}_change",
            "How it changed on the day of the run (ItemChange), or 'unchanged'.",
            required=True,
        ),
        _number(f"{table}_first_seen_date_key", "Day of the first run that found it, yyyymmdd.", required=True),
        _number(
            f"{table}_changed_date_key", "Day of the run in which it last came or changed, yyyymmdd.", required=True
        ),
        _flag(f"{table}_since_baseline", "it came or changed after the baseline of its lane"),
    )


STAR_HIT = TableContract(
    name="hit",
    row="One employee × event × role: the fact that reviewers count.",
    key=("run_id", "hit_key"),
    fields=(
        _RUN_ID,
        _HIT_KEY,
        _EMPLOYEE_KEY,
        _EVENT_KEY,
        _DATE_KEY,
        Field(
            "reason_key",
            STRING,
            "'policy_reason/' and the clause that decided the tier of the best link.",
            required=True,
        ),
        _text("hit_tier", "Tier of the best link.", required=True),
        _text("hit_tier_words", "The tier as reviewers read it.", required=True),
        _text("hit_event_type", "EventType.", required=True),
        _text("hit_role", "Role in the event (Role).", required=True),
        _text("hit_role_words", "The role in plain words.", required=True),
        _text("hit_role_raw", "Raw roles behind the hit, joined by '|'.", required=True),
        _text("hit_dpa_category", "DpaCategory.", required=True),
        _text("hit_employment_type", "EmploymentType.", required=True),
        _text("hit_lane", "Reviewers' lane (Lane).", required=True),
        _text("hit_purpose", "Law under which the row is processed (Purpose).", required=True),
        Field("hit_match_weight", DOUBLE, "log2 odds of the best link.", required=True),
        _text("hit_explanation", "Sentence of the best link.", required=True),
        _number("hit_link_count", "Links behind the hit.", required=True),
        _text("hit_person_ref", "Person record of the best link.", required=True),
        _flag("hit_before_employment", "the event lies before the employee's start", required=False),
        _flag("hit_on_duty_sign", "the record looks like an officer on duty"),
        _flag("hit_disclosed", "the person told the force of the employment", required=False),
        _flag(
            "hit_default_view",
            "reviewers see the hit without asking for more: since the baseline, and no officer on duty",
        ),
        *_followed("hit"),
        _text(
            "hit_tier_before",
            "Tier before it last changed; null while it never did, and once retention has removed what was shown then.",
        ),
        Field("hit_match_weight_before", DOUBLE, "log2 odds before it last changed; null likewise."),
        _text("hit_review_status", "'unreviewed' until a person has judged.", required=True),
        _text("hit_coverage_caveat", "What the data does not cover.", required=True),
    ),
)

STAR_HIT_LINK = TableContract(
    name="hit_link",
    row="One link behind one hit.",
    key=("run_id", "hit_key", "link_key"),
    fields=(
        _RUN_ID,
        _HIT_KEY,
        _LINK_KEY,
        _text("hit_link_tier", "Tier of this link.", required=True),
        Field("hit_link_match_weight", DOUBLE, "log2 odds of this link.", required=True),
    ),
)

_LINK_WEIGHTS = (
    ("weight_prior", "Starting point before any agreement."),
    ("weight_name", "Weight of the name."),
    ("weight_name_frequency", "Correction for how rare the agreeing name is."),
    ("weight_date_of_birth", "Weight of the date of birth."),
    ("weight_date_of_birth_frequency", "Correction for how common the agreeing date is."),
    ("weight_address", "Weight of the address."),
    ("weight_address_frequency", "Correction for how many records share the postcode."),
    ("weight_household", "Household discount, never above 0."),
)

STAR_LINK = TableContract(
    name="link",
    row="One employee and one police person record with the evidence; only links behind a hit.",
    key=("run_id", "link_key"),
    fields=(
        _RUN_ID,
        _LINK_KEY,
        _text(
            "link_employee_key",
            "The employee; named apart so that no second path leads to the employee.",
            required=True,
        ),
        _text("link_source_system", "System of the person record.", required=True),
        _text("link_person_ref", "The person record.", required=True),
        _text("link_model_id", "The frozen model.", required=True),
        _text("link_tier", "Tier of the link (Tier).", required=True),
        _text("link_policy_reason", "The clause that decided the tier.", required=True),
        Field("link_match_weight", DOUBLE, "log2 odds of a match.", required=True),
        _number(
            "link_match_weight_millibits",
            "The same in 1/1000 bit; the link_weight_ columns add up to it.",
            required=True,
        ),
        *(_number(f"link_{name}", f"{text} 1/1000 bit.", required=True) for name, text in _LINK_WEIGHTS),
        _text("link_level_name", "Comparison level of the name.", required=True),
        _text("link_level_given", "Part level of the given names.", required=True),
        _text("link_level_surname", "Part level of the surname.", required=True),
        _text("link_level_date_of_birth", "Comparison level of the date of birth.", required=True),
        _text("link_level_address", "Comparison level of the address.", required=True),
        _flag("link_same_premises", "both addresses are the same dwelling"),
        _flag("link_twin_pattern", "surname, date of birth and premises agree and the forename does not"),
        _flag("link_sex_marked_conflict", "the names bear parts marked for different sexes"),
        _flag("link_rare_name", "the whole name is rarer than the setting's limit"),
        _text(
            "link_rule_mask",
            "Blocking rules that propose the pair, one bit each, as a decimal number in text.",
            required=True,
        ),
        _text("link_rival_employee_key", "The strongest other employee for the person record; null when none."),
        Field("link_leader_margin_bits", DOUBLE, "match_weight less the rival's; null when there is no rival."),
        Field(
            "link_rival_posterior",
            DOUBLE,
            "Posterior of this pair beside its rivals: other employees, records that contradict it; 0 to 1.",
            required=True,
        ),
        _flag("link_on_duty_sign", "the record looks like an officer on duty"),
        _text("link_quality_name", "NameIssue of the police record; null when none."),
        _text("link_quality_date_of_birth", "DobIssue of the police record; null when none."),
        _text("link_quality_address", "AddressIssue of the police record; null when none."),
        _text(
            "link_evidence_fingerprint",
            "What a reviewer's word on the link is said of: keyed HMAC-SHA-256 of the compared values' standard forms. No value can be read "
            "from it; another one means that other values are compared. Personal data.",
            required=True,
        ),
        _text(
            "link_explanation",
            "What agreed, what differed, how rare, what would change the answer.",
            required=True,
        ),
    ),
)

STAR_LOCATION_HIT = TableContract(
    name="location_hit",
    row="One incident at one employee's recorded home; no person is asserted. Joined by the employee alone.",
    key=("run_id", "location_hit_key"),
    fields=(
        _RUN_ID,
        _text("location_hit_key", "The location hit; stable over runs.", required=True),
        _EMPLOYEE_KEY,
        _text(
            "location_hit_event_key",
            "The event, as in event_key; named apart so that there is one path only.",
            required=True,
        ),
        _number(
            "location_hit_date_key",
            "Day of the event in Europe/London as yyyymmdd; 0 when unknown.",
            required=True,
        ),
        _text("location_hit_event_type", "EventType.", required=True),
        _text("location_hit_employment_type", "EmploymentType.", required=True),
        _text("location_hit_opening_code", "Opening code of the incident."),
        _text("location_hit_closing_code", "Closing code of the incident; null while open."),
        _text("location_hit_lane", "Lane; triage.", required=True),
        _text("location_hit_purpose", "Law under which the row is processed (Purpose).", required=True),
        _text("location_hit_place_level", "How the place agrees.", required=True),
        _text("location_hit_place_words", "How the place agrees, in plain words.", required=True),
        _number("location_hit_calls", "Location hits at the employee's home in the whole history.", required=True),
        _number(
            "location_hit_calls_365_days",
            "Those in the 365 days up to and with this one; null when it has no date.",
        ),
        _flag("location_hit_before_employment", "the event lies before the employee's start", required=False),
        _flag("location_hit_person_also_linked", "a hit links the employee to the same event as well"),
        _text("location_hit_review_status", "'unreviewed' until a person has judged.", required=True),
        _text("location_hit_explanation", "One sentence on the place.", required=True),
        _text("location_hit_coverage_caveat", "What the data does not cover.", required=True),
        *_followed("location_hit"),
    ),
)

STAR_EMPLOYEE = TableContract(
    name="employee",
    row="One current employee, with or without hits.",
    key=("run_id", "employee_key"),
    fields=(
        _RUN_ID,
        _EMPLOYEE_KEY,
        _text("employee_id", "HR's own reference as recorded.", required=True),
        _text("employee_employment_type", "EmploymentType of the first assignment.", required=True),
        _text("employee_role_title", "Role of the first assignment; null when HR has none."),
        _text("employee_team", "Team of the first assignment; null when HR has none."),
        _number(
            "employee_start_date_key",
            "Earliest start of any assignment as yyyymmdd; 0 when HR has none.",
            required=True,
        ),
        _number("employee_assignment_count", "Number of assignments.", required=True),
    ),
)

STAR_EVENT = TableContract(
    name="event",
    row="One event in which a hit or location hit stands.",
    key=("run_id", "event_key"),
    fields=(
        _RUN_ID,
        _EVENT_KEY,
        _text("event_source_system", "System of the event.", required=True),
        _text("event_ref", "Crime, custody, report or log number.", required=True),
        _text("event_type", "EventType.", required=True),
        _text("event_type_words", "The type in plain words.", required=True),
        _number(
            "event_occurred_date_key",
            "Day of the event in Europe/London as yyyymmdd; 0 when unknown.",
            required=True,
        ),
        _text("event_occurred_from", "Start of the event, ISO text in UTC; null when unknown."),
        _text("event_occurred_to", "End of the event, ISO text in UTC; null when unknown."),
        _text("event_reported_at", "When it was reported, ISO text in UTC; null when unknown."),
        _text("event_recorded_at", "When it was recorded, ISO text in UTC; null when unknown."),
        _text("event_offence_code", "Offence code as recorded; null when the source has none."),
        _text("event_offence_title", "Offence title as recorded; null when the source has none."),
        _text("event_opening_code", "Opening code of an incident; null otherwise."),
        _text("event_closing_code", "Closing code; null when open or the source has none."),
        _text("event_source_flags", "Flags as recorded, joined by '|'; null when none."),
        _text("event_custody_number", "Custody record number; null unless custody."),
        _text("event_custody_arrived_at", "Arrival in custody, ISO text in UTC; null unless custody."),
        _text(
            "event_custody_released_at",
            "Release from custody, ISO text in UTC; null unless custody, or while detained.",
        ),
        _text("event_grading_scheme", "'3x5x2' or '5x5x5'; null unless intelligence."),
        _text("event_source_evaluation", "Source evaluation in its scheme; null unless intelligence."),
        _text("event_intelligence_assessment", "Assessment in its scheme; null unless intelligence."),
        _text("event_handling_code", "Handling code in its scheme; null unless intelligence."),
        _text("event_mopi_group", "MoPI group as recorded; null when the source has none."),
        _number("event_review_date_key", "Review date as yyyymmdd; 0 when the source has none.", required=True),
    ),
)

STAR_DATE = TableContract(
    name="date",
    row="One day from the first to the last day of any hit, and one row for the unknown day.",
    key=("run_id", "date_key"),
    fields=(
        _RUN_ID,
        Field("date_key", INT, "The day as yyyymmdd; 0 for the unknown day.", required=True),
        _text("date_iso", "The day as yyyy-mm-dd, or 'unknown'.", required=True),
        _number("date_year", "Year; null for the unknown day."),
        _number("date_quarter", "Quarter of the year, 1 to 4; null for the unknown day."),
        _number("date_month", "Month, 1 to 12; null for the unknown day."),
        _text("date_year_month", "Year and month as yyyy-mm; null for the unknown day."),
        _number("date_weekday", "Day of the week, 1 for Monday to 7 for Sunday; null for the unknown day."),
        _text("date_financial_year", "Year from 1 April, such as 2024/25; null for the unknown day."),
    ),
)

STAR_REASON = TableContract(
    name="reason",
    row="One code of one list, in plain words. Hits join by the list policy_reason alone.",
    key=("run_id", "reason_key"),
    fields=(
        _RUN_ID,
        _REASON_KEY,
        _text("reason_list", "The list, such as policy_reason, role or lane.", required=True),
        _text("reason_code", "The code as it stands in other tables.", required=True),
        _text("reason_words", "What it means.", required=True),
    ),
)

STAR_SCREENING = TableContract(
    name="screening",
    row="One employee: screened, or not screened and why.",
    key=("run_id", "employee_key"),
    fields=(
        _RUN_ID,
        _EMPLOYEE_KEY,
        _text("screening_employee_id", "HR's own reference as recorded.", required=True),
        _flag("screening_screened", "the employee took part in the comparison"),
        _text("screening_reason", "NotScreenedReason, or 'refused'; null when screened."),
        _text("screening_reason_words", "The reason in plain words; null when screened."),
        _flag("screening_address_usable", "the home address can be compared"),
        _number("screening_hit_count", "Hits of the employee, on-duty ones in.", required=True),
    ),
)

STAR_WITHDRAWN = TableContract(
    name="withdrawn",
    row="One hit or location hit that readers once saw and that no longer holds, with the reason.",
    key=("run_id", "withdrawn_key"),
    fields=(
        _RUN_ID,
        _text("withdrawn_key", "The former hit_key or location_hit_key.", required=True),
        _EMPLOYEE_KEY,
        _text("withdrawn_kind", "ItemKind.", required=True),
        _text("withdrawn_lane", "Reviewers' lane (Lane) in which it stood.", required=True),
        _text("withdrawn_reason", "WithdrawalReason.", required=True),
        _text("withdrawn_reason_words", "The reason in plain words.", required=True),
        _number("withdrawn_first_seen_date_key", "Day of the first run that found it, yyyymmdd.", required=True),
        _number("withdrawn_last_seen_date_key", "Day of the last run that found it, yyyymmdd.", required=True),
        _number("withdrawn_date_key", "Day of the run that no longer found it, yyyymmdd.", required=True),
        _text("withdrawn_tier", "Tier that it last had; null of a location hit."),
        Field("withdrawn_match_weight", DOUBLE, "log2 odds that it last had; null of a location hit."),
    ),
)

STAR_RUN = TableContract(
    name="run",
    row="The run of the snapshot, with the advisory statement that holds for every table.",
    key=("run_id",),
    fields=(
        _RUN_ID,
        _text("run_advisory", "The advisory statement.", required=True),
        _text("run_kind", "Kind of run (RunKind).", required=True),
        _number("run_day_date_key", "Day that the run was for, yyyymmdd.", required=True),
        _text("run_started_at", "Start, ISO text in UTC.", required=True),
        _text("run_code_version", "Version of the package.", required=True),
        _text("run_model_id", "The model.", required=True),
        _text(
            "run_lawful_basis_reference",
            "The force's reference of the lawful basis and the DPIA.",
            required=True,
        ),
    ),
)

STAR_FRESHNESS = TableContract(
    name="freshness",
    row="One feed behind the snapshot: when it was last written to, how old its source's latest event is, how much the day brought.",
    key=("run_id", "freshness_feed"),
    fields=(
        _RUN_ID,
        _text("freshness_feed", "Source and feed, such as custody.record.", required=True),
        _text("freshness_source_system", "The source (SourceSystem).", required=True),
        _number("freshness_written_date_key", "Day of the run that last found it written to, yyyymmdd.", required=True),
        _number(
            "freshness_event_date_key", "Latest event of the source, yyyymmdd; 0 when none is known.", required=True
        ),
        _number(
            "freshness_changed",
            "Changed records of the source on the day of the last run that looked, of all its runs together; null when none.",
        ),
        _number(
            "freshness_usual",
            "The median of that over the earlier days since the last backfill that brought any; null when nothing is known.",
        ),
    ),
)

STAR: Final[tuple[TableContract, ...]] = (
    STAR_HIT,
    STAR_HIT_LINK,
    STAR_LINK,
    STAR_LOCATION_HIT,
    STAR_EMPLOYEE,
    STAR_EVENT,
    STAR_DATE,
    STAR_REASON,
    STAR_SCREENING,
    STAR_WITHDRAWN,
    STAR_FRESHNESS,
    STAR_RUN,
)

_ALERT_KEY = Field(
    "nominal_alert_key",
    STRING,
    "SHA-256 of employee and nominal, first 32 hex digits; stable over runs.",
    required=True,
)

STAR_NOMINAL_ALERT = TableContract(
    name="nominal_alert",
    row="One employee and one nominal with a link between them: that person's records and events, each counted once.",
    key=("run_id", "nominal_alert_key"),
    fields=(
        _RUN_ID,
        _ALERT_KEY,
        _EMPLOYEE_KEY,
        _text("nominal_alert_nominal", "Our id of the nominal, as text.", required=True),
        _text("nominal_alert_tier", "Tier of the best link.", required=True),
        _text("nominal_alert_tier_words", "The tier in plain words.", required=True),
        Field("nominal_alert_match_weight", DOUBLE, "log2 odds of the best link.", required=True),
        _number("nominal_alert_linked_records", "Records that are linked to the employee themselves.", required=True),
        _number("nominal_alert_other_records", "Records of the nominal that are not themselves linked.", required=True),
        _number("nominal_alert_events", "Events of the linked records, each counted once.", required=True),
        _number("nominal_alert_conduct_events", "Of these, in the conduct lane.", required=True),
        _number("nominal_alert_welfare_events", "Of these, in the welfare lane.", required=True),
        _number("nominal_alert_other_events", "Events of the other records alone; no hits.", required=True),
        _text("nominal_alert_roles_json", "Events per role as a JSON object.", required=True),
        _number(
            "nominal_alert_first_event_date_key", "Day of the first event, yyyymmdd; 0 when unknown.", required=True
        ),
        _number("nominal_alert_last_event_date_key", "Day of the last event, yyyymmdd; 0 when unknown.", required=True),
        _flag("nominal_alert_default_view", "one of its hits is in the default view"),
        _text("nominal_alert_statement", "The alert in words.", required=True),
    ),
)

STAR_NOMINAL_OTHER = TableContract(
    name="nominal_other",
    row="One record of a linked person that did not itself match: offered, never a hit.",
    key=("run_id", "nominal_alert_key", "nominal_other_source_system", "nominal_other_person_ref"),
    fields=(
        _RUN_ID,
        _ALERT_KEY,
        _text("nominal_other_source_system", "System of the record.", required=True),
        _text("nominal_other_person_ref", "The police person record.", required=True),
        _number("nominal_other_events", "Events in which the record stands.", required=True),
        _text("nominal_other_statement", "Why it is offered.", required=True),
    ),
)

STAR_NOMINAL_FORM = TableContract(
    name="nominal_form",
    row="One form of a name, date of birth or address under which the records of a linked person know them.",
    key=("run_id", "nominal_alert_key", "nominal_form_dpa_category", "nominal_form_attribute", "nominal_form_value"),
    fields=(
        _RUN_ID,
        _ALERT_KEY,
        _text("nominal_form_dpa_category", "DpaCategory; '' for records in no event. Never mixed.", required=True),
        _text("nominal_form_attribute", "'name', 'date_of_birth' or 'address'.", required=True),
        _text("nominal_form_value", "The form. Personal data.", required=True),
        _number("nominal_form_records", "Records that bear it in this category.", required=True),
        _number("nominal_form_events", "Events in which those stand in this category.", required=True),
        _number(
            "nominal_form_first_seen_date_key", "Day of the first such event, yyyymmdd; 0 when unknown.", required=True
        ),
        _number("nominal_form_last_seen_date_key", "Day of the last, yyyymmdd; 0 when unknown.", required=True),
    ),
)

STAR_NOMINALS: Final[tuple[TableContract, ...]] = (STAR_NOMINAL_ALERT, STAR_NOMINAL_OTHER, STAR_NOMINAL_FORM)
"""What the job nominals adds to the star. A snapshot of another job has no rows of them under its run."""
