"""The Spark session of the tests, and the rule about who may use it.

Tests in ``tests/unit`` need no JVM; every other test may ask for the fixture ``spark``. One session serves
the whole pytest run and starts with the first test that asks for it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.examples import examples
from tests.support.session_state import INTERPRETED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "tests" / "unit"

#: What another Spark or Hadoop on this machine may have set.
FOREIGN = ("SPARK_HOME", "SPARK_LOCAL_DIRS", "PYSPARK_SUBMIT_ARGS", "HADOOP_CONF_DIR", "YARN_CONF_DIR")


# No test is timed: an example that takes 6 ms alone takes 300 on a busy machine.
settings.register_profile("untimed", deadline=None, max_examples=examples(100))
settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if UNIT in item.path.parents and "spark" in getattr(item, "fixturenames", ()):
        pytest.fail("a test in tests/unit must not use the fixture 'spark': move it to another folder", pytrace=False)


def jars_dir() -> Path:
    """The folder of the Delta jars: where scripts/common.sh looks."""
    if folder := os.environ.get("LINKAGE_JARS_DIR"):
        return Path(folder)
    home_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = os.environ.get("LINKAGE_CACHE") or Path(home_cache) / "linkage_spark"
    return Path(cache) / "jars" / (ROOT / "scripts/jars/BUNDLE").read_text().strip()


def delta_jars() -> list[Path]:
    """The seven jars; fails with a sentence if one is missing."""
    sums = (ROOT / "scripts/jars/SHA256SUMS").read_text().splitlines()
    jars = [jars_dir() / line.split()[1] for line in sums]
    missing = [jar.name for jar in jars if not jar.is_file()]
    if missing:
        reason = f"{len(missing)} Delta jars are not in {jars_dir()}: run 'make setup-test' first"
        pytest.fail(reason=reason, pytrace=False)
    return jars


def spark_settings(name: str) -> dict[str, str]:
    """The settings of conf/spark/NAME.conf: key, blanks, value."""
    lines = (ROOT / "conf/spark" / f"{name}.conf").read_text().splitlines()
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    return {key: value.strip() for key, value in pairs}


@pytest.fixture(scope="module", autouse=True)
def _frames_are_let_go() -> Iterator[None]:
    """Python finds frames that refer to one another late, and until then each keeps its plan in the JVM's memory."""
    yield
    if "pyspark" in sys.modules:
        gc.collect()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session with the settings of conf/spark/local.conf, made quicker to start and smaller.

    Plans are interpreted here; code is generated for them in the tests of the jobs, and where a test asks for it.
    """
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    options = [
        "-XX:-UseParallelGC",  # that of the settings
        "-XX:+UseSerialGC",
        f'"-Dlog4j2.configurationFile={ROOT}/conf/spark/log4j2.properties"',
        f'"-Djava.io.tmpdir={scratch}"',
        f'"-Dderby.system.home={scratch}"',
    ]
    settings = (
        spark_settings("local")
        | INTERPRETED
        | {
            "spark.jars": ",".join(str(jar) for jar in delta_jars()),
            "spark.driver.memory": os.environ.get("LINKAGE_DRIVER_MEMORY", "3g"),
            "spark.driver.extraJavaOptions": " ".join(options),
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            # The optimizer would work out expressions over the rows that a test gives, and plans would not be those of files.
            "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation",
            "spark.local.dir": str(scratch),
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        for name in FOREIGN:
            environment.delenv(name, raising=False)
        environment.setenv("SPARK_CONF_DIR", str(ROOT / "conf/spark"))
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("PYSPARK_DRIVER_PYTHON", sys.executable)
        # The workers import the package and the tests' helpers from where the tests do.
        environment.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
        builder = SparkSession.builder.master("local[2]").appName("linkage-tests")
        for key, value in settings.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()
