"""The sentence: every level, clause and quality mark has words; none of them is barred, none is a value."""

from __future__ import annotations

import itertools
import re
import tomllib

import pytest

from linkage_spark.linkage import evidence
from linkage_spark.linkage.comparison import addresses, dates
from linkage_spark.linkage.comparison.names import CELL_NAMES
from linkage_spark.linkage.evidence import evidence_fingerprint, explain
from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.tables.enums import AddressIssue, DobIssue, NameIssue, PolicyReason, Tier
from tests.unit.linkage.comparison.knowledge import ROOT, model, person, reference

BARRED = [
    *tomllib.loads((ROOT / "conf/wording.toml").read_text(encoding="utf-8"))["forbidden_words"],
    "certain",
    "probab",
    "%",
]


def parts_of(cell: str) -> tuple[str, str]:
    """Part levels that stand beside a cell's name."""
    if cell == "missing":
        return "missing", "missing"
    if cell.startswith("crossed: single name"):
        _, _, part, level = cell.removeprefix("crossed: ").replace(",", "").split()
        return (level, "missing") if part == "given" else ("missing", level)
    if cell.startswith("crossed: "):
        level = cell.removeprefix("crossed: ")
        return level, level
    given, surname = cell.removeprefix("given ").split(", surname ")
    return given, surname


def row(
    cell: str = "given exact, surname exact",
    date: str = "exact",
    address: str = "same_premises",
    **more: object,
) -> dict[str, object]:
    given, surname = parts_of(cell)
    levels = {"level_name": cell, "level_given": given, "level_surname": surname}
    return {**levels, "level_date_of_birth": date, "level_address": address, "weight_household": 0, **more}


def assert_plain(text: str) -> None:
    lower = text.lower()
    assert not [word for word in BARRED if word in lower], text
    assert "  " not in text
    assert text[0].isupper()
    assert text.endswith(".")
    assert "_" not in text
    assert not re.search(r"\b(None|nan|True|False)\b|\.\.|,,", text), text


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_every_name_level_has_a_sentence_of_its_own_meaning(cell: str) -> None:
    text = explain(row(cell))
    assert_plain(text)
    given, surname = parts_of(cell)
    assert ("other's place" in text) == (cell.startswith("crossed: ") and "single" not in cell)
    assert ("single name" in text) == ("single name" in cell)
    assert ("cannot be compared" in text) == (
        "missing" in (given, surname) and cell != "missing" and "single" not in cell
    )


def test_a_part_left_out_is_not_called_another_form_of_the_name() -> None:
    assert "surnames are known forms of one name, or one side leaves a part of it out" in explain(
        row("given exact, surname variant")
    )
    assert "given names are known forms of one name, or one of several names agrees" in explain(
        row("given variant, surname exact")
    )


def test_every_name_level_reads_differently() -> None:
    sentences = [evidence._name_sentence(row(cell)) for cell in CELL_NAMES]
    assert len(set(sentences)) == len(CELL_NAMES)


@pytest.mark.parametrize("level", dates.LEVELS)
def test_every_date_level_has_a_sentence(level: str) -> None:
    assert_plain(explain(row(date=level)))


@pytest.mark.parametrize("level", addresses.LEVELS)
def test_every_address_level_has_a_sentence(level: str) -> None:
    assert_plain(explain(row(address=level)))


@pytest.mark.parametrize("reason", list(PolicyReason))
@pytest.mark.parametrize("tier", list(Tier))
def test_every_clause_of_the_policy_is_said(reason: PolicyReason, tier: Tier) -> None:
    text = explain(row(policy_reason=reason.value, tier=tier.value))
    assert_plain(text)
    assert evidence._POLICY_WORDS[reason] in text


def test_every_quality_mark_is_said() -> None:
    for column, marks in (
        ("quality_name", NameIssue),
        ("quality_date_of_birth", DobIssue),
        ("quality_address", AddressIssue),
    ):
        for mark in marks:
            text = explain(row(**{column: mark.value}))
            assert_plain(text)
            assert "Data quality: " in text


def test_rarity_stands_in_words_and_rounded() -> None:
    assert "By chance, about 1 in 4,000 records would bear this surname." in explain(
        row("given differ, surname exact", frequency_one_in=4012)
    )
    assert "By chance, about 1 in 240,000 records would bear this name." in explain(row(frequency_one_in=238_700))
    assert "Fewer than 1 in 10,000,000 records would bear" in explain(row(frequency_one_in=118_000_000))
    assert "By chance" not in explain(row("given differ, surname fuzzy", frequency_one_in=4012))
    assert "The whole name is rare" in explain(row(rare_name=True))


def test_the_household_discount_the_twin_pattern_and_marked_names_are_said() -> None:
    assert "lowered because relatives" in explain(row(weight_household=-5000))
    assert "lowered" not in explain(row(weight_household=-400))
    twin = row("given differ, surname exact", twin_pattern=True, policy_reason=PolicyReason.TWIN_PATTERN.value)
    assert explain(twin).count("pattern of twins") == 1
    assert "usual for different sexes" in explain(row(sex_marked_conflict=True))
    assert "on duty" in explain(row(on_duty_sign=True))


def test_the_runner_up_is_said_without_naming_anybody() -> None:
    close = row(rival_employee_id="E777", leader_margin_bits=1.0)
    assert "nearly as well" in explain(close, model())
    assert "less well" in explain(close | {"leader_margin_bits": 9.0}, model())
    assert "fits this record better" in explain(close | {"leader_margin_bits": -2.0}, model())
    assert "E777" not in explain(close, model())
    said_once = close | {"policy_reason": PolicyReason.RIVAL_TOO_CLOSE.value}
    assert explain(said_once, model()).count("nearly as well") == 1
    assert "Several other employees" in explain(said_once | {"leader_margin_bits": 9.0}, model())


def test_what_would_change_the_answer_is_said() -> None:
    assert "a full date of birth" in explain(row(date="missing"))
    assert "an address" in explain(row(address="missing"))
    assert "the full name" in explain(row("given initial, surname exact"))
    assert "It would fall if" in explain(row(tier=Tier.MATCH.value))


def test_no_value_of_a_person_stands_in_a_sentence() -> None:
    tokens = ["zqxgiven", "zqxsurname", "ZQXHOUSE", "zqxstreet", "zqxtown"]
    home = "|ZQXHOUSE|zqxstreet|zqxtown|B23 6AA||"
    people = [
        person("zqxgiven", "zqxsurname", "1971-02-03", home),
        person("zqxsurname", "zqxgiven", "1971-03-02", home),
        person("zqxgivenn", None, "", home),
    ]
    for left, right in itertools.product(people, people):
        scored = score_pair(left, right, model=model(), frequencies=Frequencies.none(), names=reference())
        text = explain(scored, model())
        assert_plain(text)
        assert not [token for token in [*tokens, "B23", "1971"] if token.lower() in text.lower()]


def test_the_fingerprint_needs_the_secret_and_follows_the_values() -> None:
    one = evidence_fingerprint("a\x1fb", b"secret")
    assert one == evidence_fingerprint("a\x1fb", b"secret")
    assert len(one) == 64
    assert one != evidence_fingerprint("a\x1fb", b"other")
    assert one != evidence_fingerprint("a\x1fc", b"secret")
