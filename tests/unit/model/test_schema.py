"""A model file is validated whole, names what is wrong, and its fingerprint follows its content."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.model.schema import load_model

CONF = Path(__file__).resolve().parents[3] / "conf"
SHIPPED = (CONF / "models/screening_v1.toml").read_text(encoding="utf-8")


def load_text(folder: Path, text: str) -> object:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/screening_v1.toml").write_text(text, encoding="utf-8")
    return load_model(folder, "screening_v1")


def test_the_shipped_model_loads_and_says_where_its_numbers_come_from() -> None:
    model = load_model(CONF, "screening_v1")
    assert model.id == "screening_v1"
    assert {"prior", "date_of_birth", "address", "household", "garbled_share"} <= set(model.provenance)
    assert model.thresholds.floor_bits <= model.thresholds.possible_bits <= model.thresholds.match_bits


def test_the_fingerprint_ignores_comments_and_follows_values(tmp_path: Path) -> None:
    shipped = load_model(CONF, "screening_v1").fingerprint
    assert load_text(tmp_path, f"# another comment\n{SHIPPED}").fingerprint == shipped  # type: ignore[attr-defined]
    changed = SHIPPED.replace("prior_bits = -23.25", "prior_bits = -23.5")
    assert load_text(tmp_path, changed).fingerprint != shipped  # type: ignore[attr-defined]


def test_a_model_travels_to_the_workers_unchanged() -> None:
    model = load_model(CONF, "screening_v1")
    assert pickle.loads(pickle.dumps(model)).fingerprint == model.fingerprint  # noqa: S301


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("prior_bits =", "priour_bits =", "priour_bits"),
        ("single_name_chances =", "single_name_chanses =", "single_name_chanses"),
        ("match_bits = 7.6", "match_bits = -3.0", "thresholds"),
        ("exact   = { m = 0.84000, u = 0.0070 }", "exact   = { m = 0.80000, u = 0.0070 }", "name.given"),
        ("day_month_swap             =", "day_month_swapped          =", "day_month_swap"),
        (
            "century                    = { m = 0.0005, u = 0.000001 }",
            "century = { m = 0.0005, u = 0 }",
            "century",
        ),
        ('id = "screening_v1"', 'id = "screening_v9"', "screening_v9"),
        ("[name]\n", "[name\n", "screening_v1.toml"),
    ],
)
def test_a_fault_is_refused_with_file_and_key(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in SHIPPED
    with pytest.raises(SettingsError, match=named) as caught:
        load_text(tmp_path, SHIPPED.replace(old, new, 1))
    assert "screening_v1.toml" in str(caught.value)


def test_levels_out_of_order_are_refused(tmp_path: Path) -> None:
    text = SHIPPED.replace("fuzzy   = { m = 0.02300, u = 0.0046 }", "fuzzy   = { m = 0.00100, u = 0.0046 }")
    text = text.replace("initial = { m = 0.01200, u = 0.0024 }", "initial = { m = 0.03400, u = 0.0024 }")
    with pytest.raises(SettingsError, match="pool the two levels"):
        load_text(tmp_path, text)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(SettingsError, match="no_such_model"):
        load_model(CONF, "no_such_model")
