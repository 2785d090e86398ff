"""Figures → the rows that console and page both show: one place for what a table says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkage_spark.report.words import SCOPE_SHORT, count, label, of, reasons, share
from linkage_spark.tables.enums import Tier

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: what the table shows.
        heads: column heads.
        rows: cells, as many as heads in each row.
        numeric: positions of columns that are aligned right.
        note: one line below; '' when none.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]
    note: str = ""


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: int, note: str = "") -> Table:
    """A table whose first ``words`` columns are text and whose others are numbers."""
    return Table(
        title=title,
        heads=tuple(heads),
        rows=tuple(tuple(row) for row in rows),
        numeric=frozenset(range(words, len(heads))),
        note=note,
    )


def stages(figures: Figures) -> Table:
    """Stages with counts and seconds."""
    rows = [
        [
            stage["stage"],
            ", ".join(f"{label(k)} {count(v)}" for k, v in stage["counts"].items()),
            f"{stage['seconds']:.1f}",
        ]
        for stage in figures["stages"]
    ]
    total = sum(stage["seconds"] for stage in figures["stages"])
    return _table("Stages", ["stage", "counts", "seconds"], [*rows, ["total", "", f"{total:.1f}"]], 2)


def sources(figures: Figures) -> Table:
    """Persons read, refused and not screened per source."""
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    refused: dict[str, Counter[str]] = defaultdict(Counter)
    unscreened: dict[str, Counter[str]] = defaultdict(Counter)
    for row in figures["sources"]:
        if row["produces"] != "person":
            continue
        source = row["source_system"]
        totals[source].update({"in": row["rows_in"], "out": row["rows_out"]})
        refused[source].update(row["refused"])
        unscreened[source].update(row["not_screened"])
    rows = [
        [
            label(source),
            count(totals[source]["in"]),
            count(totals[source]["out"]),
            count(sum(refused[source].values())),
            count(sum(unscreened[source].values())),
            reasons({**refused[source], **unscreened[source]}),
        ]
        for source in totals
    ]
    heads = ["source", "person rows read", "kept", "refused", "not screened", "reasons"]
    made = _table("Persons per source", heads, rows, 1, "Rows read = kept + refused; not screened are among the kept.")
    return Table(made.title, made.heads, made.rows, frozenset({1, 2, 3, 4}), made.note)


def feeds(figures: Figures) -> Table:
    """Every feed and table: rows in, out, refused by reason."""
    rows = [
        [
            row["feed"],
            row["produces"],
            count(row["rows_in"]),
            count(row["rows_out"]),
            count(sum(row["refused"].values())),
            reasons(row["refused"]),
        ]
        for row in figures["sources"]
    ]
    heads = ["feed", "becomes", "rows in", "rows out", "refused", "reasons"]
    made = _table("Feeds", heads, rows, 2)
    return Table(made.title, made.heads, made.rows, frozenset({2, 3, 4}), "Rows in = rows out + refused.")


def rules(figures: Figures) -> Table:
    """Candidate pairs per blocking rule."""
    rows = [
        [
            row["rule_id"],
            count(row["pairs_before_refinement"]),
            count(row["refined_keys"]),
            count(row["pairs_refined_away"]),
            count(row["pairs_proposed"]),
            count(row["pairs_first"]),
        ]
        for row in sorted(figures["rules"], key=lambda row: row["rule_no"])
    ]
    total = sum(row["pairs_first"] for row in figures["rules"])
    rows.append(["all", "", "", "", "", count(total)])
    heads = ["rule", "pairs priced", "keys refined", "refined away", "pairs proposed", "of which first"]
    note = "A pair is kept at its first rule: the last column adds up to all candidate pairs."
    return _table("Candidate pairs per blocking rule", heads, rows, 1, note)


def tiers(figures: Figures) -> Table:
    """Links by tier and the clause that decided."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in figures["tiers"]:
        counted[row["tier"], row["policy_reason"]] += row["links"]
    rows = [
        [label(tier), label(reason), count(n)]
        for (tier, reason), n in sorted(counted.items(), key=lambda item: (_tier_no(item[0][0]), -item[1], item[0][1]))
        if tier != Tier.NON_MATCH
    ]
    return _table("Links by tier and policy clause", ["tier", "decided by", "links"], rows, 2)


def hits(figures: Figures) -> Table:
    """Hits by event type, role, lane and tier; on-duty ones apart."""
    counted: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for row in figures["hits"]:
        column = "on_duty" if row["on_duty_sign"] else row["tier"]
        counted[row["lane"], row["event_type"], row["role"]][column] += row["hits"]
    rows = [
        [
            label(lane),
            label(event_type),
            label(role),
            *[count(columns[name]) for name in ("match", "possible", "on_duty")],
            count(columns.total()),
        ]
        for (lane, event_type, role), columns in sorted(counted.items())
    ]
    totals: Counter[str] = Counter()
    for columns in counted.values():
        totals.update(columns)
    rows.append(
        [
            "all",
            "",
            "",
            *[count(totals[name]) for name in ("match", "possible", "on_duty")],
            count(totals.total()),
        ]
    )
    heads = ["lane", "event", "role", "strong possible", "possible", "on-duty sign", "all"]
    note = "Hits with an on-duty sign, of either tier, stand in their own column and outside the default view."
    return _table("Hits by lane, event, role and tier", heads, rows, 3, note)


def location_hits(figures: Figures) -> Table:
    """Incidents at employees' homes."""
    rows = [
        [label(row["place_level"]), "yes" if row["person_also_linked"] else "no", count(row["hits"])]
        for row in figures["location_hits"]
    ]
    heads = ["place agrees by", "a hit links the employee too", "location hits"]
    return _table("Incidents at employees’ homes", heads, rows, 2, "The place is judged; no person is asserted.")


def screening(figures: Figures) -> Table:
    """Employees screened and not screened."""
    found = figures["screening"]
    rows = [["screened", count(found["screened"])]]
    rows += [[f"not screened: {label(reason)}", count(n)] for reason, n in found["not_screened"].items()]
    rows += [
        ["employees", count(found["employees"])],
        ["of which home address can be compared", count(found["address_usable"])],
        ["of which with any hit", count(found["with_hits"])],
    ]
    return _table(
        "Employees",
        ["employees", "count"],
        rows,
        1,
        "An employee not screened is not clear: nothing was looked up.",
    )


def expected_false(figures: Figures) -> Table:
    """Links and expected false links per tier."""
    rows = [
        [label(row["tier"]), count(row["links"]), f"{row['expected_false']:,.1f}"]
        for row in sorted(figures["expected_false_links"], key=lambda row: _tier_no(row["tier"]))
        if row["tier"] != Tier.NON_MATCH
    ]
    note = "By the model’s own reckoning, without any truth: the sum of one minus each link’s posterior."
    return _table("Expected false links", ["tier", "links", "expected false"], rows, 1, note)


def quality(figures: Figures) -> Table:
    """Issues per source and attribute."""
    totals: Counter[tuple[str, str]] = Counter()
    for row in figures["data_quality"]:
        totals[row["source_system"], row["attribute"]] += row["records"]
    rows = [
        [
            label(row["source_system"]),
            label(row["attribute"]),
            label(row["issue"]),
            count(row["records"]),
            f"{100 * row['records'] / totals[row['source_system'], row['attribute']]:.1f} %",
        ]
        for row in figures["data_quality"]
        if row["issue"]
    ]
    return _table("Data quality of person records", ["source", "attribute", "issue", "records", "share"], rows, 3)


def scopes(accuracy: Mapping[str, Any]) -> Table:
    """Precision and recall of both scopes."""
    rows = [
        [
            label(row["scope"]) + without,
            share(row["precision"]),
            of(row["precision"]),
            share(row["recall"]),
            of(row["recall"]),
            share(row["recall_supportable"]),
        ]
        for section, without in (("scopes", ""), ("scopes_without_address", ", had no address been recorded"))
        for row in accuracy.get(section, ())
    ]
    heads = ["shown", "precision", "true of shown", "recall", "shown of true", "recall, supportable"]
    note = (
        "With 95 % intervals. Recall counts every true link, also of records that were refused or not "
        "screened; supportable are those whose record holds a name and a date of birth or a dwelling."
    )
    return _table("Accuracy against the truth (links)", heads, rows, 1, note)


def hit_accuracy(accuracy: Mapping[str, Any]) -> Table:
    """Precision and recall of hits."""
    rows = [
        [
            label(row["event_type"]) + (", on-duty sign" if row["on_duty_sign"] else ""),
            SCOPE_SHORT[row["scope"]],
            share(row["precision"]),
            of(row["precision"]),
            share(row["recall"]),
            of(row["recall"]),
        ]
        for row in accuracy["hits"]
    ]
    heads = ["event", "shown", "precision", "true of shown", "recall", "shown of true"]
    return _table("Accuracy against the truth (hits)", heads, rows, 2)


def groups(accuracy: Mapping[str, Any], section: str, title: str, head: str) -> Table:
    """Recall and false links per group, both scopes side by side."""
    by_group: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in accuracy[section]:
        by_group[row["group"]][row["scope"]] = row
    rows = [
        [
            label(group),
            count(both["match+possible"]["recall"]["denominator"]),
            share(both["match"]["recall"]),
            share(both["match+possible"]["recall"]),
            count(both["match"]["false_links"]),
            count(both["match+possible"]["false_links"]),
            share(both["match+possible"]["precision"]),
        ]
        for group, both in by_group.items()
    ]
    heads = [
        head,
        "true links",
        "recall, strong",
        "recall, all shown",
        "false, strong",
        "false, all shown",
        "precision, all shown",
    ]
    return _table(title, heads, rows, 1)


def hard_negatives(accuracy: Mapping[str, Any]) -> Table:
    """False links to hard negatives."""
    rows = [
        [
            label(row["hard_negative"]),
            count(row["records"]),
            count(row["shown_match"]),
            count(row["shown_possible"]),
        ]
        for row in accuracy["hard_negatives"]
    ]
    heads = ["look-alike", "records", "shown as strong", "shown as possible"]
    note = "Records of relatives, housemates and namesakes of employees: each link here is to the wrong person."
    return _table("Look-alikes", heads, rows, 1, note)


def loss(accuracy: Mapping[str, Any]) -> Table:
    """What became of the true links."""
    rows = [[label(row["outcome"]), count(row["true_links"]), count(row["supportable"])] for row in accuracy["loss"]]
    rows.append(["all true links", count(accuracy["true_links"]), count(accuracy["supportable_true_links"])])
    return _table("What became of the true links", ["outcome", "true links", "of which supportable"], rows, 1)


def _tier_no(tier: str) -> int:
    """Tiers from strong to weak."""
    return [member.value for member in Tier].index(tier)
