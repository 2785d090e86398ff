"""Draw scored pairs for people to review, and read their answers back: precision and recall without a truth.

Works on what link or dedupe wrote to DIR. --size and --out draw a sample that tells most about precision and recall
and write it as a CSV with an empty column answer; fill it with yes, no or cannot tell. --answers reads it
back, prints how many links are right, false and missed with 95 % intervals, and writes DIR/clerical.json.
The same results give the same sample, and a larger one holds the smaller. docs/person-files.md tells more.

Example:
    scripts/submit.sh clerical -- --results build/linked --size 200 --out sample.csv
    scripts/submit.sh clerical -- --results build/linked --answers sample.csv

Exit codes: 0 done; 2 wrong arguments; 3 a file is missing or cannot be read, or answers are faulty: every
faulty row is named; 5 another run writes to DIR; 1 any other error.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.clerical import run_clerical
from linkage_spark.runs.entry import run_job


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="clerical", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", required=True, metavar="DIR", help="folder that link or dedupe wrote")
    parser.add_argument("--size", type=int, metavar="N", help="pairs to draw (default 200)")
    parser.add_argument("--out", metavar="SAMPLE.csv", help="where to write the sample; must not be there yet")
    parser.add_argument("--answers", metavar="SAMPLE.csv", help="the sample, its answers filled in")
    given = parser.parse_args(args=argv)
    return run_job(lambda: run_clerical(results=given.results, size=given.size, out=given.out, answers=given.answers))


if __name__ == "__main__":
    sys.exit(main())
