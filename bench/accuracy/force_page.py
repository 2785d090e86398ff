"""The part of docs/accuracy.md on the made-up force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.accuracy.cells import Figures, Row, interval, share, table
from bench.accuracy.words import ABLATION, CARRIED, CLASSES, LOOK_ALIKES, REASONS, STAGES


def force_parts(force: Figures | None) -> list[str]:
    """By tier, by address and by error class."""
    if force is None:
        return ["Not measured yet: `make accuracy FORCE=…/figures.json` puts it here."]
    screening = force["screening"]
    parts = [
        f"{screening['employees']:,} employees, of whom {screening['with_hits']:,} have a hit; model `{force['model_id']}` "
        f"({force['model_fingerprint'][:12]}; any other than `screening_v1` is one that `jobs/train.py` learnt on this very force), "
        f"measured with the code {force['code_version']}.",
        _group_table("links", force["scopes"], _scope_name),
    ]
    if force.get("carried"):
        parts += [CARRIED, _carried(force["carried"])]
    if force.get("calibration"):
        parts += [_calibration(force["calibration"])]
    if force.get("expectation"):
        parts += _expectation(force["expectation"])
    if force.get("by_address"):
        parts += ["By the state of the record's address:", _group_table("links", force["by_address"], _group_name)]
    for key, said in _FORCE_TABLES.items():
        if force.get(key):
            parts += [said, _group_table("links", force[key], _scope_name)]
    if force.get("ablation"):
        parts += [ABLATION, _ablation(force["ablation"])]
    for key, (head, said) in _FURTHER_GROUPS.items():
        if force.get(key):
            parts += [said, _group_table(head, force[key], _group_name)]
    if force.get("gaps"):
        parts += [_gaps_said(force["gaps"]), _gaps(force["gaps"])]
    if force.get("hard_negatives"):
        rows = [
            [row["hard_negative"].replace("_", " "), row["records"], row["shown_match"], row["shown_possible"]]
            for row in force["hard_negatives"]
        ]
        parts += [LOOK_ALIKES, table(["look-alike", "records", "in tier match", "in tier possible"], rows)]
    if force.get("loss"):
        rows = [[row["outcome"].replace("_", " "), row["true_links"], row["supportable"]] for row in force["loss"]]
        parts += ["What became of the true links:", table(["outcome", "true links", "of these supportable"], rows)]
    if force.get("loss_by_stage"):
        rows = [
            [row["stage"].replace("_", " "), row["true_links"], row["supportable"], row["carry_possible"]]
            for row in force["loss_by_stage"]
        ]
        parts += [
            STAGES,
            table(["lost in", "true links", "of these supportable", "of these the policy would show"], rows),
        ]
    if force.get("loss_by_class"):
        parts += [REASONS, _reasons(force["loss_by_class"])]
    if force.get("by_error_class"):
        parts += [CLASSES, _by_class(force["by_error_class"])]
    return parts


_FORCE_TABLES = {"scopes_without_address": "The same force screened as if no address had been recorded:"}


def _scope_name(row: Figures) -> str:
    """The tier or tiers of a row."""
    return str(row["scope"])


def _group_name(row: Figures) -> str:
    """Group and tiers of a row."""
    return f"{_GROUPS.get(row['group'], row['group'].replace('_', ' '))}: {row['scope']}"


_GROUPS = {
    "": "no event",
    "with_address_note": "address missing or with an issue",
    "without_address_note": "address without issue",
}


def _group_table(head: str, rows: Sequence[Figures], name: Any) -> str:
    """Precision and recall with intervals, one row a group."""
    supportable = any("recall_supportable" in row for row in rows)
    heads = [head, "precision", "links", "recall", "true links"]
    heads += ["recall of what the records support"] if supportable else []
    lines = []
    for row in rows:
        cells = [name(row), interval(row["precision"]), row["precision"]["denominator"]]
        cells += [interval(row["recall"]), row["recall"]["denominator"]]
        lines.append(cells + ([interval(row["recall_supportable"])] if supportable else []))
    return table(heads, lines)


def _by_class(rows: Sequence[Figures]) -> str:
    """Recall by error class, one column a scope."""
    scopes = list(dict.fromkeys(row["scope"] for row in rows))
    by_group: dict[str, dict[str, Figures]] = {}
    for row in rows:
        by_group.setdefault(row["group"], {})[row["scope"]] = row
    heads = ["error class", "true links"]
    for scope in scopes:
        heads += [f"recall, {scope}", f"precision, {scope}"]
    lines: list[Row] = []
    for group, held in by_group.items():
        cells: list[Any] = [
            f"`{group}`" if group.isupper() else group,
            next(iter(held.values()))["recall"]["denominator"],
        ]
        for scope in scopes:
            cells += (
                [interval(held[scope]["recall"]), interval(held[scope]["precision"])] if scope in held else [None] * 2
            )
        lines.append(cells)
    return table(heads, lines)


_FURTHER_GROUPS = {
    "by_age_band": ("age", "By the age that the employee reaches in the year of the run:"),
    "by_event_type": ("event", "By the kind of event that the record stands in (a record can stand in several):"),
}


def _carried(found: Figures) -> str:
    """Recall bounded by what the records carry, with the aims."""
    rows: list[Row] = [
        [name, interval(found[recall]), found[recall]["denominator"], share(found[bound]["value"]), aim]
        for name, recall, bound, aim in (
            ("in tier match, of true links that carry match", "match_of_match", "carry_match", "≥ 0.97"),
            ("shown, of true links that carry possible or match", "shown_of_possible", "carry_possible", "≥ 0.97"),
            ("shown, of supportable true links", "shown_of_supportable", "supportable", None),
        )
    ]
    per_true = found["shown_pairs_per_true"]
    rows.append(
        ["shown pairs per true one among them", per_true and f"{per_true:.2f}", found["true_shown_pairs"], None, "≤ 3"]
    )
    return table(["recall", "share", "true links", "of all true links", "aim"], rows)


def _calibration(found: Figures) -> str:
    """Expected matches beside true ones, in a sentence."""
    over = "all scored pairs" if found["covers"] == "all_scored" else "the shown pairs"
    off = "" if found["off_by"] is None else f" ({100 * found['off_by']:+.1f} %)"
    error = found["expected_calibration_error"]
    return (
        f"Calibration over {over}: {found['expected_matches']:,.0f} matches expected, {found['true_pairs']:,} true{off}; expected "
        f"calibration error {'–' if error is None else f'{error:.4f}'}."
    )


def _expectation(found: Figures) -> list[str]:
    """The committee's sentence, and what the truth says of it."""
    people = found["people"]
    parts = [f"> {people['statement']}"]
    if "truth" in people:
        truth = people["truth"]
        parts.append(
            f"By the truth: {truth['shown']:,} found, {truth['shown_falsely']:,} of them falsely; {truth['missed_scored']:,} missed "
            f"among the scored pairs, {truth['missed']:,} with those never scored."
        )
    return parts


def _ablation(rows: Sequence[Figures]) -> str:
    """One line a change and scope."""
    lines: list[Row] = []
    for row in rows:
        for scope in row["scopes"]:
            carried = row["match_of_match"] if scope["scope"] == "match" else row["shown_of_possible"]
            cells = [f"{row['changed']}: {scope['scope']}", interval(scope["precision"]), interval(scope["recall"])]
            lines.append([*cells, interval(scope["recall_supportable"]), interval(carried)])
    return table(["changed", "precision", "recall", "of supportable", "of those that carry it"], lines)


def _gaps_said(found: Figures) -> str:
    """What the table of naming traditions holds."""
    limits = {row["measure"]: row["limit"] for row in found["groups"]}
    said = " and ".join(f"{limit:.2f} in {measure}" for measure, limit in limits.items())
    return (
        f"By naming tradition of the employee's name, below the best one, in all that is shown (the limit is {said}; fewer than "
        f"{found['min_links']} links are not judged):"
    )


def _gaps(found: Figures) -> str:
    """One line a measure and group."""
    lines: list[Row] = []
    for row in found["groups"]:
        gap = None if row["gap"] is None else f"{row['gap']:.3f} ({row['low']:.3f}–{row['high']:.3f})"
        said = "not judged" if not row["judged"] else "too wide" if row["too_wide"] else "within"
        name = f"{row['measure']}: {row['group'].replace('_', ' ')}"
        lines.append([name, interval(row["share"]), row["share"]["denominator"], gap, said])
    return table(["measure and tradition", "share", "links", "below the best", "the limit"], lines)


def _reasons(rows: Sequence[Figures]) -> str:
    """Classes below the least recall, with all their reasons."""
    lines: list[Row] = [
        [
            f"`{row['error_class']}`" if row["error_class"].isupper() else row["error_class"],
            interval(row["recall_supportable"]),
            row["recall_supportable"]["denominator"],
            "; ".join(f"{one['reason'].replace('_', ' ')} {one['true_links']:,}" for one in row["reasons"]),
        ]
        for row in rows
        if row["below_least"]
    ]
    return (
        table(["error class", "recall of supportable", "true links", "why the others are not shown"], lines)
        if lines
        else "None."
    )
