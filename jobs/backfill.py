"""Find every employee in the whole history: standardise, screen, decide, publish.

Reads the feeds that conf/sources/*.toml names, writes Delta tables and the published snapshot under
--out, and ends with a summary and an HTML report. The same command again changes nothing; after a
kill it goes on where it stopped. Exit codes: 0 done, 1 unexpected, 2 settings, 3 a feed, 4 a check
before publishing, 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.backfill import run_backfill
from linkage_spark.runs.entry import run_job


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(
        prog="backfill", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--feeds", required=True, help="folder under which the mappings' relative paths lie")
    parser.add_argument("--out", required=True, help="output root: tables, published snapshot, reports")
    arguments = parser.parse_args()
    return run_job(lambda: run_backfill(feeds_root=arguments.feeds, root=arguments.out))


if __name__ == "__main__":
    sys.exit(main())
