"""One made-up force for all tests of the jobs: made, backfilled and evaluated once, whichever test process comes first."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.force import EMPLOYEES, RECORDS, SEED, Estate, plant
from tests.support.jobs import COMPILED, LONGEST, REPO, ok, submit


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


def make_target(target: str, folder: Path, **given: str | int) -> str:
    """A half of the demo as 'make demo' runs it, in a folder; capital names go into the environment. What it printed."""
    variables = [f"{name}={value}" for name, value in given.items() if name.islower()]
    environment = {name: str(value) for name, value in given.items() if name.isupper()}
    done = subprocess.run(
        ["make", "--no-print-directory", target, f"demo_out={folder}", *variables],
        cwd=REPO,
        env={**COMPILED, **os.environ, "LINKAGE_DRIVER_MEMORY": "2g", **environment},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return ok(done)


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feeds with their truth, and one planted employee; nothing may change them."""

    def make(folder: Path) -> None:
        make_target("demo-feeds", folder, employees=EMPLOYEES, person_records=RECORDS, seed=SEED)
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
        said = make_target("demo-estate", folder, demo_feeds=str(feeds), LINKAGE_EVENT_LOG_DIR=str(events))
        (folder / "said.txt").write_text(said)

    return Estate(made_once(tmp_path_factory, "backfilled", make) / "estate")


@pytest.fixture(scope="session")
def estate_with_nominals(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """A copy of it with its nominals; beside it what the job said. Nothing may change it."""

    def make(folder: Path) -> None:
        shutil.copytree(estate.root, folder / "estate")
        (folder / "said.txt").write_text(ok(submit("nominals", "--out", folder / "estate")))

    return Estate(made_once(tmp_path_factory, "nominals", make) / "estate")
