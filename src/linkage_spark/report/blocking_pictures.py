"""What blocking rules are worth as a picture: recall against pairs, in the look of ``pictures``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linkage_spark.report.pictures import BLUE, GREEN, GREY, INK, ORANGE, _picture, _svg
from linkage_spark.report.training_pictures import _described

Figures = Mapping[str, Any]

NAMED_POINTS = 6
"""Steps of the picture that bear their rule's name: those that find most."""


def recall_by_pairs(figures: Figures, *, name: str, words: str) -> str:
    """Recall against pairs along the greedy order, lean rules marked; '' where no rule finds anything.

    Args:
        figures: blocking.json.
        name: makes ids unique on the page.
        words: the description.
    """
    steps = [step for step in figures["steps"] if step["pairs"] and step["recall"] is not None]
    if not steps:
        return ""
    most = sorted(steps, key=lambda step: (-step["found_added"], step["rule_id"]))[:NAMED_POINTS]
    with _picture(width=8.4, height=4.4) as (figure, axes):
        axes.plot(
            [step["pairs"] for step in steps],
            [step["recall"] for step in steps],
            drawstyle="steps-post",
            color=GREY,
            linewidth=1.2,
            zorder=2,
        )
        for kind, colour, face, text in _KINDS:
            own = [step for step in steps if step.get("set") == kind]
            if own:
                axes.plot(
                    [step["pairs"] for step in own],
                    [step["recall"] for step in own],
                    linestyle="none",
                    marker="o",
                    markersize=6,
                    markeredgecolor=colour,
                    markerfacecolor=face or colour,
                    zorder=3,
                    label=text,
                )
        for step in most:
            place = (step["pairs"], step["recall"])
            axes.annotate(step["rule_id"], xy=place, xytext=(6, -11), textcoords="offset points", fontsize=8)
        _lean_point(axes, figures)
        axes.set_xscale("log")
        axes.set_ylim(top=1.02)
        axes.set_xlabel("pairs of records proposed so far (by tens)")
        axes.set_ylabel(_share_words(figures))
        axes.grid(visible=True)
        axes.set_axisbelow(True)
        axes.legend(loc="lower right")
        title = "Recall against pairs, rule by rule"
        return _described(_svg(figure, name=name, title=title), name=name, title=title, words=words)


_KINDS = (
    ("lean", BLUE, BLUE, "a rule of the lean set"),
    ("rich", ORANGE, "none", "a rich rule"),
    (None, BLUE, BLUE, "a rule"),
)
"""Value of a step's ``set``, its colours, and what the legend says."""


def _lean_point(axes: Any, figures: Figures) -> None:
    """The lean set by itself."""
    lean = figures.get("lean")
    if lean is None or lean["share"] is None:
        return
    axes.plot(
        [lean["pairs"]], [lean["share"]], "s", color=GREEN, markersize=8, zorder=4, label="the lean set by itself"
    )
    axes.axhline(y=lean["share"], color=INK, linewidth=0.5, linestyle=":")


def _share_words(figures: Figures) -> str:
    if figures["truth"] is not None:
        return "recall (share of the true pairs that were read)"
    return "share of the expected matches that all rules find"
