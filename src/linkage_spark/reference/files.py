"""Reads the small reference tables under conf/reference: CSV with a header of ``#`` lines."""

from __future__ import annotations

import csv
from pathlib import Path

from linkage_spark.errors import SettingsError


def read_table(conf_dir: Path, name: str, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the rows of ``conf/reference/<name>.csv``, stripped, in file order.

    Lines that start with ``#`` are comments; two of them must name the source and the licence.

    Args:
        conf_dir: the conf directory.
        name: file name without its ending.
        columns: the columns that the file must have, in this order.

    Raises:
        SettingsError: when the file is missing, has other columns, a short or long row, or does not
            say its source and licence.
    """
    path = conf_dir / "reference" / f"{name}.csv"
    shown = f"conf/reference/{name}.csv"
    if not path.is_file():
        raise SettingsError(f"{shown}: no such file. Restore it from the release.")
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line.lower() for line in lines if line.startswith("#")]
    for word in ("source:", "licence:"):
        if not any(word in line for line in notes):
            raise SettingsError(f"{shown}: no '# {word.capitalize()}' line. Say where the rows come from.")
    body = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and line[0] != "#"]
    rows = [(number, tuple(cell.strip() for cell in next(csv.reader([line])))) for number, line in body]
    if not rows or rows[0][1] != columns:
        raise SettingsError(f"{shown}: the first row must be {','.join(columns)}.")
    for number, row in rows[1:]:
        if len(row) != len(columns):
            raise SettingsError(f"{shown}: line {number} has {len(row)} cells, not {len(columns)}.")
    return [row for _, row in rows[1:]]
