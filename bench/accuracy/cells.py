"""Cells and tables of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench import markdown

Figures = Mapping[str, Any]
Row = Sequence[Any]


def table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table; figures to the right."""
    return markdown.table(head, rows, in_words=str)


def share(value: float | None) -> str | None:
    """A share of 1, four digits."""
    return None if value is None else f"{value:.4f}"


def three(value: float | None) -> str | None:
    """A share of 1 in the peers' three digits."""
    return None if value is None else f"{value:.3f}"


def value_of(figure: Any) -> str:
    """A share that is a number or carries its interval."""
    value = figure["value"] if isinstance(figure, Mapping) else figure
    return "–" if value is None else f"{value:.3f}"


def interval(figure: Figures) -> str | None:
    """A share with its 95 % interval."""
    if figure["value"] is None:
        return None
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"


def mark(word: str) -> str:
    """Bold where ours is worse."""
    return f"**{word}**" if word == "worse" else word
