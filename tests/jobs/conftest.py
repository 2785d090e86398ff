"""One made-up force for all tests of the jobs: made, backfilled and evaluated once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.force import EMPLOYEES, RECORDS, SEED, Estate, plant
from tests.support.jobs import ok, submit


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feeds with their truth, and one planted employee; nothing may change them."""
    out = tmp_path_factory.mktemp("force") / "feeds"
    size = ("--employees", str(EMPLOYEES), "--person-records", str(RECORDS), "--seed", str(SEED))
    ok(submit("synthesise", "--out", out, *size))
    plant(out)
    return out


@pytest.fixture(scope="session")
def estate(feeds: Path) -> Estate:
    """What a backfill and an evaluation made of them; beside it what they said, and Spark's event logs.

    A test that changes more of it than RUN takes a copy.
    """
    root, events = feeds.parent / "estate", feeds.parent / "events"
    events.mkdir()
    places = ("--feeds", feeds, "--out", root)
    said = [submit(job, *places, LINKAGE_EVENT_LOG_DIR=str(events)) for job in ("backfill", "evaluate")]
    (feeds.parent / "said.txt").write_text("".join(ok(done) + done.stderr for done in said))
    return Estate(root)
