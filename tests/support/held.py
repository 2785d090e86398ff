"""Which references the files below a root hold: what retention must leave nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq

from tests.support.day_worlds import Feeds, History

# References of the made-up worlds, such as N003-12, 20/001-4 or E002-1.
_REF = re.compile(r"(?:20/|\b[A-Z])\d{3}-\d+")


def gone_refs(history: History) -> set[str]:
    """References that some earlier day's feeds knew and the last day's know nowhere."""
    return set().union(*[_refs(feeds) for feeds in history.days[:-1]]) - _refs(history.days[-1])


def refs_in(root: Path) -> dict[str, set[str]]:
    """The references in each file below a root: rows and footers of Parquet, the text of anything else; checksums left out."""
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not is_checksum(path)):
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".parquet":
            text += json.dumps(pq.ParquetFile(path).read().to_pylist(), default=str)
        found[str(path.relative_to(root))] = set(_REF.findall(text))
    return found


def is_checksum(path: Path) -> bool:
    """Hadoop's own file beside another one, which comes and goes with it."""
    return path.name.startswith(".") and path.name.endswith(".crc")


def holding(found: dict[str, set[str]], refs: set[str]) -> dict[str, list[str]]:
    """The files that hold one of some references, with those that they hold."""
    return {name: sorted(held & refs) for name, held in found.items() if held & refs}


def _refs(feeds: Feeds) -> set[str]:
    return {ref for rows in feeds.values() for row in rows.values() for ref in _REF.findall(repr(list(row.values())))}
