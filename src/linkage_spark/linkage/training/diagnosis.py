"""Whether a fit can be believed: what goes wrong with mixtures in practice, told in words.

Estimation without labels always ends with numbers. Here stands when they are not to be used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, log_density
from linkage_spark.linkage.training.estimate import GENERATION_APART, Estimate, compared, estimate_again
from linkage_spark.linkage.training.layout import STRAIGHT

LEAST_MATCHES = 20.0
"""Expected matches below which there is too little to learn from: twice what the smoothing of each table is worth."""

MOST_PER_MATCH = 2.0
"""Look-alikes of one class per match above which they dwarf the matches: a small error about them is a large one about
matches (docs/matching.md). A look-alike is a pair of the class household or context that would pass for a match if it were
held against chance alone; the class context also holds pairs that nobody would mistake, however many."""

MOST_APART = 1.25
"""Expected matches of two starts differ by no larger factor where the fit is the only one."""

LEAST_SHARE_OF_SURE = 0.5
"""Share of the expected matches among pairs that are a match more likely than not; with less, most matches cannot be told
from other pairs, whatever the threshold."""

LEAST_BITS = 1.0
"""Exact agreement on a name and on a date of birth speaks for one person by at least this much."""

LET_THROUGH = 1.5
"""Dates a generation apart are that much commoner among matches than their bound before the estimate is doubted: they may be
replaced dates, or two people of one name."""

_STARTS = ((10.0, 0.0), (0.1, 0.0), (1.0, 0.2))
"""Other starts: the share of matches times this, and how far m is moved towards u."""


@dataclass(frozen=True)
class Diagnosis:
    """What speaks against a fit.

    Attributes:
        starts: expected matches from each start, the first the one that is used.
        sure_share: share of the expected matches among pairs more likely a match than not.
        per_match: look-alikes of the classes household and context per match; a class that took no part is not there.
        faults: why the fit is not used, in sentences; empty where it is.
        doubts: why its probabilities are weak although it is used, in sentences.
    """

    starts: tuple[float, ...]
    sure_share: float
    per_match: dict[str, float]
    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def diagnose(found: Estimate, *, share: float, dwarfed_is_fault: bool = True) -> Diagnosis:
    """Look at a fit from all sides.

    Args:
        found: the fit.
        share: share of matches it started from.
        dwarfed_is_fault: a household or context class that dwarfs the matches rules the fit out; else it is a doubt.
    """
    if not len(found.counted.codes):
        return Diagnosis((0.0,), 0.0, {}, ("no two records were compared: there is nothing to learn from",), ())
    starts = _starts(found, share)
    sure, per_match = _held(found)
    seen = {at.role for no, at in enumerate(found.attributes) if compared(found.counted.codes[:, no], at)}
    faults: list[str] = []
    doubts: list[str] = []
    if "name" not in seen:
        faults.append("no two names were compared, and nothing else belongs to one person alone")
    if "date" not in seen and "place" in seen:
        doubts.append("no two dates of birth were compared: relatives of one home cannot be told from one person")
    if found.expected_matches < LEAST_MATCHES:
        faults.append(
            f"about {found.expected_matches:.0f} matches are expected, fewer than the {LEAST_MATCHES:.0f} that there must be to learn from"
        )
    faults += [
        f"exact agreement on the {name} does not speak for one person ({bits:+.1f} bits): the classes have changed places"
        for name, bits in agreement_bits(found)
        if bits < LEAST_BITS
    ]
    if max(starts) > MOST_APART * max(min(starts), 1.0):
        faults.append(
            f"other starts end elsewhere ({min(starts):,.0f} to {max(starts):,.0f} expected matches): these pairs fit more than one answer"
        )
    if sure < LEAST_SHARE_OF_SURE:
        faults.append(
            f"only {100 * sure:.0f} in 100 expected matches are among pairs that are a match more likely than not: matches cannot be told apart"
        )
    dwarfing = [
        f"{ratio:.1f} look-alikes of one {name} are expected for every match; above {MOST_PER_MATCH:.0f} a small error about them is a large one about matches"
        for name, ratio in per_match.items()
        if ratio > MOST_PER_MATCH
    ]
    (faults if dwarfed_is_fault else doubts).extend(dwarfing)
    if replaced := _replaced(found):
        doubts.append(
            f"{100 * replaced:.1f} in 100 matches have dates of birth a generation apart: dates were replaced, or namesakes of one home "
            "are taken for one person"
        )
    if not found.fitted.settled:
        doubts.append(f"the estimate had not settled after {len(found.fitted.log_likelihood)} rounds")
    return Diagnosis(starts, sure, per_match, tuple(faults), tuple(doubts))


def _starts(found: Estimate, share: float) -> tuple[float, ...]:
    """Expected matches of the fit, and from other starts: all the way where rough fits end apart."""
    for rough in (True, False):
        others = [estimate_again(found, share=share * factor, blunt=blunt, rough=rough) for factor, blunt in _STARTS]
        starts = (found.expected_matches, *(other.expected_matches for other in others))
        if max(starts) <= MOST_APART * max(min(starts), 1.0):
            break
    return starts


def _replaced(found: Estimate) -> float:
    """Share of the matches whose dates are a generation apart, where more were let through than the bound has; else 0."""
    no, date = next((no, at) for no, at in enumerate(found.attributes) if at.role == "date")
    most = found.restraint.date_most
    if most is None or not found.restraint.replaced_dates:
        return 0.0
    apart = date.levels.index(GENERATION_APART)
    share = float(found.fitted.tables[MATCH][no][apart])
    return share if share > LET_THROUGH * most[apart] else 0.0


def _held(found: Estimate) -> tuple[float, dict[str, float]]:
    """Share of the expected matches that are sure, and look-alikes per match by class."""
    codes, weight, names = found.counted.codes, found.counted.weight, list(found.fitted.shares)
    fitted = found.fitted
    logs = np.stack([log_density(fitted.tables[name], fitted.shares[name], codes) for name in names])
    if found.counted.by_chance is not None:
        logs[:, found.counted.by_chance] = np.where(np.array(names)[:, None] == RANDOM, 0.0, -np.inf)
    top = logs.max(axis=0)
    held = dict(zip(names, weight * np.exp(logs - (top + np.log(np.exp(logs - top).sum(axis=0)))), strict=True))
    matches = held[MATCH]
    total = max(float(matches.sum()), 1e-9)
    # Held against chance alone, one of the class is a match: as far from chance as a match that is likely.
    like = logs[names.index(MATCH)] >= logs[names.index(RANDOM)]
    per_match = {name: float(held[name][like].sum()) / total for name in (HOUSEHOLD, CONTEXT) if name in held}
    return float(matches[2 * matches >= weight].sum()) / total, per_match


def agreement_bits(found: Estimate) -> list[tuple[str, float]]:
    """log2(m/u) of exact agreement: of the whole name, and of the date of birth where dates were compared."""
    bits = []
    for no, attribute in enumerate(found.attributes):
        code = {"name": int(STRAIGHT[-1, -1]), "date": len(attribute.levels) - 1}.get(attribute.role)
        if code is None or not compared(found.counted.codes[:, no], attribute):
            continue
        m, u = (float(found.fitted.tables[name][no][code]) for name in (MATCH, RANDOM))
        bits.append(("whole name" if attribute.role == "name" else "date of birth", float(np.log2(m / u))))
    return bits
