"""Pictures of a person-file run as inline SVG, in the look of ``pictures``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linkage_spark.report.pictures import BLUE, GREEN, GREY, INK, ORANGE, _picture, _svg, _whiskers

Rows = Sequence[Mapping[str, Any]]


def weight_histogram(rows: Rows, *, cut_bits: float | None, name: str) -> str:
    """Scored pairs per whole bit of match weight, linked ones apart, on a scale of tens; the cut as a line."""
    with _picture(width=8.4, height=3.2) as (figure, axes):
        places = [row["at_least_bits"] + 0.5 for row in rows]
        both = (("all scored", GREY, "pairs"), ("linked", BLUE, "linked"))
        for offset, (text, colour, column) in zip((-0.21, 0.21), both, strict=True):
            axes.bar(
                x=[place + offset for place in places],
                height=[row[column] for row in rows],
                width=0.4,
                color=colour,
                label=text,
            )
        if cut_bits is not None:
            axes.axvline(
                x=cut_bits, color=ORANGE, linewidth=1.4, linestyle="--", label=f"linked from {cut_bits:g} bits"
            )
        axes.set_yscale("symlog", linthresh=1.0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("match weight in bits (log2 of the odds)")
        axes.set_ylabel("pairs (by tens)")
        axes.grid(visible=True, axis="y")
        axes.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=3)
        return _svg(figure, name=name, title="Scored pairs by match weight")


def threshold_curve(truth: Mapping[str, Any], *, name: str) -> str:
    """Precision against recall as the threshold falls, the default decision with its intervals, and the best F1."""
    with _picture(width=6.4, height=4.0) as (figure, axes):
        lows = [0.9]
        for measure, text, colour in (
            ("match_weight", "by match weight", GREY),
            ("match_probability", "by match probability", BLUE),
        ):
            points = _points(truth["thresholds"], measure)
            recall, precision = [p["recall"] for p in points], [p["precision"] for p in points]
            axes.plot(recall, precision, color=colour, linewidth=1.4, marker=".", markersize=3, label=text)
            lows += [p["precision"] for p in points if p["recall"] >= 0.5]
        ceiling = truth["ceiling"]
        if ceiling is not None and ceiling["precision"] is not None and ceiling["recall"] is not None:
            x, y = [ceiling["recall"]], [ceiling["precision"]]
            axes.plot(x, y, "x", color=ORANGE, markersize=7, label="best F1, chosen with the truth")
        precision, recall = truth["default"]["precision"], truth["default"]["recall"]
        if precision["value"] is not None and recall["value"] is not None:
            axes.errorbar(
                x=[recall["value"]],
                y=[precision["value"]],
                xerr=_whiskers([recall]),
                yerr=_whiskers([precision]),
                fmt="s",
                color=GREEN,
                capsize=3,
                markersize=6,
                label="as linked by default",
            )
            lows.append(precision["low"])
        axes.set_xlim(0, 1.02)
        axes.set_ylim(max(0.0, min(lows) - 0.05), 1.01)
        axes.set_xlabel("recall (share of true pairs linked)")
        axes.set_ylabel("precision")
        axes.grid(visible=True)
        axes.legend(loc="lower left")
        return _svg(figure, name=name, title="Precision and recall over the thresholds")


def _points(thresholds: Rows, measure: str) -> list[Mapping[str, Any]]:
    """The thresholds of one measure that have both shares."""
    return [
        point
        for point in thresholds
        if point["measure"] == measure and point["precision"] is not None and point["recall"] is not None
    ]


def calibration(rows: Rows, *, name: str) -> str:
    """True share with 95 % intervals against the mean probability of each bin; on the line the model is right."""
    with _picture(width=5.2, height=4.2) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--", label="as the model says")
        shares = [row["true_share"] for row in rows]
        axes.errorbar(
            x=[row["mean_probability"] for row in rows],
            y=[share["value"] for share in shares],
            yerr=_whiskers(shares),
            fmt="o-",
            color=BLUE,
            ecolor=INK,
            elinewidth=0.8,
            capsize=2,
            markersize=4,
            linewidth=1.2,
            label="as it is",
        )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("mean match probability of the bin")
        axes.set_ylabel("share of its pairs that are true")
        axes.grid(visible=True)
        axes.legend(loc="upper left")
        return _svg(figure, name=name, title="Match probability against the true share")
