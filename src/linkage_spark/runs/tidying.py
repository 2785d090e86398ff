"""What is put away at the end of a run, whatever the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def tidied(what: str, tidy: Callable[[], object]) -> Iterator[None]:
    """Call ``tidy`` at the end, whatever the end, and let nothing hide an error of the work itself.

    When Spark's process has died, nothing can be tidied any more; what it died of is what the user must hear.

    Args:
        what: what is removed, for the sentence that says that it was not.
        tidy: what removes it.

    Raises:
        Exception: the work's own error; the one of ``tidy`` only where the work went well.
    """
    try:
        yield
    except BaseException:
        try:
            tidy()
        except Exception as fault:
            print(f"warning: {what} could not be removed ({type(fault).__name__})", file=sys.stderr)
        raise
    tidy()
