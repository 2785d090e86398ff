"""Jobs as their users run them: one process of scripts/submit.sh, to its end."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
QUICK = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"}
"""A job on a handful of records spends most of its time in the JVM's compilers: the quick one alone saves a sixth.

Java would give it 48 MB for its code, and throw code away and compile it again where that is not enough.
"""


def submit(job: str, *args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a job to its end. spark-submit writes all that the job prints to its own standard output."""
    return subprocess.run(
        [str(REPO / "scripts" / "submit.sh"), job, "--", *map(str, args)],
        cwd=REPO,
        env={**QUICK, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g", **env},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def ok(done: subprocess.CompletedProcess[str]) -> str:
    """What the job printed; its errors are shown when it failed."""
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
