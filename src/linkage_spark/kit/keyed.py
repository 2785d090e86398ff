"""Keyed hashes as columns. The key reaches the tasks as a row of data, so that it stands in no plan."""

from __future__ import annotations

import hashlib
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.frames import local_frame

_BLOCK_BYTES: Final = 64
_INNER, _OUTER = "_inner_key", "_outer_key"


def with_hmac(frame: DataFrame, name: str, message: Column, secret: bytes) -> DataFrame:
    """Add a column: HMAC-SHA-256 of a text's UTF-8 bytes, 32 bytes; null where the text is null. RFC 2104.

    Args:
        frame: any.
        name: of the new column.
        message: text.
        secret: the key.
    """
    key = hashlib.sha256(secret).digest() if len(secret) > _BLOCK_BYTES else secret
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ mask for byte in padded) for mask in (0x36, 0x5C))
    keys = local_frame(frame.sparkSession, [(inner, outer)], schema=f"{_INNER} binary, {_OUTER} binary")
    with_keys = frame.join(F.broadcast(keys), how="cross")
    inside = _sha256(F.concat(F.col(_INNER), F.encode(message, "UTF-8")))
    return with_keys.withColumn(name, _sha256(F.concat(F.col(_OUTER), inside))).drop(_INNER, _OUTER)


def _sha256(content: Column) -> Column:
    """SHA-256 as bytes."""
    return F.unhex(F.sha2(content, 256))
