"""Show readers an earlier good run again, when the last one should not be seen. Logged in RUN; no table is touched.

Readers go on seeing it until a run that finds anything new publishes anew. Exit codes: 0 done, 1 unexpected,
2 arguments: there is no such run, its snapshot is gone, or rows were removed since, 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.publish import run_publish


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="publish", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    parser.add_argument(
        "--run", required=True, help="the run to show, as 20261121T053000Z-daily; jobs/status.py lists them"
    )
    arguments = parser.parse_args()
    return run_job(lambda: run_publish(root=arguments.out, run_id=arguments.run))


if __name__ == "__main__":
    sys.exit(main())
