"""Find which police person records are one person, and count hits per person.

Works on what the last backfill under --out standardised and linked. Records are joined where name, date of birth and
place agree together; name and date of birth alone join nobody. Components that are contradictory, too large or
too loosely held are cut at their weakest evidence, or wait for a reviewer. Each person gets an id that lasts, and
every change is an event. The whole snapshot is published anew with one alert per employee and person. Run it after
each backfill; settings stand in conf/settings under [nominals].

Example:
    scripts/submit.sh nominals -- --out build/demo/estate

Exit codes: 0 published, or nothing had changed; 1 unexpected; 2 settings or arguments; 4 a check failed and nothing
was published; 5 another run holds the lock.
"""

import argparse
import sys

from linkage_spark.runs.entry import run_job
from linkage_spark.runs.nominals import run_nominals


def main() -> int:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(
        prog="nominals", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="output root of the backfill")
    given = parser.parse_args()
    return run_job(lambda: run_nominals(root=given.out))


if __name__ == "__main__":
    sys.exit(main())
