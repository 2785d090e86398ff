"""Learn a model from the force's own records, without labels, and keep it under its own id.

Works on what the last backfill under --out standardised. Candidate pairs and a sample of all other pairs are counted
by agreement, the parameters are estimated from the counts, and frequencies of names, dates and postcodes are
taken with each employee's own records left out. Where the records do not support an estimate the shipped
parameters are kept, and the model says so. Nothing that readers see changes. To put the model into use, read
its report, set model_id under [screening] in conf/settings/base.toml to its name, and run the backfill again.

Example:
    scripts/submit.sh train -- --out build/demo/estate --model-id screening_2026_11

Exit codes: 0 the model is there; 1 unexpected; 2 settings or arguments; 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.train import BASE, run_train


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(
        prog="train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="output root of the backfill")
    parser.add_argument("--model-id", required=True, metavar="ID", help="name of the new model")
    parser.add_argument("--base", metavar="ID", help=f"shipped model to start from (default {BASE})")
    given = parser.parse_args()
    return run_job(lambda: run_train(root=given.out, model_id=given.model_id, base_model_id=given.base))


if __name__ == "__main__":
    sys.exit(main())
