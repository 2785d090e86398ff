"""The page: one file that opens offline, without script, font or picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from linkage_spark.report import accuracy_tables, pictures, tables
from linkage_spark.report.rendering import template
from linkage_spark.report.words import WEAK, count, percent

Rows = Sequence[Mapping[str, Any]]


def page(figures: Mapping[str, Any], *, examples: Rows = (), costly: Mapping[str, Any] | None = None) -> str:
    """The whole report as HTML text.

    Args:
        figures: shape of ``evaluation.figures.Figures``; ``accuracy`` may be missing.
        examples: hits with EXAMPLE_COLUMNS of ``evaluation.examples``; the first of the strongest tier
            is drawn as a waterfall. Empty: the section says that none are shown.
        costly: the costliest errors of a made-up force: 'false' and 'lost', rows of ``evaluation.costliest.told``,
            and 'with_values'. None: none are shown.
    """
    accuracy = figures.get("accuracy")
    return template("report.html.j2").render(
        run=figures["run"],
        weak=WEAK,
        figures=figures,
        accuracy=accuracy,
        headline=_headline(figures),
        examples=examples,
        shown=_shown_example(examples),
        pictures={name: Markup(svg) for name, svg in _pictures(figures, examples).items()},
        tables=_tables(figures) | _costly(costly),
        costly=costly,
    )


def _headline(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    default = sum(row["hits"] for row in figures["hits"] if row["default_view"])
    people = [row for row in figures["sources"] if row["produces"] == "person" and row["source_system"] != "hr"]
    numbers = [
        (
            count(figures["screening"]["screened"]),
            f"of {count(figures['screening']['employees'])} employees screened",
        ),
        (count(sum(row["rows_in"] for row in people)), "police person rows read"),
        (count(sum(row["pairs_first"] for row in figures["rules"])), "candidate pairs compared"),
        (
            count(default),
            f"hits without a sign of duty, of {count(sum(row['hits'] for row in figures['hits']))}",
        ),
    ]
    accuracy = figures.get("accuracy")
    if accuracy is not None:
        strong, shown = accuracy["scopes"]
        numbers += [
            (percent(strong["precision"]["value"]), "precision of strong possible links"),
            (percent(shown["recall_supportable"]["value"]), "recall of all shown, supportable records"),
        ]
    return numbers


def _shown_example(examples: Rows) -> Mapping[str, Any] | None:
    """The example whose weights are drawn: the heaviest off duty, of the strongest tier there is."""
    ranked = sorted(
        examples,
        key=lambda row: (row["tier"] != "match", row["on_duty_sign"], -row["match_weight"], row["hit_id"]),
    )
    return ranked[0] if ranked else None


def _pictures(figures: Mapping[str, Any], examples: Rows) -> dict[str, str]:
    """Every picture that has something to show, by name."""
    drawn: dict[str, str] = {}
    shown = _shown_example(examples)
    if shown is not None:
        drawn["waterfall"] = pictures.waterfall(shown, name="waterfall")
    if any(row["month"] for row in figures["hits_by_month"]):
        drawn["time"] = pictures.hits_over_time(figures["hits_by_month"], name="time")
    if figures["tiers"]:
        drawn["tiers"] = pictures.tiers_by_source(figures["tiers"], name="tiers")
    accuracy = figures.get("accuracy")
    if accuracy is None:
        return drawn
    if accuracy["curve"]:
        drawn["curve"] = pictures.precision_recall(accuracy, name="curve")
    for section, title in (
        ("by_error_class", "True links found and missed, by error class"),
        ("by_tradition", "True links found and missed, by naming tradition"),
    ):
        if any(row["recall"]["value"] is not None for row in accuracy[section]):
            drawn[section] = pictures.group_recall(accuracy[section], name=section, title=title)
    return drawn


def _tables(figures: Mapping[str, Any]) -> dict[str, tables.Table]:
    """Every table with rows, by name."""
    made = {
        "stages": tables.stages(figures),
        "sources": tables.sources(figures),
        "feeds": tables.feeds(figures),
        "screening": tables.screening(figures),
        "rules": tables.rules(figures),
        "tiers": tables.tiers(figures),
        "hits": tables.hits(figures),
        "location_hits": tables.location_hits(figures),
        "expected_false": tables.expected_false(figures),
        "quality": tables.quality(figures),
    }
    if "expectation" in figures:
        made["expectation"] = accuracy_tables.expectation(figures)
    accuracy = figures.get("accuracy")
    if accuracy is not None:
        made |= {
            **_asked(accuracy),
            "loss_by_stage": accuracy_tables.loss_by_stage(accuracy),
            "loss_by_class": accuracy_tables.loss_by_class(accuracy),
            "ablation": accuracy_tables.ablation(accuracy),
            "by_age_band": tables.groups(accuracy, "by_age_band", "By age band of the employee", "age"),
            "by_event_type": tables.groups(
                accuracy, "by_event_type", "By kind of event that the record stands in (links)", "event"
            ),
            "scopes": tables.scopes(accuracy),
            "hit_accuracy": tables.hit_accuracy(accuracy),
            "loss": tables.loss(accuracy),
            "hard_negatives": tables.hard_negatives(accuracy),
            "by_source": tables.groups(accuracy, "by_source", "By source", "source"),
            "by_error_class": tables.groups(accuracy, "by_error_class", "By error class of the record", "error class"),
            "by_tradition": tables.groups(accuracy, "by_tradition", "By naming tradition", "naming tradition"),
            "by_address": tables.groups(accuracy, "by_address", "By state of the recorded address", "address"),
            "by_on_duty": tables.groups(accuracy, "by_on_duty", "On duty apart", "record"),
        }
    return {name: table for name, table in made.items() if table.rows}


def _asked(accuracy: Mapping[str, Any]) -> dict[str, tables.Table]:
    """Tables on sections that are there only where a run was asked for them."""
    made: dict[str, tables.Table] = {}
    if "carried" in accuracy:
        made |= {
            "carried": accuracy_tables.carried(accuracy),
            "carried_tiers": accuracy_tables.carried_tiers(accuracy),
        }
    if "gaps" in accuracy:
        made["gaps"] = accuracy_tables.gaps(accuracy)
    if "calibration" in accuracy:
        made["calibration"] = accuracy_tables.calibration(accuracy)
    return made


def _costly(costly: Mapping[str, Any] | None) -> dict[str, tables.Table]:
    """Both kinds of costly errors, those with rows only."""
    if costly is None:
        return {}
    titles = {
        "false": "Links to the wrong person, the heaviest first",
        "lost": "True links not shown, those that carry most first",
    }
    return {
        f"costly_{kind}": accuracy_tables.costly_pairs(
            costly[kind], title=title, lost=kind == "lost", values=costly["with_values"]
        )
        for kind, title in titles.items()
        if costly[kind]
    }
