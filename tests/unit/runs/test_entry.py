"""The frame around a job: exit codes by what the caller can do, and no message of a stranger's error."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from linkage_spark.errors import (
    ContractError,
    GateError,
    LinkageError,
    LockError,
    SettingsError,
    SourceError,
    UsageError,
)
from linkage_spark.runs.entry import run_job


def failing(error: BaseException):
    def job() -> int:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LinkageError("x"), 1),
        (ContractError("x"), 1),
        (UsageError("x"), 2),
        (SettingsError("x"), 2),
        (SourceError("x"), 3),
        (GateError("x"), 4),
        (LockError("x"), 5),
        (ValueError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_class_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert run_job(failing(error)) == code


def test_all_faults_of_a_source_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    run_job(failing(SourceError(["hr: column A is missing", "crime: empty"])))
    assert capsys.readouterr().err == "error: hr: column A is missing\nerror: crime: empty\n"


def test_the_message_of_an_unexpected_error_is_withheld(capsys: pytest.CaptureFixture[str]) -> None:
    run_job(failing(ValueError("row of Zzyzxqua Plonkwit")))
    err = capsys.readouterr().err
    assert "ValueError" in err and "LINKAGE_TRACEBACK" in err
    assert "Zzyzxqua" not in err


def test_success_is_zero() -> None:
    assert run_job(lambda: None) == 0


def test_an_interrupt_is_told_once_by_the_script_around_the_job_where_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LINKAGE_INTERRUPTED", raising=False)
    assert run_job(failing(KeyboardInterrupt())) == 130
    told = capsys.readouterr().err
    assert told.startswith("error: interrupted") and told.count("\n") == 1
    assert "`status` says what readers see" in told and "the same command goes on" in told
    assert "nothing was published" not in told, "RUN may have switched, and `retain` may have removed rows"
    monkeypatch.setenv("LINKAGE_INTERRUPTED", str(tmp_path / "interrupted"))
    assert run_job(failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == ""


def test_what_breaks_after_an_interrupt_is_silent_and_what_breaks_without_one_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def breaking() -> int:
        logging.error("Exception while sending command.")
        raise ConnectionResetError

    signalled = tmp_path / "interrupted"
    monkeypatch.setenv("LINKAGE_INTERRUPTED", str(signalled))
    heard: list[str] = []
    hearing = logging.Handler()
    hearing.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(hearing)
    try:
        assert run_job(breaking) == 1
        assert heard == ["Exception while sending command."]
        assert "ConnectionResetError" in capsys.readouterr().err
        signalled.touch()
        assert run_job(breaking) == 130
        assert run_job(failing(GateError("too many"))) == 4, "what a run says on purpose it says at any time"
    finally:
        logging.getLogger().removeHandler(hearing)
    assert heard == ["Exception while sending command."]
    assert capsys.readouterr().err == "error: too many\n"
