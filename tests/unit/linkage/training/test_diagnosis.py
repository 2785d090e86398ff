"""What goes wrong with mixtures in practice is seen and told; what does not is left alone."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from linkage_spark.linkage.training.diagnosis import LEAST_MATCHES, Diagnosis, agreement_bits, diagnose
from linkage_spark.linkage.training.em import CONTEXT, FAR, HOUSEHOLD, MATCH, RANDOM, fit
from linkage_spark.linkage.training.estimate import (
    GENERATION_MOST,
    PART_DIFFERS_MOST,
    Counted,
    Estimate,
    classes_of,
    estimate,
    estimate_again,
)
from linkage_spark.linkage.training.layout import STRAIGHT, lay_out
from linkage_spark.linkage.training.patterns import pattern_columns
from linkage_spark.model.schema import Model
from tests.unit.linkage.training.mixture import EXTRAS, file_model, mixture

pytestmark = pytest.mark.thorough

PAIRS = 4e6
SHARE = 0.001
SHARES = {MATCH: 0.002, RANDOM: 0.996, HOUSEHOLD: 0.002}


@functools.cache
def base() -> Model:
    return file_model(EXTRAS)


def counted(shares: Mapping[str, float], *, pairs: float = PAIRS) -> Counted:
    found = mixture(shares, lay_out(base()), pairs)
    # Without the further columns: a fifth of the patterns, and the fits are many.
    codes = found.codes.copy()
    codes[:, 3:] = 0
    patterns, place = np.unique(codes, axis=0, return_inverse=True)
    return Counted(patterns, np.bincount(place.ravel(), weights=found.weight), round(pairs), 0, 1.0)


def looked_at(patterns: Counted, **given: bool) -> tuple[Estimate, Diagnosis]:
    found = estimate(patterns, base=base(), share=SHARE)
    return found, diagnose(found, share=SHARE, **given)


def without(patterns: Counted, column: int) -> Counted:
    """The same pairs with one attribute missing in all of them."""
    codes = patterns.codes.copy()
    codes[:, column] = 0 if column else 48
    return replace(patterns, codes=codes)


def test_a_sound_mixture_has_no_fault_and_every_start_ends_where_the_truth_is() -> None:
    found, diagnosis = looked_at(counted(SHARES))
    assert (diagnosis.faults, diagnosis.doubts) == ((), ())
    assert diagnosis.starts == pytest.approx([SHARES[MATCH] * PAIRS] * 4, rel=0.03)
    assert found.expected_matches == diagnosis.starts[0]
    assert 0.01 < diagnosis.per_match[HOUSEHOLD] < 1.0
    assert diagnosis.sure_share > 0.9


def test_rare_matches_are_found_and_too_few_of_them_are_a_fault() -> None:
    rare = {MATCH: 5e-5, RANDOM: 1 - 5e-5}
    found, diagnosis = looked_at(counted(rare))
    assert found.expected_matches == pytest.approx(200.0, rel=0.1)
    assert diagnosis.faults == ()
    _, diagnosis = looked_at(counted(rare, pairs=4e5))
    assert f"fewer than the {LEAST_MATCHES:.0f}" in diagnosis.faults[0]


def test_pairs_without_any_match_are_a_fault() -> None:
    _, diagnosis = looked_at(counted({RANDOM: 1.0}))
    assert diagnosis.faults


def test_households_that_dwarf_the_matches_are_a_fault_or_a_doubt_as_the_caller_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = counted({MATCH: 0.0002, HOUSEHOLD: 0.08, RANDOM: 0.9198})
    found, diagnosis = looked_at(many)
    assert diagnosis.per_match[HOUSEHOLD] > 1
    # 800 are there: four hundred pairs of relatives for each is more than an estimate bears, and files do not get it either.
    assert found.expected_matches > 1_000
    refused = diagnose(found, share=SHARE, dwarfed_is_fault=False)
    assert any("cannot be told apart" in fault for fault in refused.faults)
    assert any("a generation apart" in doubt for doubt in refused.doubts)
    monkeypatch.setattr("linkage_spark.linkage.training.diagnosis.MOST_PER_MATCH", 1.0)
    told = "look-alikes of one household are expected for every match"
    assert any(told in fault for fault in diagnose(found, share=SHARE).faults)
    assert any(told in doubt for doubt in diagnose(found, share=SHARE, dwarfed_is_fault=False).doubts)


def test_starts_that_end_apart_when_rough_are_compared_all_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = looked_at(counted(SHARES))
    asked: list[bool] = []

    def again(fit_: Estimate, *, share: float, blunt: float = 0.0, rough: bool = True) -> Estimate:
        asked.append(rough)
        off = 0.8 if rough and share < SHARE else 1.2 if rough else 1.0
        shares = {**fit_.fitted.shares, MATCH: fit_.fitted.shares[MATCH] * off}
        return replace(fit_, fitted=replace(fit_.fitted, shares=shares))

    monkeypatch.setattr("linkage_spark.linkage.training.diagnosis.estimate_again", again)
    assert diagnose(found, share=SHARE).faults == ()
    assert asked == [True] * 3 + [False] * 3


def test_where_nothing_could_be_compared_that_is_said_and_nothing_breaks() -> None:
    found = estimate(Counted.of([], [], model=base(), pairs=10**6, candidate_pairs=0), base=base(), share=SHARE)
    assert diagnose(found, share=SHARE).faults == ("no two records were compared: there is nothing to learn from",)


def test_classes_that_have_changed_places_are_a_fault() -> None:
    found, _ = looked_at(counted(SHARES))
    tables = found.fitted.tables
    swapped = replace(
        found, fitted=replace(found.fitted, tables={**tables, MATCH: tables[RANDOM], RANDOM: tables[MATCH]})
    )
    assert all(bits < 0 for _, bits in agreement_bits(swapped))
    faults = [fault for fault in diagnose(swapped, share=SHARE).faults if "changed places" in fault]
    assert [("whole name" in fault, "date of birth" in fault) for fault in faults] == [(True, False), (False, True)]


def test_without_names_there_is_no_estimate_and_without_dates_there_is_doubt() -> None:
    _, diagnosis = looked_at(without(counted(SHARES), 0))
    assert any("no two names were compared" in fault for fault in diagnosis.faults)
    _, diagnosis = looked_at(without(counted(SHARES), 1))
    assert any("no two dates of birth were compared" in doubt for doubt in diagnosis.doubts)


def test_an_attribute_that_never_disagrees_says_nothing_and_harms_nothing() -> None:
    patterns = counted(SHARES)
    town = len(lay_out(base())) - 1
    codes = patterns.codes.copy()
    codes[:, town] = 2
    found, diagnosis = looked_at(replace(patterns, codes=codes))
    assert diagnosis.faults == ()
    assert found.expected_matches == pytest.approx(SHARES[MATCH] * PAIRS, rel=0.05)
    level = found.model_at({}, method="test").model.further["extra_town"].levels["exact"]
    assert abs(level.weight) < 0.05


def test_a_level_that_is_never_seen_has_finite_probabilities_and_the_rest_stays() -> None:
    patterns = counted(SHARES)
    dates = lay_out(base())[1].levels
    kept = patterns.codes[:, 1] != dates.index("century")
    found, diagnosis = looked_at(replace(patterns, codes=patterns.codes[kept], weight=patterns.weight[kept]))
    assert diagnosis.faults == ()
    unseen = found.model_at({}, method="test").model.date_of_birth["century"]
    assert 0 < unseen.m < 0.01
    assert 0 < unseen.u < 0.001
    assert np.isfinite(unseen.weight)
    assert found.expected_matches == pytest.approx(SHARES[MATCH] * PAIRS, rel=0.05)


def test_household_and_context_take_part_only_where_the_patterns_can_tell_them() -> None:
    attributes = lay_out(base())
    patterns = mixture(SHARES, attributes, PAIRS)
    assert classes_of(patterns.codes, attributes) == (MATCH, RANDOM, HOUSEHOLD, CONTEXT)
    only_address = counted(SHARES)
    assert classes_of(only_address.codes, attributes) == (MATCH, RANDOM, HOUSEHOLD)
    assert classes_of(without(only_address, 1).codes, attributes) == (MATCH, RANDOM, HOUSEHOLD)
    assert classes_of(without(only_address, 2).codes, attributes) == (MATCH, RANDOM)


def test_bounded_dates_leave_a_father_and_son_of_one_name_to_the_household() -> None:
    """One in ten household pairs share the forename too; unbounded they pass for one person with another date."""
    patterns = counted({MATCH: 0.002, HOUSEHOLD: 0.002, RANDOM: 0.996})
    attributes = lay_out(base())
    name, dates = attributes[0], attributes[1]
    exact = name.levels.index("given exact, surname exact")
    sons = (patterns.codes[:, 0] == exact) & (patterns.codes[:, 1] == dates.levels.index("differ"))
    home = patterns.codes[:, 2] == attributes[2].levels.index("same_premises")
    weight = patterns.weight + np.where(sons & home, 2000.0 / (sons & home).sum(), 0.0)
    more = replace(patterns, weight=weight, pairs=patterns.pairs + 2000)
    bound = estimate(more, base=base(), share=SHARE)
    unbound = fit(
        more.codes,
        more.weight,
        attributes,
        share=SHARE,
        classes=(MATCH, RANDOM, HOUSEHOLD),
        sample_weight=1.0,
        restraint=replace(bound.restraint, date_most=None),
    )
    assert unbound.shares[MATCH] * more.pairs > 9_500
    assert bound.expected_matches < 9_000
    roster = estimate(more, base=base(), share=SHARE, roster=True)
    assert roster.expected_matches < 8_500
    # 2,000 of 10,000 pairs of relatives; those without the surname pass for chance, so that the share comes out larger.
    assert 0.1 < roster.fitted.forename_leak < 0.6
    differ = dates.levels.index("differ")
    assert bound.fitted.tables[MATCH][1][differ] <= GENERATION_MOST + 1e-12
    assert roster.fitted.tables[MATCH][1][differ] <= dates.m[differ] + 1e-12


def test_dates_that_were_replaced_by_any_other_are_let_through_the_bound() -> None:
    """One match in ten has another person's date: as often on every level as chance has it."""
    patterns = counted(SHARES)
    attributes = lay_out(base())
    dates = attributes[1]
    exact = attributes[0].levels.index("given exact, surname exact")
    home = (patterns.codes[:, 0] == exact) & (patterns.codes[:, 2] == attributes[2].levels.index("same_premises"))
    replaced = np.zeros(len(home))
    for level in range(len(dates.levels)):
        rows = home & (patterns.codes[:, 1] == level)
        if rows.any():
            replaced += np.where(rows, SHARES[MATCH] * PAIRS / 10 * dates.u[level] / rows.sum(), 0.0)
    found = estimate(replace(patterns, weight=patterns.weight + replaced), base=base(), share=SHARE)
    differ = dates.levels.index("differ")
    assert found.fitted.tables[MATCH][1][differ] > 3 * GENERATION_MOST
    # Namesakes of one home with dates as by chance look the same, so that it is doubted.
    assert any("a generation apart" in doubt for doubt in diagnose(found, share=SHARE).doubts)
    strict = replace(found.restraint, replaced_dates=False)
    held = replace(found, restraint=strict)
    assert estimate_again(held, share=SHARE, rough=False).fitted.tables[MATCH][1][differ] <= GENERATION_MOST + 1e-12


def test_without_dates_a_name_that_differs_is_no_commoner_among_matches_than_its_bound() -> None:
    found, _ = looked_at(without(counted({MATCH: 0.002, HOUSEHOLD: 0.004, RANDOM: 0.994}), 1))
    straight = found.fitted.tables[MATCH][0][STRAIGHT]
    # The garbled share is mixed in afterwards.
    most = PART_DIFFERS_MOST + 2 * found.restraint.garbled_share
    assert straight[0].sum() / straight.sum() <= most
    assert straight[:, 0].sum() / straight.sum() <= most
    assert HOUSEHOLD in found.fitted.shares


def test_a_roster_households_place_is_near_home_and_one_person_may_have_moved() -> None:
    found = estimate(counted(SHARES), base=base(), share=SHARE, roster=True)
    address = lay_out(base())[2].levels
    home, own = (found.fitted.tables[name][2] for name in (HOUSEHOLD, MATCH))
    far = [address.index(level) for level in FAR]
    assert home[far].sum() == pytest.approx(0.01)
    assert own[far].sum() > 0.2
    model = found.model_at({}, method="test").model
    assert model.household is not None
    assert model.household.address["same_premises"] == pytest.approx(home[address.index("same_premises")])


def test_one_sampled_pair_that_looks_like_a_match_does_not_stand_for_thousands_of_them() -> None:
    attributes = lay_out(base())
    columns = pattern_columns(base())
    found = counted(SHARES)
    rows = [
        {**dict(zip(columns, codes.tolist(), strict=True)), "pairs": weight}
        for codes, weight in zip(found.codes, found.weight, strict=True)
    ]
    looks = (attributes[0].levels.index("given exact, surname exact"), len(attributes[1].levels) - 1, 0, 0, 0)
    stray = {**dict(zip(columns, looks, strict=True)), "pairs": 1}
    chance = {**rows[0], "pairs": 999}
    given = {"model": base(), "pairs": round(PAIRS + 10_000_000), "candidate_pairs": round(PAIRS)}
    expected = {
        kept: estimate(
            Counted.of(rows, [chance, stray], sample_is_chance=kept, **given), base=base(), share=SHARE, roster=True
        ).expected_matches
        for kept in (False, True)
    }
    assert expected[True] == pytest.approx(SHARES[MATCH] * PAIRS, rel=0.05)
    assert expected[False] > expected[True] + 5_000
