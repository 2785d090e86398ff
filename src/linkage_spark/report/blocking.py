"""What blocking rules are worth, for a person: a page that opens offline, and a summary for the console.

It holds rule names and counts only: no value of any record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from linkage_spark.report.blocking_pictures import recall_by_pairs
from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table, _table
from linkage_spark.report.words import count, label, of, percent, share

Figures = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def blocking_page(figures: Figures) -> str:
    """The whole page as HTML text: no script, and no font, picture or other resource from elsewhere.

    Args:
        figures: what ``runs.advise_figures`` makes: blocking.json.
    """
    words = _caption(figures)
    drawn = recall_by_pairs(figures, name="order", words=words)
    return template("blocking.html.j2").render(
        run=figures["run"],
        headline=_headline(figures),
        warnings=figures["warnings"],
        words=words,
        enough=_enough(figures),
        pictures={"order": Markup(drawn)} if drawn else {},
        tables={name: table for name, table in _tables(figures).items() if table.rows},
        estate=_is_estate(figures),
        stages=figures["stages"],
    )


# ---- words and tables --------------------------------------------------------------------------------------


def _caption(figures: Figures) -> str:
    marks = (
        " Filled points are rules of the model in use, rings rich rules of analysts’ files; the square is the lean set by itself."
        if _is_estate(figures)
        else ""
    )
    return (
        "From left to right one rule more: at each step the one that finds most per pair that it adds to those before it. "
        f"A pair of several rules counts once. The pairs stand on a scale of tens.{marks}"
    )


def _is_estate(figures: Figures) -> bool:
    return bool(figures["run"]["of"] == "estate")


def _headline(figures: Figures) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    truth, lean = figures["truth"], figures.get("lean")
    found = [
        (count(figures["possible_pairs"]), "possible pairs"),
        (count(figures["candidates"]), f"pairs that {len(figures['steps'])} rules propose together"),
    ]
    if truth is not None:
        found.append(
            (percent(truth["recall"]["value"]), f"of {count(truth['true_pairs_read'])} true pairs found by all rules")
        )
    if lean is not None:
        what = "true pairs" if truth is not None else "what all rules find"
        found.append((percent(lean["share"]), f"of {what} found by the lean set"))
        found.append((count(lean["pairs"]), "pairs that the lean set proposes"))
    return found


def _enough(figures: Figures) -> str:
    """How many of the first rules are enough, as a sentence; '' where nothing is found."""
    first, steps = figures["rules_for_99_percent"], figures["steps"]
    if not first:
        return ""
    pairs = percent(steps[first - 1]["pairs"] / figures["candidates"])
    return (
        f"The first {first} rules find 99 % of what all {len(steps)} find, with {pairs} of their pairs; "
        f"{figures['rules_for_all']} find all of it."
    )


def _tables(figures: Figures) -> dict[str, Table]:
    made = {"steps": _steps(figures, figures["steps"], "Rules in greedy order")}
    if figures.get("lean") is not None:
        made["beyond"] = _beyond(figures)
        made["lean"] = _steps(figures, figures["lean"]["steps"], "The lean rules alone, in greedy order")
    if figures.get("classes"):
        made["classes"] = _classes(figures["classes"])
    made["estimates"] = _estimates(figures)
    return made


def _found(figures: Figures, value: float) -> str:
    return count(int(value)) if figures["truth"] is not None else f"{value:,.1f}"


def _steps(figures: Figures, steps: Rows, title: str) -> Table:
    """Steps with what each adds; rules that find nothing more stand last."""
    what = "true pairs" if figures["truth"] is not None else "expected matches"
    cells = [
        [
            step["rule_id"],
            " + ".join(step["parts"]) + (f" ({step['second_key']})" if step["second_key"] else ""),
            count(step["pairs_added"]),
            _found(figures, step["found_added"]),
            percent(step["recall"]),
            "—" if step["pairs_per_found"] is None else f"{step['pairs_per_found']:,.1f}",
            _found(figures, step["found_only"]),
        ]
        for step in steps
    ]
    heads = [
        "rule",
        "parts (second key)",
        "pairs added",
        f"{what} added",
        "recall so far",
        "pairs per gain",
        "found by no other",
    ]
    return _table(title, heads, cells, 2, "The second key must agree as well where many records share the parts.")


def _beyond(figures: Figures) -> Table:
    """Rich rules over what the lean set does not propose, in greedy order."""
    rows = [row for row in figures["beyond_lean"] if row["found_alone"]]
    cells = [
        [
            row["rule_id"],
            _found(figures, row["found_alone"]),
            count(row["pairs_alone"]),
            f"{row['pairs_alone'] / row['found_alone']:,.1f}",
            _found(figures, row["found_added"]),
            count(row["pairs_added"]),
            percent(row["recall"]),
        ]
        for row in rows
    ]
    heads = [
        "rich rule",
        "found if added alone",
        "for pairs",
        "pairs per gain",
        "found beside those above",
        "for pairs beside those above",
        "recall with the lean set",
    ]
    idle = len(figures["beyond_lean"]) - len(rows)
    note = f"Pairs that the lean set does not propose. {idle} rich rules find nothing that it loses."
    return _table("What the lean set loses, and the price of finding it", heads, cells, 1, note)


def _classes(rows: Rows) -> Table:
    """Recall of blocking by error class, the worst first."""
    cells = [
        [
            label(row["error_class"]),
            of(row["lean"]),
            share(row["lean"]),
            percent(row["every_rule"]["value"]),
            count(row["lost_by_lean"]),
            count(row["lost_by_reading"]),
            ", ".join(f"{one['rule_id']} {count(one['true_pairs'])}" for one in row["brought_back_by"]) or "—",
        ]
        for row in rows
    ]
    heads = [
        "error class",
        "found by lean set",
        "recall of it",
        "recall, all rules",
        "it loses",
        "not read",
        "found by, of what it loses",
    ]
    note = (
        "A pair stands in every class of its record. Recall is of true pairs of which both sides take part in the comparison "
        "(95 % intervals); what a score or the policy loses later is not in it."
    )
    made = _table("Recall of blocking by error class", heads, cells, 1, note)
    return Table(made.title, made.heads, made.rows, frozenset({1, 2, 3, 4, 5}), made.note)


def _estimates(figures: Figures) -> Table:
    """What no rule proposes, estimated, beside what is known."""
    cells = []
    for rules, of_what, held, known in estimate_rows(figures):
        chao, chapman = missed(held["chao"]), missed(held["chapman"])
        cells.append([rules, of_what, count(held["found"]), chao, chapman, "—" if known is None else count(known)])
    heads = ["rules", "estimated from", "found", "missed (Chao)", "missed (Chapman)", "missed in truth"]
    note = (
        "Capture–recapture: what rules found once, twice and in both of two groups tells roughly what none found. Rules are not "
        "independent, so read it as a warning where it is large and never as a clearance where it is small."
    )
    return _table("What no rule proposes, estimated", heads, cells, 2, note)


def estimate_rows(figures: Figures) -> list[tuple[str, str, Mapping[str, Any], int | None]]:
    """Each estimate that there is: which rules, from what, the estimate, and how many true pairs they miss (None: unknown)."""
    truth, lean = figures["truth"], figures.get("lean")
    held = [("all rules", figures, None if truth is None else truth["lost_by_blocking"])]
    if lean is not None:
        lost = None if truth is None else lean["recall"]["denominator"] - lean["recall"]["numerator"]
        held.append(("the lean set", lean, lost))
    return [
        (rules, of_what, where[key], known)
        for rules, where, known in held
        for key, of_what in (("estimate", "likely matches"), ("estimate_from_true_pairs", "true pairs"))
        if where[key] is not None
    ]


def missed(estimate: Mapping[str, Any] | None) -> str:
    """An estimate with its interval."""
    if estimate is None:
        return "an unknown number (too few)"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['missed']:,.1f}"
    return f"{estimate['missed']:,.1f} ({estimate['low']:,.1f} to {estimate['high']:,.1f})"
