"""A run that ends where one says, as if its process were gone: no handler of the product's own runs after that point."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.runs import publishing, retain_files
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Progress, Stage
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run

if TYPE_CHECKING:
    from tests.support.main_job import MainJob


SEED = int(os.environ.get("LINKAGE_DAY_SEED", "20261122"))
"""Of the made-up worlds, and of where runs are killed in them."""

KILL_DAY = os.environ.get("LINKAGE_KILL_DAY", f"{date.today():%Y-%m-%d}")  # noqa: DTZ011
"""Runs are killed in other places every day; a failure says which day to name here to see it again."""


def drawn() -> random.Random:
    """What draws the places of the day."""
    return random.Random(f"{SEED} {KILL_DAY}")


class Killed(BaseException):
    """The process is gone. No ``except Exception`` sees it."""


class Points:
    """The places that a run comes through: before and after every write of a table, a file, a snapshot or a work frame.

    Attributes:
        seen: their names in order, with the stage in which they come; one that comes again in its stage has its number.
        kill_at: where the run ends: at the point of this name, or at so many points; None: nowhere.
    """

    def __init__(self, kill_at: str | int | None) -> None:
        self.seen: list[str] = []
        self.kill_at = kill_at
        self.stage = "start"
        self._times: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._dead = False

    def reached(self, name: str) -> None:
        """Here the run is."""
        with self._lock:
            staged = f"{self.stage}: {name}"
            self._times[staged] += 1
            numbered = staged if self._times[staged] == 1 else f"{staged} ({self._times[staged]})"
            self.seen.append(numbered)
            self._dead = self._dead or self.kill_at in (numbered, len(self.seen))
            if self._dead:
                raise Killed(numbered)


@contextmanager
def points(kill_at: str | int | None = None) -> Iterator[Points]:
    """Watch a run, and end it at a point."""
    watched = Points(kill_at)

    def around(real: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            said = name(*args, **kwargs)
            watched.reached(f"before {said}")
            done = real(*args, **kwargs)
            watched.reached(f"after {said}")
            return done

        return call

    begin = Progress.stage

    @contextmanager
    def stage(self: Progress, name: str) -> Iterator[Stage]:
        watched.stage = name
        with begin(self, name) as begun:
            yield begun

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "stage", stage)
        patch.setattr(DeltaStore, "_write", around(DeltaStore._write, lambda _, table, *a, **k: f"table {table.name}"))
        patch.setattr(
            DeltaStore, "restore", around(DeltaStore.restore, lambda _, table, *a, **k: f"restore {table.name}")
        )
        patch.setattr(
            publishing,
            "write_published",
            around(publishing.write_published, lambda **k: f"snapshot {k['contract'].name}"),
        )
        patch.setattr(Files, "write_bytes", around(Files.write_bytes, lambda _, path, *a, **k: f"file {_last(path)}"))
        patch.setattr(
            Files, "rename_overwrite", around(Files.rename_overwrite, lambda _, source, path: f"renaming {_last(path)}")
        )
        patch.setattr(retain_files, "purge", around(retain_files.purge, lambda _, table, **k: f"purge {table.name}"))
        patch.setattr(
            retain_files,
            "delete_published",
            around(retain_files.delete_published, lambda *a, **k: "deleting a snapshot"),
        )
        for kind in (MainRun, NominalRun):
            patch.setattr(kind, "keep", around(kind.keep, lambda _, name, *a, **k: f"work {name}"))
        yield watched


def readers_find_one_whole_run(job: MainJob) -> bool:
    """``current_run`` names a run of which every published table is there."""
    current = read_current_run(Files(job.spark), str(job.root))
    folders = [path for path in (job.root / "published").iterdir() if path.name != "current_run"]
    return current is not None and all((path / f"run_id={current.run_id}").is_dir() for path in folders)


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
