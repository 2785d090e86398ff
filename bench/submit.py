"""Commands of measured programs: jobs through scripts/submit.sh, and our own programs with the same Spark settings."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import ROOT

SUBMIT = ROOT / "scripts" / "submit.sh"
_DRY_SCRATCH = "linkage_spark.DRY_RUN"


@dataclass(frozen=True)
class Command:
    """Words and environment of one program."""

    words: tuple[str, ...]
    environment: Mapping[str, str]


def job(name: str, arguments: Sequence[str], *, master: str, event_logs: Path | None = None) -> Command:
    """A job as users start it."""
    environment = {**os.environ, "LINKAGE_MASTER": master}
    if event_logs is not None:
        environment["LINKAGE_EVENT_LOG_DIR"] = str(event_logs)
    return Command((str(SUBMIT), name, "--", *arguments), environment)


@contextmanager
def program(file: Path, arguments: Sequence[str], *, master: str, options: Sequence[str] = ()) -> Iterator[Command]:
    """A program of ours, started exactly as scripts/submit.sh starts the backfill.

    Args:
        file: the Python file to run in the backfill's place.
        arguments: its arguments.
        master: Spark master.
        options: further words for spark-submit; they win over the settings file.
    """
    dry = {**os.environ, "LINKAGE_MASTER": master, "DRY_RUN": "1"}
    printed = subprocess.run([str(SUBMIT), "backfill"], env=dry, capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="linkage_bench.") as scratch:
        stands_for = str(Path(os.environ.get("TMPDIR", "/tmp")) / _DRY_SCRATCH)
        words = [word.replace(stands_for, scratch) for word in shlex.split(printed.replace("\\\n", " "))]
        place = next(number for number, word in enumerate(words) if word.endswith("/jobs/backfill.py"))
        first = next(number for number, word in enumerate(words) if word.endswith("/bin/spark-submit"))
        started = [_pythonpath(word) for word in words[: first + 1]]
        settings = merge_options(words[first + 1 : place], options)
        yield Command((*started, *settings, str(file), *arguments), dict(os.environ))


def merge_options(settings: Sequence[str], options: Sequence[str]) -> list[str]:
    """spark-submit's options with ours after them; a later one wins, and jars are joined."""
    merged = list(settings)
    for name, value in zip(options[::2], options[1::2], strict=True):
        if name == "--jars":
            merged[merged.index("--jars") + 1] += f",{value}"
        else:
            merged += [name, value]
    return merged


def _pythonpath(word: str) -> str:
    """The project's root beside its sources, so that ``bench`` can be imported."""
    return f"{word}{os.pathsep}{ROOT}" if word.startswith("PYTHONPATH=") else word
