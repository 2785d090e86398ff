"""The page of a ``link`` or ``dedupe`` run on an analyst's files: one file that opens offline.

The page shows counts and figures only: no ref and no value of any record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, Required, TypedDict

from markupsafe import Markup

from linkage_spark.report import person_pictures, person_tables
from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table
from linkage_spark.report.words import count, percent


class RunHead(TypedDict):
    """What was run. ``kind`` is 'link' or 'dedupe'; the texts may be ''.

    ``frequencies`` names the frequencies in words ("shipped with screening_v1", "counted on these files");
    ``country`` is 'GB' or 'plain', ``country_reason`` the sentence that says why; ``decision`` the sentence
    that says when a pair is linked; ``cut_bits`` the weight from which it is, null where rivals move it.
    """

    kind: str
    advisory: str
    run_id: str
    replaces: NotRequired[str | None]
    finished_at: str
    code_version: str
    model_id: str
    model_fingerprint: str
    trained: bool
    frequencies: str
    country: str
    country_reason: str
    decision: str
    one_to_one: bool
    cut_bits: float | None


class FileHead(TypedDict):
    """One input file: rows_in = records + sum of refused. ``name`` without folders; ``warnings`` are sentences.

    ``issues``: records by 'attribute: issue', of values that are missing or could not be used in full.
    """

    side: str
    name: str
    rows_in: int
    records: int
    refused: Mapping[str, int]
    issues: NotRequired[Mapping[str, int]]
    warnings: Sequence[str]


class RuleCount(TypedDict):
    """One blocking rule: pairs it proposes, and those that it proposes first."""

    rule_id: str
    pairs_proposed: int
    pairs_first: int


class AttributeLevel(TypedDict):
    """One level of one attribute of the model that was used; ``weight_bits`` is log2(m/u), null where m is 0."""

    attribute: str
    level: str
    m: float
    u: float
    weight_bits: float | None


class StageSeconds(TypedDict):
    """One stage in the order of running."""

    stage: str
    seconds: float


class PersonFilesSummary(TypedDict, total=False):
    """What the page is made of; every part but ``run`` may be missing, and is then not shown.

    Attributes:
        run: RunHead.
        files: FileHead per input file, left first.
        attributes: what was compared, in words.
        warnings: sentences on the whole run.
        possible_pairs: pairs that there could be; with ``candidates`` it tells what blocking spared.
        compared_whole: True when every possible pair was compared and no rule was needed.
        candidates: pairs compared.
        rules: RuleCount per blocking rule.
        scored: ``evaluation.pair_figures.ScoredFigures``.
        tiers: pairs per tier of the reviewers' policy.
        rivals: ``share_left`` and ``share_right``, of one-to-one.
        training: facts of the estimation, name → text or number.
        model: AttributeLevel per level of the model that was used.
        clusters: ``evaluation.cluster_figures.ClusterSizes``.
        truth: ``evaluation.pair_figures.PairFigures``.
        guard: what the guard looked for and cut; ``linked_pairs_cut`` counts by reason.
        cluster_truth: ``evaluation.cluster_figures.ClusterFigures``.
        cluster_truth_before_guard: the same of the clusters before the guard; not shown where it cut nothing.
        outputs: files written, name → what stands in it.
        stages: StageSeconds.
    """

    run: Required[RunHead]
    files: NotRequired[Sequence[FileHead]]
    attributes: NotRequired[Sequence[str]]
    warnings: NotRequired[Sequence[str]]
    possible_pairs: NotRequired[int]
    compared_whole: NotRequired[bool]
    candidates: NotRequired[int]
    rules: NotRequired[Sequence[RuleCount]]
    scored: NotRequired[Mapping[str, Any]]
    tiers: NotRequired[Mapping[str, int]]
    rivals: NotRequired[Mapping[str, float]]
    training: NotRequired[Mapping[str, str | int | float]]
    model: NotRequired[Sequence[AttributeLevel]]
    clusters: NotRequired[Mapping[str, Any]]
    truth: NotRequired[Mapping[str, Any]]
    guard: NotRequired[Mapping[str, Any]]
    cluster_truth: NotRequired[Mapping[str, Any]]
    cluster_truth_before_guard: NotRequired[Mapping[str, Any]]
    outputs: NotRequired[Mapping[str, str]]
    stages: NotRequired[Sequence[StageSeconds]]


def render_person_files(summary: PersonFilesSummary | Mapping[str, Any]) -> str:
    """The whole page as HTML text: no script, and no font, picture or other resource from elsewhere.

    The same summary gives the same bytes.

    Args:
        summary: shape of PersonFilesSummary.
    """
    return template("person_files.html.j2").render(
        run=summary["run"],
        summary=summary,
        title=_TITLES[summary["run"]["kind"]],
        headline=_headline(summary),
        warnings=_warnings(summary),
        pictures={name: Markup(svg) for name, svg in _pictures(summary).items()},
        tables=_tables(summary),
    )


_TITLES = {"link": "Linking two person files", "dedupe": "Repeated persons in one file"}


def _headline(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    numbers: list[tuple[str, str]] = []
    if files := summary.get("files"):
        records = sum(file["records"] for file in files)
        numbers.append((count(records), f"records compared, of {count(sum(file['rows_in'] for file in files))} rows"))
    if "candidates" in summary:
        numbers.append((count(summary["candidates"]), "pairs compared"))
    if scored := summary.get("scored"):
        numbers.append((count(scored["linked"]), "pairs linked by default"))
        numbers.append((count(round(scored["expected_matches"])), "matches expected among the scored pairs"))
    if clusters := summary.get("clusters"):
        numbers.append((count(clusters["clusters"]), f"clusters, the largest of {count(clusters['largest_cluster'])}"))
    if truth := summary.get("truth"):
        for name, words in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            numbers.append((percent(truth["default"][name]["value"]), f"{words} of the linked pairs"))
    return numbers


def _warnings(summary: Mapping[str, Any]) -> list[str]:
    """Warnings on the run and on each file, which name their file."""
    own = [warning for file in summary.get("files", ()) for warning in file["warnings"]]
    return [*summary.get("warnings", ()), *own]


def _pictures(summary: Mapping[str, Any]) -> dict[str, str]:
    """Every picture that has something to show, by name."""
    drawn: dict[str, str] = {}
    scored = summary.get("scored")
    if scored and scored["by_weight"]:
        drawn["weights"] = person_pictures.weight_histogram(
            scored["by_weight"], cut_bits=summary["run"]["cut_bits"], name="weights"
        )
    truth = summary.get("truth")
    if truth and any(point["precision"] is not None and point["recall"] is not None for point in truth["thresholds"]):
        drawn["curve"] = person_pictures.threshold_curve(truth, name="curve")
    if truth and truth["calibration"]:
        drawn["calibration"] = person_pictures.calibration(truth["calibration"], name="calibration")
    return drawn


def _tables(summary: Mapping[str, Any]) -> dict[str, Table]:
    """Every table with rows, by name."""
    same = not summary.get("guard", {}).get("linked_pairs_cut")
    made = {
        name: make(summary[part])
        for name, (part, make) in person_tables.BY_PART.items()
        if summary.get(part) is not None and not (same and part == "cluster_truth_before_guard")
    }
    return {name: table for name, table in made.items() if table.rows}
