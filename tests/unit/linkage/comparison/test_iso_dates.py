"""Dates of birth as text: what frequencies are looked up by."""

import pyarrow as pa

from linkage_spark.linkage.comparison.pair import INTEGER_COLUMNS, iso_dates


def test_dates_as_text_are_null_where_a_part_is_unknown_and_keep_their_order():
    parts = [
        (1980, 2, 3),
        (None, 2, 3),
        (1980, 0, 3),
        (1980, 2, None),
        (980, 12, 31),
        (1980, 2, 3),
        (0, 1, 1),
        (1980, 2, 0),
    ]
    side = {name: pa.array([part[no] for part in parts], type=pa.int32()) for no, name in enumerate(INTEGER_COLUMNS)}
    assert iso_dates(side).to_pylist() == ["1980-02-03", None, None, None, "0980-12-31", "1980-02-03", None, None]
    unknown = {name: column.slice(1, 1) for name, column in side.items()}
    assert iso_dates(unknown).to_pylist() == [None]
    assert iso_dates({name: column.slice(0, 0) for name, column in side.items()}).to_pylist() == []
