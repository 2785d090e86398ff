"""What becomes of links and hits from run to run: when each came, how it changed, why it went, and what was shown when."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT, LOCATION_HIT
from linkage_spark.tables.types import BOOLEAN, DATE, DOUBLE, STRING

_KIND = Field("item_kind", STRING, "ItemKind.", required=True)
_ID = Field(
    "item_id",
    STRING,
    "hit_id, location_hit_id, or link_id: SHA-256 of employee, source and person, first 32 hex digits.",
    required=True,
)

ITEM = TableContract(
    name="item",
    row="One link, hit or location hit that was ever found: since when, how it last changed, whether it still holds.",
    key=("item_kind", "item_id"),
    fields=(
        _KIND,
        _ID,
        Field("employee_id", STRING, "The employee.", required=True),
        Field("lane", STRING, "Reviewers' lane (Lane); null of a link, whose hits may stand in several."),
        Field("is_live", BOOLEAN, "It holds after this run.", required=True),
        Field("last_change", STRING, "ItemChange: how it last changed.", required=True),
        Field("withdrawal_reason", STRING, "WithdrawalReason of one that no longer holds; null while it does."),
        Field("first_seen_day", DATE, "Day of the first run that found it.", required=True),
        Field("first_seen_run_id", STRING, "That run.", required=True),
        Field("changed_day", DATE, "Day of the run in which it last came, changed or went.", required=True),
        Field("changed_run_id", STRING, "That run.", required=True),
        Field("last_seen_day", DATE, "Day of the last run that found it; null while it holds."),
        Field("tier", STRING, "Tier, as it is or last was; null of a location hit."),
        Field("match_weight", DOUBLE, "log2 odds, as they are or last were; null of a location hit."),
        Field(
            "tier_before",
            STRING,
            "Tier before it last changed; null while it never did, and once retention has removed what was shown then.",
        ),
        Field("match_weight_before", DOUBLE, "log2 odds before it last changed; null likewise."),
    ),
)

BASELINE = TableContract(
    name="baseline",
    row="One lane and the day up to which its evidence counts as known.",
    key=("lane",),
    fields=(
        Field("lane", STRING, "Lane.", required=True),
        Field("baseline_day", DATE, "What came or changed after this day is new to reviewers.", required=True),
        Field("run_id", STRING, "The run that set it.", required=True),
    ),
)

_STAMPS = (
    Field("run_id", STRING, "The run from which on it was shown so, until its next row.", required=True),
    Field("run_day", DATE, "Day of that run.", required=True),
    Field("item_change", STRING, "ItemChange.", required=True),
    Field(
        "withdrawal_reason",
        STRING,
        "WithdrawalReason of one that was withdrawn; its other columns are those last shown.",
    ),
)


def _history(contract: TableContract, *further: Field) -> TableContract:
    """A table's rows as they were from a run on."""
    return TableContract(
        name=f"{contract.name}_history",
        row=f"One row of `{contract.name}` as it stood from a run on; a row more whenever it came, changed or went.",
        key=("run_id", *contract.key),
        fields=(*_STAMPS, *contract.fields, *further),
    )


_EVIDENCE = Field(
    "evidence_fingerprint",
    STRING,
    "SHA-256 over the evidence fingerprints of the links behind it, in their order: another one means other evidence. Personal data.",
    required=True,
)

HIT_HISTORY = _history(HIT, _EVIDENCE)
LINK_HISTORY = _history(LINK)
LOCATION_HIT_HISTORY = _history(LOCATION_HIT)

LIFECYCLE: tuple[TableContract, ...] = (ITEM, BASELINE, LINK_HISTORY, HIT_HISTORY, LOCATION_HIT_HISTORY)
