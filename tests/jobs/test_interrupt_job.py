"""A job that is ended from outside, or started with a wrong folder, ends with one line that says what holds, and without Spark's plans."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.jobs import LONGEST, QUICK, REPO, submit


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "stopped")])
def test_an_interrupted_backfill_says_so_in_its_last_line_and_prints_no_plan(
    feeds: Path, tmp_path: Path, sent: signal.Signals, word: str
) -> None:
    root = tmp_path / "estate"
    child = subprocess.Popen(
        # Who runs the tests in the background of a script has SIGINT ignored, which a child would inherit.
        [
            *("env", "--default-signal=INT", str(REPO / "scripts" / "submit.sh"), "backfill", "--"),
            *("--feeds", str(feeds), "--out", str(root)),
        ],
        cwd=REPO,
        env={**QUICK, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    for line in child.stdout or ():
        said.append(line)
        if line.rstrip().endswith("] screen …"):
            child.send_signal(sent)
    assert child.wait(timeout=LONGEST) == 128 + sent, "".join(said)[-6000:]
    assert said[-1].startswith(f"error: {word}; `status` says what readers see"), said[-1]
    assert [line for line in said if line.startswith("error: ")] == [said[-1]]
    text = "".join(said)
    assert not any(sign in text for sign in ("ERROR", "AdaptiveSparkPlan", "Traceback", "incubator")), text[-6000:]
    assert not (root / "published" / "current_run").exists()


def test_a_wrong_folder_of_feeds_is_one_line_and_a_fault_of_usage(tmp_path: Path) -> None:
    for job in ("backfill", "check_sources"):
        out = ("--out", tmp_path / "estate") if job == "backfill" else ()
        done = submit(job, "--feeds", tmp_path / "nowhere", *out)
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("Picked up")]
        assert done.returncode == 2, said
        assert said == [f"error: --feeds {tmp_path}/nowhere: no such folder; name the one under which the feeds lie"]
    assert not (tmp_path / "estate").exists()
