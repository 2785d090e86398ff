"""The made-up force's settings: what is missing, unknown or out of range is an error that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.synthesis.settings import ForceSettings, load_force

SHIPPED = Path(__file__).resolve().parents[3] / "conf/synthesis/force.toml"


def changed(folder: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = folder / "force.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_settings_are_valid() -> None:
    assert isinstance(load_force(SHIPPED), ForceSettings)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seen_rate = 0.40", "seen_rate = 0.40\nsean_rate = 0.40", "sean_rate"),
        ("nickname = 0.06", "nickname = 0.06\nnickmane = 0.06", "nickmane"),
        ("twin = 0.012", "twin = 0.012\ntriplet = 0.001", "triplet"),
        ("nickname = 0.06", "", "nickname"),
        ("nickname = 0.06", "nickname = 1.5", "errors"),
    ],
    ids=["unknown at the top", "unknown in a table", "unknown among employees", "missing", "above one"],
)
def test_a_faulty_key_is_an_error_that_names_it(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load_force(changed(tmp_path, old, new))


@pytest.mark.parametrize("table", ["households", "traditions", "systems"])
def test_shares_of_a_whole_add_up_to_one(table: str) -> None:
    assert sum(getattr(load_force(SHIPPED), table).values()) == pytest.approx(1.0, abs=0.005)


def test_the_types_of_employees_add_up_to_one() -> None:
    assert sum(load_force(SHIPPED).employees.types.values()) == pytest.approx(1.0)
