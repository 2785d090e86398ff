"""The one frame around every job: errors into a sentence and an exit code."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from linkage_spark.errors import LinkageError

_TOLD_IN: Final = "LINKAGE_INTERRUPTED"
"""The file that ``scripts/submit.sh`` makes before it passes a signal on."""

_INTERRUPTED: Final = (
    "interrupted; `status` says what readers see, what `retain` removed stays removed; the same command goes on"
)


def conf_dir() -> Path:
    """The ``conf`` folder: ``LINKAGE_CONF``, else the one beside the installed sources."""
    named = os.environ.get("LINKAGE_CONF")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "conf"


def environment() -> str:
    """``local`` or ``cluster``, as ``scripts/submit.sh`` was told."""
    return os.environ.get("LINKAGE_ENV", "local")


def run_job(job: Callable[[], int | None]) -> int:
    """Run ``job`` and turn whatever happens into an exit code.

    An error that this package raised on purpose is printed as its own sentences. Any other error is
    printed as its class and where in this package it arose, never with its message, since messages
    of Spark and Delta repeat row values; set ``LINKAGE_TRACEBACK=1`` on made-up data to see it whole.
    An interrupt is told by ``scripts/submit.sh``, whose line comes last whatever has become of Java; by this where nobody else does.
    """
    quiet = logging.getLogger()
    quiet.addFilter(_is_worth_telling)
    try:
        return job() or 0
    except LinkageError as error:
        for fault in str(error).split("\n"):
            _say_error(type(error).__name__, fault, error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        if _TOLD_IN not in os.environ:
            _say_error("KeyboardInterrupt", _INTERRUPTED, 130)
        return 130
    except Exception as error:
        if is_interrupted():
            return 130
        if os.environ.get("LINKAGE_TRACEBACK") == "1":
            traceback.print_exc()
        else:
            _say_error(type(error).__name__, _where(error), 1)
        return 1
    finally:
        quiet.removeFilter(_is_worth_telling)


def is_interrupted() -> bool:
    """``scripts/submit.sh`` has passed a signal on: whatever breaks from then on breaks because of it."""
    told_in = os.environ.get(_TOLD_IN)
    return told_in is not None and Path(told_in).exists()


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """What Spark's bridge to Java logs of an interrupt, a stack trace of its own, tells nobody anything."""
    of_interrupt = record.exc_info is not None and isinstance(record.exc_info[1], KeyboardInterrupt)
    return not of_interrupt and not is_interrupted()


def _say_error(kind: str, text: str, exit_code: int) -> None:
    """One line on what went wrong; with LINKAGE_LOG=json an object, as progress is."""
    if os.environ.get("LINKAGE_LOG") == "json":
        told = {"at": datetime.now(tz=UTC).isoformat(timespec="milliseconds"), "event": "error", "class": kind}
        text = json.dumps({**told, "said": text, "exit_code": exit_code}, ensure_ascii=False)
    else:
        text = f"error: {text}"
    print(text, file=sys.stderr)


def _where(error: Exception) -> str:
    """The error's class and the innermost line of this package, without its message."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if "linkage_spark" in f.filename]
    place = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    return (
        f"{type(error).__name__}{place}; its message is withheld because it may hold personal values. "
        "Run again with LINKAGE_TRACEBACK=1 on made-up data to see it"
    )
