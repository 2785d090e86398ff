"""Take one day: what is new, amended or withdrawn in the feeds since the last run, and publish what follows from it.

Needs a backfill under --out. Run it as often as there are deliveries; a day that was missed is caught up by the next run.
The same command again changes nothing; after a kill it goes on where it stopped. Exit codes: 0 done, 1 unexpected, 2 settings
or arguments, 3 a feed, 4 a check before publishing, 5 another run holds the lock.
"""

import argparse
import sys
from datetime import date

from linkage_spark.runs.daily import run_daily
from linkage_spark.runs.entry import run_job


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="daily", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--feeds", required=True, help="folder under which the mappings' relative paths lie")
    parser.add_argument("--out", required=True, help="output root of the backfill")
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        help="the day that the run is for, as 2026-11-21; today in Europe/London by default",
    )
    arguments = parser.parse_args()
    return run_job(lambda: run_daily(feeds_root=arguments.feeds, root=arguments.out, day=arguments.date))


if __name__ == "__main__":
    sys.exit(main())
