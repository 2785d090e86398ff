"""Jobs as their users run them: one process of scripts/submit.sh, to its end."""

from __future__ import annotations

import csv
import os
import subprocess
import time
from pathlib import Path

from tests.support.session_state import INTERPRETED

REPO = Path(__file__).resolve().parents[2]
_INTERPRETED = " ".join(f"-D{name}={value}" for name, value in INTERPRETED.items())
COMPILED = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"}
QUICK = {"JAVA_TOOL_OPTIONS": f"{COMPILED['JAVA_TOOL_OPTIONS']} {_INTERPRETED}"}
"""A job on a handful of records spends most of its time in the JVM's compilers: the quick one alone saves a sixth.

Java would give it 48 MB for its code, and throw code away and compile it again where that is not enough. Nor is it worth the while to compile
its plans (a tenth); the shared backfill and its evaluation are compiled as ever.
"""


LONGEST = 1800
"""Seconds after which a job is taken to hang. No test is timed by it: a job of one minute takes ten on a machine that others use."""


def submit(job: str, *args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a job to its end. spark-submit writes all that the job prints to its own standard output."""
    return subprocess.run(
        [str(REPO / "scripts" / "submit.sh"), job, "--", *map(str, args)],
        cwd=REPO,
        env={**QUICK, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g", **env},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def killed_in(stage: str, root: Path, job: str, *args: str | Path, **env: str) -> None:
    """Start a job, and kill all its processes once it has said that a stage begins.

    Args:
        stage: the stage.
        root: the output root. The job's processes are in a group of their own; all of them name the root.
        job: the job.
        args: its arguments.
        env: further settings.
    """
    child = subprocess.Popen(
        [str(REPO / "scripts" / "submit.sh"), job, "--", *map(str, args)],
        cwd=REPO,
        env={**QUICK, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    said = []
    for line in child.stdout:
        said.append(line)
        if line.rstrip().endswith(f"] {stage} …"):
            time.sleep(1.0)
            subprocess.run(["pkill", "-KILL", "-f", str(root)], check=False)
            child.wait(timeout=LONGEST)
            return
    child.wait(timeout=LONGEST)
    raise AssertionError(f"the job never came to the stage '{stage}':\n" + "".join(said)[-6000:])


def ok(done: subprocess.CompletedProcess[str]) -> str:
    """What the job printed; its errors are shown when it failed."""
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
