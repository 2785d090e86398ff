"""Levels of further attributes of an analyst's file: codes, houses, streets, free text, on whole columns.

Each distinct pair of values is compared once. All of it is symmetric: the two values are put in order
before any distance is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from linkage_spark.model.schema import FURTHER_LEVELS, MISSING, PLACE_PREFIX, Further

Ints = npt.NDArray[np.int64]
Columns = dict[str, pa.Array]

PLACE_POSTCODE, PLACE_HOUSE = f"{PLACE_PREFIX}postcode", f"{PLACE_PREFIX}house"
PLACE_STREET, PLACE_LOCALITY = f"{PLACE_PREFIX}street", f"{PLACE_PREFIX}locality"

LEVELS: Mapping[str, tuple[str, ...]] = {kind: (MISSING, *levels) for kind, levels in FURTHER_LEVELS.items()}
"""Levels of each kind by code; 0 is missing."""

CODE: Mapping[str, Mapping[str, int]] = {
    kind: {level: code for code, level in enumerate(levels)} for kind, levels in LEVELS.items()
}


def compare_further(left: Columns, right: Columns, further: Mapping[str, Further]) -> Ints:
    """Level codes of further attributes.

    Args:
        left: columns by name, strings in standard form; null = unknown.
        right: the same of the other records.
        further: the attributes, in the order of the result's columns.

    Returns:
        One row per pair, one column per attribute: the position in LEVELS of its kind.
    """
    count = len(next(iter(left.values()))) if left else 0
    found = [compare_values(attribute.kind, left[name], right[name]) for name, attribute in further.items()]
    return np.stack(found, axis=1) if found else np.zeros((count, 0), dtype=np.int64)


def same_premises(levels: Ints, further: Mapping[str, Further]) -> npt.NDArray[np.bool_]:
    """House and street are equal, and the postcode or the locality: one dwelling where addresses are not British.

    Args:
        levels: what ``compare_further`` gave.
        further: the attributes, in the order of its columns; without house and street nothing is one dwelling.
    """
    exact = {
        name: levels[:, no] == CODE[attribute.kind]["exact"] for no, (name, attribute) in enumerate(further.items())
    }
    never = np.zeros(len(levels), dtype=np.bool_)
    house, street = exact.get(PLACE_HOUSE, never), exact.get(PLACE_STREET, never)
    found: npt.NDArray[np.bool_] = (
        house & street & (exact.get(PLACE_POSTCODE, never) | exact.get(PLACE_LOCALITY, never))
    )
    return found


def compare_values(kind: str, left: pa.Array, right: pa.Array) -> Ints:
    """Level codes of two columns of one attribute."""
    count = len(left)
    encoded = pc.dictionary_encode(pa.concat_arrays([left.cast(pa.string()), right.cast(pa.string())]))
    values: list[str] = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    a, b = codes[:count], codes[count:]
    names = CODE[kind]
    found = np.full(count, names[MISSING], dtype=np.int64)
    known = (a >= 0) & (b >= 0)
    found[known] = names["differ"]
    found[known & (a == b)] = names["exact"]
    unequal = np.flatnonzero(known & (a != b))
    if kind != "exact" and len(unequal):
        width = len(values)
        keys = np.minimum(a[unequal], b[unequal]) * width + np.maximum(a[unequal], b[unequal])
        distinct, where = np.unique(keys, return_inverse=True)
        compare = _COMPARE[kind]
        pairs = (sorted((values[key // width], values[key % width])) for key in distinct.tolist())
        levels = np.array([names[compare(*pair)] for pair in pairs], dtype=np.int64)
        found[unequal] = levels[where.reshape(-1)]
    return found


def compare_codes(one: str, other: str) -> str:
    """Level of two unequal codes such as foreign postcodes.

    one_slip: one edit or two neighbours exchanged. near: two edits where both have six characters. same_start: the
    first half of the shorter.
    """
    edits = OSA.distance(one, other, score_cutoff=2)
    if edits <= 1:
        return "one_slip"
    shorter = min(len(one), len(other))
    if edits == 2 and shorter >= 6:
        return "near"
    half = (shorter + 1) // 2
    return "same_start" if one[:half] == other[:half] else "differ"


def compare_houses(one: str, other: str) -> str:
    """Level of two unequal house numbers or names."""
    if set(one.split()) & set(other.split()):
        return "shared_token"
    return "one_slip" if OSA.distance(one, other, score_cutoff=1) <= 1 else "differ"


def compare_streets(one: str, other: str) -> str:
    """Level of two unequal streets: the best of three similarities, at 93, 84, 72 and 60 of 100.

    Tokens in order; letters without spaces; and 0.97 of the shared set of tokens, where at least five letters are.
    """
    best = max(fuzz.token_sort_ratio(one, other), 100.0 * OSA.normalized_similarity(_unspaced(one), _unspaced(other)))
    if min(len(one), len(other)) >= 5:
        best = max(best, 0.97 * fuzz.token_set_ratio(one, other))
    steps = ((93.0, "near"), (84.0, "similar"), (72.0, "alike"), (60.0, "faint"))
    return next((level for least, level in steps if best >= least), "differ")


def compare_texts(one: str, other: str) -> str:
    """Level of two unequal texts.

    near: one edit, two edits in eight letters, or 85 % of letters in order; similar: Jaro-Winkler 0.85 or a shared
    set of tokens of 90 %; half: half of the letters in order.
    """
    edits = OSA.distance(one, other)
    share = 1.0 - edits / max(len(one), len(other))
    if (
        (edits <= 1 and min(len(one), len(other)) >= 3)
        or (edits <= 2 and min(len(one), len(other)) >= 8)
        or share >= 0.85
    ):
        return "near"
    if JaroWinkler.similarity(one, other) >= 0.85 or fuzz.token_set_ratio(one, other) >= 90.0:
        return "similar"
    return "half" if share >= 0.5 else "differ"


def _unspaced(text: str) -> str:
    """A text without its blanks."""
    return text.replace(" ", "")


_COMPARE: Mapping[str, Callable[[str, str], str]] = {
    "code": compare_codes,
    "house": compare_houses,
    "street": compare_streets,
    "text": compare_texts,
}
