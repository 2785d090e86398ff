"""Small CSV files with personal data, for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from linkage_spark.store.files import Files


def write_csv(files: Files, path: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a file that its owner alone can read, in a folder that its owner alone can enter.

    Args:
        files: the file system.
        path: the file; its folder is made.
        names: the heads.
        rows: values in the order of the heads.
    """
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow(names)
    writer.writerows(rows)
    files.mkdirs(path.rsplit("/", 1)[0], mode="700")
    files.write_text(path, content.getvalue(), mode="600")
