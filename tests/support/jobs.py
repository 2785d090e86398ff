"""Jobs as their users run them: one process of scripts/submit.sh, to its end."""

from __future__ import annotations

import csv
import os
import signal
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


def start(job: str, *args: str | Path, **env: str) -> subprocess.Popen[str]:
    """Start a job; what it says can be read line by line."""
    return subprocess.Popen(
        [str(REPO / "scripts" / "submit.sh"), job, "--", *map(str, args)],
        cwd=REPO,
        env={**QUICK, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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
    child = start(job, *args, **env)
    said = []
    for line in child.stdout or ():
        said.append(line)
        if line.rstrip().endswith(f"] {stage} …"):
            time.sleep(1.0)
            _kill(root)
            child.wait(timeout=LONGEST)
            return
    child.wait(timeout=LONGEST)
    raise AssertionError(f"the job never came to the stage '{stage}':\n" + "".join(said)[-6000:])


def killed_after(seconds: float, root: Path, job: str, *args: str | Path, **env: str) -> bool:
    """Start a job, and kill all its processes after so many seconds, if it has not ended by then. Whether it was killed."""
    child = start(job, *args, **env)
    try:
        said, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(root)
        child.communicate(timeout=LONGEST)
        return True
    assert child.returncode == 0, said[-6000:]
    return False


def stopped_in(stage: str, job: str, *args: str | Path, **env: str) -> int:
    """Start a job, and send SIGTERM to its script once it has said that a stage begins. Its exit code."""
    child = start(job, *args, **env)
    for line in child.stdout or ():
        if line.rstrip().endswith(f"] {stage} …"):
            child.send_signal(signal.SIGTERM)
    return child.wait(timeout=LONGEST)


def _kill(root: Path) -> None:
    """Kill all processes that name a root."""
    subprocess.run(["pkill", "-KILL", "-f", str(root)], check=False)


def ok(done: subprocess.CompletedProcess[str]) -> str:
    """What the job printed; its errors are shown when it failed."""
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
