"""What ``link`` and ``dedupe`` write: CSV files that a person can open, figures, and a page.

All are made in the work folder first and then put in their place one after the other, metrics.json and report.html
last: both name the run that all the others are of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from linkage_spark.store.files import Files

PAIR_COLUMNS = ("ref_l", "ref_r", "match_weight", "match_probability", "linked", "tier", "explanation")
"""Columns of pairs.csv."""

_CSV = {"header": "true", "quote": '"', "escape": '"', "encoding": "UTF-8", "lineSep": "\n", "emptyValue": ""}


class Outputs:
    """Collects a run's files in its work folder and puts them in their place together.

    Args:
        files: the file system.
        folder: where readers look.
        work: the run's work folder.
    """

    def __init__(self, files: Files, folder: str, work: str) -> None:
        self._files, self._folder, self._made = files, folder, f"{work}/made"
        self._names: list[str] = []

    def csv(self, name: str, frame: DataFrame, order: tuple[str, ...]) -> None:
        """One CSV file with a header, its rows in order."""
        parts = f"{self._made}/{name}.parts"
        sorted_rows = frame.repartition(1).sortWithinPartitions(*order)
        sorted_rows.write.mode("overwrite").options(**_CSV).csv(parts)
        made = [entry for entry in self._files.list(parts) if entry.name.startswith("part-")]
        if made:
            self._files.rename_overwrite(f"{parts}/{made[0].name}", f"{self._made}/{name}")
        else:
            self._files.write_text(f"{self._made}/{name}", ",".join(frame.columns) + "\n")
        self._names.append(name)

    def text(self, name: str, content: str) -> None:
        """One text file."""
        self._files.write_text(f"{self._made}/{name}", content)
        self._names.append(name)

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """One JSON file, keys in the order given."""
        self.text(name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def publish(self, former: tuple[str, ...]) -> None:
        """Put every file in its place and take away what an earlier run left there and this one does not write.

        Args:
            former: names that the earlier run wrote.
        """
        self._files.mkdirs(self._folder)
        for name in self._names:
            self._files.rename_overwrite(f"{self._made}/{name}", f"{self._folder}/{name}")
        for name in set(former) - set(self._names):
            self._files.delete(f"{self._folder}/{name}")
