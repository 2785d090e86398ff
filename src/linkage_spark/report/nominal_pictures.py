"""Pictures of nominals as inline SVG, in the look of ``pictures``: how large they are, and single components as graphs.

Every picture has a title and a description in words. Nothing rests on colour alone: nominals stand apart, each with a shape of its
own, and each reason for a cut has its own dashes and letter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from linkage_spark.report.pictures import BLUE, GREEN, ORANGE, PURPLE, _picture, _svg
from linkage_spark.report.training_pictures import _described
from linkage_spark.report.words import count
from linkage_spark.tables.enums import CutReason

Rows = Sequence[Mapping[str, Any]]

CUT_WORDS: Mapping[str, str] = {
    CutReason.JUDGED_NOT_SAME: "a reviewer has judged two records not the same",
    CutReason.PNC_DIFFERS: "two verified PNC numbers differ",
    CutReason.CRO_DIFFERS: "two verified CRO numbers differ",
    CutReason.DATES_CONTRADICT: "two dates of birth contradict each other",
    CutReason.TWIN_PATTERN: "two records look like twins: same date of birth, two forenames",
    CutReason.ANOTHER_OF_THE_HOUSEHOLD: "two records share a home, bear two forenames, and their dates of birth are not fully equal",
    CutReason.SEX_MARKED_CONFLICT: "two names are marked for different sexes",
    CutReason.TOO_LARGE: "too many records for one nominal",
    CutReason.TOO_LONG: "too many steps between two records for one nominal",
    CutReason.WEAK_BRIDGE: "one weak edge alone held two groups together",
}
"""Why an edge was cut, in a few words."""

JUDGED = "S"
"""Letter of an edge that a reviewer has judged the same."""

NUMBERED = "N"
"""Letter of an edge between records that bear the same verified PNC or CRO number."""

_MARKS = (
    ("judged_same", JUDGED, "judged the same by a reviewer", 0.3),
    ("same_identifier", NUMBERED, "the same verified PNC or CRO number on both", 0.7),
)
"""What an edge may say of itself: column, letter, words, and how far along the edge the letter stands."""

_WIDEST = 960.0
_CHARACTER, _LINE = 6.2, 18.0
_LONGEST_NAME = 26
_DOT = 6.0
_MARGIN = 14.0
_KEY_LEFT = 52.0
_SOLID = 'stroke="currentColor" stroke-opacity=".5"'
_COLOURS = (BLUE, GREEN, PURPLE, ORANGE)
_DASHES = ("7 4", "2 4", "10 4 2 4", "4 3", "12 5", "1 3", "8 3 2 3 2 3", "5 8", "3 6", "14 3 2 3")


def nominals_by_size(rows: Rows, *, name: str, words: str) -> str:
    """Nominals by how many records they have, on a scale of tens; '' without rows.

    Args:
        rows: ``label``, ``nominals``, in the order of sizes.
        name: makes ids unique on the page.
        words: the description.
    """
    if not rows:
        return ""
    with _picture(width=8.4, height=3.2) as (figure, axes):
        heights = [row["nominals"] for row in rows]
        axes.bar(x=range(len(rows)), height=heights, width=0.7, color=BLUE)
        for number, height in enumerate(heights):
            axes.annotate(
                count(height), xy=(number, height), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9
            )
        axes.set_xticks(range(len(rows)), [row["label"] for row in rows])
        axes.set_yscale("symlog", linthresh=1.0)
        axes.set_ylim(bottom=0, top=max(heights) * 3 + 1)
        axes.set_xlabel("records of a nominal")
        axes.set_ylabel("nominals (by tens)")
        axes.grid(visible=True, axis="y")
        axes.set_axisbelow(True)
        title = "Nominals by number of records"
        return _described(_svg(figure, name=name, title=title), name=name, title=title, words=words)


# ---- one component as a graph -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dot:
    """One record: its place, and on which side of it its name stands."""

    x: float
    y: float
    right: bool


@dataclass(frozen=True)
class Block:
    """One nominal: a frame around its dots, in pixels from the top left corner of the picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Where everything stands: a dot per record, a block per nominal, and the size of all of it."""

    dots: tuple[Dot, ...]
    blocks: tuple[Block, ...]
    width: float
    height: float


def component_graph(example: Mapping[str, Any], *, name: str, title: str, words: str) -> str:
    """The records of one component as dots, its nominals side by side, the edges that join and those that were cut.

    Args:
        example: ``members`` (in the order of ``nominal``, from 0) and ``edges``, shapes of ``runs.nominal_examples.example_of``.
        name: makes ids unique on the page.
        title: what the picture shows.
        words: the description.

    Returns:
        The picture, the same bytes for the same example; '' without members.
    """
    members, edges = example["members"], example["edges"]
    if not members:
        return ""
    layout = lay_out(members)
    styles = _styles(edges)
    key = _key(edges, styles)
    height = layout.height + _LINE * len(key) + _MARGIN
    width = max(layout.width, *(_KEY_LEFT + len(told) * _CHARACTER for _, told in key))
    parts = [
        *(_frame(block, caption) for block, caption in zip(layout.blocks, _captions(members), strict=True)),
        *(_line(edge, layout.dots, members, styles) for edge in edges),
        *(_record(member, dot) for member, dot in zip(members, layout.dots, strict=True)),
        *_letters(edges, layout.dots, members, styles),
        *(_key_line(look, told, layout.height + _LINE * place) for place, (look, told) in enumerate(key)),
    ]
    head = (
        f'<svg role="img" aria-label="{escape(title)}" style="width:100%;max-width:{width:.0f}px" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-size="11" fill="currentColor">'
    )
    return _described(f"{head}{''.join(parts)}</svg>", name=name, title=title, words=words)


def lay_out(members: Rows) -> Layout:
    """Nominals side by side from the top left on, in a new row where the picture would grow too wide.

    The records of a nominal stand on a circle, half on its right and half on its left, level by level, each with its name
    outside, so that no two names meet and no three dots stand in one line. The same members give the same layout.
    """
    dots: list[Dot] = []
    blocks: list[Block] = []
    x = y = below = widest = 0.0
    for nominal, caption in enumerate(_captions(members)):
        names = [shortened(member["name"]) for member in members if member["nominal"] == nominal]
        around, size = _circle(names, caption)
        if x and x + size.width > _WIDEST:
            x, y = 0.0, y + below + _MARGIN
            below = 0.0
        blocks.append(Block(x, y, size.width, size.height))
        dots += [Dot(x + dot.x, y + dot.y, dot.right) for dot in around]
        x += size.width + 3 * _MARGIN
        widest, below = max(widest, x - 3 * _MARGIN), max(below, size.height)
    return Layout(tuple(dots), tuple(blocks), widest + 1, y + below + _MARGIN)


def _circle(names: Sequence[str], caption: str) -> tuple[list[Dot], Block]:
    """The dots of one nominal in a block of its own."""
    on_right = (len(names) + 1) // 2
    radius = 0.0 if len(names) == 1 else max(34.0, on_right * _LINE / 2)
    sides = (names[:on_right], names[on_right:])
    right, left = (max((len(text) for text in side), default=0) * _CHARACTER + _DOT + 6 for side in sides)
    width = max(left + 2 * radius + right, len(caption) * _CHARACTER) + 2 * _MARGIN
    middle = _MARGIN + left + radius + (width - 2 * _MARGIN - left - 2 * radius - right) / 2
    centre = 2 * _LINE + max(radius, _DOT) + 4
    dots = []
    for side, outward in zip(sides, (1.0, -1.0), strict=True):
        for number in range(len(side)):
            level = radius * ((2 * number + 1) / len(side) - 1)
            across = math.sqrt(max(0.0, radius * radius - level * level))
            dots.append(Dot(middle + outward * across, centre + level, outward > 0))
    return dots, Block(0.0, 0.0, width, centre + max(radius, _DOT) + _MARGIN)


def shortened(text: str) -> str:
    """A name of at most 26 characters; a longer one loses its middle."""
    if len(text) <= _LONGEST_NAME:
        return text
    half = (_LONGEST_NAME - 1) // 2
    return f"{text[: _LONGEST_NAME - 1 - half]}…{text[-half:]}"


def _captions(members: Rows) -> list[str]:
    """Per nominal its id and size."""
    ids = {member["nominal"]: member["nominal_id"] for member in members}
    sizes = [sum(1 for member in members if member["nominal"] == nominal) for nominal in sorted(ids)]
    return [
        f"nominal {ids[nominal]}: {size} record{'' if size == 1 else 's'}"
        for nominal, size in zip(sorted(ids), sizes, strict=True)
    ]


def _frame(block: Block, caption: str) -> str:
    """The frame of a nominal with its caption."""
    return (
        f'<rect x="{block.x + 0.5:.1f}" y="{block.y + 0.5:.1f}" width="{block.width:.1f}" height="{block.height:.1f}" rx="7" '
        f'fill="none" stroke="currentColor" stroke-opacity=".25"/>{_text(block.x + _MARGIN, block.y + _LINE, caption)}'
    )


def _record(member: Mapping[str, Any], dot: Dot) -> str:
    """A record: its shape and its name."""
    colour, shape = _COLOURS[member["nominal"] % len(_COLOURS)], _SHAPES[member["nominal"] % len(_SHAPES)]
    offset = _DOT + 4 if dot.right else -_DOT - 4
    name = _text(dot.x + offset, dot.y + 4, shortened(member["name"]), anchor="start" if dot.right else "end")
    told = escape(f"{member['name']}, nominal {member['nominal_id']}")
    return f'<g><title>{told}</title><path d="{shape(dot.x, dot.y)}" fill="{colour}" stroke="var(--paper, #fff)"/>{name}</g>'


def _round(x: float, y: float) -> str:
    return f"M{x - _DOT:.1f} {y:.1f}a{_DOT} {_DOT} 0 1 0 {2 * _DOT} 0a{_DOT} {_DOT} 0 1 0 {-2 * _DOT} 0z"


def _square(x: float, y: float) -> str:
    return f"M{x - 5.5:.1f} {y - 5.5:.1f}h11v11h-11z"


def _diamond(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 7.5:.1f}l7.5 7.5l-7.5 7.5l-7.5 -7.5z"


def _triangle(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 7:.1f}l7 12.5h-14z"


_SHAPES = (_round, _square, _diamond, _triangle)


def _styles(edges: Rows) -> dict[str, tuple[str, str]]:
    """Per reason for a cut its letter and dashes, in the order of CutReason."""
    found = {edge["cut_reason"] for edge in edges}
    present = [reason.value for reason in CutReason if reason.value in found]
    return {reason: (chr(ord("a") + number), _DASHES[number]) for number, reason in enumerate(present)}


def stroke(weight_millibits: int) -> float:
    """Width of an edge in pixels: one for every ten bits, from a half to five."""
    return min(5.0, max(0.5, weight_millibits / 10_000))


def _line(edge: Mapping[str, Any], dots: Sequence[Dot], members: Rows, styles: Mapping[str, tuple[str, str]]) -> str:
    """An edge: solid when it joins, dashed when it was cut."""
    one, other = dots[edge["left"]], dots[edge["right"]]
    cut = edge["cut_reason"]
    told = (
        f"{members[edge['left']]['name']} and {members[edge['right']]['name']}: {bits(edge['weight_millibits'])} bits"
    )
    look = f'stroke="{ORANGE}" stroke-dasharray="{styles[cut][1]}"' if cut else _SOLID
    why = f"; cut: {CUT_WORDS[cut]}" if cut else "".join(f"; {words}" for name, _, words, _ in _MARKS if edge[name])
    return (
        f'<line x1="{one.x:.1f}" y1="{one.y:.1f}" x2="{other.x:.1f}" y2="{other.y:.1f}" {look} '
        f'stroke-width="{stroke(edge["weight_millibits"]):.1f}"><title>{escape(told + why)}</title></line>'
    )


def _letters(edges: Rows, dots: Sequence[Dot], members: Rows, styles: Mapping[str, tuple[str, str]]) -> list[str]:
    """Letters on edges: one per two nominals and reason, on the heaviest edge; one on every edge judged the same or numbered alike."""
    heaviest: dict[tuple[int, int, str], Mapping[str, Any]] = {}
    lettered = []
    for edge in sorted(edges, key=lambda edge: (-edge["weight_millibits"], edge["left"], edge["right"])):
        if edge["cut_reason"]:
            sides = sorted((members[edge["left"]]["nominal"], members[edge["right"]]["nominal"]))
            heaviest.setdefault((sides[0], sides[1], edge["cut_reason"]), edge)
        lettered += [(letter, at, edge) for name, letter, _, at in _MARKS if edge[name]]
    lettered += [(styles[reason][0], 0.5, edge) for (_, _, reason), edge in heaviest.items()]
    return [_letter(letter, at, dots[edge["left"]], dots[edge["right"]]) for letter, at, edge in lettered]


def _letter(letter: str, at: float, one: Dot, other: Dot) -> str:
    """A letter in a ring, a share of the way from one dot to the other."""
    x, y = one.x + at * (other.x - one.x), one.y + at * (other.y - one.y)
    ring = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="var(--paper, #fff)" stroke="currentColor" stroke-opacity=".5"/>'
    )
    return ring + _text(x, y + 4, letter, anchor="middle")


def _key(edges: Rows, styles: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What lines and letters mean: the look of a line, and its words."""
    joining = sum(1 for edge in edges if not edge["cut_reason"])
    rows = [(f'{_SOLID} stroke-width="3"', f"joins; the wider, the more it weighs ({_number(joining)})")]
    for reason, (letter, dashes) in styles.items():
        number = sum(1 for edge in edges if edge["cut_reason"] == reason)
        look = f'stroke="{ORANGE}" stroke-width="3" stroke-dasharray="{dashes}"'
        rows.append((look, f"{letter}: cut, {CUT_WORDS[reason]} ({_number(number)})"))
    for name, letter, words, _ in _MARKS:
        if marked := sum(1 for edge in edges if edge[name]):
            rows.append(('stroke="none"', f"{letter}: {words} ({_number(marked)})"))
    return rows


def _key_line(look: str, words: str, y: float) -> str:
    """One line of the key."""
    line = f'<line x1="4" y1="{y + 8:.1f}" x2="44" y2="{y + 8:.1f}" {look}/>'
    return line + _text(_KEY_LEFT, y + 12, words)


def _number(edges: int) -> str:
    return f"{edges} edge{'' if edges == 1 else 's'}"


def bits(millibits: int) -> str:
    """A weight in bits with one decimal."""
    return f"{millibits / 1000:.1f}".replace("-", "−")


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    """A text with a rim of paper around it, so that it reads across lines."""
    rim = 'stroke="var(--paper, #fff)" stroke-width="3" paint-order="stroke" stroke-linejoin="round"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {rim}>{escape(text)}</text>'
