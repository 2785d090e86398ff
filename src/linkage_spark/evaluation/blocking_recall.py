"""Candidate pairs with their rule masks → what each blocking rule is worth, and what all of them may have missed.

Blocking is judged apart from scoring: a pair is found when a rule proposes it, whatever its score. Spark counts the
distinct masks once; everything else is arithmetic on that table, on the driver. Subsets of rules are never enumerated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import exp, log, sqrt
from typing import Any, Literal, TypedDict

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.evaluation.intervals import Z_95

Row = Mapping[str, Any]
Found = Literal["true_pairs", "expected_millionths", "likely_pairs"]
"""What of a mask's row counts as found: true pairs, probability in millionths, or pairs at or above LIKELY_AT."""

MILLIONTHS = 1_000_000

LIKELY_AT = 0.5
"""A pair is a likely match from this probability on."""

LEAST_IN_BOTH = 7
"""Chapman's estimate needs this many matches in both groups for its bias to be small (Robson and Regier 1964)."""


class Step(TypedDict):
    """One rule in the order that ``greedy_order`` chose. Pairs are counted once, however many rules propose them.

    ``*_alone``: what the rule proposes and finds by itself; ``*_only``: of that, what no other rule proposes;
    ``*_added``: what it adds to the rules before it; ``pairs``, ``found``: all so far. Found: in the unit asked for.
    """

    rule_no: int
    rule_id: str
    pairs_alone: int
    found_alone: int
    pairs_only: int
    found_only: int
    pairs_added: int
    found_added: int
    pairs: int
    found: int


class Missed(TypedDict):
    """Matches that no rule proposes, estimated; ``low`` and ``high`` bound a 95 % interval (null: none can be given)."""

    missed: float
    low: float | None
    high: float | None


class CaptureRecapture(TypedDict):
    """Matches that rules found, by how many rules and by which group, and what that says of those that none found.

    ``found``: by any rule; ``once``, ``twice``: by exactly one and two; ``first``, ``second``, ``both``: by any rule of
    the two groups; ``chao`` is null without a match, ``chapman`` with fewer than LEAST_IN_BOTH in both groups.
    """

    found: int
    once: int
    twice: int
    chao: Missed | None
    first: int
    second: int
    both: int
    chapman: Missed | None


def count_masks(candidates: DataFrame, *, truth_marked: bool) -> DataFrame:
    """Count the distinct rule masks.

    Args:
        candidates: one row per pair. Reads ``rule_mask`` LONG (bit i set where rule i proposes the pair); with
            ``truth_marked`` ``is_true`` BOOLEAN, null where unlabelled; and ``match_probability`` (0 to 1) where
            there is such a column, null where the pair was below the scorer's floor: it counts as 0.
        truth_marked: a truth was marked (``pair_counts.mark_pairs``).

    Returns:
        One row per distinct mask: ``rule_mask``, ``pairs``; with a truth ``true_pairs`` and ``unlabelled_pairs``; with
        probabilities ``expected_millionths``, their sum in millionths, each rounded before it is added so that the
        order of rows changes nothing, and ``likely_pairs``, at or above LIKELY_AT. All LONG.
    """
    counts = [F.count(F.lit(1)).alias("pairs")]
    if truth_marked:
        counts += [
            F.count_if(F.coalesce("is_true", F.lit(False))).alias("true_pairs"),
            F.count_if(F.col("is_true").isNull()).alias("unlabelled_pairs"),
        ]
    if "match_probability" in candidates.columns:
        known = F.coalesce("match_probability", F.lit(0.0))
        counts += [
            F.sum(F.round(known * F.lit(MILLIONTHS)).cast("long")).alias("expected_millionths"),
            F.count_if(known >= F.lit(LIKELY_AT)).alias("likely_pairs"),
        ]
    return candidates.groupBy("rule_mask").agg(*counts)


# --- Which rules are worth their pairs ------------------------------------------------------------


def greedy_order(mask_rows: Iterable[Row], rule_ids: Sequence[str], *, found: Found = "true_pairs") -> list[Step]:
    """Order the rules by what each adds: at every step the one that finds most per pair added to those before it.

    Ties go to the lesser rule id; a rule that adds no pair counts as finding nothing per pair. All rules are listed,
    those that find nothing more last. Such an order need not hold the best subset of every size.

    Args:
        mask_rows: collected ``count_masks`` rows in any order; a mask may stand in several.
        rule_ids: the rules; the position is the bit.
        found: the column that counts what is found.

    Raises:
        ValueError: a rule id stands twice, or a mask has a bit that no rule has.
    """
    table = _merged(mask_rows, rule_ids, found)
    alone, only, added = (_Sums(len(rule_ids)) for _ in range(3))
    for mask, (pairs, hits) in table.items():
        for no in _bits(mask):
            alone.add(no, pairs, hits)
            added.add(no, pairs, hits)
            if mask == 1 << no:
                only.add(no, pairs, hits)
    steps: list[Step] = []
    left, open_masks = set(range(len(rule_ids))), dict(table)
    all_pairs = all_found = 0
    while left:
        no = min(left, key=lambda rule: (-added.rate(rule), rule_ids[rule]))
        left.remove(no)
        new_pairs, new_found = added.pairs[no], added.found[no]
        all_pairs, all_found = all_pairs + new_pairs, all_found + new_found
        steps.append(
            {
                "rule_no": no,
                "rule_id": rule_ids[no],
                "pairs_alone": alone.pairs[no],
                "found_alone": alone.found[no],
                "pairs_only": only.pairs[no],
                "found_only": only.found[no],
                "pairs_added": new_pairs,
                "found_added": new_found,
                "pairs": all_pairs,
                "found": all_found,
            }
        )
        for mask in [mask for mask in open_masks if mask >> no & 1]:
            pairs, hits = open_masks.pop(mask)
            for other in _bits(mask):
                added.add(other, -pairs, -hits)
    return steps


def steps_to(steps: Sequence[Step], per_mille: int) -> int:
    """How many of the first steps find at least ``per_mille`` thousandths of what all find; 0 when nothing is found."""
    whole = steps[-1]["found"] if steps else 0
    if not whole:
        return 0
    return next(no for no, step in enumerate(steps, start=1) if step["found"] * 1000 >= whole * per_mille)


class _Sums:
    """Pairs and what is found among them, by rule number."""

    def __init__(self, rules: int) -> None:
        self.pairs, self.found = [0] * rules, [0] * rules

    def add(self, no: int, pairs: int, found: int) -> None:
        self.pairs[no] += pairs
        self.found[no] += found

    def rate(self, no: int) -> Fraction:
        return Fraction(self.found[no], self.pairs[no]) if self.pairs[no] else Fraction(0)


def _merged(mask_rows: Iterable[Row], rule_ids: Sequence[str], found: Found) -> dict[int, tuple[int, int]]:
    """Pairs and what is found among them, by mask."""
    if len(set(rule_ids)) != len(rule_ids):
        raise ValueError("a rule id stands twice")
    table: defaultdict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in mask_rows:
        mask = int(row["rule_mask"])
        if not 0 < mask < 1 << len(rule_ids):
            raise ValueError(f"rule mask {mask} is none of {len(rule_ids)} rules")
        pairs, hits = table[mask]
        table[mask] = pairs + int(row["pairs"]), hits + int(row[found])
    return dict(table)


def _bits(mask: int) -> list[int]:
    """Numbers of the bits that are set."""
    return [no for no in range(mask.bit_length()) if mask >> no & 1]


# --- What all rules together may have missed ------------------------------------------------------


def capture_recapture(
    mask_rows: Iterable[Row], rule_ids: Sequence[str], *, groups: tuple[int, int], found: Found = "likely_pairs"
) -> CaptureRecapture:
    """Estimate, without a truth, how many matches no rule proposes.

    Each rule is taken as one attempt at catching a match. Two estimates:

    - Chao's lower bound from the matches that exactly one and exactly two rules found (``chao_missed``).
    - Chapman's form of Lincoln and Petersen from two groups of rules that have nothing in common
      (``chapman_total``), less all that any rule found.

    Rules are not independent. A date is read by several rules, so that one slip loses a pair to all of them and an
    agreement is caught by all of them: few matches then look caught only once, and the estimate falls short. This is
    the common case, and with it the figures are lower bounds, as Chao's is for catches that are independent and
    matches that differ in how easily they are caught. A match that no rule could ever have caught is beyond both,
    and so is one that the scorer does not believe in (``likely_pairs``). Two things push the other way: rules made
    each for an error of its own (a name in the other box) catch what the others do not, so that many look caught once, which
    can carry Chao's figure far above the truth; and non-matches that the scorer believes in. Pairs of one person's many
    records are not independent either, so that the intervals are too narrow. Chapman's groups suffer less: an error
    in a name seldom comes with one in a date or a place.

    Args:
        mask_rows: collected ``count_masks`` rows.
        rule_ids: the rules; the position is the bit.
        groups: masks of the two groups, such as rules that read the name only and rules that read no name.
        found: the column that counts matches; whole pairs.

    Raises:
        ValueError: as ``greedy_order``; or probabilities were to be counted as pairs, or the groups share a rule.
    """
    if found == "expected_millionths":
        raise ValueError("capture-recapture counts whole pairs")
    if groups[0] & groups[1]:
        raise ValueError("the two groups share a rule")
    table = {mask: hits for mask, (_, hits) in _merged(mask_rows, rule_ids, found).items()}
    everything = sum(table.values())
    once, twice = (sum(hits for mask, hits in table.items() if mask.bit_count() == times) for times in (1, 2))
    first, second = (sum(hits for mask, hits in table.items() if mask & group) for group in groups)
    both = sum(hits for mask, hits in table.items() if mask & groups[0] and mask & groups[1])
    return {
        "found": everything,
        "once": once,
        "twice": twice,
        "chao": chao_missed(everything, once, twice) if everything else None,
        "first": first,
        "second": second,
        "both": both,
        "chapman": _beyond(everything, *chapman_total(first, second, both)) if both >= LEAST_IN_BOTH else None,
    }


def chao_missed(found: int, once: int, twice: int) -> Missed:
    """Chao's lower bound of what was never caught.

    f0 = f1² / (2 f2), variance f2 (r⁴/4 + r³ + r²/2) with r = f1 / f2; where f2 is 0 the bias-corrected
    f0 = f1 (f1 - 1) / 2, variance f1 (f1 - 1) / 2 + f1 (2 f1 - 1)² / 4 - f1⁴ / (4 N). The interval is that of
    log f0: f0 / C to f0 · C, C = exp(1.96 √log(1 + variance / f0²)); none where f0 is 0.

    Source: A. Chao (1987), "Estimating the population size for capture-recapture data with unequal catchability",
    Biometrics 43 (4), 783-791; for f2 = 0 R. K. Colwell, EstimateS user's guide, appendix B.

    Args:
        found: all that were caught at least once.
        once: f1, caught exactly once.
        twice: f2, caught exactly twice.
    """
    if twice:
        ratio = once / twice
        missed = once * ratio / 2
        variance = twice * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)
    else:
        missed = once * (once - 1) / 2
        total = found + missed
        variance = missed + once * (2 * once - 1) ** 2 / 4 - once**4 / (4 * total) if total else 0.0
    if missed <= 0:
        return {"missed": 0.0, "low": None, "high": None}
    spread = exp(Z_95 * sqrt(log(1 + max(variance, 0.0) / missed**2)))
    return {"missed": round(missed, 3), "low": round(missed / spread, 3), "high": round(missed * spread, 3)}


def chapman_total(first: int, second: int, both: int) -> tuple[float, float]:
    """How many there are in all, by two catches, and its variance.

    N = (n1 + 1)(n2 + 1) / (m + 1) - 1, variance (n1 + 1)(n2 + 1)(n1 - m)(n2 - m) / ((m + 1)² (m + 2)).

    Source: D. G. Chapman (1951), "Some properties of the hypergeometric distribution with applications to
    zoological sample censuses", University of California Publications in Statistics 1, 131-160; the variance:
    G. A. F. Seber (1970), "The effects of trap response on tag recapture estimates", Biometrics 26 (1), 13-22.

    Args:
        first: n1, caught by one group.
        second: n2, caught by the other.
        both: m, caught by both.

    Raises:
        ValueError: more were caught by both than by one of them.
    """
    if not 0 <= both <= min(first, second):
        raise ValueError(f"{both} in both groups, of {first} and {second}")
    product = (first + 1) * (second + 1)
    variance = product * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return product / (both + 1) - 1, variance


def _beyond(found: int, total: float, variance: float) -> Missed:
    """What of an estimated total was not found; never less than nothing."""
    half = Z_95 * sqrt(variance)
    missed, low, high = (round(max(0.0, at - found), 3) for at in (total, total - half, total + half))
    return {"missed": missed, "low": low, "high": high}
