"""Which blocking rules are worth their pairs, on person files of your own: what each one adds, and what all may miss.

Blocking decides which pairs are compared at all. This proposes pairs by every rule that the mapping allows, also where
link or dedupe would compare a small file whole, and puts the rules in order: at each step the one that finds most per pair added.
With --truth it counts true pairs; without it the shipped model's probabilities stand for them. Matches that no rule
proposes are estimated by capture-recapture. docs/person-files.md tells how to read it.

Writes OUT/blocking.json (every figure) and OUT/blocking.csv (a line per rule, in order).

Example:
    scripts/submit.sh advise_blocking -- --input a.csv --mapping m.toml --out build/advice --truth t.csv

Exit codes: 0 done; 2 wrong arguments or mapping; 3 a file is missing, cannot be read or lacks a column;
5 another run writes to OUT; 1 any other error. After an error what an earlier run wrote is still there.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.advise_blocking import run_advise_blocking
from linkage_spark.runs.entry import run_job


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="advise_blocking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--left", metavar="A", help="one of two files: .csv, .csv.gz or .parquet")
    parser.add_argument("--right", metavar="B", help="the other one")
    parser.add_argument("--input", metavar="A", help="or the one file whose records are compared with each other")
    parser.add_argument("--mapping", required=True, metavar="M.toml", help="which column is what")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--truth",
        metavar="T.csv",
        help="every true pair (ref_l,ref_r), or for --input each record's entity (ref,entity)",
    )
    given = parser.parse_args(args=argv)
    return run_job(
        lambda: run_advise_blocking(
            left=given.left,
            right=given.right,
            path=given.input,
            mapping=given.mapping,
            out=given.out,
            truth=given.truth,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
