"""The shape of a run's figures: one JSON-serialisable dict, counts only, no row on any one person.

The backfill writes it to RUN.counts_json, the evaluation adds ``accuracy``, the report shows it.
Every list is sorted by its leading columns, so the same run gives the same text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

if TYPE_CHECKING:
    from linkage_spark.evaluation.expectation import ExpectedEstimate, ExpectedFigures
    from linkage_spark.evaluation.pair_figures import CalibrationBin

FIGURES_VERSION = 1
"""Rises when a key changes its meaning or goes."""


class RunFigures(TypedDict):
    """Which run this is and what it stood on; the columns of RUN that a reader must see.

    ``model_doubts``: why the model's probabilities are weak, in sentences; empty where nothing speaks against them.
    """

    run_id: str
    kind: str
    status: str
    started_at: str
    finished_at: str
    code_version: str
    settings_fingerprint: str
    model_id: str
    model_fingerprint: str
    model_doubts: list[str]
    input_fingerprint: str
    lawful_basis_reference: str
    advisory: str
    coverage_caveat: str


class StageFigures(TypedDict):
    """One stage in the order of running: seconds of wall clock and its named counts."""

    stage: str
    seconds: float
    counts: dict[str, int]


class SourceFigures(TypedDict):
    """One feed and one canonical table it produces: rows_in = rows_out + sum of refused.

    ``not_screened`` counts by NotScreenedReason the rows_out that took no part in the comparison; it
    is empty unless ``produces`` is 'person'.
    """

    source_system: str
    feed: str
    produces: str
    rows_in: int
    rows_out: int
    refused: dict[str, int]
    not_screened: dict[str, int]


class RuleFigures(TypedDict):
    """One row of RULE_PRICE without model_id."""

    rule_id: str
    rule_no: int
    history_rows: int
    roster_rows: int
    pairs_before_refinement: int
    refined_keys: int
    pairs_refined_away: int
    pairs_proposed: int
    pairs_first: int


class TierFigures(TypedDict):
    """Links per source and tier, by the clause of the policy that decided."""

    source_system: str
    tier: str
    policy_reason: str
    links: int


class HitFigures(TypedDict):
    """Hits per kind."""

    event_type: str
    role: str
    tier: str
    lane: str
    on_duty_sign: bool
    default_view: bool
    hits: int


class HitMonthFigures(TypedDict):
    """Hits per month of the event, 'YYYY-MM'; '' when the event has no date."""

    month: str
    event_type: str
    hits: int


class LocationHitFigures(TypedDict):
    """Location hits per place level, and whether a hit links the employee to the same event."""

    place_level: str
    person_also_linked: bool
    hits: int


class ScreeningFigures(TypedDict):
    """Employees by whether they were screened: screened + sum of not_screened = employees."""

    employees: int
    screened: int
    not_screened: dict[str, int]
    address_usable: int
    with_hits: int


class ExpectedFalseFigures(TypedDict):
    """Links of one tier and how many of them the model itself expects to be false."""

    tier: str
    links: int
    expected_false: float


class QualityFigures(TypedDict):
    """Person records (variant 0) of one source with one issue; issue '' counts those without any."""

    source_system: str
    attribute: str
    issue: str
    records: int


class Proportion(TypedDict):
    """``numerator`` of ``denominator`` with Wilson's 95 % interval; None when the denominator is 0."""

    numerator: int
    denominator: int
    value: float | None
    low: float | None
    high: float | None


class ScopeAccuracy(TypedDict):
    """Accuracy of what a scope shows. Scopes: 'match' alone, and 'match+possible'."""

    scope: str
    precision: Proportion
    recall: Proportion
    recall_supportable: Proportion


class GroupAccuracy(TypedDict):
    """The same within one group of person records; ``false_links`` are shown and wrong."""

    group: str
    scope: str
    precision: Proportion
    recall: Proportion
    false_links: int


class HardNegativeAccuracy(TypedDict):
    """Person records of one kind of hard negative, and how many false links show them in each tier."""

    hard_negative: str
    records: int
    shown_match: int
    shown_possible: int


class HitAccuracy(TypedDict):
    """Hits of one event type and scope; recall over the hits that the true links would give."""

    event_type: str
    on_duty_sign: bool
    scope: str
    precision: Proportion
    recall: Proportion


class CurvePoint(TypedDict):
    """Precision and recall when pairs of at least ``at_least_bits`` were shown."""

    at_least_bits: float
    links: int
    precision: float
    recall: float


class LossFigures(TypedDict):
    """True links by what became of them; the rows add up to all true links."""

    outcome: str
    true_links: int
    supportable: int


class CarriedTier(TypedDict):
    """True links by the tier that the policy grants on the values as recorded, and where they are shown.

    ``carries``: a Tier, or 'not_compared' where a side took no part; ``true_links`` is the share of all true links.
    """

    carries: str
    true_links: Proportion
    shown_match: int
    shown_possible: int


class CarriedFigures(TypedDict):
    """Recall bounded by what the records carry; see ``carried.carried_figures``.

    ``match_of_match``: in tier match, of true links that carry match; ``carry_match``: those, of all true links.
    ``shown_of_possible``: in either tier, of true links that carry at least possible; ``carry_possible`` likewise.
    ``shown_of_supportable``, ``supportable``: the same with the coarse bound. ``shown_pairs_per_true``: null when none.
    """

    tiers: list[CarriedTier]
    match_of_match: Proportion
    carry_match: Proportion
    shown_of_possible: Proportion
    carry_possible: Proportion
    shown_of_supportable: Proportion
    supportable: Proportion
    shown_pairs: int
    true_shown_pairs: int
    shown_pairs_per_true: float | None


class StageLoss(TypedDict):
    """True links lost at one stage; ``carry_possible``: those that the policy would show (null: nobody asked)."""

    stage: str
    true_links: int
    supportable: int
    carry_possible: int | None


class LossReason(TypedDict):
    """Lost true links by reason."""

    reason: str
    true_links: int


class ClassLoss(TypedDict):
    """Recall of supportable true links of one error class, and why the others are not shown, most frequent first."""

    error_class: str
    recall_supportable: Proportion
    below_least: bool
    reasons: list[LossReason]


class GroupGap(TypedDict):
    """One naming tradition below the best: recall or precision, best less its own, with a 95 % interval.

    ``judged``: it has enough links; ``too_wide``: it is judged, and above the limit by more than chance.
    """

    measure: str
    group: str
    share: Proportion
    best_group: str
    best_share: Proportion
    limit: float
    gap: float | None
    low: float | None
    high: float | None
    judged: bool
    too_wide: bool


class GapFigures(TypedDict):
    """Gaps between naming traditions; each carries its limit."""

    min_links: int
    groups: list[GroupGap]


class CalibrationFigures(TypedDict):
    """Stated probabilities against the truth.

    ``covers``: 'all_scored' pairs, or 'shown' pairs alone. ``off_by``: expected over true matches, less 1.
    """

    covers: str
    pairs: int
    true_pairs: int
    expected_matches: float
    off_by: float | None
    expected_calibration_error: float | None
    bins: list[CalibrationBin]


class AblationFigures(TypedDict):
    """The same run screened again with one thing changed; ``changed`` is 'nothing' in the first row."""

    changed: str
    scopes: list[ScopeAccuracy]
    match_of_match: Proportion
    shown_of_possible: Proportion


class PeopleTruth(TypedDict):
    """Employees counted with the truth; a person is found when one of the shown links is true.

    ``missed_scored``: with a true pair that was scored, and none that is shown; ``missed``: with any true link, and none.
    """

    shown: int
    shown_falsely: int
    missed_scored: int
    missed: int


class PeopleFigures(TypedDict):
    """What the probabilities say of people: see ``people.people_figures``."""

    employees: int
    not_screened: int
    shown: int
    falsely: ExpectedEstimate
    missed: ExpectedEstimate
    statement: str
    truth: NotRequired[PeopleTruth]


class ExpectationFigures(TypedDict):
    """A run without looking at any truth: people, and pairs."""

    truth_was_there: bool
    people: PeopleFigures
    links: ExpectedFigures


class AccuracyFigures(TypedDict):
    """What the truth of a made-up force says about a run's links and hits.

    ``scopes_without_address``: the same screening once more, as if no address had been recorded; only where it was
    asked for, like ``ablation``.
    """

    true_links: int
    supportable_true_links: int
    scopes: list[ScopeAccuracy]
    scopes_without_address: NotRequired[list[ScopeAccuracy]]
    ablation: NotRequired[list[AblationFigures]]
    carried: NotRequired[CarriedFigures]
    gaps: NotRequired[GapFigures]
    calibration: NotRequired[CalibrationFigures]
    by_source: list[GroupAccuracy]
    by_error_class: list[GroupAccuracy]
    by_tradition: list[GroupAccuracy]
    by_address: list[GroupAccuracy]
    by_on_duty: list[GroupAccuracy]
    by_age_band: list[GroupAccuracy]
    by_event_type: list[GroupAccuracy]
    hard_negatives: list[HardNegativeAccuracy]
    hits: list[HitAccuracy]
    curve: list[CurvePoint]
    loss: list[LossFigures]
    loss_by_stage: list[StageLoss]
    loss_by_class: list[ClassLoss]


class ResultFigures(TypedDict):
    """What every run knows of itself."""

    version: int
    run: RunFigures
    stages: list[StageFigures]
    sources: list[SourceFigures]
    rules: list[RuleFigures]
    tiers: list[TierFigures]
    hits: list[HitFigures]
    hits_by_month: list[HitMonthFigures]
    location_hits: list[LocationHitFigures]
    screening: ScreeningFigures
    expected_false_links: list[ExpectedFalseFigures]
    data_quality: list[QualityFigures]


class Figures(ResultFigures, total=False):
    """All figures of one run; ``accuracy`` only where the truth is known, ``expectation`` where the job evaluate made it."""

    accuracy: AccuracyFigures
    expectation: ExpectationFigures


def to_json(figures: Mapping[str, Any]) -> str:
    """The figures as JSON text: keys sorted, the same text for the same figures."""
    return json.dumps(figures, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False)


def from_json(text: str) -> Figures:
    """Figures read back from ``to_json``.

    Raises:
        ValueError: when a section is missing or the version is another.
    """
    found = json.loads(text)
    missing = sorted(ResultFigures.__required_keys__ - set(found))
    if missing:
        raise ValueError(f"figures lack {', '.join(missing)}")
    if found["version"] != FIGURES_VERSION:
        raise ValueError(f"figures are of version {found['version']}, this code reads {FIGURES_VERSION}")
    return cast("Figures", found)


def sorted_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Collected rows as dicts of exactly ``columns``, sorted by them in order; null sorts first."""
    dicts = [{name: row[name] for name in columns} for row in rows]
    return sorted(dicts, key=lambda row: tuple((row[name] is not None, row[name]) for name in columns))
