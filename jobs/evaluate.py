"""Measure a published run: against the truth of a made-up force, or by its own probabilities.

Reads the run's tables as it left them and FEEDS/truth, prints the summary with precision and recall
(95 % intervals) and writes ROOT/reports/<run_id>/{report.html,summary.txt,figures.json}. Where there is no
truth (no --feeds, or no folder truth in it) it screens once more and says out of how many people how many
are expected to be found, found falsely and missed.

Example:
    scripts/submit.sh evaluate -- --feeds demo/feeds --out demo/out

Exit codes: 0 done; 2 wrong arguments or no such run; 3 no such feeds, or the truth is incomplete; 4 the report
is written, and a naming tradition lies further below the best than conf/settings allows; 1 any other error.
"""

from __future__ import annotations

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.evaluate import run_evaluate


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        prog="evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", metavar="DIR", help="root of the feeds; a truth lies in DIR/truth, or there is none")
    parser.add_argument("--out", required=True, metavar="ROOT", help="output root of the backfill")
    parser.add_argument("--run", metavar="R", help="a published run; by default the one that readers see")
    parser.add_argument(
        "--in-depth",
        action="store_true",
        help="screen twice more: what rules, scores and policy each lost, and what is left without addresses",
    )
    parser.add_argument(
        "--ablation",
        action="store_true",
        help="screen once more for each part of the method, without it: address, near dates, nicknames, frequencies …",
    )
    parser.add_argument(
        "--with-values",
        action="store_true",
        help="the page shows recorded values of the costliest errors; for made-up people only",
    )
    given = parser.parse_args(args=argv)
    return run_job(
        lambda: run_evaluate(
            feeds_root=given.feeds,
            root=given.out,
            run_id=given.run,
            in_depth=given.in_depth,
            ablation=given.ablation,
            with_values=given.with_values,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
