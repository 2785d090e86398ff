from pathlib import Path

import pytest

from linkage_spark.reference.standard import load_reference


@pytest.fixture(scope="session")
def reference():
    return load_reference(Path(__file__).resolve().parents[3] / "conf")
