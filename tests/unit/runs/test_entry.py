"""The frame around a job: exit codes by what the caller can do, and no message of a stranger's error."""

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
