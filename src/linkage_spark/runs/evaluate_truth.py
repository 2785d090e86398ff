"""A published run against the truth of a made-up force: the actions, and what is kept for as long as they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from linkage_spark.errors import ContractError
from linkage_spark.evaluation.accuracy import accuracy, scopes
from linkage_spark.evaluation.calibration import calibration_figures
from linkage_spark.evaluation.carried import carried_figures
from linkage_spark.evaluation.costliest import choose_false_links, choose_lost_links, told, with_values
from linkage_spark.evaluation.figures import AblationFigures, AccuracyFigures, PeopleTruth
from linkage_spark.evaluation.gaps import tradition_gaps
from linkage_spark.evaluation.judged import count_patterns, list_event_types
from linkage_spark.evaluation.people import true_people
from linkage_spark.flows.ablation import (
    with_dates_equal_or_not,
    without_classes,
    without_near_dates,
    without_variants,
)
from linkage_spark.flows.claims import claim_true_links
from linkage_spark.flows.measure import judge_links, measure_truth, without_address
from linkage_spark.kit.contract import TableContract
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.runs.figures import dict_rows
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.rescreen import Again, Frozen, as_judged, keep, screen_again
from linkage_spark.settings.run import Evaluation
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.results import HIT
from linkage_spark.tables.review import NEGATED_LINK

Rows = list[dict[str, Any]]
Change = Callable[[DataFrame], DataFrame]
"""What is done to SCORED_PAIR before the policy decides."""


@dataclass(frozen=True)
class Pinned:
    """A published run's tables, read as the run left them."""

    store: DeltaStore
    run_id: str
    versions: Mapping[str, int]

    def read(self, contract: TableContract) -> DataFrame:
        """One table at its pinned version.

        Raises:
            ContractError: the run pins no version of it.
        """
        if contract.name not in self.versions:
            raise ContractError(f"run {self.run_id} pins no version of {contract.name}")
        return self.store.read(contract, version=self.versions[contract.name])

    @property
    def negated(self) -> DataFrame | None:
        """NEGATED_LINK; None where the run knew nothing of such links."""
        return self.read(NEGATED_LINK) if NEGATED_LINK.name in self.versions else None

    @property
    def judged(self) -> Change | None:
        """What leaves out the pairs that reviewers had negated, so that a screening gives what the run published."""
        return as_judged(self.store, self.versions)


@dataclass(frozen=True)
class Truth:
    """Truth of the roster and of the police records."""

    employee: DataFrame
    person: DataFrame


@dataclass(frozen=True)
class Measured:
    """What the truth says.

    Attributes:
        accuracy: the figures.
        people: employees shown, shown falsely and missed.
        costly: the costliest errors, pair by pair, for the page alone.
    """

    accuracy: AccuracyFigures
    people: PeopleTruth
    costly: Mapping[str, Any]


def measure_against(
    truth: Truth,
    pinned: Pinned,
    frozen: Frozen,
    again: Again | None,
    *,
    work: str,
    as_of: date,
    limits: Evaluation,
    ablation: bool,
    with_values: bool,
    progress: Progress,
) -> Measured:
    """Judge the run's links, and where asked the same screening with one thing less each time.

    All figures are of what was published: a link that a reviewer negated is shown to nobody. Where it is true it counts as lost, by
    the reviewer and not by the model (``judged.NEGATED``); where it is false it is no false link. Such pairs have no weight either, so
    curve and calibration are of the pairs that are left. They stay out of the screenings with one thing less too, though the evidence is
    another there: else these would differ from what was published by the reviewers' words as well.

    Args:
        truth: of the force.
        pinned: the run's tables.
        frozen: the run's model, frequencies and references.
        again: the screening once more, all scored pairs kept but those negated; None: only what the run published is known.
        work: folder that the caller removes.
        as_of: the run's day; ages are told on it.
        limits: on gaps between naming traditions.
        ablation: screen again with one thing less each time.
        with_values: show recorded values of the costliest errors.
        progress: names the actions.
    """
    person, negated, said = pinned.read(PERSON), pinned.negated, pinned.judged
    with progress.stage("ask the policy of true links"):
        claims = keep(_claims(person, truth, frozen), f"{work}/claims")
    judged = judge_links(
        pinned.read(LINK),
        truth_employee=truth.employee,
        truth_person=truth.person,
        person=person,
        scored_links=again.links if again else None,
        proposed=again.proposed if again else None,
        claims=claims,
        event_types=list_event_types(pinned.read(INVOLVEMENT), pinned.read(EVENT)),
        as_of=as_of,
        negated=negated,
    ).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        found, people, patterns = _counted(
            judged, truth, pinned, limits, covers_all=again is not None, progress=progress
        )
        costly = _costly(judged, claims, pinned, values=with_values, progress=progress)
    finally:
        judged.unpersist()

    def patterns_of(links: DataFrame) -> Rows:
        seen = judge_links(
            links,
            truth_employee=truth.employee,
            truth_person=truth.person,
            person=person,
            claims=claims,
            negated=negated,
        )
        return dict_rows(count_patterns(seen))

    bare: Rows | None = None
    if again is not None or ablation:
        bare = _screened_less(_without_address(person, frozen), "no address", said, patterns_of, work, progress)
        found["scopes_without_address"] = scopes(bare)
    if ablation and bare is not None:
        rows = {"nothing": patterns, "no address": bare}
        for name, less in _less(person, frozen).items():
            rows[name] = _screened_less(less, name, said, patterns_of, work, progress)
        found["ablation"] = [_ablated(name, of) for name, of in rows.items()]
    return Measured(accuracy=found, people=people, costly=costly)


def _claims(person: DataFrame, truth: Truth, frozen: Frozen) -> DataFrame:
    return claim_true_links(
        person,
        truth_employee=truth.employee,
        truth_person=truth.person,
        model=frozen.model,
        frequencies=frozen.frequencies,
        names=frozen.names,
    )


def _counted(
    judged: DataFrame, truth: Truth, pinned: Pinned, limits: Evaluation, *, covers_all: bool, progress: Progress
) -> tuple[AccuracyFigures, PeopleTruth, Rows]:
    """Small counts over the judged pairs, turned into figures."""
    counts = measure_truth(
        judged,
        truth_person=truth.person,
        hit=pinned.read(HIT),
        involvement=pinned.read(INVOLVEMENT),
        event=pinned.read(EVENT),
    )
    with progress.stage("judge links") as stage:
        patterns = dict_rows(counts.patterns)
        stage.counts["pairs"] = sum(row["pairs"] for row in patterns)
    with progress.stage("count weights and probabilities"):
        weights, thresholds = dict_rows(counts.weights), dict_rows(counts.thresholds)
    with progress.stage("judge hits") as stage:
        hits = dict_rows(counts.hits)
        stage.counts["hits"] = sum(row["hits"] for row in hits)
    with progress.stage("count look-alikes and people"):
        hard_negatives, (people,) = dict_rows(counts.hard_negatives), dict_rows(counts.people)
    found = accuracy(patterns, weights=weights, hard_negatives=hard_negatives, hits=hits)
    found["gaps"] = tradition_gaps(
        patterns,
        max_gap=limits.max_tradition_gap,
        max_precision_gap=limits.max_tradition_precision_gap,
        min_links=limits.min_tradition_links,
    )
    found["calibration"] = calibration_figures(
        thresholds, true_links=found["true_links"], covers="all_scored" if covers_all else "shown"
    )
    return found, true_people(people), patterns


def _costly(
    judged: DataFrame, claims: DataFrame, pinned: Pinned, *, values: bool, progress: Progress
) -> dict[str, Any]:
    """The costliest errors of both kinds, collected: a few dozen rows."""
    with progress.stage("costliest errors") as stage:
        chosen = {
            "false": choose_false_links(judged, pinned.read(LINK)),
            "lost": choose_lost_links(judged, claims),
        }
        if values:
            person = pinned.read(PERSON)
            chosen = {kind: with_values(rows, person) for kind, rows in chosen.items()}
        costly = {kind: told(dict_rows(rows), lost=kind == "lost") for kind, rows in chosen.items()}
        stage.counts.update({kind: len(rows) for kind, rows in costly.items()})
    return {**costly, "with_values": values}


# --- One thing less -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Less:
    """The screening with one thing less."""

    person: DataFrame
    frozen: Frozen
    change: Change | None = None


def _without_address(person: DataFrame, frozen: Frozen) -> _Less:
    return _Less(without_address(person), frozen)


def _less(person: DataFrame, frozen: Frozen) -> dict[str, _Less]:
    """Everything but the address, each taken away alone; models are changed in memory, never in a file."""
    return {
        "near dates differ": _Less(
            person, replace(frozen, model=with_dates_equal_or_not(frozen.model)), without_near_dates
        ),
        "no nicknames or spellings": _Less(person, replace(frozen, names=without_variants(frozen.names))),
        "no frequencies": _Less(person, replace(frozen, frequencies=Frequencies.none())),
        "no household or context": _Less(person, replace(frozen, model=without_classes(frozen.model))),
    }


def _screened_less(
    less: _Less,
    name: str,
    said: Change | None,
    patterns_of: Callable[[DataFrame], Rows],
    work: str,
    progress: Progress,
) -> Rows:
    """Patterns of one screening with one thing less, and without what reviewers negated."""
    with progress.stage(f"screen again: {name}"):
        folder, change = f"{work}/less_{name.replace(' ', '_')}", both(less.change, said)
        links = screen_again(less.person, less.frozen, work=folder, with_proposed=False, change=change).links
        return patterns_of(links)


def both(change: Change | None, said: Change | None) -> Change | None:
    """One change and then the other; None where there is neither.

    Args:
        change: the one; None: nothing.
        said: what leaves out what reviewers negated; None: nothing.
    """
    if change is None or said is None:
        return change or said
    first, then = change, said
    return lambda scored: then(first(scored))


def _ablated(changed: str, patterns: Rows) -> AblationFigures:
    """Precision and recall of one row; what records carry is always asked with everything there."""
    carried = carried_figures(patterns)
    return {
        "changed": changed,
        "scopes": scopes(patterns),
        "match_of_match": carried["match_of_match"],
        "shown_of_possible": carried["shown_of_possible"],
    }
