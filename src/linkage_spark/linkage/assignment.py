"""Match weights of scored pairs → probabilities, each pair alone or one-to-one over its rivals. Driver only.

Two readings of one weight. Alone, a weight of s bits is a probability of 1 / (1 + 2^-s). Where no person
stands twice in one file, the pairs of one record are rivals: at most one of them is right, and they
share the probability. Where most records have a partner that lowers the cut by several bits, where few
have one it raises it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LINK_AT = 0.5
"""A pair is linked when its probability is at least this."""

_MOST_BITS = 1000.0
_SETTLED = 1e-12
_MOST_ROUNDS = 100


@dataclass(frozen=True)
class Assignment:
    """What the rivals of every pair leave of it; the arrays follow the rows that were given.

    Attributes:
        posterior: probability of the pair beside its rivals, 0 to 1.
        linked: True where the pair is linked; at most one such pair per record of either side.
        share_left: share of left records that have a partner, 0 to 1.
        share_right: the same of the right records.
        rounds: halvings until both shares had settled; 0 when both were given.
    """

    posterior: Floats
    linked: Flags
    share_left: float
    share_right: float
    rounds: int


def match_probability(weight_bits: npt.ArrayLike) -> Floats:
    """Probability of a pair taken alone: 1 / (1 + 2^-s).

    Args:
        weight_bits: match weights s, log2 posterior odds with the prior in them; finite.

    Returns:
        As many doubles, 0 to 1; strictly rising in s as far as a double can tell.
    """
    bits = np.clip(np.asarray(weight_bits, dtype=np.float64), -_MOST_BITS, _MOST_BITS)
    return np.asarray(1.0 / (1.0 + np.exp2(-bits)), dtype=np.float64)


def assign_one_to_one(
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    weight_bits: npt.ArrayLike,
    *,
    prior_bits: float,
    left_records: int,
    right_records: int,
    share_left: float | None = None,
    share_right: float | None = None,
) -> Assignment:
    """Posterior of every pair over its rivals on both sides, and the pairs that are linked.

    With likelihood ratio r_ij = 2^(s_ij - prior_bits), a share π of the left records with one partner
    each, any right record equally likely beforehand, and the others with none, a left record i and a
    right record j are one person with probability

        p_ij = (π / n_right · r_ij) / ((1 - π) + Σ_k π / n_right · r_ik)

    over the pairs k of i. The right side has its own share and n_left in the place of n_right. A pair's
    posterior is the lesser of its two sides' (Fellegi and Sunter 1969 give r; this is Bayes' rule over
    exclusive alternatives).

    A share is the most probable one: its likelihood Σ_i ln((1 - π) + π·A_i), A_i = Σ_k r_ik / n_other, is
    concave, so π = Σ p / n has one solution, which is found by halving. One made-up record, half with a
    partner and half without, is added to each side, so that a share is never exactly 0 or 1 (in a tiny
    file, where every record has *some* pair, it would be). No more records of one side can have a partner
    than the other side has records, so a share is at most n_other / n. A pair that is not given counts as r = 0.

    **Linked** are the pairs with posterior of at least 0.5 that outweigh all their rivals together, on
    both sides. Two pairs of one record cannot both be: the posteriors of a record's pairs add up to
    Σ_k π·r_ik/n / ((1 - π) + Σ_k π·r_ik/n), which is below 1, so at most one exceeds 0.5. What a double
    cannot tell from 1 leaves one case, an exact tie of two at 0.5: there *none* is linked, since
    nothing says which is right. Hence no order of rows or codes ever decides.

    Args:
        left: code of the left record per pair, 0 to ``left_records`` - 1.
        right: code of the right record per pair, 0 to ``right_records`` - 1.
        weight_bits: match weight per pair, log2 posterior odds of the pair taken alone; finite.
        prior_bits: log2 prior odds of one pair, as they are contained in ``weight_bits``.
        left_records: records of the left file, those without any pair too.
        right_records: records of the right file, those without any pair too.
        share_left: a frozen share of left records with a partner; None: estimated.
        share_right: the same for the right.

    Returns:
        Posterior and decision per pair, in the order given. At given shares a further rival never
        raises a pair's posterior; estimated shares rise with every pair that is added anywhere.

    Raises:
        ValueError: arrays of unlike length, a code out of range, a pair given twice, a weight that is
            not finite, or a share outside 0 to 1.
    """
    codes = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    bits = np.asarray(weight_bits, dtype=np.float64)
    sizes = (left_records, right_records)
    _check(codes, bits, sizes, (share_left, share_right))
    ratio_bits = bits - prior_bits
    sides = (
        _side(codes[0], codes[1], ratio_bits, records=left_records, others=right_records),
        _side(codes[1], codes[0], ratio_bits, records=right_records, others=left_records),
    )
    shares, rounds = zip(
        *[_settle(side, given) for side, given in zip(sides, (share_left, share_right), strict=True)], strict=True
    )
    of_left, of_right = (
        side.among_rivals * _has_partner(side, share) for side, share in zip(sides, shares, strict=True)
    )
    posterior = np.minimum(of_left, of_right)
    linked = (posterior >= LINK_AT) & (sides[0].among_rivals > LINK_AT) & (sides[1].among_rivals > LINK_AT)
    return Assignment(posterior, linked, shares[0], shares[1], max(rounds))


@dataclass(frozen=True)
class _Side:
    """The pairs seen from one side's records.

    ``among_rivals``: per pair its part of the record's Σ r. ``pairs_of``: per pair the position of its
    record in ``strength_bits``, log2 of Σ_k r_ik / n_other, one per record that has pairs.
    """

    among_rivals: Floats
    pairs_of: Integers
    strength_bits: Floats
    records: int
    others: int


def _side(own: Integers, other: Integers, ratio_bits: Floats, *, records: int, others: int) -> _Side:
    """Sum each record's likelihood ratios in log2, largest first set aside, in one fixed order.

    Let w be the ratios over the record's largest. Adding non-negative doubles never loses size, so the
    total is at least w_1 + w_2 ≥ 2·w_2: the second of a record never has more than exactly half.
    """
    order = np.lexsort((other, own))
    owners = own[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if owners.size else np.zeros(0, dtype=np.int64)
    position = np.repeat(np.arange(starts.size), np.diff(np.r_[starts, owners.size]))
    sorted_bits = ratio_bits[order]
    most = np.maximum.reduceat(sorted_bits, starts) if starts.size else np.zeros(0)
    weights = np.exp2(np.maximum(sorted_bits - most[position], -_MOST_BITS))
    totals = np.bincount(position, weights=weights, minlength=starts.size)
    among, pairs_of = np.empty_like(ratio_bits), np.empty_like(own)
    among[order] = weights / totals[position]
    pairs_of[order] = position
    return _Side(among, pairs_of, most + np.log2(totals) - np.log2(max(others, 1)), records, others)


def _settle(side: _Side, given: float | None) -> tuple[float, int]:
    """The share π = (Σ p + 1/2) / (n + 1) of records with a partner, and the halvings it took.

    Σ p + 1/2 - π·(n + 1) is π·(1 - π) times the slope of a concave function, so its sign changes once.
    """
    if given is not None:
        return given, 0
    low, high = 0.0, 1.0
    rounds = 0
    while high - low > _SETTLED * high and rounds < _MOST_ROUNDS:
        share = (low + high) / 2
        expected = float(np.sum(_record_has_partner(side, share)))
        if expected + 0.5 > share * (side.records + 1):
            low = share
        else:
            high = share
        rounds += 1
    return min((low + high) / 2, side.others / side.records if side.records else 1.0), rounds


def _record_has_partner(side: _Side, share: float) -> Floats:
    """Per record with pairs: π·A / ((1 - π) + π·A)."""
    if share in (0.0, 1.0):
        return np.full(side.strength_bits.size, share)
    return match_probability(side.strength_bits + np.log2(share / (1.0 - share)))


def _has_partner(side: _Side, share: float) -> Floats:
    """The same per pair, for the pair's record."""
    return _record_has_partner(side, share)[side.pairs_of]


def _check(
    codes: tuple[Integers, Integers], bits: Floats, sizes: tuple[int, int], shares: tuple[float | None, float | None]
) -> None:
    """All faults of the arguments at once."""
    faults: list[str] = []
    if not codes[0].shape == codes[1].shape == bits.shape or bits.ndim != 1:
        raise ValueError(f"arrays of unlike length: {codes[0].size} left, {codes[1].size} right, {bits.size} weights")
    for side, code, size, share in zip(("left", "right"), codes, sizes, shares, strict=True):
        if code.size and (int(code.min()) < 0 or int(code.max()) >= size):
            faults.append(f"{side} codes run from {int(code.min())} to {int(code.max())}, records number {size}")
        if share is not None and not 0.0 <= share <= 1.0:
            faults.append(f"share_{side} is {share}, not 0 to 1")
    if not np.isfinite(bits).all():
        faults.append(f"{int((~np.isfinite(bits)).sum())} weights are not finite")
    if not faults and bits.size:
        keys = codes[0] * sizes[1] + codes[1]
        if repeated := keys.size - np.unique(keys).size:
            faults.append(f"{repeated} pairs are given twice")
    if faults:
        raise ValueError("; ".join(faults))
