"""Make up a police force with known truth: roster, crimes, custody, intelligence, incidents.

Seeded: the same seed gives the same rows on any number of machines. Nobody in it is a real person.
"""

import argparse
import sys
from pathlib import Path

from linkage_spark.runs.entry import conf_dir, run_job
from linkage_spark.runs.synthesise import run_synthesise


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(
        prog="synthesise", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", required=True, help="folder for the feeds; must be empty or absent")
    parser.add_argument("--employees", type=int, default=13_000, help="employees on the roster (default: 13000)")
    parser.add_argument(
        "--person-records", type=int, default=300_000, help="police person records, about (default: 300000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same force (default: 1)")
    parser.add_argument("--settings", type=Path, default=conf_dir() / "synthesis" / "force.toml", help="the rates")
    parser.add_argument("--overwrite", action="store_true", help="delete what is in --out first")
    asked = parser.parse_args()
    return run_job(
        lambda: run_synthesise(
            out=asked.out,
            employees=asked.employees,
            person_records=asked.person_records,
            seed=asked.seed,
            settings_file=asked.settings,
            overwrite=asked.overwrite,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
