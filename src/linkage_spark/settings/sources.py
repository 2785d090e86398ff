"""Source mappings: where a feed lies, what its columns mean. A new force changes these files, never code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from linkage_spark.errors import SettingsError
from linkage_spark.settings.files import Frozen, read_toml, validate

TableName = Literal["person", "assignment", "event", "involvement", "location", "person_identifier"]

_ADDRESS = ("flat", "house", "street", "locality", "town", "address", "postcode", "uprn")
_AGE = ("age", "age_as_of")
IDENTIFIER_INPUTS = ("pnc_id", "cro")
"""Inputs that hold a number of another register; each is an IdentifierKind."""

_TIMES = (
    "occurred_from",
    "occurred_to",
    "reported_at",
    "recorded_at",
    "custody_arrived_at",
    "custody_released_at",
)

INPUTS: Mapping[str, tuple[str, ...]] = {
    "person": (
        *("person_ref", "title", "given", "surname", "name", "date_of_birth", *_AGE, *_ADDRESS),
        *("person_kind", "variant_no", "variant_kind", "version"),
    ),
    "assignment": ("employee_id", "assignment_no", "employment_type", "role_title", "team", "start_date"),
    "event": (
        *(
            "event_ref",
            *_TIMES,
            "offence_code",
            "offence_title",
            "opening_code",
            "closing_code",
            "source_flags",
        ),
        *(
            "custody_number",
            "grading_scheme",
            "source_evaluation",
            "intelligence_assessment",
            "handling_code",
        ),
        *("mopi_group", "review_date", "version"),
    ),
    "involvement": ("event_ref", "person_ref", "role", "disclosed", "version"),
    "location": ("event_ref", "location_no", *_ADDRESS, "location_kind", "version"),
    "person_identifier": ("person_ref", *IDENTIFIER_INPUTS, "verified", "version"),
}
"""The canonical inputs that a mapping may fill, per canonical table."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "person": ("person_ref",),
    "assignment": ("employee_id", "assignment_no"),
    "event": ("event_ref",),
    "involvement": ("event_ref", "person_ref"),
    "location": ("event_ref",),
    "person_identifier": ("person_ref",),
}
"""The inputs without which a row cannot be kept."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "person": (),
    "assignment": ("employment_type",),
    "event": ("event_type",),
    "involvement": ("role",),
    "location": (),
    "person_identifier": (),
}
"""Further inputs that a mapping must fill, by a column or a constant."""

TIME_INPUTS: frozenset[str] = frozenset(_TIMES)
DATE_INPUTS: frozenset[str] = frozenset({"date_of_birth", "age_as_of", "start_date", "review_date"})
NUMBER_INPUTS: frozenset[str] = frozenset({"variant_no", "location_no"})
CONSTANTS: frozenset[str] = frozenset(
    {"event_type", "role", "variant_no", "variant_kind", "location_no", "employment_type", "verified"}
)

FORMAT_SIGNS: Mapping[str, str] = {
    "yyyy": r"\d{4}",
    "yy": r"\d{2}",
    "MMM": r"[A-Za-z]{3}",
    "MM": r"\d{1,2}",
    "dd": r"\d{1,2}",
    "HH": r"\d{1,2}",
    "mm": r"\d{2}",
    "ss": r"\d{2}",
}
"""The signs that a date or time format may hold, with what each stands for."""


def format_pattern(text: str) -> str:
    """The regular expression of a date or time format, one named group per sign.

    Raises:
        ValueError: when the format holds a letter that is no sign.
    """
    parts = re.split(r"(yyyy|yy|MMM|MM|dd|HH|mm|ss)", text)
    wrong = sorted({letter for part in parts[::2] for letter in part if letter.isalpha()})
    if wrong or len(parts) == 1:
        named = ", ".join(f"'{letter}'" for letter in wrong)
        no_signs = f"; {named} {'is no sign' if len(wrong) == 1 else 'are no signs'} here" if wrong else ""
        raise ValueError(f"a format is made of {', '.join(FORMAT_SIGNS)} and punctuation{no_signs}")
    return "".join(
        f"(?P<{part}>{FORMAT_SIGNS[part]})" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


_VOCABULARIES = ("person_kinds", "variant_kinds", "employment_types", "address_kinds", "disclosed", "verified")


def _known_zone(value: str) -> str:
    """The zone exists."""
    try:
        ZoneInfo(key=value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("no such time zone; write it as in Europe/London") from None
    return value


TimeZone = Annotated[str, AfterValidator(_known_zone)]
"""A zone of the time zone database."""


class Produces(Frozen):
    """How one feed's rows become rows of one canonical table.

    Attributes:
        table: the canonical table.
        columns: canonical input -> the feed's column or columns (keys are joined by '/', names by a
            space, addresses by ', '). ``age`` (in years) and ``age_as_of`` (the day it was stated) go together and are
            used where no year of birth is on record: see ``standardise.dates``.
        constants: canonical input -> the same value for every row.
        optional: canonical inputs whose columns may be missing from the feed.
        filled: the feed's columns that may not be empty in every row, beyond keys and names.
        date_formats: of dates kept as text, tried in order; ISO dates are always read.
        time_formats: of times kept as text, tried in order.
        time_zone: zone of times kept as text.
        name_order: how a single box without a comma and without upper-case surname is ordered.
        person_kinds: raw person kind -> 'person' or 'not_a_person'; an unlisted kind is a person.
        variant_kinds: raw variant kind -> VariantKind; an unlisted kind is an alias.
        employment_types: raw person type -> EmploymentType; an unlisted one refuses the row.
        address_kinds: raw kind of place -> AddressKind; an unlisted one leaves it to the address.
        disclosed: raw text -> whether the person told the force of the employment.
        verified: raw text -> whether the source calls the numbers of the row verified; an unlisted text is not.
        skip_when_empty: columns that make no row at all when all of them are empty.
    """

    table: TableName
    columns: dict[str, tuple[str, ...]]
    constants: dict[str, str | int | bool] = Field(default_factory=dict)
    optional: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    time_formats: tuple[str, ...] = ()
    time_zone: TimeZone = "Europe/London"
    name_order: Literal["given_first", "surname_first"] = "given_first"
    person_kinds: dict[str, Literal["person", "not_a_person"]] = Field(default_factory=dict)
    variant_kinds: dict[str, str] = Field(default_factory=dict)
    employment_types: dict[str, str] = Field(default_factory=dict)
    address_kinds: dict[str, str] = Field(default_factory=dict)
    disclosed: dict[str, bool] = Field(default_factory=dict)
    verified: dict[str, bool] = Field(default_factory=dict)
    skip_when_empty: tuple[str, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        """A single column name is a list of one."""
        if not isinstance(value, Mapping):
            return value
        return {key: (column,) if isinstance(column, str) else column for key, column in value.items()}

    @field_validator(*_VOCABULARIES, mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        """Vocabularies are looked up in upper case."""
        if not isinstance(value, Mapping):
            return value
        return {str(raw).strip().upper(): to for raw, to in value.items()}

    @field_validator("date_formats", "time_formats")
    @classmethod
    def _formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Every format can be read."""
        for text in value:
            format_pattern(text)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Produces:
        """Inputs are known, and those without which no row can be made are there."""
        known, given = INPUTS[self.table], set(self.columns) | set(self.constants)
        unknown = sorted(set(self.columns) - set(known)) + sorted(set(self.constants) - CONSTANTS)
        if unknown:
            raise ValueError(
                f"unknown input '{unknown[0]}' for table {self.table}; it may be one of {', '.join(known)}"
            )
        missing = [name for name in (*KEYS[self.table], *NEEDED[self.table]) if name not in given]
        if missing:
            raise ValueError(f"table {self.table} needs input '{missing[0]}'; map a column to it")
        lone = [one for one, other in (_AGE, _AGE[::-1]) if one in self.columns and other not in self.columns]
        if lone:
            raise ValueError(f"input '{lone[0]}' says nothing alone; map both {' and '.join(_AGE)}")
        if self.table == "person_identifier" and not given & set(IDENTIFIER_INPUTS):
            raise ValueError(f"table {self.table} needs one of {', '.join(IDENTIFIER_INPUTS)}; map a column to it")
        if not isinstance(self.constants.get("verified", False), bool):
            raise ValueError("constant 'verified' may be true or false")
        stray = sorted(set(self.optional) - set(self.columns))
        if stray:
            raise ValueError(f"optional input '{stray[0]}' is not among the mapped columns")
        return self

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The feed's columns that this block reads, each once, in order of mention."""
        named = [column for columns in self.columns.values() for column in columns]
        return tuple(dict.fromkeys([*named, *self.skip_when_empty]))

    @property
    def is_variant(self) -> bool:
        """True when the rows are further variants of persons that another block makes."""
        return "variant_no" in self.columns or "variant_no" in self.constants


class Withdrawn(Frozen):
    """How a feed marks rows that its source has taken back.

    Attributes:
        column: the feed's column.
        values: what it says of a row that no longer holds; capitals do not matter.
    """

    column: str
    values: tuple[str, ...] = Field(min_length=1)


class Disposal(Frozen):
    """Until when a feed's source keeps a row.

    Attributes:
        column: the feed's column: the day from which the row no longer holds; empty where the source has set none.
        date_formats: Java patterns of the days in text, tried in order; ISO is always read.
        time_zone: zone in which an instant falls on a day.
    """

    column: str
    date_formats: tuple[str, ...] = ()
    time_zone: TimeZone = "Europe/London"


class FeedMapping(Frozen):
    """One feed: where it lies and what it produces.

    Attributes:
        name: name within its source.
        source_system: the source.
        path: folder or file, relative to the feeds root; None for a Hive table.
        table: Hive table as ``database.table``; None for a path.
        format: storage format.
        options: options of the CSV reader, given as they are.
        required: False when the run may go on without the feed.
        allow_list: True when a column that no block reads stops the run.
        never_read: columns that are never read or kept (free text).
        changes: how the daily run learns which rows are new, amended or gone: 'change_feed', the Delta table's own; 'timestamp',
            rows whose key or ``changed_at`` is another than before; 'compare', rows that differ in any column that is read.
        changed_at: for 'timestamp', the column that the source moves on with every change of a row.
        withdrawn: how the feed marks rows that were taken back; None where it takes them out.
        disposal: the source's own disposal date of a row; None where it takes rows out in time by itself.
        produces: the canonical tables that the feed's rows become.
    """

    name: str
    source_system: str
    path: str | None = None
    table: str | None = None
    format: Literal["delta", "parquet", "csv", "hive"]
    options: dict[str, str] = Field(default_factory=dict)
    required: bool = True
    allow_list: bool = False
    never_read: tuple[str, ...] = ()
    changes: Literal["change_feed", "timestamp", "compare"] = "compare"
    changed_at: str | None = None
    withdrawn: Withdrawn | None = None
    disposal: Disposal | None = None
    produces: tuple[Produces, ...]

    @model_validator(mode="after")
    def _changes(self) -> FeedMapping:
        """What the daily run goes by is there."""
        if self.changes == "change_feed" and self.format != "delta":
            raise ValueError(
                "changes = 'change_feed' needs format = 'delta'; 'timestamp' and 'compare' serve any format"
            )
        if (self.changes == "timestamp") != (self.changed_at is not None):
            raise ValueError("changes = 'timestamp' goes with changed_at, the column that every change moves on")
        return self

    @model_validator(mode="after")
    def _place(self) -> FeedMapping:
        """A Hive feed has a table, any other a path."""
        if (self.format == "hive") != (self.table is not None) or (self.format == "hive") == (self.path is not None):
            raise ValueError("a hive feed has 'table' and no 'path'; any other feed has 'path' and no 'table'")
        if not self.produces:
            raise ValueError("a feed needs at least one [[produces]] block")
        clash = sorted(set(self.read_columns) & set(self.never_read))
        if clash:
            raise ValueError(f"column {clash[0]} is mapped and in never_read; take it out of one of them")
        if any(block.columns.get("version") != self._version_of_persons(block) for block in self._numbers_of_persons):
            raise ValueError("person_identifier is made from the rows of person; give both blocks the same 'version'")
        return self

    @property
    def _numbers_of_persons(self) -> tuple[Produces, ...]:
        """The blocks that take numbers from rows that make the person too."""
        return tuple(
            b for b in self.produces if b.table == "person_identifier" and self.makes_too(b, "person", "person_ref")
        )

    def _version_of_persons(self, block: Produces) -> tuple[str, ...] | None:
        """The version of the person that a block's rows make too."""
        made = [other for other in self.produces if self._is_made_by(other, block, "person", "person_ref")]
        return made[0].columns.get("version")

    @property
    def takes_back(self) -> bool:
        """True when a row can stand in the feed and count as gone."""
        return self.withdrawn is not None or self.disposal is not None

    def makes_too(self, block: Produces, table: str, key: str) -> bool:
        """True when the rows of ``block`` make the event (or the person) too, so that it is there by construction."""
        return any(self._is_made_by(other, block, table, key) for other in self.produces)

    @staticmethod
    def _is_made_by(other: Produces, block: Produces, table: str, key: str) -> bool:
        """``other`` makes ``table`` under the key that ``block`` has."""
        return other.table == table and not other.is_variant and other.columns.get(key) == block.columns.get(key)

    @property
    def key(self) -> str:
        """``source.feed``, as the feed is called in messages and in the mapping of frames."""
        return f"{self.source_system}.{self.name}"

    @property
    def number_columns(self) -> frozenset[str]:
        """The columns that hold PNC or CRO numbers."""
        return frozenset(
            column for block in self.produces for name in IDENTIFIER_INPUTS for column in block.columns.get(name, ())
        )

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The columns that anything is made from, each once; no other column of the feed is ever kept."""
        own = [self.changed_at] if self.changed_at else []
        own += [self.withdrawn.column] if self.withdrawn else []
        own += [self.disposal.column] if self.disposal else []
        return tuple(dict.fromkeys([*(column for block in self.produces for column in block.read_columns), *own]))

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns that must be there."""
        needed: dict[str, None] = dict.fromkeys(self.read_columns[len(self._of_blocks) :])
        for block in self.produces:
            spared = {column for name in block.optional for column in block.columns[name]}
            needed |= dict.fromkeys(column for column in block.read_columns if column not in spared)
        return tuple(needed)

    @property
    def known_columns(self) -> tuple[str, ...]:
        """The columns that may be there under an allow-list."""
        return tuple(dict.fromkeys([*self.read_columns, *self.never_read]))

    @property
    def _of_blocks(self) -> tuple[str, ...]:
        """The columns that blocks read."""
        return tuple(dict.fromkeys(column for block in self.produces for column in block.read_columns))


class SourceMapping(Frozen):
    """One source: its feeds and its words.

    Attributes:
        source_system: the source; the file's name without its ending.
        roster: True for the one source that lists the employees.
        roles: raw role, upper case -> Role; an unlisted one is kept as additional_relevant.
        placeholders: further texts that stand for nothing known, beyond conf/reference/placeholders.csv.
        feeds: by name.
    """

    source_system: str
    roster: bool = False
    roles: dict[str, str] = Field(default_factory=dict)
    placeholders: tuple[str, ...] = ()
    feeds: dict[str, FeedMapping]

    @property
    def takes_back(self) -> bool:
        """True when a row can stand in one of its feeds and count as gone."""
        return any(feed.takes_back for feed in self.feeds.values())

    @model_validator(mode="after")
    def _numbers_serve_nominals(self) -> SourceMapping:
        """PNC and CRO numbers of employees are never read."""
        blocks = [block for feed in self.feeds.values() for block in feed.produces]
        if self.roster and any(block.table == "person_identifier" for block in blocks):
            raise ValueError(
                "the roster may not produce person_identifier: such numbers serve nominals of police records only"
            )
        return self

    @model_validator(mode="after")
    def _roster_is_as_it_stands(self) -> SourceMapping:
        """Employees leave by leaving the roster."""
        if self.roster and any(feed.disposal for feed in self.feeds.values()):
            raise ValueError("the roster may have no 'disposal': it holds whoever is employed now")
        return self

    @field_validator("roles", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        """Roles are looked up in upper case."""
        return {str(raw).strip().upper(): to for raw, to in value.items()} if isinstance(value, Mapping) else value


def load_sources(conf_dir: Path) -> tuple[SourceMapping, ...]:
    """Load every ``conf/sources/*.toml``, in order of name.

    Raises:
        SettingsError: when there is none, a file is not TOML, a key is unknown or missing (file and key
            are named), or not exactly one source is the roster.
    """
    paths = sorted((conf_dir / "sources").glob("*.toml"))
    if not paths:
        raise SettingsError("conf/sources: no mapping file; add one TOML file per source")
    sources = tuple(_load_source(path) for path in paths)
    rosters = [source.source_system for source in sources if source.roster]
    if len(rosters) != 1:
        raise SettingsError(
            f"conf/sources: {len(rosters)} sources have roster = true ({', '.join(rosters) or 'none'}); "
            "exactly one must"
        )
    return sources


def feeds_of(sources: tuple[SourceMapping, ...]) -> tuple[FeedMapping, ...]:
    """Every feed of every source, in order."""
    return tuple(feed for source in sources for feed in source.feeds.values())


def _load_source(path: Path) -> SourceMapping:
    """One file."""
    values = read_toml(path)
    feeds = values.get("feeds")
    if isinstance(feeds, Mapping):
        values["feeds"] = {
            name: {**feed, "name": name, "source_system": path.stem} if isinstance(feed, Mapping) else feed
            for name, feed in feeds.items()
        }
    return validate(SourceMapping, {**values, "source_system": path.stem}, source=f"conf/sources/{path.name}")
