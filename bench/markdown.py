"""Tables of the pages in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def one_decimal(value: float) -> str:
    """A number with separators and one decimal."""
    return f"{value:,.1f}"


def table(head: Sequence[Any], rows: Sequence[Sequence[Any]], *, in_words: Callable[[float], str] = one_decimal) -> str:
    """A Markdown table; numbers to the right, a dash for what is not there.

    Args:
        head: one name a column.
        rows: cells.
        in_words: how a number that is not whole is written.
    """
    lines = ["| " + " | ".join(str(name) for name in head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(_cell(value, in_words) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any, in_words: Callable[[float], str]) -> str:
    """One value as text."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return in_words(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine_line(bench: dict[str, Any]) -> str:
    """What a measurement ran on: its machine, and the versions of the size that was measured last."""
    machine = bench["machine"]
    newest = max(bench["sizes"].values(), key=lambda size: size["measured_on"])
    versions = ", ".join(f"{name} {version}" for name, version in newest["versions"].items())
    return (
        f"Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}. "
        f"Versions: {versions}. Measured on {newest['measured_on']}."
    )
