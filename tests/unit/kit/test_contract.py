"""Contracts are whole: unique names, keys among the columns, every column described."""

import pytest
from pyspark.sql.types import StringType

from linkage_spark.errors import ContractError
from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.candidates import BARRED_COLUMNS, COMPARED_COLUMNS, SCORED_PAIR
from linkage_spark.tables.canonical import CANONICAL, PERSON
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.linkage import LINKAGE
from linkage_spark.tables.nominals import NOMINALS
from linkage_spark.tables.results import RESULTS
from linkage_spark.tables.star import STAR, STAR_NOMINALS

ALL = (*CANONICAL, PERSON_IDENTIFIER, *LINKAGE, *RESULTS, SCORED_PAIR)


@pytest.mark.parametrize("contract", ALL, ids=lambda c: c.name)
def test_every_column_is_described_and_every_key_column_is_required(contract: TableContract) -> None:
    assert all(len(column.description) > 8 for column in contract.fields)
    assert all(column.required for column in contract.fields if column.name in contract.key)
    assert len({column.name for column in contract.fields}) == len(contract.fields)


def test_table_names_are_unique() -> None:
    assert len({contract.name for contract in ALL}) == len(ALL)


def test_a_contract_that_lists_a_column_twice_is_refused() -> None:
    column = Field("a", StringType(), "a column", required=True)
    with pytest.raises(ContractError, match="listed twice"):
        TableContract(name="t", row="x", key=("a",), fields=(column, column))


def test_a_key_outside_the_columns_is_refused() -> None:
    with pytest.raises(ContractError, match=r"key columns \['b'\]"):
        TableContract(name="t", row="x", key=("b",), fields=(Field("a", StringType(), "a column"),))


def test_no_barred_column_is_compared_and_every_compared_column_is_of_person() -> None:
    assert not set(COMPARED_COLUMNS) & set(BARRED_COLUMNS)
    assert set(COMPARED_COLUMNS) <= set(PERSON.names)


def test_numbers_of_other_registers_stand_in_one_table_and_no_other_has_a_column_for_them() -> None:
    numbers = {"pnc_id", "cro", "identifier", "identifier_raw"}
    assert numbers <= set(BARRED_COLUMNS)
    others = (*CANONICAL, *LINKAGE, *RESULTS, *NOMINALS, *STAR, *STAR_NOMINALS, SCORED_PAIR)
    assert not {contract.name for contract in others if numbers & set(contract.names)}
    assert {"identifier", "identifier_raw"} <= set(PERSON_IDENTIFIER.names)
