"""Remove what no longer holds and whose period is over: from every table, snapshot, report, old file and Delta's own log.

Periods stand under [retention] in conf/settings. What still holds follows its source: have it removed there, take the day, then run
this. --subjects names a CSV file with the columns kind (employee, person or event), source_system and ref: of these, what no longer
holds goes at once. What was removed is logged in the table removal, without the data; the deleted files are listed in the report
folder of the run. Exit codes: 0 done, 1 unexpected, 2 arguments, or nothing was held of any of those asked for, 4 readers were taken
back to an earlier snapshot, or the nominals are older than the last backfill, 5 another run holds the lock.
"""

import argparse
import sys
from datetime import date

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.retain import run_retain


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="retain", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    parser.add_argument(
        "--date", type=date.fromisoformat, help="the day, as 2026-11-21 (default: today, Europe/London)"
    )
    parser.add_argument("--subjects", help="CSV file of those of whom what no longer holds goes at once")
    parser.add_argument("--reference", help="the case that asked for them; kept in the log of removals")
    parser.add_argument(
        "--now", action="store_true", help="superseded files and log entries go now, whatever their age"
    )
    arguments = parser.parse_args()
    return run_job(
        lambda: run_retain(
            root=arguments.out,
            day=arguments.date,
            subjects=arguments.subjects,
            reference=arguments.reference,
            at_once=arguments.now,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
