"""What reviewers said of employees and police person records, and what is not shown because of it."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.types import STRING, TIMESTAMP

_PAIR = tuple(field for field in LINK.fields if field.name in LINK.key)

LINK_JUDGEMENT = TableContract(
    name="link_judgement",
    row="One reviewer's word on an employee and a police person record. Rows are added, never changed; the newest is in force.",
    key=(*LINK.key, "judged_at", "judgement"),
    fields=(
        *_PAIR,
        Field("judgement", STRING, "Judgement.", required=True),
        Field("judged_at", TIMESTAMP, "When, UTC.", required=True),
        Field("reviewer", STRING, "Who.", required=True),
        Field("reason", STRING, "Why, in the reviewer's words; null when none was given. Personal data."),
        Field(
            "evidence_fingerprint",
            STRING,
            "`link.evidence_fingerprint` as it was shown: the word holds for this evidence alone. Personal data.",
            required=True,
        ),
    ),
)

NEGATED_LINK = TableContract(
    name="negated_link",
    row="One link that would be shown if no reviewer had said of this very evidence that the two are not the same.",
    key=LINK.key,
    fields=(
        *_PAIR,
        *(field for field in LINK.fields if field.name in ("tier", "match_weight", "evidence_fingerprint")),
        Field("judged_at", TIMESTAMP, "When the word in force was given, UTC.", required=True),
    ),
)
