"""Keys read declared PERSON columns only, and no barred one; a stored key is keyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.linkage.keys import PARTS, key_hmac, key_parts
from linkage_spark.model.schema import Model, Rule, load_model
from linkage_spark.tables.candidates import BARRED_COLUMNS, COMPARED_COLUMNS

CONF = Path(__file__).resolve().parents[3] / "conf"
MODEL = load_model(CONF, "screening_v1")


def with_rules(*rules: Rule) -> Model:
    return MODEL.model_copy(update={"rules": rules})


def test_no_part_reads_a_barred_column() -> None:
    read = {column for part in PARTS.values() for column in part.reads}
    assert read.isdisjoint(BARRED_COLUMNS)


def test_every_part_reads_only_what_a_candidate_pair_carries() -> None:
    assert {column for part in PARTS.values() for column in part.reads} <= set(COMPARED_COLUMNS)


@pytest.mark.parametrize("path", sorted((CONF / "models").glob("screening_*.toml")), ids=lambda path: path.stem)
def test_every_shipped_screening_model_names_known_parts_only(path: Path) -> None:
    model = load_model(CONF, path.stem)
    assert {part.name for part in key_parts(model)} <= set(PARTS)


def test_the_shipped_rules_all_have_a_second_key_that_no_part_of_theirs_implies() -> None:
    for rule in MODEL.rules:
        assert rule.refine
        assert rule.refine not in rule.parts


def test_parts_come_once_and_in_order_of_first_use() -> None:
    model = with_rules(
        Rule(id="a", parts=("date", "initials"), refine="sounds"),
        Rule(id="b", parts=("sounds",), refine="date"),
    )
    assert [part.name for part in key_parts(model)] == ["date", "initials", "sounds"]


def test_an_unknown_part_is_named_with_its_rule() -> None:
    model = with_rules(Rule(id="a", parts=("collar_number",), refine="team"))
    with pytest.raises(SettingsError) as raised:
        key_parts(model)
    assert "rule a: unknown key part 'collar_number'" in str(raised.value)
    assert "rule a: unknown key part 'team'" in str(raised.value)


def test_a_part_may_not_read_what_it_does_not_declare() -> None:
    def read_surname(read):  # type: ignore[no-untyped-def]
        return read("surname")

    part = type(PARTS["date"])("sly", ("given_name",), read_surname)
    with pytest.raises(SettingsError, match="reads surname"):
        part.roster(lambda name: pytest.fail(f"{name} was read"))


def test_a_stored_key_depends_on_secret_rule_and_key() -> None:
    stored = {
        key_hmac(secret, rule, key) for secret in (b"a" * 32, b"b" * 32) for rule in ("r", "s") for key in (7, -7)
    }
    assert len(stored) == 8
    assert all(len(value) == 64 for value in stored)
