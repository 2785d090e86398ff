"""Feeds -> EVENT, INVOLVEMENT and LOCATION."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.reference.standard import Reference
from linkage_spark.settings.sources import TIME_INPUTS, FeedMapping, Produces, SourceMapping
from linkage_spark.standardise import inputs as C
from linkage_spark.standardise.forming import ADDRESS_INPUTS, form_locations
from linkage_spark.standardise.persons import person_inputs
from linkage_spark.standardise.rows import judge_rows, keep_newest, kept, open_rows, union_rows
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, LOCATION
from linkage_spark.tables.enums import DpaCategory, RefusalReason, Role

LOCAL_ZONE = "Europe/London"
_TIMES = (
    "occurred_from",
    "occurred_to",
    "reported_at",
    "recorded_at",
    "custody_arrived_at",
    "custody_released_at",
)
_TEXTS = (
    *("offence_code", "offence_title", "opening_code", "closing_code", "source_flags", "custody_number"),
    *("grading_scheme", "source_evaluation", "intelligence_assessment", "handling_code", "mopi_group"),
)
_GRADED = ("grading_scheme", "source_evaluation", "intelligence_assessment", "handling_code")
_DPA: Mapping[Role, DpaCategory] = {
    Role.SUSPECT: DpaCategory.SUSPECT,
    Role.DETAINED: DpaCategory.SUSPECT,
    Role.OFFENDER: DpaCategory.CONVICTED,
    Role.VICTIM: DpaCategory.VICTIM,
    Role.WITNESS: DpaCategory.WITNESS_OTHER,
    Role.ADDITIONAL_RELEVANT: DpaCategory.WITNESS_OTHER,
    Role.INTELLIGENCE_SUBJECT: DpaCategory.WITNESS_OTHER,
}


def blocks_of(feeds: Mapping[str, DataFrame], source: SourceMapping, table: str) -> list[tuple[FeedMapping, Produces]]:
    """The blocks of the feeds that are there which make one table."""
    listed = [(feed, block) for feed in source.feeds.values() for block in feed.produces]
    return [(feed, block) for feed, block in listed if block.table == table and feed.key in feeds]


# ---- events ------------------------------------------------------------------------------------------------


def open_events(feeds: Mapping[str, DataFrame], source: SourceMapping) -> DataFrame | None:
    """Event rows with what speaks against each on its own; versions are not yet compared."""
    return union_rows(_open_event(feeds[feed.key], feed, block) for feed, block in blocks_of(feeds, source, "event"))


def judge_events(opened: DataFrame) -> DataFrame:
    """Of every event the newest version."""
    return keep_newest(opened, ("event_ref",))


def form_events(judged: DataFrame) -> DataFrame:
    """Kept event rows -> EVENT. event_date is the Europe/London date; the session's zone is UTC."""
    first = F.coalesce("occurred_from", "reported_at", "recorded_at", "occurred_to")
    scheme = F.lower(F.regexp_replace(F.col("grading_scheme"), r"\s", ""))
    known = scheme.isin("3x5x2", "5x5x5")
    rows = kept(judged).withColumns({name: F.when(known, F.col(name)) for name in _GRADED[1:]})
    return EVENT.conform(
        rows.withColumns(
            {
                "grading_scheme": F.when(known, scheme),
                "event_date": F.to_date(F.from_utc_timestamp(first, LOCAL_ZONE)),
            }
        )
    )


def _open_event(frame: DataFrame, feed: FeedMapping, block: Produces) -> DataFrame:
    """One block's events."""

    def column(name: str) -> str | None:
        names = block.columns.get(name)
        return names[0] if names and names[0] in frame.columns else None

    inputs: dict[str, Column] = {
        "event_ref": C.key(block.columns["event_ref"]),
        "event_type": _constant_or_text(block, "event_type"),
    }
    for name in _TIMES:
        found = column(name)
        inputs[name] = C.instant(frame, found, block) if found else F.lit(None).cast("timestamp")
    for name in _TEXTS:
        found = column(name)
        inputs[name] = C.text(found) if found else F.lit(None).cast("string")
    review = column("review_date")
    inputs["review_date"] = C.day(frame, review, block) if review else F.lit(None).cast("date")
    times = [found for name in _TIMES if name in TIME_INPUTS and (found := column(name))]
    stated = F.coalesce(*[C.text(name) for name in times]) if times else F.lit(None).cast("string")
    inputs["time_stated"] = stated.isNotNull()
    rows = open_rows(frame, feed, block, inputs)
    readable = F.coalesce(*[F.col(name) for name in _TIMES]).isNotNull()
    return judge_rows(
        rows,
        [
            (
                F.col("event_ref").isNull(),
                RefusalReason.MISSING_KEY,
                F.lit(", ".join(block.columns["event_ref"])),
            ),
            (F.col("time_stated") & ~readable, RefusalReason.UNREADABLE_DATE, F.lit(", ".join(times))),
        ],
    ).drop("time_stated")


def _constant_or_text(block: Produces, name: str) -> Column:
    """A constant of the block, or its column as text; null when it has neither."""
    if name in block.constants:
        return F.lit(str(block.constants[name]))
    return C.text(block.columns[name][0]) if name in block.columns else F.lit(None).cast("string")


# ---- involvements ------------------------------------------------------------------------------------------


def judge_involvements(
    feeds: Mapping[str, DataFrame],
    source: SourceMapping,
    *,
    events: DataFrame | None,
    persons: DataFrame | None,
) -> DataFrame | None:
    """Involvement rows with their reasons; an event or a person that is not there refuses the row.

    Args:
        feeds: the feeds that are there.
        source: the mapping.
        events: judged events of the source, of which one row per event is kept.
        persons: judged persons of the source.
    """
    frames = []
    for feed, block in blocks_of(feeds, source, "involvement"):
        rows = _open_involvement(feeds[feed.key], feed, block, source)
        # Where rows can be taken back, a row's own event may be gone with another row that makes it.
        if source.takes_back or not feed.makes_too(block, "event", "event_ref"):
            rows = _refuse_unknown_events(rows, events, block, source)
        if source.takes_back or not feed.makes_too(block, "person", "person_ref"):
            rows = refuse_unknown_persons(rows, persons, F.lit(", ".join(block.columns["person_ref"])), source)
        frames.append(rows)
    rows_ = union_rows(frames)
    return None if rows_ is None else keep_newest(rows_, ("event_ref", "person_ref", "role_raw"))


def form_involvements(judged: DataFrame) -> DataFrame:
    """Kept involvement rows -> INVOLVEMENT."""
    pairs = [F.lit(part) for role, category in _DPA.items() for part in (role.value, category.value)]
    category = F.element_at(F.create_map(*pairs), F.col("role"))
    return INVOLVEMENT.conform(kept(judged).withColumn("dpa_category", category))


def _open_involvement(frame: DataFrame, feed: FeedMapping, block: Produces, source: SourceMapping) -> DataFrame:
    """One block's involvements; an unlisted role is kept as additional_relevant and marked."""
    raw = F.upper(F.coalesce(F.regexp_replace(_constant_or_text(block, "role"), r"\s+", " "), F.lit("")))
    told = block.columns.get("disclosed")
    disclosed = F.lit(None).cast("boolean")
    if told and told[0] in frame.columns:
        disclosed = C.looked_up(C.text(told[0]), block.disclosed).cast("boolean")
    listed = C.looked_up(raw, source.roles).cast("string")
    rows = open_rows(
        frame,
        feed,
        block,
        {
            "event_ref": C.key(block.columns["event_ref"]),
            "person_ref": C.key(block.columns["person_ref"]),
            "role_raw": raw,
            "role": F.coalesce(listed, F.lit(Role.ADDITIONAL_RELEVANT.value)),
            "role_mapped": listed.isNotNull(),
            "disclosed": disclosed,
        },
    )
    names = ", ".join(dict.fromkeys([*block.columns["event_ref"], *block.columns["person_ref"]]))
    missing = F.col("event_ref").isNull() | F.col("person_ref").isNull()
    return judge_rows(rows, [(missing, RefusalReason.MISSING_KEY, F.lit(names))])


def _refuse_unknown_events(
    rows: DataFrame, events: DataFrame | None, block: Produces, source: SourceMapping
) -> DataFrame:
    """Rows whose event no kept row makes; what the source has taken back needs no other reason."""
    column, reason = F.lit(", ".join(block.columns["event_ref"])), F.lit(RefusalReason.UNKNOWN_EVENT.value)
    there = F.when(F.col("reason").isNull(), F.lit(_THERE))
    states = None if events is None else _states(events, "event_ref", there, source)
    return _refuse_by(rows, states, "event_ref", reason, column)


def refuse_unknown_persons(
    rows: DataFrame, persons: DataFrame | None, column: Column, source: SourceMapping
) -> DataFrame:
    """Rows whose person is an organisation, or is not there at all; ``column`` names the feed's columns of the key."""
    there = F.when(F.col("reason").isNull(), F.lit(_THERE)).when(
        F.col("reason") == RefusalReason.NOT_A_PERSON.value, F.col("reason")
    )
    states = None if persons is None else _states(persons.where("variant_no = 0"), "person_ref", there, source)
    return _refuse_by(rows, states, "person_ref", F.lit(RefusalReason.UNKNOWN_PERSON.value), column)


_THERE = "there"
"""How a reference stands that a kept row makes; else it is the reason why none does."""


def _states(judged: DataFrame, ref: str, there: Column, source: SourceMapping) -> DataFrame:
    """How the references of events or persons stand: ``ref``, ``stands``, and ``was_gone``, once each; those that are not known are left out."""
    told = judged.select(ref, there.alias("stands"), "gone")
    if not source.takes_back:
        return told.where("stands is not null").select(ref, "stands", F.lit(None).cast("string").alias("was_gone"))
    of_ref = told.where("stands is not null or gone is not null").groupBy(ref)
    return of_ref.agg(F.max("stands").alias("stands"), F.max("gone").alias("was_gone"))


def _refuse_by(rows: DataFrame, states: DataFrame | None, ref: str, unknown: Column, column: Column) -> DataFrame:
    """Refuse rows whose event or person is not there; where that is gone, they are gone with it, whatever else speaks against them."""
    if states is None:
        state, was_gone = F.lit(None).cast("string"), F.lit(None).cast("string")
    else:
        rows = rows.join(states, on=ref, how="left")
        state, was_gone = F.col("stands"), F.col("was_gone")
    is_there = F.coalesce(state == _THERE, F.lit(False))
    fault = F.col("reason").isNull() & F.col("gone").isNull() & ~is_there
    return rows.withColumns(
        {
            "reason": F.when(fault, F.coalesce(state, unknown)).otherwise(F.col("reason")),
            "column_name": F.when(fault, column).otherwise(F.col("column_name")),
            "gone": F.coalesce("gone", F.when(~is_there, was_gone)),
        }
    ).drop("stands", "was_gone")


# ---- locations ---------------------------------------------------------------------------------------------


def judge_locations(
    feeds: Mapping[str, DataFrame], source: SourceMapping, *, events: DataFrame | None
) -> DataFrame | None:
    """Location rows with their reasons."""
    frames = []
    for feed, block in blocks_of(feeds, source, "location"):
        rows = _open_location(feeds[feed.key], feed, block)
        # Where rows can be taken back, a row's own event may be gone with another row that makes it.
        if source.takes_back or not feed.makes_too(block, "event", "event_ref"):
            rows = _refuse_unknown_events(rows, events, block, source)
        frames.append(rows)
    rows_ = union_rows(frames)
    return None if rows_ is None else keep_newest(rows_, ("event_ref", "location_no"))


def form_places(judged: Mapping[str, DataFrame], *, reference: Reference) -> DataFrame | None:
    """Kept location rows of all sources -> LOCATION, in one Python pass."""
    names = ("source_system", "event_ref", "location_no", "source_version", "stated_kind", *ADDRESS_INPUTS)
    rows = union_rows(kept(frame).select(*names) for frame in judged.values())
    if rows is None:
        return None
    parts = ("flat", "house", "street_in", "box", "locality_in", "town_in")
    rows = rows.withColumns(
        {"address_raw": F.nullif(F.concat_ws(", ", *parts), F.lit("")), "postcode_raw": F.col("postcode_in")}
    )
    return form_locations(rows, LOCATION.schema, reference=reference)


def _open_location(frame: DataFrame, feed: FeedMapping, block: Produces) -> DataFrame:
    """One block's places."""
    number = block.columns.get("location_no")
    kind = block.columns.get("location_kind")
    stated = F.lit(None).cast("string")
    if kind and kind[0] in frame.columns:
        stated = C.looked_up(C.text(kind[0]), block.address_kinds).cast("string")
    places = {name: column for name, column in person_inputs(frame, block, "").items() if name in ADDRESS_INPUTS}
    given_number = F.lit(int(block.constants.get("location_no", 1))).cast("int")
    inputs = {
        "event_ref": C.key(block.columns["event_ref"]),
        "location_no": C.whole_number(number[0]) if number else given_number,
        "stated_kind": stated,
        **places,
    }
    rows = open_rows(frame, feed, block, inputs)
    checks = [(F.col("event_ref").isNull(), RefusalReason.MISSING_KEY, F.lit(", ".join(block.columns["event_ref"])))]
    if number:
        wrong = F.col("location_no").isNull() | (F.col("location_no") < 1)
        checks.append((wrong, RefusalReason.WRONG_TYPE, F.lit(number[0])))
    return judge_rows(rows, checks)
