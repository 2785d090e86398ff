"""Independent actions at the same time: while Spark plans one, it works on another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

Result = TypeVar("Result")

AT_ONCE: Final = 3
"""Small actions spend most of their time in the driver's planner, one core each; more of them would wait for memory."""


def side_by_side(spark: SparkSession, works: Mapping[str, Callable[[], Result]]) -> dict[str, Result]:
    """Do every work, some at the same time; none may need what another one does.

    All are done, or have failed, when this returns or raises: of several that failed the first by the given order is told.

    Args:
        spark: the session.
        works: by name.
    """
    target = inheritable_thread_target(spark)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        begun = {name: pool.submit(target(work)) for name, work in works.items()}
    return {name: future.result() for name, future in begun.items()}
