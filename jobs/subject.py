"""Write everything that is held on one person, with its source and logic: a CSV file per table, and one page that opens offline.

For a request of access, or to see what an erasure will take. Personal data: the folder is readable by its owner alone. Exit codes:
0 done, 1 unexpected, 2 arguments, or nothing was ever published there.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.subject import run_subject


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="subject", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--employee", help="an employee, by HR's reference")
    whom.add_argument("--person", help="a police person record, as SOURCE:REF")
    parser.add_argument("--to", required=True, help="folder for the files")
    arguments = parser.parse_args()
    return run_job(
        lambda: run_subject(
            root=arguments.out, out=arguments.to, employee_id=arguments.employee, person=arguments.person
        )
    )


if __name__ == "__main__":
    sys.exit(main())
