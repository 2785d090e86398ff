"""The rules of the published star, checked on its contracts."""

from __future__ import annotations

import tomllib
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from pyspark.sql.types import DoubleType, IntegerType, StringType

from linkage_spark.tables import enums
from linkage_spark.tables.star import PLAIN_WORDS, STAR_NOMINALS
from linkage_spark.tables.star import STAR as STAR_OF_HITS

STAR = (*STAR_OF_HITS, *STAR_NOMINALS)

FORBIDDEN = tomllib.loads((Path(__file__).parents[3] / "conf/wording.toml").read_text(encoding="utf-8"))[
    "forbidden_words"
]
each = pytest.mark.parametrize("contract", STAR, ids=lambda contract: contract.name)


@each
def test_only_scalars_that_every_reader_loads_alike(contract) -> None:
    assert {type(column.type) for column in contract.fields} <= {StringType, IntegerType, DoubleType}


@each
def test_run_id_is_in_every_table_and_its_key(contract) -> None:
    assert contract.names[0] == "run_id"
    assert contract.key[0] == "run_id"


@each
def test_keys_are_never_null(contract) -> None:
    own_rival = {"link_rival_employee_key"}
    assert [
        c.name for c in contract.fields if c.name.endswith("_key") and not c.required and c.name not in own_rival
    ] == []


@each
def test_a_column_that_is_no_shared_key_starts_with_its_tables_name(contract) -> None:
    shared = {name for name in contract.names if name in _shared_columns()}
    strange = [n for n in contract.names if n not in shared and n != "run_id" and not n.startswith(contract.name)]
    assert strange == []


def test_only_keys_are_shared() -> None:
    assert _shared_columns() == {
        "hit_key",
        "link_key",
        "employee_key",
        "event_key",
        "date_key",
        "reason_key",
        "nominal_alert_key",
    }


@pytest.mark.parametrize("pair", list(combinations(STAR, 2)), ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_two_tables_share_at_most_one_column(pair) -> None:
    assert len((set(pair[0].names) & set(pair[1].names)) - {"run_id"}) <= 1


def test_there_is_no_circle_of_tables() -> None:
    # Tables and shared columns as the two sides of a graph: it is a forest when no edge joins what is joined already.
    leader: dict[str, str] = {}

    def find(node: str) -> str:
        while leader.get(node, node) != node:
            node = leader[node]
        return node

    for contract in STAR:
        for name in set(contract.names) & _shared_columns():
            table, column = find(f"table {contract.name}"), find(f"column {name}")
            assert table != column, f"{contract.name} reaches {name} by a second path"
            leader[table] = column


@each
def test_no_forbidden_word_stands_in_names_or_descriptions(contract) -> None:
    texts = [
        contract.name,
        contract.row,
        *contract.names,
        *(column.description for column in contract.fields),
    ]
    assert _forbidden(texts) == []


def test_no_forbidden_word_stands_in_the_plain_words() -> None:
    assert _forbidden([text for words in PLAIN_WORDS.values() for text in words.values()]) == []


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("policy_reason", enums.PolicyReason),
        ("tier", enums.Tier),
        ("role", enums.Role),
        ("lane", enums.Lane),
        ("purpose", enums.Purpose),
        ("event_type", enums.EventType),
        ("employment_type", enums.EmploymentType),
        ("dpa_category", enums.DpaCategory),
        ("source_system", enums.SourceSystem),
        ("not_screened_reason", enums.NotScreenedReason),
        ("quality_name", enums.NameIssue),
        ("quality_date_of_birth", enums.DobIssue),
        ("quality_address", enums.AddressIssue),
        ("withdrawal_reason", enums.WithdrawalReason),
    ],
)
def test_every_code_has_plain_words(name: str, codes) -> None:
    assert set(codes) <= set(PLAIN_WORDS[name])


def _shared_columns() -> set[str]:
    counts = Counter(name for contract in STAR for name in contract.names if name != "run_id")
    return {name for name, tables in counts.items() if tables > 1}


def _forbidden(texts: list[str]) -> list[tuple[str, str]]:
    return [(word, text) for text in texts for word in FORBIDDEN if word in text.lower().replace("_", " ")]
