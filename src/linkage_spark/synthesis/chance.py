"""Chance that depends on the seed and on what is drawn for, never on partitions or order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """A 64-bit hash of integers (the finaliser of SplitMix64, Steele et al. 2014, over each part)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & _MASK)) & _MASK
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def unit(*parts: int) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    return mix(*parts) / 2.0**64


class Dice:
    """Draws in a row for one entity. Only ``random()`` of the standard library is used: its stream is fixed."""

    def __init__(self, *parts: int) -> None:
        self._random = random.Random(mix(*parts)).random

    def unit(self) -> float:
        """A number in [0, 1)."""
        return self._random()

    def happens(self, rate: float) -> bool:
        """True with probability ``rate``."""
        return self._random() < rate

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both in."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, all alike."""
        return items[int(self._random() * len(items))]


class Weighted(Generic[T]):
    """Items with weights, drawn by binary search over the running sum."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        self._items = tuple(items)
        total = float(sum(weights))
        self._upto = [value / total for value in accumulate(weights)]

    @classmethod
    def of(cls, weights: Mapping[T, float]) -> Weighted[T]:
        """From a mapping of item to weight."""
        return cls(tuple(weights), tuple(weights.values()))

    @classmethod
    def ranked(cls, items: Sequence[T], *, exponent: float) -> Weighted[T]:
        """Items in order of how common they are: weight 1 / (rank + 4) ** exponent (Zipf-Mandelbrot)."""
        return cls(items, [1.0 / (rank + 5.0) ** exponent for rank in range(len(items))])

    def draw(self, dice: Dice) -> T:
        """One item."""
        return self.at(dice.unit())

    def at(self, place: float) -> T:
        """The item at a place in [0, 1)."""
        low, high = 0, len(self._upto) - 1
        while low < high:
            middle = (low + high) // 2
            if self._upto[middle] > place:
                high = middle
            else:
                low = middle + 1
        return self._items[low]
