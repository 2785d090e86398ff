"""What the job evaluate found → rows that console and page both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linkage_spark.report.tables import Table
from linkage_spark.report.words import SCOPE_SHORT, count, label, of, percent, share, signed

Figures = Mapping[str, Any]

_REASONS_SHOWN = 3


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: int, note: str = "") -> Table:
    """A table whose first ``words`` columns are text and whose others are numbers."""
    numeric = frozenset(range(words, len(heads)))
    return Table(title=title, heads=tuple(heads), rows=tuple(tuple(row) for row in rows), numeric=numeric, note=note)


def carried(accuracy: Figures) -> Table:
    """Recall of what the records carry, and the aims."""
    found = accuracy["carried"]
    pairs = found["shown_pairs_per_true"]
    rows = [
        [
            "shown as strong, of true links whose values carry it",
            share(found["match_of_match"]),
            of(found["match_of_match"]),
            percent(found["carry_match"]["value"]),
            "≥ 97 %",
        ],
        [
            "shown at all, of true links whose values carry at least possible",
            share(found["shown_of_possible"]),
            of(found["shown_of_possible"]),
            percent(found["carry_possible"]["value"]),
            "≥ 97 %",
        ],
        [
            "shown at all, of supportable true links (coarse bound)",
            share(found["shown_of_supportable"]),
            of(found["shown_of_supportable"]),
            percent(found["supportable"]["value"]),
            "—",
        ],
        [
            "shown pairs per true one among them",
            "—" if pairs is None else f"{pairs:.2f}",
            f"{count(found['shown_pairs'])} for {count(found['true_shown_pairs'])}",
            "—",
            "≤ 3",
        ],
    ]
    heads = ["recall of what the records carry", "share", "counts", "of all true links", "aim"]
    note = (
        "A true link carries a tier when the force’s policy grants it on both records’ values as recorded; rules, "
        "thresholds and rivals do not count. The values are read by the same comparison as in screening: what it "
        "cannot see makes the denominator smaller and is no miss here. Hence the coarse bound beside it, which asks "
        "only whether the record holds a name and a date of birth or a dwelling."
    )
    return _table("What the records carry", heads, rows, 1, note)


def carried_tiers(accuracy: Figures) -> Table:
    """True links by the tier that they carry."""
    rows = [
        [
            label("nothing that is shown" if row["carries"] == "non_match" else row["carries"]),
            count(row["true_links"]["numerator"]),
            percent(row["true_links"]["value"]),
            count(row["shown_match"]),
            count(row["shown_possible"]),
            count(row["true_links"]["numerator"] - row["shown_match"] - row["shown_possible"]),
        ]
        for row in accuracy["carried"]["tiers"]
    ]
    heads = ["the policy grants", "true links", "share", "shown as strong", "shown as possible", "not shown"]
    return _table("True links by the tier that their values carry", heads, rows, 1)


def loss_by_stage(accuracy: Figures) -> Table:
    """True links lost, by the stage that lost them."""
    rows = [
        [
            label(row["stage"]),
            count(row["true_links"]),
            count(row["supportable"]),
            "—" if row["carry_possible"] is None else count(row["carry_possible"]),
        ]
        for row in accuracy["loss_by_stage"]
    ]
    heads = ["lost in", "true links", "of which supportable", "of which the policy would show"]
    note = (
        "The first stage that lost the link. Scoring: below the model’s floor or below the threshold. Policy: a clause "
        "holds it back on its values. What the policy would show is what better rules and scores could win back."
    )
    if any(row["stage"] == "review" for row in accuracy["loss_by_stage"]):
        note += " Review: a link that would be shown, had no reviewer said otherwise; no rule or score wins it back."
    return _table("Where true links were lost", heads, rows, 1, note)


def loss_by_class(accuracy: Figures) -> Table:
    """Recall by error class, and why the rest was lost."""
    rows = [
        [
            label(row["error_class"]) + (" (below 85 %)" if row["below_least"] else ""),
            "; ".join(f"{label(one['reason'])} {count(one['true_links'])}" for one in row["reasons"][:_REASONS_SHOWN])
            or "—",
            share(row["recall_supportable"]),
            of(row["recall_supportable"]),
        ]
        for row in sorted(accuracy["loss_by_class"], key=lambda row: (not row["below_least"], row["error_class"]))
    ]
    heads = ["error class", "lost because", "recall, supportable", "shown of true"]
    note = (
        "Supportable true links in either tier. A pair that the policy holds back on its values, whatever its score, "
        "counts as the policy’s, also where no rule proposed it. The three most frequent reasons."
    )
    return _table("Recall and reasons of loss by error class", heads, rows, 2, note)


def gaps(accuracy: Figures) -> Table:
    """Naming traditions against the best one."""
    found = accuracy["gaps"]
    rows = [
        [
            row["measure"],
            label(row["group"]),
            _verdict(row),
            share(row["share"]),
            of(row["share"]),
            _points(row),
        ]
        for row in found["groups"]
    ]
    heads = ["measure", "naming tradition", "judged", "share", "counts", "points below the best"]
    note = (
        "Recall of supportable true links, of all that is shown; precision of what is shown without an on-duty sign. A gap is too wide above "
        f"{_limits(found['groups'])}, by more than chance (95 % interval of the difference), and ends the evaluation with an "
        f"error; groups with fewer than {found['min_links']:,} links are not judged."
    )
    return _table("Gaps between naming traditions", heads, rows, 3, note)


def _limits(rows: Sequence[Figures]) -> str:
    """The limits by measure, in points."""
    limits = {row["measure"]: f"{100 * row['limit']:.1f} points of {row['measure']}" for row in rows}
    return " and ".join(limits.values())


def _verdict(row: Figures) -> str:
    """Whether a group was judged, and how."""
    if not row["judged"]:
        return "too few links"
    if row["group"] == row["best_group"]:
        return "the best"
    return "too wide" if row["too_wide"] else "within the limit"


def _points(row: Figures) -> str:
    """A gap in percentage points with its interval."""
    if row["gap"] is None or row["group"] == row["best_group"]:
        return "—"
    gap, low, high = (f"{100 * row[name]:.1f}".replace("-", "−") for name in ("gap", "low", "high"))
    return f"{gap} ({low} to {high})"


def calibration(accuracy: Figures) -> Table:
    """Stated probability against the share that is true."""
    found = accuracy["calibration"]
    rows = [
        [
            f"{row['at_least']:g} to {1 if row['below'] is None else row['below']:g}",
            count(row["pairs"]),
            f"{row['mean_probability']:.4f}",
            share(row["true_share"]),
        ]
        for row in found["bins"]
    ]
    off, error = found["off_by"], found["expected_calibration_error"]
    covers = "All scored pairs" if found["covers"] == "all_scored" else "Shown pairs alone, which are a selection"
    note = (
        f"{covers}: {found['expected_matches']:,.1f} matches expected, {count(found['true_pairs'])} true"
        + ("" if off is None else f" ({signed(100 * off)} %)")
        + ("." if error is None else f"; expected calibration error {error:.4f}.")
    )
    heads = ["stated probability", "pairs", "mean stated", "share true"]
    return _table("Calibration", heads, rows, 1, note)


def ablation(accuracy: Figures) -> Table:
    """Precision and recall with one thing less each time."""
    rows = [
        [
            row["changed"],
            SCOPE_SHORT[scope["scope"]],
            share(scope["precision"]),
            share(scope["recall"]),
            percent(scope["recall_supportable"]["value"]),
            percent((row["match_of_match"] if scope["scope"] == "match" else row["shown_of_possible"])["value"]),
        ]
        for row in accuracy.get("ablation", ())
        for scope in row["scopes"]
    ]
    heads = ["changed", "shown", "precision", "recall", "of supportable", "of carried"]
    note = (
        "The run screened again with one thing less. Recall of all true links, of supportable ones, and of those carried: true links whose values carry the tier (strong), or at "
        "least possible (both), read with everything in place."
    )
    return _table("What each part is worth", heads, rows, 2, note)


def expectation(figures: Figures) -> Table:
    """What the probabilities say of people, and what the truth says where it is there."""
    found = figures["expectation"]["people"]
    truth = found.get("truth")
    heads = ["employees", "expected", "95 % interval", "if weights are off by one bit"]
    rows = [
        ["with a shown link (counted)", count(found["shown"]), "—", "—"],
        ["of these, all shown links false", *_expected(found["falsely"])],
        ["missed: a scored pair is true, no shown one", *_expected(found["missed"])],
    ]
    if truth is not None:
        heads.append("by the truth")
        told = (truth["shown"], truth["shown_falsely"], truth["missed_scored"])
        rows = [[*row, count(number)] for row, number in zip(rows, told, strict=True)]
        rows.append(["missed, also where nothing was scored", "—", "—", "—", count(truth["missed"])])
    note = (
        found["statement"]
        + " A person counts as found falsely when every link shown for that employee is wrong, each pair being right with "
        "its own probability, apart from the others; as missed when a pair below the tiers is right and no shown one is. "
        + (
            "The truth was not looked at for the expected figures."
            if figures["expectation"]["truth_was_there"]
            else "No truth was there: nothing here has been compared with one."
        )
    )
    return _table("Expected without truth", heads, rows, 1, note)


def _expected(found: Figures) -> list[str]:
    """Value, interval, wider range."""
    return [
        f"{found['value']:,.1f}",
        f"{found['low']:,.1f} to {found['high']:,.1f}",
        f"{found['wide_low']:,.1f} to {found['wide_high']:,.1f}",
    ]


def costly_pairs(rows: Sequence[Figures], *, title: str, lost: bool, values: bool) -> Table:
    """The costliest errors of one kind, a row each."""
    heads = ["employee", "police record", "shown as", "why", "policy", "levels", "errors of the record"]
    heads += ["employee’s values", "record’s values"] if values else []
    cells = [
        [
            row["employee_id"],
            f"{row['source_system']}:{row['person_ref']}",
            "not shown" if lost else label(row["tier"]),
            _why(row["why"]),
            label(row["policy_reason"]),
            _levels(row),
            ", ".join(label(name) for name in row["error_classes"].split("|")),
            *([_values(row, side) for side in "lr"] if values else []),
            signed(row["weight_bits"]),
            _weights(row),
        ]
        for row in rows
    ]
    heads += ["weight", "prior · name · date · address · household"]
    note = (
        "Ranked by the tier that the values carry, then by weight, as compared directly; a pair that no rule proposed has "
        "no other weight."
        if lost
        else "Ranked by match weight."
    )
    return _table(title, heads, cells, len(heads) - 2, f"{note} Weights in bits, each with its correction for rarity.")


def _why(text: str) -> str:
    """'stage: reason' or a kind of look-alike, in words."""
    stage, _, reason = text.partition(": ")
    return f"{label(stage)}: {label(reason)}" if reason else label(stage)


def _levels(row: Figures) -> str:
    """Levels of forename, surname, date and address."""
    parts = {
        "given": "level_given",
        "surname": "level_surname",
        "date": "level_date_of_birth",
        "address": "level_address",
    }
    return ", ".join(f"{name} {label(row[column])}" for name, column in parts.items())


def _weights(row: Figures) -> str:
    """Weights in bits, those of one attribute together."""
    groups = (
        ("weight_prior",),
        ("weight_name", "weight_name_frequency"),
        ("weight_date_of_birth", "weight_date_of_birth_frequency"),
        ("weight_address", "weight_address_frequency"),
        ("weight_household",),
    )
    return " · ".join(signed(sum(row[name] for name in group) / 1000) for group in groups)


def _values(row: Figures, side: str) -> str:
    """One side's standard forms."""
    parts = [row[f"{name}_{side}"] for name in ("given_name", "surname", "birth", "address")]
    return ", ".join(part for part in parts if part) or "—"
