"""Check every feed against its mapping on a sample, before any long run.

Reads the first --sample-rows rows of each feed that conf/sources/*.toml names and prints which columns
fit, which do not, and how many rows would be refused and why. It prints counts and column names, never a
recorded value, and writes nothing. Faults that would stop a run are listed at the end.

Example:
    scripts/submit.sh check_sources -- --feeds demo/feeds

Exit codes: 0 a run would start; 2 wrong arguments or settings; 3 a fault that would stop a run; 1 any
other error.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.check_sources import run_check_sources
from linkage_spark.runs.entry import run_job


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="check_sources", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--feeds", required=True, metavar="DIR", help="folder under which the mappings' relative paths lie"
    )
    parser.add_argument(
        "--sample-rows", type=int, default=20_000, metavar="N", help="rows read of each feed (default: 20000)"
    )
    given = parser.parse_args(args=argv)
    return run_job(lambda: run_check_sources(feeds_root=given.feeds, sample_rows=given.sample_rows))


if __name__ == "__main__":
    sys.exit(main())
