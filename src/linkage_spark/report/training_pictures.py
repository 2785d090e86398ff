"""Pictures of a training on the force's records as inline SVG, in the look of ``pictures``.

Every picture has a title and a description in words, for whoever cannot see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from linkage_spark.report.pictures import BLUE, GREY, INK, _picture, _svg
from linkage_spark.report.words import label

Rows = Sequence[Mapping[str, Any]]

_HALF_BIT = 0.5


def convergence(log_likelihood: Sequence[float], *, name: str, words: str) -> str:
    """How far each round's log-likelihood lay below the last round's, on a scale of tens; '' where no round did.

    Args:
        log_likelihood: per round, natural logarithm, less that of the last round: 0 or below but for last digits.
        name: makes ids unique on the page.
        words: the description.
    """
    below = [(number, -value) for number, value in enumerate(log_likelihood, start=1) if value < 0]
    if not below:
        return ""
    from matplotlib.ticker import MaxNLocator

    with _picture(width=8.4, height=3.0) as (figure, axes):
        rounds, distances = zip(*below, strict=True)
        axes.plot(rounds, distances, "o-", color=BLUE, markersize=3.5, linewidth=1.4)
        axes.set_yscale("log")
        axes.set_xlim(0.5, len(log_likelihood) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("round")
        axes.set_ylabel("below the last round\n(by tens)")
        axes.grid(visible=True)
        title = "Log-likelihood, round by round"
        return _described(_svg(figure, name=name, title=title), name=name, title=title, words=words)


def weights_beside(rows: Rows, *, name: str, title: str, words: str) -> str:
    """Shipped and trained weight of each level, joined by a line; the rows from the bottom up.

    Args:
        rows: shape of ``LevelFigures``, weakest first.
        name: makes ids unique on the page.
        title: what the picture shows.
        words: the description.
    """
    with _picture(width=8.4, height=1.15 + 0.29 * max(3, len(rows))) as (figure, axes):
        places = range(len(rows))
        shipped, trained = [row["base_weight"] for row in rows], [row["weight"] for row in rows]
        axes.hlines(y=places, xmin=shipped, xmax=trained, color=GREY, linewidth=2.2, zorder=2)
        axes.plot(
            shipped,
            places,
            linestyle="none",
            marker="o",
            markersize=7.5,
            markerfacecolor="none",
            markeredgecolor=INK,
            zorder=4,
            label="shipped",
        )
        axes.plot(trained, places, linestyle="none", marker="o", markersize=5, color=BLUE, zorder=3, label="trained")
        axes.axvline(x=0, color=INK, linewidth=0.6)
        axes.set_yticks(places, [label(row["level"]) for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("weight in bits: to the right it speaks for one person, to the left against")
        axes.grid(visible=True)
        axes.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=2)
        return _described(_svg(figure, name=name, title=title), name=name, title=title, words=words)


def matches_by_weight(rows: Rows, *, name: str, words: str) -> str:
    """Candidate pairs and expected matches per half bit: above both by tens, below the expected matches evenly.

    Args:
        rows: shape of ``WeightBin``.
        name: makes ids unique on the page.
        words: the description.
    """
    with _picture(width=8.4, height=5.0) as (figure, axes):
        axes.remove()
        upper, lower = figure.subplots(nrows=2, ncols=1, sharex=True, height_ratios=(3, 2))
        starts = [row["at_least_bits"] for row in rows]
        expected = [row["expected_matches"] for row in rows]
        bars = {"x": starts, "width": _HALF_BIT * 0.92, "align": "edge"}
        upper.bar(**bars, height=[row["pairs"] for row in rows], color=GREY, alpha=0.55, label="candidate pairs")
        upper.bar(**bars, height=expected, color=BLUE, label="expected matches among them")
        upper.set_yscale("symlog", linthresh=1.0)
        upper.set_ylabel("pairs (by tens)")
        lower.bar(**bars, height=expected, color=BLUE)
        lower.set_ylabel("expected matches\n(evenly)")
        lower.set_xlabel("match weight in bits (log2 of the odds), half a bit a bar")
        for part in (upper, lower):
            part.set_ylim(bottom=0)
            part.grid(visible=True, axis="y")
            part.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=2)
        title = "Candidate pairs and expected matches by match weight"
        return _described(_svg(figure, name=name, title=title), name=name, title=title, words=words)


def _described(svg: str, *, name: str, title: str, words: str) -> str:
    """The picture with its title and description, as elements of its own."""
    opened = svg.index(">", svg.index("<svg")) + 1
    told = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(words)}</desc>'
    head = svg[: opened - 1].replace("<svg", f'<svg aria-describedby="{name}-desc"', 1)
    return f"{head}>{told}{svg[opened:]}"
