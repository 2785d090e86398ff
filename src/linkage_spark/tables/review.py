"""What reviewers said of employees and police person records, and what is not shown because of it."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.types import STRING, TIMESTAMP

_PAIR = tuple(field for field in LINK.fields if field.name in LINK.key)

LINK_JUDGEMENT = TableContract(
    name="link_judgement",
    row=(
        "One reviewer's word on an employee and a police person record, said of one evidence. Rows are added, never changed; of each pair "
        "and evidence the newest is in force."
    ),
    key=(*LINK.key, "evidence_fingerprint", "judged_at", "judgement"),
    fields=(
        *_PAIR,
        Field(
            "judgement",
            STRING,
            "Judgement. Withdrawn and cannot tell take back what was said of the same evidence, and nothing else.",
            required=True,
        ),
        Field("judged_at", TIMESTAMP, "When, UTC; a word of a time to come stops the run.", required=True),
        Field("reviewer", STRING, "Who.", required=True),
        Field("reason", STRING, "Why, in the reviewer's words; null when none was given. Personal data."),
        Field(
            "evidence_fingerprint",
            STRING,
            "`link_evidence_fingerprint` of the published table `link` (`link.evidence_fingerprint`) as it was shown: the word holds for "
            "this evidence alone. It covers names, date of birth and address of the best pair of variants in their standard forms, the "
            "employee's and the record's, and neither references, tier nor weights: it is another one once one of these values is, or "
            "another pair of variants is the best one, as another model may find. Personal data.",
            required=True,
        ),
    ),
)

NEGATED_LINK = TableContract(
    name="negated_link",
    row="One link that would be shown if the word in force on this very evidence were not that the two are not the same.",
    key=LINK.key,
    fields=(
        *_PAIR,
        *(field for field in LINK.fields if field.name in ("tier", "match_weight", "evidence_fingerprint")),
        Field("judged_at", TIMESTAMP, "When the word in force was given, UTC.", required=True),
    ),
)
