"""Checks before publishing: one pass over all tables names the ones that need a closer look."""

from pyspark.sql.types import IntegerType

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.checks import all_table_faults
from linkage_spark.tables.types import STRING

NUMBERS = TableContract(
    name="numbers",
    row="a number",
    key=("source", "number"),
    fields=(
        Field("source", STRING, "where from", required=True),
        Field("number", IntegerType(), "which", required=True),
        Field("word", STRING, "what it is called", required=True),
    ),
)
WORDS = TableContract(
    name="words", row="a word", key=("word",), fields=(Field("word", STRING, "the word", required=True),)
)


def numbers(spark, *rows):
    return local_frame(spark, list(rows), "source string, number int, word string")


def words(spark, *rows):
    return local_frame(spark, [(word,) for word in rows], "word string")


def test_sound_tables_and_an_empty_one_have_no_fault(spark):
    sound = numbers(spark, ("a", 1, "one"), ("a", 2, "two"), ("b", 1, "one"))
    assert all_table_faults([(NUMBERS, sound), (WORDS, words(spark, "one", "two")), (WORDS, words(spark))]) == []


def test_every_repeated_key_and_every_null_is_named_with_its_table_in_order(spark):
    first = numbers(spark, ("a", 1, "one"), ("a", 1, "uno"), ("a", 1, "un"), ("b", 2, None), ("b", 3, None))
    assert all_table_faults([(NUMBERS, first), (WORDS, words(spark, "one", "one", "two", "two"))]) == [
        "numbers: 1 keys (source, number) occur more than once",
        "numbers: null in required column word of 2 rows",
        "words: 2 keys (word) occur more than once",
    ]


def test_keys_of_different_tables_are_not_mixed_up(spark):
    assert all_table_faults([(WORDS, words(spark, "one")), (WORDS, words(spark, "one"))]) == []
