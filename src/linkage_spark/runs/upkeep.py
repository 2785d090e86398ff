"""What keeps tables in order outside the day: where it fails, RUN and the scheduler's log say so, as of a night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from linkage_spark.errors import UsageError
from linkage_spark.runs import publishing
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.manifest import GoodRun, last_good_run


@contextmanager
def failure_told(run: RunContext, good: GoodRun) -> Iterator[None]:
    """Record what the work within ends with, where that is an error.

    A UsageError asks for another command, before anything was begun or once all is done: no run has failed.

    Args:
        run: the run.
        good: the last good run before it.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        publishing.record_failure(run, good=_newest(run, good), made_from=good.made_from, error=error)
        raise


def _newest(run: RunContext, good: GoodRun) -> GoodRun:
    """The last good run: the failed one itself where it had switched already. What cannot be read must not hide the error."""
    try:
        return last_good_run(run.store) or good
    except Exception:
        return good
