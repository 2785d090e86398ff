"""Link two person files of your own, CSV or Parquet, through the same engine as the force's jobs.

Compares names, dates of birth, addresses and any further column that the mapping names, scores the pairs and
decides which are of one person. --train estimates the model on the two files, without labels; without it the
shipped model and shipped frequencies apply. docs/person-files.md tells what a mapping says.

Writes OUT/pairs.csv (ref_l, ref_r, match_weight, match_probability, linked, tier, explanation), evidence.csv,
refused.csv, model.json, metrics.json and report.html.

Example:
    scripts/submit.sh link -- --left a.csv --right b.csv --mapping m.toml --out build/linked --train --one-to-one

Exit codes: 0 done; 2 wrong arguments or mapping, whatever the files lack beside it; 3 a file is missing, cannot be
read or lacks a column; 5 another run writes to OUT; 1 any other error. What is wrong is told all at once. After an
error what an earlier run wrote is still there.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.link import run_link


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="link", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--left", required=True, metavar="A", help="one file: .csv, .csv.gz or .parquet")
    parser.add_argument("--right", required=True, metavar="B", help="the other file")
    parser.add_argument("--mapping", required=True, metavar="M.toml", help="which column is what")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder for the results; earlier ones there are replaced"
    )
    parser.add_argument("--train", action="store_true", help="estimate the model on these files, without labels")
    parser.add_argument("--one-to-one", action="store_true", help="a record has at most one partner in the other file")
    parser.add_argument("--truth", metavar="T.csv", help="every true pair (ref_l,ref_r), to measure against")
    given = parser.parse_args(args=argv)
    return run_job(
        lambda: run_link(
            left=given.left,
            right=given.right,
            mapping=given.mapping,
            out=given.out,
            train=given.train,
            one_to_one=given.one_to_one,
            truth=given.truth,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
