"""What a run leaves: the rows of all tables without their run stamps, and which files stand where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from linkage_spark.store.files import Files
from linkage_spark.store.snapshot import read_current_run
from linkage_spark.tables.canonical import CANONICAL
from linkage_spark.tables.changes import FEED_PRINT
from linkage_spark.tables.lifecycle import HIT_HISTORY, ITEM, LINK_HISTORY, LOCATION_HIT_HISTORY
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import NOMINAL_FREQUENCY, NOMINAL_REFINED_KEY, NOMINALS
from linkage_spark.tables.results import HIT, HIT_LINK, LOCATION_HIT, SCREENING
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

if TYPE_CHECKING:
    from tests.support.main_job import MainJob

STAMPS = {"run_id", "first_seen_run_id", "changed_run_id", "started_at"}
COMPARED = (
    *(*CANONICAL, FEED_PRINT, LINK, HIT, HIT_LINK, LOCATION_HIT, SCREENING, ITEM),
    *(HIT_HISTORY, LINK_HISTORY, LOCATION_HIT_HISTORY),
)
OF_NOMINALS = tuple(table for table in NOMINALS if table not in (NOMINAL_FREQUENCY, NOMINAL_REFINED_KEY))

_OF_THE_RUN = {"run_id", "run_started_at"}

Left = dict[str, Any]


def left_by(job: MainJob, *, with_nominals: bool = False) -> Left:
    """Rows of all tables without run stamps, and which files stand where."""
    of_words = (table for table in (NEGATED_LINK, LINK_JUDGEMENT) if job.store.exists(table))
    tables = (*COMPARED, *of_words, *(OF_NOMINALS if with_nominals else ()))
    found: Left = {table.name: job.rows(table, leave_out=STAMPS) for table in tables}
    published = job.root / "published"
    current = read_current_run(Files(job.spark), str(job.root))
    assert current is not None
    found["published"] = {path.name: len(list(path.glob("run_id=*"))) for path in published.iterdir() if path.is_dir()}
    found["current is there"] = all(
        (path / f"run_id={current.run_id}").is_dir() for path in published.iterdir() if path.name != "current_run"
    )
    found["shown"] = {path.name: _shown(path / f"run_id={current.run_id}") for path in published.iterdir()}
    found["folders"] = sorted(path.name for path in job.root.iterdir())
    found["tables"] = sorted(path.name for path in (job.root / "tables").iterdir())
    # Every attempt of retention leaves a list of the files that it deleted.
    found["reports"] = len([path for path in (job.root / "reports").iterdir() if not path.name.endswith("-retain")])
    return found


def _shown(folder: Path) -> list[str]:
    """Rows of one published table of a run, but for what names the run."""
    files = sorted(folder.glob("*.parquet"))
    rows = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    return sorted(repr({name: value for name, value in row.items() if name not in _OF_THE_RUN}) for row in rows)
