"""What is said of a feed's columns before a run: whether its words tell which numbers are verified."""

from types import SimpleNamespace

import pytest
from pyspark.sql.types import BooleanType, IntegerType, StringType, StructField, StructType

from linkage_spark.settings.sources import FeedMapping
from linkage_spark.standardise.columns import column_faults


def faults(kind, words):
    """What is said of a feed of numbers whose column FINGERPRINTED has a type and whose mapping has words, or none."""
    columns = {"person_ref": "CUSTODY_NO", "pnc_id": "PNC_ID", "verified": "FINGERPRINTED"}
    block = {"table": "person_identifier", "columns": columns, "verified": words}
    feed = FeedMapping.model_validate(
        {"name": "number", "source_system": "custody", "path": "custody/number", "format": "parquet"}
        | {"produces": [block]}
    )
    fields = [StructField(name, StringType()) for name in ("CUSTODY_NO", "PNC_ID")]
    schema = StructType([*fields, StructField("FINGERPRINTED", kind)])
    return column_faults(feed, SimpleNamespace(columns=schema.names, schema=schema))


@pytest.mark.parametrize("kind", [StringType(), IntegerType()])
def test_a_column_that_is_not_boolean_needs_words_for_verified(kind):
    assert faults(kind, {}) == [
        f"custody.number: column FINGERPRINTED has type {kind.simpleString()}, and nothing says which of its values mean "
        'verified; give its block in conf/sources/custody.toml words, as in verified = { "Y" = true, "N" = false }'
    ]


def test_words_that_leave_out_true_do_not_fit_a_boolean_column():
    assert faults(BooleanType(), {"Y": True, "N": False}) == [
        "custody.number: column FINGERPRINTED has type boolean, but the words of verified do not say what TRUE means; "
        'take the words of verified out of its block in conf/sources/custody.toml, or add "TRUE" to them'
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (BooleanType(), {}),
        (BooleanType(), {"true": True}),
        (StringType(), {"Y": True, "N": False}),
        (StringType(), {"TRUE": True}),
        (IntegerType(), {"1": True, "0": False}),
    ],
)
def test_a_column_whose_values_have_a_meaning_is_no_fault(kind, words):
    assert faults(kind, words) == []
