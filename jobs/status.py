"""Say how things stand: the last runs, what readers see and how old it is, who is at work, which feeds wait.

Exit codes: 0 the last good run is of the day that is due (today from 07:00 Europe/London on, yesterday before), 1 unexpected,
2 nothing was ever published there, 6 it is older, the newest run failed, or no
retain has come to its end for too long.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.status import run_status


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="status", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    parser.add_argument("--feeds", help="feeds root: also say which feeds were written to since the last good run")
    arguments = parser.parse_args()
    return run_job(lambda: run_status(root=arguments.out, feeds_root=arguments.feeds))


if __name__ == "__main__":
    sys.exit(main())
