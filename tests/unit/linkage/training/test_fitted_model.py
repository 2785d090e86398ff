"""From a fit to a model: levels in order, sums kept, and weights that are the fit's own posterior odds."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.comparison.addresses import AddressComparison
from linkage_spark.linkage.comparison.dates import DateComparison
from linkage_spark.linkage.comparison.names import CELL_NAMES, NameComparison
from linkage_spark.linkage.comparison.pair import PairComparison
from linkage_spark.linkage.scoring import Scorer, Shares, name_cells
from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Fitted, fit
from linkage_spark.linkage.training.fitted_model import Trained, monotone, monotone_cells, trained_model
from linkage_spark.linkage.training.layout import STRAIGHT, Attribute, Floats, Ints, lay_out
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import (
    ADDRESS_LEVELS,
    CROSSED_LEVELS,
    DATE_LEVELS,
    FURTHER_LEVELS,
    PART_LEVELS,
    PARTIAL_DATE_LEVELS,
    Model,
    Probabilities,
)
from tests.support.examples import examples
from tests.unit.linkage.training.mixture import EXTRAS, SHARES_OF_FOUR, SHARES_OF_TWO, file_model, mixture, restraint

ALL_KINDS = {
    "place_postcode": "code",
    "place_house": "house",
    "place_street": "street",
    "extra_job": "text",
    "extra_sex": "exact",
}
PAIRS = 1e7
PROVENANCE = {"method": "test"}
EPSILON = 1e-9


@functools.cache
def laid_out(which: str = "all kinds") -> tuple[Model, tuple[Attribute, ...]]:
    model = file_model(ALL_KINDS if which == "all kinds" else EXTRAS)
    return model, lay_out(model)


def trained(found: Fitted, which: str = "all kinds", *, total_pairs: float = PAIRS) -> Trained:
    base, attributes = laid_out(which)
    return trained_model(
        found,
        attributes,
        base=base,
        restraint=restraint(0.02),
        total_pairs=total_pairs,
        sample_weight=1.0,
        provenance=PROVENANCE,
    )


def random_tables(seed: int, spread: float, classes: tuple[str, ...]) -> Fitted:
    """Any fit: tables that sum to one inside each group and are otherwise as they fall."""
    chance = np.random.default_rng(seed)
    _, attributes = laid_out()
    tables: dict[str, list[Floats]] = {}
    for name in classes:
        tables[name] = []
        for attribute in attributes:
            table = np.ones(len(attribute.m))
            for group in attribute.groups:
                table[group] = np.exp(spread * chance.standard_normal(len(group)))
                table[group] /= table[group].sum()
            tables[name].append(table)
    few = {name: 10 ** chance.uniform(-6, -1) for name in classes if name != RANDOM}
    shares = {name: few.get(name, 1 - sum(few.values())) for name in classes}
    surname = np.exp(chance.standard_normal(len(PART_LEVELS)))
    return Fitted(tables, shares, surname / surname.sum(), 0.005, (-1.0,), True)


def ordered_weights(model: Model) -> Iterator[tuple[str, list[float]]]:
    """The weights of every attribute, weakest level first."""
    cells = name_cells(model)
    yield "given", [model.name.given[level].weight for level in PART_LEVELS]
    yield "surname", [model.name.surname[level].weight for level in PART_LEVELS]
    yield "crossed", [cells[f"crossed: {level}"].weight for level in CROSSED_LEVELS]
    for part in ("given", "surname"):
        yield f"single {part}", [cells[f"crossed: single name, {part} {level}"].weight for level in CROSSED_LEVELS]
    yield "given alone", [cells[f"given {level}, surname missing"].weight for level in PART_LEVELS]
    yield "surname alone", [cells[f"given missing, surname {level}"].weight for level in PART_LEVELS]
    yield "date", [model.date_of_birth[level].weight for level in DATE_LEVELS]
    yield "partial date", [model.partial_date_of_birth[level].weight for level in PARTIAL_DATE_LEVELS]
    yield "address", [model.address[level].weight for level in ADDRESS_LEVELS]
    for name, further in model.further.items():
        yield name, [further.levels[level].weight for level in FURTHER_LEVELS[further.kind]]


def straight_weights(model: Model) -> Floats:
    """Weights of the straight name cells, given level by surname level."""
    cells = name_cells(model)
    return np.array(
        [[cells[f"given {given}, surname {surname}"].weight for surname in PART_LEVELS] for given in PART_LEVELS]
    )


CLASSES = st.sampled_from(((MATCH, RANDOM), (MATCH, RANDOM, HOUSEHOLD, CONTEXT)))


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 2.0), CLASSES)
@example(7, 2.0, (MATCH, RANDOM))
def test_within_an_attribute_a_stronger_level_never_weighs_less(
    seed: int, spread: float, classes: tuple[str, ...]
) -> None:
    model = trained(random_tables(seed, spread, classes)).model
    for name, weights in ordered_weights(model):
        assert all(low <= high + EPSILON for low, high in itertools.pairwise(weights)), name
    weights_of_cells = straight_weights(model)
    size = len(PART_LEVELS)
    for given_level, surname_level in np.ndindex(size, size):
        weaker = weights_of_cells[: given_level + 1, : surname_level + 1]
        assert weaker.max() <= weights_of_cells[given_level, surname_level] + EPSILON


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 2.0), CLASSES)
def test_every_probability_of_a_trained_model_is_one(seed: int, spread: float, classes: tuple[str, ...]) -> None:
    model = trained(random_tables(seed, spread, classes)).model
    tables = [model.name.given, model.name.surname, model.date_of_birth, model.partial_date_of_birth, model.address]
    tables += [further.levels for further in model.further.values()]
    for table in tables:
        for side in ("m", "u"):
            assert sum(getattr(level, side) for level in table.values()) == pytest.approx(1.0, abs=1e-6)
    held: list[Probabilities] = [p for table in (*tables, model.name.crossed, model.name.cells) for p in table.values()]
    assert all(0 < p.m <= 1 and 0 < p.u <= 1 for p in held)
    assert (model.household is None) == (model.context is None) == (HOUSEHOLD not in classes)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(st.floats(1e-9, 1.0), st.floats(1e-9, 1.0)), min_size=1, max_size=12))
def test_pooling_puts_levels_in_order_keeps_the_sum_and_leaves_ordered_levels_alone(
    levels: list[tuple[float, float]],
) -> None:
    m, u = (np.array(column) for column in zip(*levels, strict=True))
    found, changed = monotone(m, u)
    ratio = found / u
    assert (np.diff(ratio) >= -1e-9 * ratio[:-1]).all()
    assert found.sum() == pytest.approx(m.sum())
    in_order = bool((np.diff(m / u) >= 0).all())
    assert changed or in_order
    if in_order:
        np.testing.assert_allclose(found, m)


def test_pooled_levels_share_the_ratio_of_their_sums() -> None:
    # 1, 4 and 2 in 1, 1 and 2: the second outweighs the third, so both get (4 + 2) / (1 + 2) = 2.
    found, changed = monotone(np.array([1.0, 4.0, 2.0]), np.array([1.0, 1.0, 2.0]))
    np.testing.assert_allclose(found, [1.0, 2.0, 4.0])
    assert changed
    # A last level that is weaker than all takes them all with it: 7 / 10 each.
    found, changed = monotone(np.array([1.0, 4.0, 2.0]), np.array([1.0, 1.0, 8.0]))
    np.testing.assert_allclose(found, [0.7, 0.7, 5.6])
    assert changed


def test_cells_out_of_order_meet_at_the_mean_weighted_by_evidence() -> None:
    # One row: log2(m/u) is 3, 1, 4; the first two swap places, three to one in evidence: (3 · 3 + 1 · 1) / 4 = 2.5.
    m, u = np.array([[0.8, 0.2, 0.16]]), np.array([[0.1, 0.1, 0.01]])
    found, changed = monotone_cells(m, u, np.array([[3.0, 1.0, 1.0]]))
    np.testing.assert_allclose(np.log2(m / found), [[2.5, 2.5, 4.0]], atol=1e-6)
    assert changed
    # In order both ways: nothing moves.
    m, u = np.array([[0.1, 0.2], [0.2, 0.5]]), np.array([[0.4, 0.2], [0.2, 0.1]])
    found, changed = monotone_cells(m, u, np.ones((2, 2)))
    np.testing.assert_allclose(found, u)
    assert not changed


def test_cells_are_the_nearest_in_order_not_just_any() -> None:
    # Against brute force over a small lattice: no ordered grid of weights is nearer.
    weight = np.array([[2.0, 1.0], [0.0, 3.0]])
    evidence = np.array([[1.0, 2.0], [2.0, 1.0]])
    found = np.log2(1.0 / monotone_cells(np.ones((2, 2)), np.exp2(-weight), evidence)[0])
    lattice = np.arange(0.0, 3.01, 0.125)
    best = min(
        evidence[0, 0] * (a - 2) ** 2
        + evidence[0, 1] * (b - 1) ** 2
        + evidence[1, 0] * c**2
        + evidence[1, 1] * (d - 3) ** 2
        for a in lattice
        for b in lattice[lattice >= a]
        for c in lattice[lattice >= a]
        for d in lattice[lattice >= max(b, c)]
    )
    assert float((evidence * (found - weight) ** 2).sum()) <= best + 1e-6


@functools.cache
def four_classes() -> tuple[Fitted, Trained, Ints, Floats]:
    """A fit of a known mixture of four classes, its model, and the patterns."""
    _, attributes = laid_out("mixture")
    pairs = mixture(SHARES_OF_FOUR, attributes, 1e8)
    found = fit(
        pairs.codes,
        pairs.weight,
        attributes,
        share=0.0005,
        classes=tuple(SHARES_OF_FOUR),
        # Levels that the mixture lacks, such as crossed names, then keep the order they start in.
        sample_weight=1000.0,
        restraint=restraint(0.02),
    )
    return found, trained(found, "mixture", total_pairs=1e8), pairs.codes, pairs.weight


def scored_total(model: Model, codes: Ints) -> Ints:
    """Match weights of patterns without frequencies, 1/1000 bit."""
    none, never = np.zeros(len(codes)), np.zeros(len(codes), dtype=np.bool_)
    part = codes[:, 0] % (len(PART_LEVELS) + 1)
    found = PairComparison(
        name=NameComparison(cell=codes[:, 0], given=part, surname=part, crossed=never),
        date=DateComparison(level=codes[:, 1], full=never, near=never, contradicts=never),
        address=AddressComparison(level=codes[:, 2], same_premises=never, same_postcode=never, postcodes_equal=never),
        further=codes[:, 3:],
    )
    by_parts, further = np.full(len(codes), np.nan), np.zeros((len(codes), codes.shape[1] - 3))
    shares = Shares(none, none, none, none, by_parts, none, never, none, never, further)
    weights = Scorer(model, Frequencies.none()).weights(found, shares)
    assert (weights.household <= 0).all()
    return weights.total


def log_odds(found: Fitted, codes: Ints) -> Floats:
    """log2 odds of the class match against all others, from the fit's tables."""
    density = {
        name: share * np.prod([table[codes[:, no]] for no, table in enumerate(found.tables[name])], axis=0)
        for name, share in found.shares.items()
    }
    odds: Floats = np.log2(density[MATCH] / sum(one for name, one in density.items() if name != MATCH))
    return odds


def test_weights_without_frequencies_are_the_posterior_odds_of_the_fit() -> None:
    found, made, codes, _ = four_classes()
    # The shipped model pools two levels of a single given name by hand; that the fit names them again moves no weight.
    assert set(made.pooled) <= {"name"}
    # Prior, name, date, address, two columns and the discount are each rounded to 1/1000 bit.
    shown = scored_total(made.model, codes) / 1000
    assert np.abs(shown - log_odds(found, codes)).max() <= 0.0041


def test_the_odds_hold_for_missing_parts_single_and_crossed_names_too() -> None:
    found, made, codes, _ = four_classes()
    others = np.array([no for no, name in enumerate(CELL_NAMES) if no not in set(STRAIGHT.ravel().tolist())])
    tried = np.repeat(codes[:: len(codes) // 40], len(others), axis=0)
    tried[:, 0] = np.tile(others, len(tried) // len(others))
    blank = tried.copy()
    blank[::2, 1], blank[::3, 2], blank[::5, 3] = 0, 0, 0
    for patterns in (tried, blank):
        shown = scored_total(made.model, patterns) / 1000
        assert np.abs(shown - log_odds(found, patterns)).max() <= 0.0041


def test_what_is_expected_and_how_it_is_called() -> None:
    found, made, _, _ = four_classes()
    base, _ = laid_out("mixture")
    model = made.model
    assert model.id == "person_files_v1-trained"
    assert model.provenance == PROVENANCE
    assert model.frequency.reference == "data"
    assert (model.rules, model.thresholds, model.key_cap) == (base.rules, base.thresholds, base.key_cap)
    assert made.expected_matches == found.shares[MATCH] * 1e8
    assert model.prior_bits == pytest.approx(np.log2(found.shares[MATCH] / found.shares[RANDOM]))
    assert model.household is not None
    assert model.context is not None
    # The true mixture: as many household pairs as matches, four context pairs for each; the garbled share takes some.
    assert model.household.pairs_per_match == pytest.approx(1.0, rel=0.05)
    assert model.context.pairs_per_match == pytest.approx(4.0, rel=0.05)
    assert set(model.household.further) == set(model.context.further) == set(EXTRAS)


def test_a_place_is_the_households_own_and_the_contexts_a_table() -> None:
    model = trained(random_tables(3, 0.3, (MATCH, RANDOM, HOUSEHOLD, CONTEXT))).model
    assert model.household is not None
    assert model.context is not None
    assert set(model.household.further) == {"extra_job", "extra_sex"}
    assert set(model.context.further) == set(ALL_KINDS)


def test_what_was_pooled_is_named() -> None:
    _, attributes = laid_out()
    start = {name: [getattr(at, side).copy() for at in attributes] for name, side in ((MATCH, "m"), (RANDOM, "u"))}
    held = Fitted(start, dict(SHARES_OF_TWO), np.full(6, 1 / 6), 0.005, (-1.0,), True)
    assert "date_of_birth" not in trained(held).pooled
    # One person's pairs no longer agree on the date more often than on day and month exchanged.
    levels, date = attributes[1].levels, held.tables[MATCH][1]
    exact, swap = levels.index("exact"), levels.index("day_month_swap")
    date[exact], date[swap] = 0.01, date[swap] + date[exact] - 0.01
    made = trained(held)
    assert "date_of_birth" in made.pooled
    assert made.model.date_of_birth["exact"].weight == pytest.approx(made.model.date_of_birth["day_month_swap"].weight)


def test_cells_far_out_of_order_are_still_in_order_in_the_model() -> None:
    weights = straight_weights(trained(random_tables(24, 2.5, (MATCH, RANDOM))).model)
    for given_level, surname_level in np.ndindex(*weights.shape):
        weaker = weights[: given_level + 1, : surname_level + 1]
        assert weaker.max() <= weights[given_level, surname_level] + EPSILON


def test_levels_of_equal_weight_are_not_called_pooled() -> None:
    assert trained(four_classes()[0], "mixture", total_pairs=1e8).pooled == ()
