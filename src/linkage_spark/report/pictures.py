"""Pictures as inline SVG: no file, no script, no font or other resource from elsewhere.

matplotlib is imported when a picture is drawn, not when this module is. Text stays text and takes
the page's own colour, so that pictures read on light and on dark paper alike.
"""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from linkage_spark.report.words import SCOPE_SHORT, label, signed
from linkage_spark.tables.enums import EventType, SourceSystem, Tier
from linkage_spark.tables.linkage import LINK_WEIGHTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the page's own text colour until the picture is done."""

BLUE, ORANGE, GREEN, PURPLE, GREY = "#3f7fd0", "#d9822b", "#3c9d6b", "#9a6bc4", "#8b919a"
_EVENT_COLOURS = dict(zip((e.value for e in EventType), (BLUE, ORANGE, PURPLE, GREEN), strict=True))
_TIER_COLOURS = {Tier.MATCH.value: BLUE, Tier.POSSIBLE.value: ORANGE}

_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "linkage_spark",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GREY,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def waterfall(example: Mapping[str, Any], *, name: str) -> str:
    """The weights of one hit, in bits, from the starting point to the match weight."""
    steps = [(label(column), example[column]) for column in LINK_WEIGHTS]
    with _picture(width=8.4, height=3.5) as (figure, axes):
        millibits = 0
        for row, (_, weight) in enumerate(steps):
            colour = GREY if row == 0 else (BLUE if weight >= 0 else ORANGE)
            axes.barh(y=row, width=weight / 1000, left=millibits / 1000, color=colour, height=0.62)
            _beside(axes, row, max(millibits, millibits + weight) / 1000, signed(weight / 1000))
            millibits += weight
            axes.plot([millibits / 1000] * 2, [row + 0.31, row + 0.69], color=GREY, linewidth=0.8)
        total = millibits / 1000
        axes.barh(y=len(steps), width=total, color=GREEN if total >= 0 else ORANGE, height=0.62)
        _beside(axes, len(steps), max(total, 0.0), signed(total))
        axes.axvline(x=0, color=INK, linewidth=0.6)
        axes.set_yticks(range(len(steps) + 1), [*[text for text, _ in steps], "match weight"])
        axes.invert_yaxis()
        axes.use_sticky_edges = False
        axes.margins(x=0.08)
        axes.set_xlabel("bits (log2 of the odds)")
        return _svg(figure, name=name, title="Weights of one hit, step by step")


def hits_over_time(rows: Sequence[Mapping[str, Any]], *, name: str) -> str:
    """Hits per month, or per year when there are more than 60 months, stacked by event type."""
    dated = [row for row in rows if row["month"]]
    cut = 7 if len({row["month"] for row in dated}) <= 60 else 4
    counted: Counter[tuple[str, str]] = Counter()
    for row in dated:
        counted[row["month"][:cut], row["event_type"]] += row["hits"]
    periods = _all_periods(sorted({period for period, _ in counted}))
    with _picture(width=8.4, height=3.2) as (figure, axes):
        base = [0] * len(periods)
        for event_type, colour in _EVENT_COLOURS.items():
            heights = [counted[period, event_type] for period in periods]
            if any(heights):
                axes.bar(
                    x=range(len(periods)),
                    height=heights,
                    bottom=base,
                    width=0.8,
                    color=colour,
                    label=label(event_type),
                )
            base = [low + high for low, high in zip(base, heights, strict=True)]
        step = max(1, -(-len(periods) // 14))
        axes.set_xticks(range(0, len(periods), step), periods[::step])
        axes.set_ylabel("hits per " + ("month" if cut == 7 else "year"))
        axes.grid(visible=True, axis="y")
        axes.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=4)
        return _svg(figure, name=name, title="Hits over time by event type")


def precision_recall(accuracy: Mapping[str, Any], *, name: str) -> str:
    """Precision against recall as the least match weight falls, and the two tiers as shown."""
    points = accuracy["curve"]
    with _picture(width=6.4, height=4.0) as (figure, axes):
        axes.plot(
            [point["recall"] for point in points],
            [point["precision"] for point in points],
            color=BLUE,
            linewidth=1.6,
            marker=".",
            markersize=4,
            label="by match weight alone",
        )
        for row, marker, colour in zip(accuracy["scopes"], ("s", "D"), (GREEN, ORANGE), strict=True):
            x, y = row["recall"], row["precision"]
            if x["value"] is None or y["value"] is None:
                continue
            axes.errorbar(
                x=[x["value"]],
                y=[y["value"]],
                xerr=_whiskers([x]),
                yerr=_whiskers([y]),
                fmt=marker,
                color=colour,
                capsize=3,
                markersize=6,
                label=f"as shown: {SCOPE_SHORT[row['scope']]}",
            )
        axes.set_xlim(0, 1.02)
        lowest = min([point["precision"] for point in points] + [0.9])
        axes.set_ylim(max(0.0, lowest - 0.05), 1.01)
        axes.set_xlabel("recall (share of true links shown)")
        axes.set_ylabel("precision")
        axes.grid(visible=True)
        axes.legend(loc="lower left")
        return _svg(figure, name=name, title="Precision and recall")


def group_recall(rows: Sequence[Mapping[str, Any]], *, name: str, title: str) -> str:
    """Recall per group with 95 % intervals, both scopes, the least found at the bottom."""
    by_group: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        if row["recall"]["value"] is not None:
            by_group[row["group"]][row["scope"]] = row["recall"]
    shown = [
        {"group": group, **{f"found, {SCOPE_SHORT[scope]}": found[scope] for scope in ("match+possible", "match")}}
        for group, found in by_group.items()
    ]
    axis = "share of true links found; the rest was missed (95 % intervals)"
    return group_shares(shown, name=name, title=title, axis=axis, order_by=f"found, {SCOPE_SHORT['match+possible']}")


def group_shares(
    rows: Sequence[Mapping[str, Any]],
    *,
    name: str,
    title: str,
    axis: str = "share (95 % intervals)",
    order_by: str | None = None,
) -> str:
    """Two shares per group as bars with 95 % intervals, the least at the bottom.

    Args:
        rows: per group ``group`` and two proportions that have a value, under the words that tell them; the number
            behind the second stands beside the group's name.
        name: makes element ids unique on the page.
        title: of the picture.
        axis: what the shares are of.
        order_by: the share that orders the groups; None for the second.
    """
    first, second = (key for key in rows[0] if key != "group")
    order = order_by or second
    groups = sorted(rows, key=lambda row: (-row[order]["value"], row["group"]))
    with _picture(width=8.4, height=0.9 + 0.36 * max(3, len(groups))) as (figure, axes):
        for offset, what, colour in ((-0.19, first, ORANGE), (0.19, second, BLUE)):
            found = [row[what] for row in groups]
            axes.barh(
                y=[row + offset for row in range(len(groups))],
                width=[one["value"] for one in found],
                height=0.36,
                xerr=_whiskers(found),
                error_kw={"ecolor": INK, "elinewidth": 0.8, "capsize": 2},
                color=colour,
                label=what,
            )
        texts = [f"{label(row['group'])} ({row[second]['denominator']:,})" for row in groups]
        axes.set_yticks(range(len(groups)), texts)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.0)
        axes.set_xlabel(axis)
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        figure.legend(loc="outside upper center", ncols=2)
        return _svg(figure, name=name, title=title)


def tiers_by_source(rows: Sequence[Mapping[str, Any]], *, name: str) -> str:
    """Links per source, stacked by tier."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counted[row["source_system"], row["tier"]] += row["links"]
    present = {source for source, _ in counted}
    sources = [source.value for source in SourceSystem if source.value in present]
    with _picture(width=8.4, height=0.9 + 0.42 * max(2, len(sources))) as (figure, axes):
        base = [0] * len(sources)
        for tier, colour in _TIER_COLOURS.items():
            widths = [counted[source, tier] for source in sources]
            axes.barh(y=range(len(sources)), width=widths, left=base, height=0.6, color=colour, label=label(tier))
            base = [low + high for low, high in zip(base, widths, strict=True)]
        for number, total in enumerate(base):
            _beside(axes, number, total, f"{total:,}")
        axes.set_yticks(range(len(sources)), [label(source) for source in sources])
        axes.invert_yaxis()
        axes.margins(x=0.1)
        axes.set_xlabel("links")
        figure.legend(loc="outside upper center", ncols=2)
        return _svg(figure, name=name, title="Links by source and tier")


def _beside(axes: Axes, row: int, end: float, text: str) -> None:
    """A number to the right of a bar's end."""
    axes.annotate(text, xy=(end, row), xytext=(4, 0), textcoords="offset points", va="center")


def _whiskers(found: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Distances from value to interval ends, as matplotlib takes them."""
    return [
        [max(0.0, one["value"] - one["low"]) for one in found],
        [max(0.0, one["high"] - one["value"]) for one in found],
    ]


def _all_periods(found: Sequence[str]) -> list[str]:
    """Every month or year from the first to the last found, so that gaps show as gaps."""
    if not found:
        return []
    if len(found[0]) == 4:
        return [str(year) for year in range(int(found[0]), int(found[-1]) + 1)]
    first, last = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (found[0], found[-1]))
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, last + 1)]


@contextmanager
def _picture(*, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """An empty picture in inches, under our settings alone."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def _svg(figure: Figure, *, name: str, title: str) -> str:
    """The picture as an ``<svg>`` element; the same bytes for the same figures.

    ``name`` makes element ids unique on the page.
    """
    buffer = io.StringIO()
    none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=none)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text, count=2)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"font:[^;\"]*'[^;\"]*", _own_font, text)
    text = text.replace(INK, "currentColor")
    size = re.search(r'<svg[^>]*?width="([\d.]+)pt"', text)
    width = f"max-width:{float(size.group(1)) * 4 / 3:.0f}px" if size else ""
    text = re.sub(r'(<svg[^>]*?)\sheight="[^"]*pt"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?)\swidth="[^"]*pt"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{title}" style="width:100%;{width}"', 1).strip()


def _own_font(found: re.Match[str]) -> str:
    """The font size of a text, in the page's own family."""
    size = re.search(r"([\d.]+)px", found.group(0))
    return f"font-size: {size.group(1) if size else '10'}px; font-family: inherit"
