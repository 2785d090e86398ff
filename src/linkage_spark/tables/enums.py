"""The values that coded columns may take."""

from __future__ import annotations

from enum import StrEnum


class SourceSystem(StrEnum):
    """The roster and the four police sources. A new source is a new value and a mapping file."""

    HR = "hr"
    CRIME = "crime"
    CUSTODY = "custody"
    INTEL = "intel"
    INCIDENT = "incident"


class EventType(StrEnum):
    """Exactly the four kinds of event that the briefing names (000-02)."""

    CRIME = "crime"
    CUSTODY = "custody"
    INTELLIGENCE = "intelligence"
    INCIDENT = "incident"


class EmploymentType(StrEnum):
    """The four kinds of person on the roster (000-01)."""

    EMPLOYEE = "employee"
    VOLUNTEER = "volunteer"
    CONTRACTOR = "contractor"
    NON_POLICE = "non_police"


class VariantKind(StrEnum):
    """Why a person record has this row."""

    RECORDED = "recorded"
    ALIAS = "alias"
    FORMER_NAME = "former_name"
    KNOWN_AS = "known_as"
    OTHER_DATE_OF_BIRTH = "other_date_of_birth"
    OTHER_ADDRESS = "other_address"


class Role(StrEnum):
    """A person's part in an event. Unmapped raw roles become ADDITIONAL_RELEVANT and are counted."""

    SUSPECT = "suspect"
    OFFENDER = "offender"
    DETAINED = "detained"
    VICTIM = "victim"
    WITNESS = "witness"
    ADDITIONAL_RELEVANT = "additional_relevant"
    INTELLIGENCE_SUBJECT = "intelligence_subject"


class DpaCategory(StrEnum):
    """Categories of data subject that section 38 of the Data Protection Act 2018 keeps apart."""

    SUSPECT = "suspect"
    CONVICTED = "convicted"
    VICTIM = "victim"
    WITNESS_OTHER = "witness_other"


class Lane(StrEnum):
    """Which reviewers see a hit first."""

    CONDUCT = "conduct"
    WELFARE = "welfare"
    TRIAGE = "triage"


class Purpose(StrEnum):
    """The law under which a row is processed (000-29)."""

    LAW_ENFORCEMENT = "law_enforcement"
    PUBLIC_TASK = "public_task"


class Tier(StrEnum):
    """How strongly a pair is shown to a reviewer. NON_MATCH is never published as a hit."""

    MATCH = "match"
    POSSIBLE = "possible"
    NON_MATCH = "non_match"


class AddressKind(StrEnum):
    """What stands at an address. Only a DWELLING ever counts as agreement."""

    DWELLING = "dwelling"
    INSTITUTION = "institution"
    POLICE_STATION = "police_station"
    NO_FIXED_ABODE = "no_fixed_abode"
    PUBLIC_PLACE = "public_place"
    UNKNOWN = "unknown"


class NameIssue(StrEnum):
    """What is wrong with a recorded name."""

    MISSING = "missing"
    PLACEHOLDER = "placeholder"
    SINGLE_TOKEN = "single_token"
    INITIALS_ONLY = "initials_only"


class DobIssue(StrEnum):
    """What is wrong with a recorded date of birth."""

    MISSING = "missing"
    PLACEHOLDER = "placeholder"
    UNREADABLE = "unreadable"
    OUT_OF_RANGE = "out_of_range"
    PARTIAL = "partial"
    FIRST_OF_JANUARY = "first_of_january"
    STATED_AGE = "stated_age"
    APPROXIMATE_AGE = "approximate_age"


class AddressIssue(StrEnum):
    """What is wrong with a recorded address."""

    MISSING = "missing"
    PLACEHOLDER = "placeholder"
    NO_POSTCODE = "no_postcode"
    BAD_POSTCODE = "bad_postcode"
    NOT_A_DWELLING = "not_a_dwelling"
    NO_PREMISES = "no_premises"


class IdentifierKind(StrEnum):
    """Registers whose number of a person a police record may bear. They serve nominals only."""

    PNC_ID = "pnc_id"
    CRO = "cro"


class IdentifierIssue(StrEnum):
    """Why a recorded PNC id or CRO number has no standard form."""

    MALFORMED = "malformed"
    DUMMY = "dummy"
    CHECK_LETTER_WRONG = "check_letter_wrong"


class NotScreenedReason(StrEnum):
    """Why a person record took no part in the comparison. Silence must never read as clean."""

    NO_DATE_OF_BIRTH = "no_date_of_birth"
    UNUSABLE_NAME = "unusable_name"
    NAME_ALONE = "name_alone"


class RefusalReason(StrEnum):
    """Why a row of a feed was kept out of the canonical tables."""

    MISSING_KEY = "missing_key"
    DUPLICATE_ROW = "duplicate_row"
    SUPERSEDED_VERSION = "superseded_version"
    WITHDRAWN = "withdrawn"
    DISPOSAL_DUE = "disposal_due"
    CONFLICTING_ROSTER_ROWS = "conflicting_roster_rows"
    NOT_A_PERSON = "not_a_person"
    UNREADABLE_DATE = "unreadable_date"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_VALUE = "unknown_value"
    WRONG_TYPE = "wrong_type"


class PolicyReason(StrEnum):
    """Which clause of the tier policy decided a link's tier."""

    SAME_PREMISES_AND_DATE = "same_premises_and_date"
    SAME_NAME_DATE_AND_POSTCODE = "same_name_date_and_postcode"
    SAME_PREMISES_NEAR_DATE = "same_premises_near_date"
    NAME_AND_DATE_ONLY = "name_and_date_only"
    NAME_AND_PREMISES_ONLY = "name_and_premises_only"
    DATE_AND_PREMISES_ONLY = "date_and_premises_only"
    RARE_NAME_ALONE = "rare_name_alone"
    CONFLICT = "conflict"
    TWIN_PATTERN = "twin_pattern"
    ON_DUTY_NAME = "on_duty_name"
    RIVAL_TOO_CLOSE = "rival_too_close"
    RIVAL_RECORD_TOO_CLOSE = "rival_record_too_close"
    BELOW_THRESHOLD = "below_threshold"
    ONE_ELEMENT_ONLY = "one_element_only"
    CONTRADICTION = "contradiction"


class RunKind(StrEnum):
    """Which job made a run."""

    BACKFILL = "backfill"
    DAILY = "daily"
    PUBLISH = "publish"
    COMPACT = "compact"
    RETAIN = "retain"
    SHADOW = "shadow"
    TRAIN = "train"
    NOMINALS = "nominals"


class RunStatus(StrEnum):
    """How a run ended. Only PUBLISHED moves what readers see; TRAINED is a model kept, SHADOWED one tried; nothing is published."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    TRAINED = "trained"
    SHADOWED = "shadowed"
    FAILED = "failed"


class CutReason(StrEnum):
    """Why an accepted edge joins nobody. The order is the precedence: of several reasons the first is named.

    PNC_DIFFERS and CRO_DIFFERS speak of verified numbers only; a force whose sources give none never sees them.
    """

    JUDGED_NOT_SAME = "judged_not_same"
    PNC_DIFFERS = "pnc_differs"
    CRO_DIFFERS = "cro_differs"
    DATES_CONTRADICT = "dates_contradict"
    TWIN_PATTERN = "twin_pattern"
    ANOTHER_OF_THE_HOUSEHOLD = "another_of_the_household"
    SEX_MARKED_CONFLICT = "sex_marked_conflict"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    WEAK_BRIDGE = "weak_bridge"


class NominalState(StrEnum):
    """What a nominal is after a run. MERGED and RETIRED are ends; an ended nominal never comes back."""

    LIVE = "live"
    QUARANTINED = "quarantined"
    MERGED = "merged"
    RETIRED = "retired"


class NominalEventKind(StrEnum):
    """What can happen to a nominal, or to a record's place in one."""

    CREATED = "created"
    JOINED = "joined"
    LEFT = "left"
    MERGED = "merged"
    SPLIT = "split"
    QUARANTINED = "quarantined"
    RELEASED = "released"
    RETIRED = "retired"


class Judgement(StrEnum):
    """A reviewer's word on a pair: of two police person records, or of an employee and one.

    CANNOT_TELL leaves the pair to the evidence, as if nobody had spoken; WITHDRAWN takes back what was said before of it.
    """

    SAME = "same"
    NOT_SAME = "not_same"
    CANNOT_TELL = "cannot_tell"
    WITHDRAWN = "withdrawn"


class ItemKind(StrEnum):
    """What reviewers are shown from day to day."""

    LINK = "link"
    HIT = "hit"
    LOCATION_HIT = "location_hit"


class ItemChange(StrEnum):
    """How a link or hit changed in a run. RETURNED: it had been withdrawn before."""

    NEW = "new"
    CHANGED = "changed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class WithdrawalReason(StrEnum):
    """Why a link or hit no longer holds. The order is the precedence: of several reasons the first is named."""

    JUDGED_NOT_SAME = "judged_not_same"
    MODEL_CHANGED = "model_changed"
    LEFT_ROSTER = "left_roster"
    RECORD_WITHDRAWN = "record_withdrawn"
    ROSTER_REFUSED = "roster_refused"
    RECORD_REFUSED = "record_refused"
    RECORD_AMENDED = "record_amended"
    ROSTER_AMENDED = "roster_amended"
    SOFTWARE_CHANGED = "software_changed"


class Measure(StrEnum):
    """What a run measures of itself, and is held against before it publishes."""

    ROWS = "rows"
    REFUSED_SHARE = "refused_share"
    EVENT_AGE_DAYS = "event_age_days"
    FEED_AGE_DAYS = "feed_age_days"
    CHANGED_UNITS = "changed_units"
    FILLED_SHARE = "filled_share"
    CANDIDATES_PER_RECORD = "candidates_per_record"
    LINKS = "links"
    WEIGHT_BITS = "weight_bits"
    NEW_ITEMS = "new_items"
    LARGEST_COMPONENT = "largest_component"
    LARGE_NOMINALS = "large_nominals"


class RemovalKind(StrEnum):
    """What retention removes. TABLE_FILES and LOG_FILES hold what the rows in force no longer say."""

    ROWS = "rows"
    TABLE_FILES = "table_files"
    LOG_FILES = "log_files"
    SNAPSHOT = "snapshot"
    REPORT = "report"
    WORK = "work"


class RemovalReason(StrEnum):
    """Why something was removed. The order is the precedence: of several reasons the first is named."""

    ASKED_FOR = "asked_for"
    PERIOD_OVER = "period_over"
    SUPERSEDED = "superseded"
    RIVAL_GONE = "rival_gone"
    LEFT_BEHIND = "left_behind"


class SubjectKind(StrEnum):
    """Whom a subject report or an order to remove is about."""

    EMPLOYEE = "employee"
    PERSON = "person"
    EVENT = "event"
