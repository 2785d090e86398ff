"""Show again what reviewers could see on a day, and score that day again from what is stored.

Writes hit.csv, location_hit.csv, link.csv and nominal.csv (the nominal of every linked record) as they stood, and differences.csv: links that are scored otherwise now. Personal
data: the folder is readable by its owner alone. Exit codes: 0 done, 1 unexpected, 2 arguments, 4 the same software scores that
day otherwise.
"""

import argparse
import sys
from datetime import date

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.replay import run_replay


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="replay", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    parser.add_argument(
        "--as-of", required=True, type=date.fromisoformat, help="the day, as 2026-11-21 (Europe/London)"
    )
    parser.add_argument("--employee", help="one employee alone, by HR's reference")
    parser.add_argument("--to", required=True, help="folder for the files")
    arguments = parser.parse_args()
    return run_job(
        lambda: run_replay(root=arguments.out, as_of=arguments.as_of, out=arguments.to, employee_id=arguments.employee)
    )


if __name__ == "__main__":
    sys.exit(main())
