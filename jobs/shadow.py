"""Try a model on the records of the last good run, beside the one in use: hits gained and lost, with a sample to read.

Nothing is published. With --approver and --reference it notes instead that the model, as it was last tried, may be put into use;
where conf/settings says needs_approval, no backfill takes another model without that. Exit codes: 0 done, 1 unexpected, 2 arguments
or no such model, 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.shadow import run_shadow


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(prog="shadow", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True, help="output root")
    parser.add_argument(
        "--model-id", required=True, help="the model: one of conf/models, or one that jobs/train.py made"
    )
    parser.add_argument("--approver", help="who approves it, by name or post")
    parser.add_argument("--reference", help="minute or decision in which the approval is recorded")
    arguments = parser.parse_args()
    return run_job(
        lambda: run_shadow(
            root=arguments.out,
            model_id=arguments.model_id,
            approver=arguments.approver,
            reference=arguments.reference,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
