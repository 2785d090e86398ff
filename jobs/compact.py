"""Write the tables that grow from day to day whole again, without the rows that later days replaced. Readers see no change.

Worth it when the days since the last backfill have replaced a tenth of the history or so; the job retain does it too.

Exit codes: 0 done, 1 unexpected, 2 nothing was ever published there, 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.compact import run_compact
from linkage_spark.runs.entry import run_job


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="compact", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    arguments = parser.parse_args()
    return run_job(lambda: run_compact(root=arguments.out))


if __name__ == "__main__":
    sys.exit(main())
