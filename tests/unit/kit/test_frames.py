"""Batches gathered into larger ones."""

from __future__ import annotations

import pyarrow as pa
import pytest

from linkage_spark.kit.frames import gathered


@pytest.mark.parametrize(
    ("sizes", "rows", "wanted"),
    [([], 3, []), ([2], 3, [2]), ([2, 2, 1], 3, [4, 1]), ([5, 5], 3, [5, 5]), ([1, 1, 1], 3, [3]), ([0, 0], 3, [0])],
)
def test_batches_come_out_once_in_their_order_and_as_large_as_asked(
    sizes: list[int], rows: int, wanted: list[int]
) -> None:
    numbers = iter(range(100))
    batches = [
        pa.RecordBatch.from_pydict({"no": pa.array([next(numbers) for _ in range(n)], pa.int64())}) for n in sizes
    ]
    found = list(gathered(batches, rows))
    assert [batch.num_rows for batch in found] == wanted
    assert [no for batch in found for no in batch.column("no").to_pylist()] == list(range(sum(sizes)))
