"""A run that ends where one says, as if its process were gone: no handler of the product's own runs after that point."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from linkage_spark.runs import publishing, retain_files
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import last_good_run
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.progress import Progress, Stage
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.star import STAR, STAR_NOMINALS
from tests.support.draws import KILL_DAY, SEED

if TYPE_CHECKING:
    from tests.support.main_job import MainJob


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
        ends: what is raised there, and at every point that is reached after it.
    """

    def __init__(self, kill_at: str | int | None, ends: Callable[[str], BaseException]) -> None:
        self.seen: list[str] = []
        self.kill_at = kill_at
        self.ends = ends
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
                raise self.ends(numbered)


@contextmanager
def points(kill_at: str | int | None = None, *, ends: Callable[[str], BaseException] = Killed) -> Iterator[Points]:
    """Watch a run, and end it at a point: as if its process were gone, or as ``ends`` says."""
    watched = Points(kill_at, ends)

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
        patch.setattr(DeltaStore, "remove", around(DeltaStore.remove, lambda _, table, *a, **k: f"words {table.name}"))
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
    """``current_run`` names a run of which every published table is there; a backfill makes no nominals, so that it has none of theirs."""
    current = read_current_run(Files(job.spark), str(job.root))
    if current is None:
        return False
    folders = [path for path in (job.root / "published").iterdir() if path.name != "current_run"]
    there = {path.name for path in folders if (path / f"run_id={current.run_id}").is_dir()}
    of_nominals = {table.name for table in STAR_NOMINALS} if f"-{RunKind.BACKFILL.value}" in current.run_id else set()
    return there == {path.name for path in folders} - of_nominals and there >= {table.name for table in STAR}


class Readers(NamedTuple):
    """What readers find.

    Attributes:
        find_one_whole_run: ``readers_find_one_whole_run``.
        follow: the run that ``current_run`` names.
        should_follow: the one that RUN says they should.
    """

    find_one_whole_run: bool
    follow: str
    should_follow: str


def readers_of(job: MainJob) -> Readers:
    """What readers find now."""
    current, good = read_current_run(Files(job.spark), str(job.root)), last_good_run(job.store)
    assert current is not None
    assert good is not None
    return Readers(readers_find_one_whole_run(job), current.run_id, good.shown_run_id)


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
