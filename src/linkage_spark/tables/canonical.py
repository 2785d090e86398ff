"""The canonical tables: what standardising turns every feed into."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import BOOLEAN, DATE, INT, LONG, STRING, STRINGS, TIMESTAMP

_SOURCE = Field("source_system", STRING, "SourceSystem that recorded the row.", required=True)
_VERSION = Field(
    "source_version",
    LONG,
    "The source's own version: amended time in microseconds since 1970 UTC, or its sequence; 0 when the source has none.",
    required=True,
)

ADDRESS_FIELDS: tuple[Field, ...] = (
    Field("address_raw", STRING, "Address as recorded, parts joined by a comma; null when none was recorded."),
    Field("postcode_raw", STRING, "Postcode as recorded; null when none was recorded."),
    Field(
        "saon",
        STRING,
        "Flat or unit (BS 7666 SAON), upper case, digits without leading zeros; null when none.",
    ),
    Field(
        "paon",
        STRING,
        "House number with its suffix letter, or house name (BS 7666 PAON), upper case; null when none.",
    ),
    Field("street", STRING, "Street, lower case, abbreviations written out; null when not recognised."),
    Field("locality", STRING, "Locality, lower case; null when none."),
    Field("town", STRING, "Town, lower case; null when none."),
    Field(
        "postcode",
        STRING,
        "Full postcode that is formed right and lies in a real area, upper case with one space; else null.",
    ),
    Field("postcode_sector", STRING, "Sector such as 'B23 6', also from a partial postcode; null when unknown."),
    Field(
        "postcode_district",
        STRING,
        "District such as 'B23', also from a partial postcode; null when unknown.",
    ),
    Field(
        "uprn",
        STRING,
        "Unique property reference number, digits without leading zeros; null when the source has none.",
    ),
    Field(
        "premises_key",
        STRING,
        "Postcode, PAON and SAON joined by '|' for a dwelling; null unless postcode and PAON are known and address_kind is dwelling.",
    ),
    Field("address_kind", STRING, "AddressKind; 'unknown' when no address was recorded.", required=True),
    Field("address_issue", STRING, "AddressIssue; null when nothing is wrong."),
)

PERSON = TableContract(
    name="person",
    row="One variant of one person record as recorded, HR and police alike; never overwritten.",
    key=("source_system", "person_ref", "variant_no"),
    fields=(
        _SOURCE,
        Field("person_ref", STRING, "The source's own reference of the person record.", required=True),
        Field(
            "variant_no",
            INT,
            "0 for the record itself, 1.. for its aliases and further particulars.",
            required=True,
        ),
        Field("variant_kind", STRING, "VariantKind.", required=True),
        Field("name_raw", STRING, "Name as recorded, parts joined by a space; null when none was recorded."),
        Field("date_of_birth_raw", STRING, "Date of birth as recorded; null when none was recorded."),
        Field(
            "given_tokens",
            STRINGS,
            "Given-name tokens, lower-case ASCII letters, titles and ranks removed; empty when none.",
            required=True,
        ),
        Field("surname_tokens", STRINGS, "Surname tokens, same form; empty when none.", required=True),
        Field("given_name", STRING, "given_tokens joined by a space; null when empty."),
        Field("surname", STRING, "surname_tokens joined by a space; null when empty."),
        Field(
            "given_first",
            STRING,
            "The first given token that is not only a prefix such as Muhammad where another follows; null when none.",
        ),
        Field("surname_last", STRING, "The last surname token; null when none."),
        Field("given_sound", STRING, "Metaphone of given_first, at most 6 letters; null when none."),
        Field("surname_sound", STRING, "Metaphone of surname_last, at most 6 letters; null when none."),
        Field(
            "title_tokens",
            STRINGS,
            "Titles, ranks and collar numbers that were removed from the name.",
            required=True,
        ),
        Field("name_issue", STRING, "NameIssue; null when nothing is wrong."),
        Field("date_of_birth", DATE, "Full date of birth; null unless year, month and day are known."),
        Field(
            "dob_year",
            INT,
            "Year of birth, 1880 to this year; the earlier of the two that are possible where dob_issue is stated_age; "
            "null when unknown.",
        ),
        Field("dob_month", INT, "Month of birth; null when unknown."),
        Field("dob_day", INT, "Day of birth; null when unknown."),
        Field("dob_issue", STRING, "DobIssue; null when nothing is wrong."),
        Field(
            "dob_changes_on",
            DATE,
            "First day on which the same text reads otherwise, a date that was still to come being past then; null: never.",
        ),
        *ADDRESS_FIELDS,
        Field(
            "on_duty_sign",
            BOOLEAN,
            "True when a rank or collar number stands in the name, or the address is a police station.",
            required=True,
        ),
        Field(
            "not_screened_reason",
            STRING,
            "NotScreenedReason; null when the row takes part in the comparison.",
        ),
        _VERSION,
    ),
    unit=("source_system", "person_ref"),
)

EMPLOYEE = TableContract(
    name="employee",
    row="One current employee, with what may be shown but never compared.",
    key=("employee_id",),
    fields=(
        Field(
            "employee_id",
            STRING,
            "HR's own reference; equals person_ref where source_system is hr.",
            required=True,
        ),
        Field("employment_type", STRING, "EmploymentType of the first assignment.", required=True),
        Field("role_title", STRING, "Role of the first assignment; null when HR has none."),
        Field("team", STRING, "Team of the first assignment; null when HR has none."),
        Field("start_date", DATE, "Earliest start of any assignment; null when HR has none."),
        Field("assignment_count", INT, "Number of assignments.", required=True),
    ),
)

ASSIGNMENT = TableContract(
    name="assignment",
    row="One assignment of one employee.",
    key=("employee_id", "assignment_no"),
    fields=(
        Field("employee_id", STRING, "HR's own reference.", required=True),
        Field("assignment_no", STRING, "HR's number of the assignment; '1' when HR has none.", required=True),
        Field("employment_type", STRING, "EmploymentType.", required=True),
        Field("role_title", STRING, "Role; null when HR has none."),
        Field("team", STRING, "Team; null when HR has none."),
        Field("start_date", DATE, "Start of the assignment; null when HR has none."),
    ),
)

EVENT = TableContract(
    name="event",
    row="One crime, detention, intelligence report or incident.",
    key=("source_system", "event_ref"),
    fields=(
        _SOURCE,
        Field("event_ref", STRING, "Crime, custody, report or log number.", required=True),
        Field("event_type", STRING, "EventType.", required=True),
        Field(
            "event_date",
            DATE,
            "Europe/London date on which it occurred, else was reported, else recorded; null when no time is known.",
        ),
        Field("occurred_from", TIMESTAMP, "Start of the event, UTC; null when unknown."),
        Field("occurred_to", TIMESTAMP, "End of the event, UTC; null when unknown."),
        Field("reported_at", TIMESTAMP, "When it was reported, UTC; null when unknown."),
        Field("recorded_at", TIMESTAMP, "When it was recorded, UTC; null when unknown."),
        Field("offence_code", STRING, "Offence code as recorded; null when the source has none."),
        Field("offence_title", STRING, "Offence title as recorded; null when the source has none."),
        Field("opening_code", STRING, "Opening code of an incident; null otherwise."),
        Field("closing_code", STRING, "Closing code; null when open or the source has none."),
        Field("source_flags", STRING, "Flags as recorded, joined by '|'; null when none."),
        Field("custody_number", STRING, "Custody record number; null unless custody."),
        Field("custody_arrived_at", TIMESTAMP, "Arrival in custody, UTC; null unless custody."),
        Field(
            "custody_released_at",
            TIMESTAMP,
            "Release from custody, UTC; null unless custody, or while detained.",
        ),
        Field("grading_scheme", STRING, "'3x5x2' or '5x5x5'; null unless intelligence."),
        Field("source_evaluation", STRING, "Source evaluation in its scheme; null unless intelligence."),
        Field("intelligence_assessment", STRING, "Assessment in its scheme; null unless intelligence."),
        Field("handling_code", STRING, "Handling code in its scheme; null unless intelligence."),
        Field("mopi_group", STRING, "MoPI group as recorded; null when the source has none."),
        Field("review_date", DATE, "Review date as recorded; null when the source has none."),
        _VERSION,
    ),
    unit=("source_system", "event_ref"),
)

INVOLVEMENT = TableContract(
    name="involvement",
    row="One person record's part in one event.",
    key=("source_system", "event_ref", "person_ref", "role_raw"),
    fields=(
        _SOURCE,
        Field("event_ref", STRING, "The event.", required=True),
        Field("person_ref", STRING, "The person record.", required=True),
        Field(
            "role_raw",
            STRING,
            "Role as recorded, upper case, trimmed; '' when none was recorded.",
            required=True,
        ),
        Field("role", STRING, "Role in the event (Role).", required=True),
        Field(
            "role_mapped",
            BOOLEAN,
            "False when the raw role is in no mapping and became additional_relevant.",
            required=True,
        ),
        Field("dpa_category", STRING, "DpaCategory that follows from the role.", required=True),
        Field(
            "disclosed",
            BOOLEAN,
            "Whether the person told the force of the employment; null when the source does not say.",
        ),
        _VERSION,
    ),
    unit=("source_system", "event_ref", "person_ref"),
)

LOCATION = TableContract(
    name="location",
    row="One place of one event.",
    key=("source_system", "event_ref", "location_no"),
    fields=(
        _SOURCE,
        Field("event_ref", STRING, "The event.", required=True),
        Field("location_no", INT, "1.. within the event.", required=True),
        *ADDRESS_FIELDS,
        _VERSION,
    ),
    unit=("source_system", "event_ref"),
)

REFUSED = TableContract(
    name="refused",
    row="One row of a feed that was kept out, with its reason.",
    key=("source_system", "feed", "produces", "row_key", "reason", "copy_no"),
    fields=(
        _SOURCE,
        Field("feed", STRING, "Name of the feed in the mapping.", required=True),
        Field("produces", STRING, "Canonical table the row would have become.", required=True),
        Field(
            "row_key",
            STRING,
            "The row's key as recorded, parts joined by '/'; '' when it has none.",
            required=True,
        ),
        Field("person_ref", STRING, "The person record or employee that the row speaks of; null when it names none."),
        Field("event_ref", STRING, "The event that the row speaks of; null when it names none."),
        Field("reason", STRING, "RefusalReason.", required=True),
        Field(
            "copy_no",
            INT,
            "1.. among rows refused with the same key and reason, in order of content.",
            required=True,
        ),
        Field("column_name", STRING, "The column at fault; null when the whole row is."),
        Field(
            "row_json",
            STRING,
            "The raw row, kept so that nothing is lost; mapped PNC and CRO numbers only where it is of person_identifier. "
            "Personal data.",
            required=True,
        ),
    ),
    unit=("source_system", "produces", "person_ref", "event_ref"),
)

CANONICAL: tuple[TableContract, ...] = (PERSON, EMPLOYEE, ASSIGNMENT, EVENT, INVOLVEMENT, LOCATION, REFUSED)
