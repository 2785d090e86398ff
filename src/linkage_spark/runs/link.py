"""``jobs/link.py``: two person files."""

from __future__ import annotations

from linkage_spark.runs.file_task import Task, check_task
from linkage_spark.runs.person_files import run_person_files


def run_link(*, left: str, right: str, mapping: str, out: str, train: bool, one_to_one: bool, truth: str | None) -> int:
    """Link two person files; see ``run_person_files``."""
    paths = {"left": left, "right": right}
    return run_person_files(check_task(Task("link", paths, mapping, out, train, one_to_one, truth)))
