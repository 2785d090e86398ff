"""Say why an employee and a police person record were linked or not.

Reads the tables of the run that readers see and prints, for every pair of variants: which rules
proposed it or why not, each level and weight, the policy clause, what held it back, and what was published.
It goes to the console only, never through the log.

Example:
    scripts/submit.sh why -- --employee 10023 --person crime:N0004711 --out build/demo/estate

Exit codes: 0 done; 2 wrong arguments, no run, or no such employee or person; 1 any other error.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.why import run_why


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="why", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--employee", required=True, metavar="E", help="the employee's reference in HR")
    parser.add_argument(
        "--person",
        required=True,
        metavar="SOURCE:REF",
        help="the police record: crime, custody, intel or incident, and its reference",
    )
    parser.add_argument("--out", required=True, metavar="ROOT", help="output root of the backfill")
    given = parser.parse_args(args=argv)
    return run_job(lambda: run_why(employee_id=given.employee, person=given.person, root=given.out))


if __name__ == "__main__":
    sys.exit(main())
