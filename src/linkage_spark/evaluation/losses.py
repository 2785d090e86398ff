"""Why true links were lost: at which stage, and by error class for what reason. Driver only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from linkage_spark.evaluation import judged
from linkage_spark.evaluation.figures import ClassLoss, StageLoss
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.tables.enums import PolicyReason, Tier

Row = Mapping[str, Any]

REVIEW = "review"
"""A reviewer said of a link that the tool would show that the two are not the same."""

STAGES: tuple[str, ...] = (
    "standardising",
    "blocking",
    "scoring",
    "blocking_or_scoring",
    "policy",
    REVIEW,
    "not_told_apart",
)
"""Where a true link can be lost, in the order of running; the last of two that could not be told apart."""

LEAST_RECALL = 0.85
"""An error class below this recall must come with its reason."""

SHOWN = "shown"

_STAGE_OF: dict[str, str] = {
    judged.SHOWN_MATCH: SHOWN,
    judged.SHOWN_POSSIBLE: SHOWN,
    judged.NEGATED: REVIEW,
    judged.EMPLOYEE_REFUSED: "standardising",
    judged.EMPLOYEE_NOT_SCREENED: "standardising",
    judged.RECORD_REFUSED: "standardising",
    judged.RECORD_NOT_SCREENED: "standardising",
    judged.NEVER_PROPOSED: "blocking",
    judged.BELOW_FLOOR: "scoring",
    judged.HELD_BACK + PolicyReason.BELOW_THRESHOLD.value: "scoring",
    f"{judged.BELOW_FLOOR}_or_{judged.NEVER_PROPOSED}": "blocking_or_scoring",
    judged.NOT_SHOWN: "not_told_apart",
}


def stage_of(outcome: str) -> str:
    """The stage that lost a true link: 'shown' where none did.

    What a clause of the policy held back is the policy's; what the thresholds held back is the score's.

    Raises:
        ValueError: an outcome that ``judged`` does not give.
    """
    if outcome in _STAGE_OF:
        return _STAGE_OF[outcome]
    if outcome.startswith(judged.HELD_BACK):
        return "policy"
    raise ValueError(f"no outcome {outcome!r}")


def reason_of(row: Row) -> str:
    """Why a lost true link cannot be, or was not, shown.

    What the policy would hold back on the values as recorded is the policy's, also where no rule
    proposed the pair or its score was low: no rule and no score could show it. Otherwise the outcome. What
    a reviewer took away the policy had shown.
    """
    by_policy = stage_of(row["outcome"]) not in ("standardising", REVIEW)
    if by_policy and row["claim_tier"] == Tier.NON_MATCH.value:
        return judged.HELD_BACK + str(row["claim_reason"])
    return str(row["outcome"])


def losses_by_stage(patterns: Iterable[Row]) -> list[StageLoss]:
    """True links lost at each stage that lost any, in the order of running.

    ``carry_possible``: of them, how many the policy would show on their values as recorded: what better rules and
    scores could win back; of those that a reviewer took away, only another word could. Null where nobody asked the policy.

    Args:
        patterns: rows of ``judged.count_patterns``.
    """
    lost = [row for row in patterns if row["is_true"] and stage_of(row["outcome"]) != SHOWN]
    asked = any(row["claim_tier"] for row in lost)
    losses: list[StageLoss] = []
    for stage in STAGES:
        rows = [row for row in lost if stage_of(row["outcome"]) == stage]
        if rows:
            carrying = _pairs(rows, lambda row: row["claim_tier"] in (Tier.MATCH.value, Tier.POSSIBLE.value))
            losses.append(
                {
                    "stage": stage,
                    "true_links": _pairs(rows),
                    "supportable": _pairs(rows, lambda row: row["supportable"]),
                    "carry_possible": carrying if asked else None,
                }
            )
    return losses


def losses_by_class(patterns: Iterable[Row], classes_of: Callable[[Row], Sequence[str]]) -> list[ClassLoss]:
    """Per error class, of supportable true links: how many are shown, and for what reason the others are not.

    A record counts under each class it bears. Every class names its reasons, the most frequent first.

    Args:
        patterns: rows of ``judged.count_patterns``.
        classes_of: the classes of a row.
    """
    by_class: dict[str, list[Row]] = {}
    for row in patterns:
        if row["is_true"] and row["supportable"]:
            for name in classes_of(row):
                by_class.setdefault(name, []).append(row)
    losses: list[ClassLoss] = []
    for name, rows in sorted(by_class.items()):
        reasons: Counter[str] = Counter()
        for row in rows:
            if stage_of(row["outcome"]) != SHOWN:
                reasons[reason_of(row)] += row["pairs"]
        all_pairs = _pairs(rows)
        recall = proportion(all_pairs - reasons.total(), all_pairs)
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        losses.append(
            {
                "error_class": name,
                "recall_supportable": recall,
                "below_least": recall["value"] is not None and recall["value"] < LEAST_RECALL,
                "reasons": [{"reason": reason, "true_links": pairs} for reason, pairs in ordered],
            }
        )
    return losses


def _pairs(rows: Iterable[Row], wanted: Callable[[Row], bool] = lambda row: True) -> int:
    return sum(int(row["pairs"]) for row in rows if wanted(row))
