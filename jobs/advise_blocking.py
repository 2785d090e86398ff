"""Which blocking rules are worth their pairs, on person files of your own or on the force's estate, and what all may miss.

Blocking decides which pairs are compared at all. This puts rules in order: at each step the one that finds most per pair added.
With --truth it counts true pairs; without it a model's probabilities stand for them. Matches that no rule
proposes are estimated by capture-recapture. docs/person-files.md tells how to read it.

On files it proposes pairs by every rule that the mapping allows, also where link or dedupe would compare a small file whole.
On the estate (--estate, the output root of a backfill) it prices the rules of the model in use, the lean set, beside those of
analysts' files, and tells what the lean set loses, by error class, and for how many pairs each further rule would find it.

Writes OUT/blocking.json (every figure), OUT/blocking.csv (a line per rule, in order) and OUT/blocking.html (opens offline).

Example:
    scripts/submit.sh advise_blocking -- --input a.csv --mapping m.toml --out build/advice --truth t.csv
    scripts/submit.sh advise_blocking -- --estate build/estate --out build/advice --truth build/feeds

Exit codes: 0 done; 2 wrong arguments, settings or mapping; 3 a file is missing, cannot be read or lacks a column;
5 another run writes to OUT; 1 any other error. After an error what an earlier run wrote is still there.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.errors import UsageError
from linkage_spark.runs.advise_blocking import run_advise_blocking
from linkage_spark.runs.advise_estate import MOST_JOINED, run_advise_estate
from linkage_spark.runs.entry import run_job


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="advise_blocking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--left", metavar="A", help="one of two files: .csv, .csv.gz or .parquet")
    parser.add_argument("--right", metavar="B", help="the other one")
    parser.add_argument("--input", metavar="A", help="or the one file whose records are compared with each other")
    parser.add_argument("--mapping", metavar="M.toml", help="with files: which column is what")
    parser.add_argument("--estate", metavar="ROOT", help="or the output root of a backfill; nothing is written there")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--truth",
        metavar="T",
        help="every true pair (ref_l,ref_r), or for --input each record's entity (ref,entity); for --estate the root of "
        "a made-up force's feeds",
    )
    parser.add_argument(
        "--most-joined",
        type=int,
        default=MOST_JOINED,
        metavar="N",
        help=f"with --estate: price a sample of the employees where all rules together join more rows (default {MOST_JOINED:,})",
    )
    given = parser.parse_args(args=argv)
    return run_job(lambda: _run(given))


def _run(given: argparse.Namespace) -> int:
    """On the estate, or on files.

    Raises:
        UsageError: files and an estate at once, or neither.
    """
    files = (given.left, given.right, given.input, given.mapping)
    if given.estate is not None and files == (None,) * 4:
        return run_advise_estate(root=given.estate, out=given.out, truth=given.truth, most_joined=given.most_joined)
    if given.estate is not None or given.mapping is None:
        raise UsageError("give either --left and --right, or --input, with --mapping; or --estate without them")
    return run_advise_blocking(
        left=given.left,
        right=given.right,
        path=given.input,
        mapping=given.mapping,
        out=given.out,
        truth=given.truth,
    )


if __name__ == "__main__":
    sys.exit(main())
