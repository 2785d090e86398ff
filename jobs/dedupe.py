"""Find repeated persons in a person file of your own, CSV or Parquet, through the same engine as the force's jobs.

Compares names, dates of birth, addresses and any further column that the mapping names, scores the pairs and
puts records that are linked into one cluster. --train estimates the model on the file, without labels; without
it the shipped model and shipped frequencies apply. docs/person-files.md tells what a mapping says.

Writes OUT/pairs.csv (ref_l, ref_r, match_weight, match_probability, linked, tier, explanation), members.csv
(ref, cluster_id), evidence.csv, refused.csv, model.json, metrics.json and report.html.

Example:
    scripts/submit.sh dedupe -- --input a.csv --mapping m.toml --out build/deduped --train

Exit codes: 0 done; 2 wrong arguments or mapping, whatever the files lack beside it; 3 a file is missing, cannot be
read or lacks a column; 5 another run writes to OUT; 1 any other error. What is wrong is told all at once. After an
error what an earlier run wrote is still there.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.dedupe import run_dedupe
from linkage_spark.runs.entry import run_job


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="dedupe", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", required=True, metavar="A", help="the file: .csv, .csv.gz or .parquet")
    parser.add_argument("--mapping", required=True, metavar="M.toml", help="which column is what")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder for the results; earlier ones there are replaced"
    )
    parser.add_argument("--train", action="store_true", help="estimate the model on this file, without labels")
    parser.add_argument("--truth", metavar="T.csv", help="the entity of every record (ref,entity), to measure against")
    given = parser.parse_args(args=argv)
    return run_job(
        lambda: run_dedupe(path=given.input, mapping=given.mapping, out=given.out, train=given.train, truth=given.truth)
    )


if __name__ == "__main__":
    sys.exit(main())
