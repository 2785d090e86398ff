"""``jobs/dedupe.py``: one person file against itself."""

from __future__ import annotations

from linkage_spark.runs.file_task import Task, check_task
from linkage_spark.runs.person_files import run_person_files


def run_dedupe(*, path: str, mapping: str, out: str, train: bool, truth: str | None) -> int:
    """Find repeated persons in one file; see ``run_person_files``."""
    return run_person_files(check_task(Task("dedupe", {"file": path}, mapping, out, train, truth=truth)))
