"""The tables that readers get: hits, location hits, screening, and the run manifest."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP

HIT = TableContract(
    name="hit",
    row="One employee × event × role, backed by one or more links.",
    key=("hit_id",),
    fields=(
        Field(
            "hit_id",
            STRING,
            "SHA-256 of employee, source, event and role, first 32 hex digits; stable over runs.",
            required=True,
        ),
        Field("employee_id", STRING, "The employee.", required=True),
        Field("source_system", STRING, "System of the event.", required=True),
        Field("event_ref", STRING, "The event.", required=True),
        Field("event_type", STRING, "EventType.", required=True),
        Field("role", STRING, "Role in the event (Role).", required=True),
        Field("role_raw", STRING, "Raw roles behind the hit, sorted, joined by '|'.", required=True),
        Field("dpa_category", STRING, "DpaCategory.", required=True),
        Field("employment_type", STRING, "EmploymentType.", required=True),
        Field("lane", STRING, "Reviewers' lane (Lane).", required=True),
        Field("purpose", STRING, "Law under which the row is processed (Purpose).", required=True),
        Field("tier", STRING, "Tier of the best link.", required=True),
        Field("match_weight", DOUBLE, "match_weight of the best link.", required=True),
        Field("policy_reason", STRING, "PolicyReason of the best link.", required=True),
        Field("explanation", STRING, "Sentence of the best link.", required=True),
        Field("link_count", INT, "Links behind the hit.", required=True),
        Field("person_ref", STRING, "Person record of the best link.", required=True),
        Field("event_date", DATE, "Europe/London date of the event; null when no time is known."),
        Field("offence_code", STRING, "As on the event."),
        Field("source_flags", STRING, "As on the event."),
        Field("custody_number", STRING, "As on the event."),
        Field("custody_arrived_at", TIMESTAMP, "As on the event, UTC."),
        Field("custody_released_at", TIMESTAMP, "As on the event, UTC."),
        Field(
            "before_employment",
            BOOLEAN,
            "Event before the employee's start; null when either date is unknown.",
        ),
        Field(
            "on_duty_sign",
            BOOLEAN,
            "The record looks like an officer on duty; outside the default view.",
            required=True,
        ),
        Field(
            "disclosed",
            BOOLEAN,
            "Whether the person told the force of the employment; null when the source does not say.",
        ),
        Field(
            "default_view",
            BOOLEAN,
            "True unless the record looks like an officer on duty; of these readers are shown by default what is new or changed since the baseline.",
            required=True,
        ),
        Field("review_status", STRING, "'unreviewed' until a person has judged.", required=True),
        Field("coverage_caveat", STRING, "What the data does not cover.", required=True),
    ),
)

HIT_LINK = TableContract(
    name="hit_link",
    row="One link behind one hit.",
    key=("hit_id", "source_system", "person_ref"),
    fields=(
        Field("hit_id", STRING, "The hit that the link backs.", required=True),
        Field("employee_id", STRING, "The employee.", required=True),
        Field("source_system", STRING, "System of the person record.", required=True),
        Field("person_ref", STRING, "The person record.", required=True),
        Field("tier", STRING, "Tier of this link.", required=True),
        Field("match_weight", DOUBLE, "match_weight of this link.", required=True),
    ),
)

LOCATION_HIT = TableContract(
    name="location_hit",
    row="One incident at one employee's recorded home; no person is asserted.",
    key=("location_hit_id",),
    fields=(
        Field(
            "location_hit_id",
            STRING,
            "SHA-256 of employee, source and event, first 32 hex digits.",
            required=True,
        ),
        Field("employee_id", STRING, "The employee whose home it is.", required=True),
        Field("source_system", STRING, "System of the event.", required=True),
        Field("event_ref", STRING, "The event.", required=True),
        Field("event_type", STRING, "EventType.", required=True),
        Field("employment_type", STRING, "EmploymentType.", required=True),
        Field("event_date", DATE, "Europe/London date of the event; null when no time is known."),
        Field("opening_code", STRING, "As on the event."),
        Field("closing_code", STRING, "As on the event."),
        Field("lane", STRING, "Lane; triage.", required=True),
        Field("purpose", STRING, "Law under which the row is processed (Purpose).", required=True),
        Field(
            "place_level",
            STRING,
            "'same_property' by UPRN, 'same_dwelling' by flat, number and postcode, 'same_building' when one side has no flat.",
            required=True,
        ),
        Field(
            "calls_at_premises",
            INT,
            "Location hits at this employee's home in the whole history.",
            required=True,
        ),
        Field(
            "calls_at_premises_365_days",
            INT,
            "Those in the 365 days up to and with this event; null when the event has no date.",
        ),
        Field(
            "before_employment",
            BOOLEAN,
            "Event before the employee's start; null when either date is unknown.",
        ),
        Field(
            "person_also_linked",
            BOOLEAN,
            "A hit links the employee to the same event as well.",
            required=True,
        ),
        Field("review_status", STRING, "'unreviewed' until a person has judged.", required=True),
        Field("explanation", STRING, "One sentence on the place.", required=True),
        Field("coverage_caveat", STRING, "What the data does not cover.", required=True),
    ),
)

SCREENING = TableContract(
    name="screening",
    row="One employee: screened, or not screened and why.",
    key=("employee_id",),
    fields=(
        Field("employee_id", STRING, "The employee.", required=True),
        Field("screened", BOOLEAN, "True when the employee took part in the comparison.", required=True),
        Field(
            "not_screened_reason",
            STRING,
            "NotScreenedReason, or 'refused' when every HR row was refused; null when screened.",
        ),
        Field("address_usable", BOOLEAN, "True when the home address can be compared.", required=True),
        Field("hit_count", INT, "Hits of the employee, on-duty ones in.", required=True),
    ),
)

RUN = TableContract(
    name="run",
    row="One run: the switch. What it pins is what readers may read.",
    key=("run_id",),
    fields=(
        Field(
            "run_id",
            STRING,
            "Start of the run in UTC and the kind, such as 20261121T053000Z-backfill.",
            required=True,
        ),
        Field(
            "run_no",
            INT,
            "1.., in the order in which runs ended; the last one counts, whatever the clocks said.",
            required=True,
        ),
        Field("run_day", DATE, "The day that the run was for, Europe/London.", required=True),
        Field("kind", STRING, "Kind of run (RunKind).", required=True),
        Field("status", STRING, "RunStatus.", required=True),
        Field(
            "shown_run_id",
            STRING,
            "The run whose snapshot readers see after this one; null while none was published.",
        ),
        Field("started_at", TIMESTAMP, "When it began, UTC.", required=True),
        Field("finished_at", TIMESTAMP, "When it ended, UTC.", required=True),
        Field("code_version", STRING, "Version of this package and, where known, the commit.", required=True),
        Field(
            "settings_fingerprint",
            STRING,
            "SHA-256 of all settings and mappings, without secrets.",
            required=True,
        ),
        Field("model_id", STRING, "The model.", required=True),
        Field("model_fingerprint", STRING, "SHA-256 of the model file.", required=True),
        Field("input_fingerprint", STRING, "SHA-256 over every feed's version or listing.", required=True),
        Field(
            "lawful_basis_reference",
            STRING,
            "The force's reference of the lawful basis and the DPIA.",
            required=True,
        ),
        Field(
            "table_versions_json",
            STRING,
            "Delta version per table that this run published, as JSON.",
            required=True,
        ),
        Field(
            "counts_json",
            STRING,
            "The run's figures as JSON: per stage, tier, lane, rule; expected false links per tier; durations in seconds.",
            required=True,
        ),
        Field(
            "error_class",
            STRING,
            "Class of the error that ended the run; null unless failed. Never its text.",
        ),
        Field("advisory", STRING, "The advisory statement.", required=True),
    ),
)

CURRENT_RUN = TableContract(
    name="current_run",
    row="The one run that readers filter by.",
    key=("run_id",),
    fields=(
        Field("run_id", STRING, "The run that counted.", required=True),
        Field("published_at", TIMESTAMP, "When readers were moved to it, UTC.", required=True),
    ),
)

RESULTS: tuple[TableContract, ...] = (HIT, HIT_LINK, LOCATION_HIT, SCREENING, RUN)
