"""The accuracy of nominals against the truth of a made-up force: a page that opens offline. Counts and shares, nobody's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from linkage_spark.report.pictures import group_shares
from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table, _table
from linkage_spark.report.words import count, label, of, percent, share

Figures = Mapping[str, Any]

_TRUTHS: Mapping[str, str] = {"permitted": "joins that the rule permits", "whole": "every true person"}
"""Against what a nominal is judged."""

_STATES: Mapping[str, str] = {"before": "before the guard", "after": "after the guard"}


def nominal_accuracy_page(found: Mapping[str, Figures], *, run_id: str, advisory: str) -> str:
    """The whole page as HTML text: no script, and no font, picture or other resource from elsewhere.

    The same figures give the same bytes.

    Args:
        found: ``before`` and ``after`` the guard, each ``evaluation.nominal_figures.NominalFigures``.
        run_id: the run whose nominals were judged.
        advisory: the sentence that stands on every output.
    """
    after = found["after"]
    return template("nominal_accuracy.html.j2").render(
        run_id=run_id,
        advisory=advisory,
        verdict=_verdict(after),
        headline=_headline(after),
        pictures=_pictures(after),
        tables=_tables(found),
    )


def _verdict(after: Figures) -> str:
    """What a reader must know first: who was joined wrongly."""
    over = after["over_merged"]
    return (
        f"{count(over['persons']['numerator'])} of {count(over['persons']['denominator'])} people stand in a nominal with "
        f"somebody else; {count(over['contradicting_nominals'])} nominals hold two people whose dates of birth no date level explains, "
        f"and {count(over['twins_joined'])} of {count(over['twin_pairs'])} pairs of twins were joined."
    )


def _headline(after: Figures) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    whole, permitted = after["whole"], after["permitted"]
    told = [(percent(whole["pairwise_precision"]["value"]), "of joined pairs are of one person")]
    if permitted is not None:
        told.append((percent(permitted["b_cubed_f1"]), "B-cubed F1 within what the rule permits"))
    return [
        *told,
        (percent(whole["b_cubed_f1"]), "B-cubed F1 against every true person"),
        (count(after["nominals"]), "nominals"),
        (count(after["largest_nominal"]), "records in the largest"),
    ]


def _pictures(after: Figures) -> dict[str, Markup]:
    """Precision, and recall of what the rule permits, by naming tradition."""
    truth = "whole" if after["permitted"] is None else "permitted"
    rows = [
        {
            "group": row["group"],
            "joined pairs that are true": row["whole"]["pairwise_precision"],
            "true pairs that are joined": row[truth]["pairwise_recall"],
        }
        for row in after["by_tradition"]
        if row["whole"]["pairwise_precision"]["value"] is not None
        and row[truth]["pairwise_recall"]["value"] is not None
    ]
    if not rows:
        return {}
    drawn = group_shares(rows, name="by_tradition", title="Pairs joined, by naming tradition")
    return {"by_tradition": Markup(drawn)}


def _tables(found: Mapping[str, Figures]) -> dict[str, Table]:
    """Every table with rows, by name."""
    after = found["after"]
    made = {
        "accuracy": _accuracy(found),
        "over_merged": _over_merged(found),
        "wrong_joins": _wrong_joins(found),
        "under_merged": _under_merged(found),
        "by_tradition": _by_tradition(after),
        "sizes": _sizes(found),
    }
    return {name: table for name, table in made.items() if table.rows}


def _accuracy(found: Mapping[str, Figures]) -> Table:
    """Pairs and B-cubed, against both truths, before and after the guard."""
    cells = [
        [
            words,
            state,
            *_pairs(found[key][truth]),
            *(percent(found[key][truth][f"b_cubed_{one}"]) for one in ("precision", "recall", "f1")),
        ]
        for truth, words in _TRUTHS.items()
        for key, state in _STATES.items()
        if found[key][truth] is not None
    ]
    pairwise = ["pairwise precision", "true of joined pairs", "pairwise recall", "joined of true pairs"]
    heads = ["against", "", *pairwise, "B-cubed precision", "B-cubed recall", "B-cubed F1"]
    note = (
        "Intervals of 95 %. B-cubed: over records, the share of a record's nominal that is its person's, and of its person that is in its "
        "nominal. Within what the rule permits a true pair that agrees on no place counts as one that must stay apart."
    )
    return _table("Accuracy against the truth", heads, cells, 2, note)


def _pairs(shares: Figures) -> list[str]:
    """Precision and recall of pairs, each with its counts."""
    return [
        text
        for one in ("precision", "recall")
        for text in (share(shares[f"pairwise_{one}"]), of(shares[f"pairwise_{one}"]))
    ]


def _over_merged(found: Mapping[str, Figures]) -> Table:
    """Who was joined with somebody else."""
    rows: Mapping[str, Callable[[Figures], str]] = {
        "nominals of two people and more": lambda over: of(over["nominals"]),
        "people in a nominal with somebody else": lambda over: of(over["persons"]),
        "records that are not of the person with most records in their nominal": lambda over: count(
            over["records_of_others"]
        ),
        "people in the nominal with most of them": lambda over: count(over["largest"]),
        "nominals of two people whose dates of birth no date level explains": lambda over: count(
            over["contradicting_nominals"]
        ),
        "pairs of twins joined": lambda over: f"{count(over['twins_joined'])} of {count(over['twin_pairs'])}",
    }
    cells = [[words, *(told(found[key]["over_merged"]) for key in _STATES)] for words, told in rows.items()]
    return _table("Joined wrongly", ["what", *_STATES.values()], cells, 1)


def _wrong_joins(found: Mapping[str, Figures]) -> Table:
    """Pairs of people in one nominal, by how they stand to each other."""
    pairs = {key: {row["relation"]: row for row in found[key]["over_merged"]["by_relation"]} for key in _STATES}
    cells = [
        [
            label(relation),
            *(count(pairs[key][relation][what]) for what in ("pairs", "contradicting_pairs") for key in _STATES),
        ]
        for relation in pairs["after"]
        if any(pairs[key][relation]["pairs"] for key in _STATES)
    ]
    heads = ["the two are", "pairs, before", "pairs, after", "dates of birth contradict, before", "after"]
    return _table("Who was joined with whom", heads, cells, 1)


def _under_merged(found: Mapping[str, Figures]) -> Table:
    """Who stands in more than one nominal."""
    cells = [
        ["people in more than one nominal, of those with two records and more", "persons"],
        ["the same, of what the rule permits to join", "permitted_parts"],
    ]
    told = [
        [
            words,
            *(
                "—" if found[key]["under_merged"][name] is None else of(found[key]["under_merged"][name])
                for key in _STATES
            ),
        ]
        for words, name in cells
    ]
    extra = [count(found[key]["under_merged"]["extra_nominals"]) for key in _STATES]
    told.append(["nominals beyond one for each person", *extra])
    return _table("Left apart", ["what", *_STATES.values()], told, 1)


def _by_tradition(after: Figures) -> Table:
    """Naming traditions beside one another; none is known to any rule."""
    cells = [
        [
            label(row["group"]),
            count(row["persons"]),
            count(row["records"]),
            *_pairs(row["whole"]),
            percent(row["whole"]["b_cubed_f1"]),
            *_within(row["permitted"]),
        ]
        for row in after["by_tradition"]
    ]
    heads = [
        *("naming tradition", "people", "records", "pairwise precision", "true of joined pairs"),
        *(
            "pairwise recall",
            "joined of true pairs",
            "B-cubed F1",
            "permitted: pairwise recall",
            "permitted: B-cubed F1",
        ),
    ]
    note = "A joined pair of two traditions counts under both. Naming traditions are known to the truth of a made-up force alone."
    return _table("By naming tradition, after the guard", heads, cells, 1, note)


def _within(permitted: Figures | None) -> list[str]:
    """Recall and F1 within what the rule permits; dashes where that was not asked."""
    if permitted is None:
        return ["—", "—"]
    return [share(permitted["pairwise_recall"]), percent(permitted["b_cubed_f1"])]


def _sizes(found: Mapping[str, Figures]) -> Table:
    """The tail of large nominals."""
    rows = {key: {row["size"]: row for row in found[key]["sizes"]} for key in _STATES}
    cells = [
        [size, *(count(rows[key][size][what]) for what in ("nominals", "records") for key in _STATES)]
        for size in rows["after"]
        if any(rows[key][size]["nominals"] for key in _STATES)
    ]
    heads = [
        "records of a nominal",
        "nominals, before",
        "nominals, after",
        "their records, before",
        "their records, after",
    ]
    note = "Before the guard only records that an accepted edge touches have a nominal."
    return _table("Nominals by number of records", heads, cells, 1, note)
