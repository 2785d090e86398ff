"""The share of matches alone, found on the files where all other parameters are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ROUNDS, _SETTLED = 1000, 1e-6


def found_prior(bins: Sequence[tuple[float, float]], *, prior_bits: float, pairs: float) -> float:
    """The prior at which the candidate pairs' probabilities add up to the matches that it stands for.

    One parameter by expectation-maximisation: λ <- Σ p(λ) / pairs, with p(λ) the probability of a pair whose weight beside the
    prior is as given; pairs that were not proposed count as no match. At least one match is expected.

    Args:
        bins: (match weight in bits under ``prior_bits``, pairs that have it).
        prior_bits: the prior that those weights hold; where the search starts.
        pairs: all pairs there are.

    Returns:
        The prior, log2 odds of a random pair.
    """
    evidence = np.array([bits for bits, _ in bins]) - prior_bits
    count = np.array([number for _, number in bins], dtype=np.float64)
    odds = prior_bits
    for _ in range(_ROUNDS):
        expected = float((count / (1.0 + np.exp2(-np.clip(evidence + odds, -60.0, 60.0)))).sum())
        share = min(max(expected, 1.0), pairs / 2) / pairs
        before, odds = odds, float(np.log2(share / (1.0 - share)))
        if abs(odds - before) < _SETTLED:
            break
    return odds
