"""The tables of nominals: which police person records are one person, why, and what happened to that over time."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.linkage import FREQUENCY, LINK, LINK_WEIGHTS, REFINED_KEY
from linkage_spark.tables.types import BOOLEAN, DATE, INT, LONG, STRING, TIMESTAMP

RECORD_ID = Field(
    "record_id", LONG, "xxHash64 of source system and person reference; unique, which every run checks.", required=True
)
_NOMINAL = Field("nominal_id", LONG, "Our own id of the nominal; it lasts.", required=True)
_SOURCE = Field("source_system", STRING, "System of the police person record.", required=True)
_PERSON_REF = Field("person_ref", STRING, "The police person record.", required=True)
_EMPLOYEE_ID = Field("employee_id", STRING, "The employee.", required=True)

_EDGE_LEVELS = ("level_name", "level_given", "level_surname", "level_date_of_birth", "level_address", "rule_mask")

NOMINAL_PAIR = TableContract(
    name="nominal_pair",
    row="One candidate pair of variants of two police person records, above the floor of the model of nominals. As in scored_pair, with the "
    "lesser record id as text in employee_id and the other in person_ref; a day replaces the pairs of records that changed.",
    key=SCORED_PAIR.key,
    fields=SCORED_PAIR.fields,
)

NOMINAL_EDGE = TableContract(
    name="nominal_edge",
    row="Two police person records that the joining rule, a verified number or a reviewer joins, their best variants, the evidence, "
    "and whether the guard cut it.",
    key=("left_record_id", "right_record_id"),
    fields=(
        Field("left_record_id", LONG, "The record with the lower id.", required=True),
        Field("right_record_id", LONG, "The record with the higher id.", required=True),
        Field("model_id", STRING, "The frozen model of nominals.", required=True),
        Field("policy_reason", STRING, "PolicyReason: the clause that the pair falls under.", required=True),
        Field(
            "match_weight_millibits",
            LONG,
            "log2 odds of a match in 1/1000 bit; the weight_ columns add up to it exactly.",
            required=True,
        ),
        *(field for field in LINK.fields if field.name in (*LINK_WEIGHTS, *_EDGE_LEVELS)),
        Field("judged_same", BOOLEAN, "A reviewer's judgement *same* is in force for the pair.", required=True),
        Field(
            "same_identifier",
            BOOLEAN,
            "Both records bear the same verified PNC or CRO number; the number itself stands in person_identifier, and in "
            "refused rows of that table.",
            required=True,
        ),
        Field(
            "cut_reason",
            STRING,
            "CutReason: why the guard cut the edge; null when it joins its two records, at once or after their component has waited.",
        ),
        Field(
            "because_left_record_id", LONG, "Lower of the two records that may not meet; null unless a conflict cut it."
        ),
        Field("because_right_record_id", LONG, "Higher of the two; null unless a conflict cut it."),
    ),
)

NOMINAL_MEMBER = TableContract(
    name="nominal_member",
    row="One police person record and the nominal that it belongs to.",
    key=("record_id",),
    fields=(
        RECORD_ID,
        _NOMINAL,
        Field(
            "quarantined",
            BOOLEAN,
            "Its component waits for a reviewer; it stays where it was, unless judged *not the same*.",
            required=True,
        ),
        Field("since_run_no", INT, "Run in which it came to this nominal.", required=True),
    ),
)

NOMINAL_RECORD = TableContract(
    name="nominal_record",
    row="One police person record by its own reference, with the nominal that it belongs to: where to look a person up.",
    key=("source_system", "person_ref"),
    fields=(
        _SOURCE,
        _PERSON_REF,
        RECORD_ID,
        _NOMINAL,
        Field("quarantined", BOOLEAN, "As on nominal_member.", required=True),
    ),
)

NOMINAL = TableContract(
    name="nominal",
    row="One nominal, live or ended.",
    key=("nominal_id",),
    fields=(
        _NOMINAL,
        Field("state", STRING, "NominalState.", required=True),
        Field("records", INT, "Records that belong to it; 0 when it has ended.", required=True),
        Field("created_run_no", INT, "Run that made it.", required=True),
        Field("merged_into", LONG, "The nominal that took its place; null unless merged."),
        Field("ended_run_no", INT, "Run in which it ended; null while it lives."),
    ),
)

NOMINAL_EVENT = TableContract(
    name="nominal_event",
    row="One thing that happened to a nominal or to a record's place in one. Rows are added, never changed.",
    key=("run_no", "kind", "nominal_id", "other_nominal_id", "record_id"),
    fields=(
        Field("run_no", INT, "Number of the run among those that made nominals.", required=True),
        Field("kind", STRING, "NominalEventKind.", required=True),
        _NOMINAL,
        Field(
            "other_nominal_id",
            LONG,
            "Where a record came from, what a nominal was merged into or split to; null otherwise.",
        ),
        Field("record_id", LONG, "The record that joined or left; null for what happens to a nominal as a whole."),
    ),
)

NOMINAL_RUN = TableContract(
    name="nominal_run",
    row="One run that made nominals: when, and by what. Rows are added, never changed.",
    key=("run_no",),
    fields=(
        Field("run_no", INT, "Its number, from 1; stands on every event.", required=True),
        Field("run_id", STRING, "RUN's own id of it.", required=True),
        Field("started_at", TIMESTAMP, "When it began, UTC; grows with run_no.", required=True),
        Field("model_id", STRING, "The frozen model of nominals.", required=True),
        Field("code_version", STRING, "Version and digest of the code.", required=True),
    ),
)

NOMINAL_PORTRAIT = TableContract(
    name="nominal_portrait",
    row="One form of one attribute under which a nominal's records know the person, in one category of data subject.",
    key=("nominal_id", "dpa_category", "attribute", "value"),
    fields=(
        _NOMINAL,
        Field(
            "dpa_category",
            STRING,
            "DpaCategory of the involvements; '' for records that stand in no event. Categories are never mixed (DPA 2018 s.38).",
            required=True,
        ),
        Field("attribute", STRING, "'name', 'date_of_birth' or 'address'.", required=True),
        Field("value", STRING, "The form as compared, readable. Personal data.", required=True),
        Field("records", INT, "The nominal's records that bear it, in this category.", required=True),
        Field("events", INT, "Events in which those records stand, in this category.", required=True),
        Field("first_seen", DATE, "Europe/London date of the first such event; null when none has a date."),
        Field("last_seen", DATE, "Date of the last; null when none has a date."),
    ),
)

NOMINAL_ALERT = TableContract(
    name="nominal_alert",
    row="One employee and one nominal with a link between them: all records and events of that person, counted once.",
    key=("employee_id", "nominal_id"),
    fields=(
        _EMPLOYEE_ID,
        _NOMINAL,
        Field("tier", STRING, "Tier of the best link.", required=True),
        Field("match_weight_millibits", LONG, "Match weight of the best link, 1/1000 bit.", required=True),
        Field(
            "linked_records", INT, "Records of the nominal that are linked to the employee themselves.", required=True
        ),
        Field(
            "other_records",
            INT,
            "Records of the nominal that are neither linked to the employee nor negated.",
            required=True,
        ),
        Field("events", INT, "Events of the linked records, each counted once.", required=True),
        Field("conduct_events", INT, "Of these, in the conduct lane.", required=True),
        Field("welfare_events", INT, "Of these, in the welfare lane.", required=True),
        Field(
            "other_events", INT, "Events of the other records alone; no hit, and never counted as one.", required=True
        ),
        Field("roles_json", STRING, "Events per role as a JSON object, roles in alphabetical order.", required=True),
        Field("first_event_date", DATE, "Date of the first event of the linked records; null when none has a date."),
        Field("last_event_date", DATE, "Date of the last; null when none has a date."),
        Field("default_view", BOOLEAN, "True when one of its hits is in the default view.", required=True),
        Field("statement", STRING, "The alert in words: '3 records, 2 events'.", required=True),
    ),
)

SAME_NOMINAL = TableContract(
    name="same_nominal",
    row="One record of a linked person that did not itself match the employee, and that no reviewer has negated: offered, never a hit.",
    key=("employee_id", "source_system", "person_ref"),
    fields=(
        _EMPLOYEE_ID,
        _SOURCE,
        _PERSON_REF,
        _NOMINAL,
        Field("events", INT, "Events in which the record stands.", required=True),
        Field("statement", STRING, "'same nominal, not itself matched', with why it is offered.", required=True),
    ),
)

NOMINAL_FREQUENCY = TableContract(
    name="nominal_frequency",
    row="One value's frequency among police person records, frozen with the model of nominals.",
    key=FREQUENCY.key,
    fields=FREQUENCY.fields,
)

NOMINAL_REFINED_KEY = TableContract(
    name="nominal_refined_key",
    row="One heavy key that takes a second key, frozen with the model of nominals.",
    key=REFINED_KEY.key,
    fields=REFINED_KEY.fields,
)

PERSON_JUDGEMENT = TableContract(
    name="person_judgement",
    row="One reviewer's word on two police person records. Rows are added, never changed; the newest is in force.",
    key=("left_record_id", "right_record_id", "judged_at", "judgement"),
    fields=(
        Field("left_record_id", LONG, "The record with the lower id.", required=True),
        Field("right_record_id", LONG, "The record with the higher id.", required=True),
        Field("judgement", STRING, "Judgement.", required=True),
        Field("judged_at", TIMESTAMP, "When, UTC.", required=True),
        Field("reviewer", STRING, "Who.", required=True),
        Field("reason", STRING, "Why, in the reviewer's words; null when none was given. Personal data."),
    ),
)

NOMINALS: tuple[TableContract, ...] = (
    NOMINAL_FREQUENCY,
    NOMINAL_REFINED_KEY,
    NOMINAL_PAIR,
    NOMINAL_EDGE,
    NOMINAL_MEMBER,
    NOMINAL_RECORD,
    NOMINAL,
    NOMINAL_EVENT,
    NOMINAL_RUN,
    NOMINAL_PORTRAIT,
    NOMINAL_ALERT,
    SAME_NOMINAL,
)
