"""Progress lines, as a person reads them and as a program does: stage, counts, elapsed."""

import io
import json

import pytest

from linkage_spark.errors import GateError
from linkage_spark.runs.entry import run_job
from linkage_spark.runs.progress import Progress, in_words


def test_a_stage_prints_its_start_and_its_end_with_counts() -> None:
    out = io.StringIO()
    progress = Progress(stream=out)
    with progress.stage("screen") as stage:
        stage.counts["candidate pairs"] = 12345
    first, last = out.getvalue().splitlines()
    assert first.endswith("screen …")
    assert "screen done: candidate pairs 12,345, " in last and last.endswith(" s")
    assert [s.name for s in progress.stages] == ["screen"]


def test_counts_in_words_of_nothing_is_empty() -> None:
    assert in_words({}) == ""


def told(as_json: bool) -> list[str]:
    stream = io.StringIO()
    progress = Progress(stream=stream, as_json=as_json)
    progress.say("going on")
    with progress.stage("screen") as stage:
        stage.counts["candidate pairs"] = 1200
    progress.end({"run": "R1", "status": "published"})
    return stream.getvalue().splitlines()


def test_a_person_reads_lines() -> None:
    lines = told(as_json=False)
    assert lines[0].endswith("s] going on")
    assert lines[1].endswith("] screen …")
    assert "screen done: candidate pairs 1,200, " in lines[2]
    assert lines[3] == "linkage_spark run=R1 status=published"


def test_a_program_reads_objects() -> None:
    rows = [json.loads(line) for line in told(as_json=True)]
    assert [row["event"] for row in rows] == ["said", "stage_started", "stage_done", "run_ended"]
    assert rows[0]["said"] == "going on"
    assert (rows[2]["stage"], rows[2]["counts"]) == ("screen", {"candidate pairs": 1200})
    assert (rows[3]["run"], rows[3]["status"]) == ("R1", "published")
    assert all(row["at"].endswith("+00:00") and row["elapsed_seconds"] >= 0 for row in rows)


def test_an_error_is_an_object_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> int:
        raise GateError("rows of person fell\nlinks rose")

    monkeypatch.setenv("LINKAGE_LOG", "json")
    assert run_job(stopped) == 4
    rows = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(row["class"], row["said"], row["exit_code"]) for row in rows] == [
        ("GateError", "rows of person fell", 4),
        ("GateError", "links rose", 4),
    ]


def test_an_error_that_nobody_raised_on_purpose_keeps_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> int:
        raise ValueError("Zzyzxqua Plonkwitter")

    monkeypatch.setenv("LINKAGE_LOG", "json")
    assert run_job(broken) == 1
    assert "Zzyzxqua" not in capsys.readouterr().err
