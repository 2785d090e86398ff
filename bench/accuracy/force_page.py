"""The part of docs/accuracy.md on the made-up force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.accuracy.cells import Figures, Row, interval, table
from bench.accuracy.words import CLASSES


def force_parts(force: Figures | None) -> list[str]:
    """By tier, by address and by error class."""
    if force is None:
        return ["Not measured yet: `make accuracy FORCE=…/figures.json` puts it here."]
    screening = force["screening"]
    parts = [
        f"{screening['employees']:,} employees, of whom {screening['with_hits']:,} have a hit; model `{force['model_id']}` "
        f"({force['model_fingerprint'][:12]}), measured with the code {force['code_version']}.",
        _group_table("links", force["scopes"], _scope_name),
    ]
    if force.get("by_address"):
        parts += ["By the state of the record's address:", _group_table("links", force["by_address"], _group_name)]
    for key, said in _FORCE_TABLES.items():
        if force.get(key):
            parts += [said, _group_table("links", force[key], _scope_name)]
    if force.get("loss"):
        rows = [[row["outcome"].replace("_", " "), row["true_links"], row["supportable"]] for row in force["loss"]]
        parts += ["What became of the true links:", table(["outcome", "true links", "of these supportable"], rows)]
    if force.get("by_error_class"):
        parts += [CLASSES, _by_class(force["by_error_class"])]
    return parts


_FORCE_TABLES = {"scopes_without_address": "The same force screened as if no address had been recorded:"}


def _scope_name(row: Figures) -> str:
    """The tier or tiers of a row."""
    return str(row["scope"])


def _group_name(row: Figures) -> str:
    """Group and tiers of a row."""
    return f"{_GROUPS.get(row['group'], row['group'])}: {row['scope']}"


_GROUPS = {
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
