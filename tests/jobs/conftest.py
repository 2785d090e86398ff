"""One made-up force for all tests of the jobs: made, backfilled and evaluated once, whichever test process comes first."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.force import EMPLOYEES, RECORDS, SEED, Estate, plant
from tests.support.jobs import ok, submit


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder of all test processes; the first fills it, and the others wait."""
    base = folders.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, finished = shared / name, shared / f"{name}.finished"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feeds with their truth, and one planted employee; nothing may change them."""

    def make(folder: Path) -> None:
        size = ("--employees", str(EMPLOYEES), "--person-records", str(RECORDS), "--seed", str(SEED))
        ok(submit("synthesise", "--out", folder / "feeds", *size))
        plant(folder / "feeds")

    return made_once(tmp_path_factory, "force", make) / "feeds"


@pytest.fixture(scope="session")
def estate(feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """What a backfill and an evaluation made of them; beside it what they said, and Spark's event logs.

    Nothing may change it: whoever runs a job on it takes a copy.
    """

    def make(folder: Path) -> None:
        events = folder / "events"
        events.mkdir()
        places = ("--feeds", feeds, "--out", folder / "estate")
        said = [submit(job, *places, LINKAGE_EVENT_LOG_DIR=str(events)) for job in ("backfill", "evaluate")]
        (folder / "said.txt").write_text("".join(ok(done) + done.stderr for done in said))

    return Estate(made_once(tmp_path_factory, "backfilled", make) / "estate")
