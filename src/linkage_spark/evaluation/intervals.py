"""Intervals for a share that was counted."""

from __future__ import annotations

from math import sqrt

from linkage_spark.evaluation.figures import Proportion

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def wilson_interval(numerator: int, denominator: int, z: float = Z_95) -> tuple[float, float] | None:
    """Wilson's score interval for ``numerator`` of ``denominator``; None when nothing was counted.

    Unlike the textbook interval it keeps inside 0 to 1 and does not shrink to a point at 0 % or
    100 %, where good linkage lies. It takes the pairs as independent; several records of one person
    are not quite, so it is a little too narrow.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22 (158), 209-212.

    Raises:
        ValueError: unless 0 <= numerator <= denominator.
    """
    if not 0 <= numerator <= denominator:
        raise ValueError(f"{numerator} of {denominator} is no share")
    if denominator == 0:
        return None
    share = numerator / denominator
    shrink = 1 + z * z / denominator
    centre = (share + z * z / (2 * denominator)) / shrink
    half = z * sqrt(share * (1 - share) / denominator + z * z / (4 * denominator * denominator)) / shrink
    low = 0.0 if numerator == 0 else max(0.0, centre - half)
    high = 1.0 if numerator == denominator else min(1.0, centre + half)
    return low, high


def proportion(numerator: int, denominator: int) -> Proportion:
    """A share with its 95 % interval, rounded to 6 places so that the same counts give the same text."""
    interval = wilson_interval(numerator, denominator)
    if interval is None:
        return {"numerator": 0, "denominator": 0, "value": None, "low": None, "high": None}
    low, high = interval
    return {
        "numerator": numerator,
        "denominator": denominator,
        "value": round(numerator / denominator, 6),
        "low": round(low, 6),
        "high": round(high, 6),
    }
