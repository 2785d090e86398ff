"""What blocking rules are worth, as a person reads it at the end of the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linkage_spark.report.blocking import estimate_rows, missed

Figures = Mapping[str, Any]
Row = Mapping[str, Any]

SHOWN_CLASSES = 12
"""Error classes on the console: those that lose the greatest share."""


def blocking_summary(figures: Figures, *, out: str, written: Sequence[str]) -> str:
    """Table of the rules, truth, lean set and estimates as plain text.

    Args:
        figures: blocking.json.
        out: the folder that was written to.
        written: names of the files there.
    """
    run, steps = figures["run"], figures["steps"]
    lines = ["", f"{run['kind']}: {run['run_id']}"]
    lines += [f"  {file['side']:<6} {file['name']}: {file['records']:,} records" for file in figures["files"]]
    lines.append(
        f"  pairs  {figures['possible_pairs']:,} possible, {figures['candidates']:,} proposed by {len(steps)} rules together"
    )
    lines += ["", *_table(figures), ""]
    enough = figures["rules_for_99_percent"]
    if enough:
        pairs = figures["candidates"] and steps[enough - 1]["pairs"] / figures["candidates"]
        lines.append(
            f"  the first {enough} rules find 99 % of what all {len(steps)} find, with {pairs:.1%} of their pairs; "
            f"{figures['rules_for_all']} find all of it"
        )
    if figures["truth"]:
        lines.append(_truth_line(figures["truth"]))
    if figures.get("lean") is not None:
        lines += _lean_lines(figures)
    if figures.get("classes"):
        lines += _class_lines(figures["classes"])
    lines += _estimate_lines(figures)
    lines += [f"  warning: {text}" for text in figures["warnings"]]
    lines.append(f"  written to {out}: {', '.join(written)}")
    return "\n".join([*lines, "", run["advisory"]])


def _table(figures: Figures) -> list[str]:
    """The rules that find something more, in order; the others in one line."""
    truth = figures["truth"] is not None
    gained, share = ("true gained", "recall") if truth else ("expected gained", "share")
    useful = [step for step in figures["steps"] if step["found_added"]]
    rest = [step for step in figures["steps"] if not step["found_added"]]
    wide = max([len(step["rule_id"]) for step in useful] + [4])
    lines = [f"   no  {'rule':<{wide}} {'pairs added':>13} {gained:>15} {share:>8} {'pairs per gained':>17}"]
    lines += [
        f"  {no:>3}  {step['rule_id']:<{wide}} {step['pairs_added']:>13,} {_found(step['found_added'], truth):>15} "
        f"{_share(step['recall']):>8} {step['pairs_per_found']:>17,.1f}"
        for no, step in enumerate(useful, start=1)
    ]
    costly = sum(step["pairs_added"] for step in rest)
    if rest:
        names = ", ".join(step["rule_id"] for step in rest)
        lines.append(f"  nothing more is found by {len(rest)} rules, which add {costly:,} pairs: {names}")
    return lines


def _found(value: float, truth: bool) -> str:
    return f"{value:,}" if truth else f"{value:,.2f}"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _interval(recall: Row) -> str:
    if recall["value"] is None:
        return "none"
    return f"{recall['value']:.4f} ({recall['low']:.4f} to {recall['high']:.4f})"


def _truth_line(truth: Row) -> str:
    return (
        f"  truth  {truth['true_pairs_read']:,} true pairs that were read; no rule proposes {truth['lost_by_blocking']:,}; "
        f"recall of all rules {_interval(truth['recall'])}"
    )


def _lean_lines(figures: Figures) -> list[str]:
    """The lean set by itself, and each rich rule that finds what it loses."""
    lean, truth = figures["lean"], figures["truth"] is not None
    what = f"recall {_interval(lean['recall'])}" if truth else f"{_share(lean['share'])} of what all rules find"
    lines = [
        f"  lean   {len(lean['rules'])} rules of {figures['run']['model_id']}: {lean['pairs']:,} pairs, {what}",
        f"         by the model's probabilities alone {_share(lean['expected_share'])} of {lean['expected_matches_all_rules']:,.0f} "
        "expected matches",
    ]
    useful = [row for row in figures["beyond_lean"] if row["found_alone"]]
    if useful:
        wide = max(len(row["rule_id"]) for row in useful)
        lines += [
            "",
            f"  what the lean set loses{'':<{max(wide - 18, 1)}} if added alone: gained, pairs, per gained  beside those above: gained, pairs",
        ]
        lines += [
            f"       {row['rule_id']:<{wide}} {_found(row['found_alone'], truth):>14} {row['pairs_alone']:>13,} "
            f"{row['pairs_alone'] / row['found_alone']:>12,.1f} {_found(row['found_added'], truth):>14} {row['pairs_added']:>13,}"
            for row in useful
        ]
    return [*lines, ""]


def _class_lines(rows: Sequence[Row]) -> list[str]:
    """All, then the error classes that lose most."""
    lines = [
        "  recall of blocking by error class: found by the lean set, recall of it, recall of all rules, best of what it loses"
    ]
    for row in rows[: SHOWN_CLASSES + 1]:
        best = ", ".join(f"{one['rule_id']} {one['true_pairs']:,}" for one in row["brought_back_by"][:2])
        found = f"{row['lean']['numerator']:,} of {row['lean']['denominator']:,}"
        lines.append(
            f"    {row['error_class']:<8} {found:>20} {_share(row['lean']['value']):>8} "
            f"{_share(row['every_rule']['value']):>8}  {best}".rstrip()
        )
    if len(rows) > SHOWN_CLASSES + 1:
        lines.append(f"    and {len(rows) - SHOWN_CLASSES - 1} more classes in blocking.json, that lose less")
    return lines


def _estimate_lines(figures: Figures) -> list[str]:
    """What no rule proposes, by capture-recapture: from scores, and beside it from the true pairs that were found."""
    lines = []
    for rules, of_what, held, known in estimate_rows(figures):
        beside = "" if known is None else f"; in truth {known:,}"
        lines += [
            f"  estimate from {held['found']:,} {of_what} found by {rules} (rough, mostly too low: rules are not independent){beside}:",
            f"    by one rule only {held['once']:,}, by two {held['twice']:,}: none of them finds {missed(held['chao'])} (Chao)",
            f"    by names only {held['first']:,}, without names {held['second']:,}, both {held['both']:,}: "
            f"none of them finds {missed(held['chapman'])} (Chapman)",
        ]
    return lines
