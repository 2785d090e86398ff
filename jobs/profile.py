"""Profile whole feeds: per column what is missing, a placeholder, distinct, a date out of range. Counts only.

Writes ROOT/reports/profile/profile.csv (one row per column of each feed) and profile.html (the same as a
page that opens offline). No recorded value stands in either.

Example:
    scripts/submit.sh profile -- --feeds demo/feeds --out demo/out

Exit codes: 0 done; 2 wrong arguments or settings; 3 a feed is empty or cannot be read (the others are written);
1 any other error.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import sysconfig
from pathlib import Path


def _give_way() -> None:
    """Put the standard library's ``profile`` in this file's place.

    A job's folder is the first place where Python looks for modules, and the standard library's cProfile,
    which PySpark imports, does ``import profile``: in every job that finds this file.
    """
    path = Path(sysconfig.get_path("stdlib")) / "profile.py"
    spec = importlib.util.spec_from_file_location(name="profile", location=path)
    if spec is None or spec.loader is None:
        raise ImportError(f"no profile.py in {path.parent}")
    module = importlib.util.module_from_spec(spec=spec)
    sys.modules["profile"] = module
    spec.loader.exec_module(module)


def main(argv: list[str] | None = None) -> int:
    """Read the arguments and run."""
    from linkage_spark.runs.entry import run_job  # here, because of _give_way
    from linkage_spark.runs.profile import run_profile

    parser = argparse.ArgumentParser(
        prog="profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--feeds", required=True, metavar="DIR", help="folder under which the mappings' relative paths lie"
    )
    parser.add_argument("--out", required=True, metavar="ROOT", help="output root")
    given = parser.parse_args(args=argv)
    return run_job(lambda: run_profile(feeds_root=given.feeds, root=given.out))


if __name__ == "profile":
    _give_way()

if __name__ == "__main__":
    sys.exit(main())
