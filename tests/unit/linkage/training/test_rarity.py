"""A fit told at the rarity of what matches share: scores stay, levels come into order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.linkage.training.em import MATCH, RANDOM, Fitted
from linkage_spark.linkage.training.fitted_model import Trained, trained_model
from linkage_spark.linkage.training.layout import lay_out
from linkage_spark.linkage.training.rarity import at_rarity, rarity, with_rarity
from linkage_spark.model.frequencies import AttributeFrequencies, Frequencies
from linkage_spark.model.schema import CROSSED_LEVELS, Model
from tests.support.examples import examples
from tests.unit.linkage.comparison.knowledge import person, reference
from tests.unit.linkage.training.mixture import file_model, restraint

WEIGHTS = ("weight_name", "weight_name_frequency", "match_weight_millibits")
FURTHER = {"extra_job": "text", "place_house": "house", "place_postcode": "code"}
COPIES = {
    ("given", "adam"): 30.0,
    ("given", "zog"): 10.0,
    ("surname", "smith"): 5.0,
    ("extra_job", "clerk"): 40.0,
}
FREQUENCIES = Frequencies(
    {
        "given": AttributeFrequencies({"adam": 0.04, "zog": 0.0025}, 0.0005, 1000.0, 0.08),
        "surname": AttributeFrequencies({"smith": 0.01}, 0.0005, 1000.0, 0.02),
        "extra_job": AttributeFrequencies({"clerk": 0.2, "farrier": 0.01}, 0.0005, 1000.0, 0.1),
    }
)


def test_rarity_is_the_geometric_mean_share_of_what_matches_agree_on_over_chance() -> None:
    found = rarity(FREQUENCIES, COPIES)
    assert found == {
        # 0.04 to the power of 3/4 times 0.0025 to that of 1/4 is 0.02.
        "given": pytest.approx(0.02 / 0.08),
        "surname": 1.0,  # five expected matches tell nothing
        "extra_job": 1.0,  # 0.2 over 0.1: never above 1
    }


def fit_of(seed: int, *, spread: float = 0.3) -> tuple[Fitted, Model]:
    """Any fit whose levels come out as they fall, near the shipped tables."""
    model = file_model(FURTHER)
    chance = np.random.default_rng(seed)
    tables: dict[str, list[np.ndarray]] = {MATCH: [], RANDOM: []}
    for attribute in lay_out(model):
        for name, start in ((MATCH, attribute.m), (RANDOM, attribute.u)):
            table = start * np.exp(spread * chance.standard_normal(len(start)))
            for group in attribute.groups:
                table[group] /= table[group].sum()
            outside = np.setdiff1d(np.arange(len(table)), np.concatenate(attribute.groups))
            table[outside] = 1.0
            tables[name].append(table)
    return Fitted(tables, {MATCH: 0.001, RANDOM: 0.999}, np.full(6, 1 / 6), 0.005, (-1.0,), True), model


RARE = {"given": 0.25, "surname": 0.125, "date_of_birth": 0.5, "postcode": 0.5, "extra_job": 0.25, "place_house": 0.25}


def test_levels_move_as_often_as_their_correction_is_taken() -> None:
    fitted, model = fit_of(1)
    told = at_rarity(fitted, lay_out(model), RARE, fuzzy_share=0.5, further=model.further)
    assert told.tables[MATCH] is fitted.tables[MATCH]
    for attribute, before, after in zip(lay_out(model), fitted.tables[RANDOM], told.tables[RANDOM], strict=True):
        moved = dict(zip(attribute.levels, np.log2(after / before), strict=True))
        if attribute.role == "name":
            assert moved["given exact, surname exact"] == pytest.approx(-2 - 3)
            assert moved["given variant, surname exact"] == pytest.approx(-1 - 3)
            assert moved["given exact, surname differ"] == pytest.approx(-2)
            assert moved["given initial, surname missing"] == moved["missing"] == 0
            assert moved["given missing, surname typo"] == pytest.approx(-1.5)
            assert moved["crossed: exact"] == pytest.approx(-2.5)
            assert moved["crossed: single name, given exact"] == pytest.approx(-2)
            assert moved["crossed: single name, surname fuzzy"] == pytest.approx(-1.5)
        elif attribute.name == "place_house":
            assert set(moved.values()) == {0.0}
        else:
            for group in attribute.groups:
                assert after[group].sum() == pytest.approx(before[group].sum())
    place = dict(zip(lay_out(model)[2].levels, told.tables[RANDOM][2] / fitted.tables[RANDOM][2], strict=True))
    assert place["same_postcode"] / place["same_sector"] == pytest.approx(0.5)


def test_cells_of_two_whole_names_move_by_what_these_say_beside_their_parts_and_no_other_cell_does() -> None:
    fitted, model = fit_of(1)
    attributes = lay_out(model)
    rare = {"given": 0.25, "surname": 0.5}
    told = [
        at_rarity(fitted, attributes, at, fuzzy_share=0.5, further=model.further).tables[RANDOM][0]
        for at in ({}, rare, {**rare, "name": 1 / 64})
    ]
    cells = dict(zip(attributes[0].levels, np.stack(told).T, strict=True))
    exact = cells.pop("given exact, surname exact")
    assert exact / exact[0] == pytest.approx([1.0, 1 / 8, 1 / 64])
    # Whole names are eight times rarer than their parts say: the root of that where they agree not exactly.
    near = [f"given {one}, surname {other}" for one in CROSSED_LEVELS for other in CROSSED_LEVELS]
    for cell in {*near, *(f"crossed: {level}" for level in CROSSED_LEVELS)} - {"given exact, surname exact"}:
        table = cells.pop(cell)
        assert table[2] / table[1] == pytest.approx(8**-0.5)
    assert all(table[1] == table[2] for table in cells.values())


def model_at(fitted: Fitted, model: Model, rare: dict[str, float]) -> Trained:
    """The model of a fit, told at a rarity."""
    attributes = lay_out(model)
    told = at_rarity(fitted, attributes, rare, fuzzy_share=model.frequency.fuzzy_share, further=model.further)
    return trained_model(
        told,
        attributes,
        base=model,
        restraint=restraint(0.02),
        total_pairs=1e6,
        sample_weight=1.0,
        provenance={"method": "test"},
    )


def test_where_nothing_is_pooled_the_weight_gains_what_the_correction_loses() -> None:
    fitted, model = fit_of(0, spread=0.0)
    rare = {"given": 0.25, "surname": 0.5}
    before, after = model_at(fitted, model, {}), model_at(fitted, model, rare)
    assert "name" not in (*before.pooled, *after.pooled)
    home = "|12|high street|birmingham|B23 6AA||"
    one = person("adam", "smith", "1980-03-04", home)
    scores = [
        score_pair(one, one, model=made.model, frequencies=frequencies, names=reference())
        for made, frequencies in ((before, FREQUENCIES), (after, with_rarity(FREQUENCIES, rare)))
    ]
    moved = {name: int(str(scores[1][name])) - int(str(scores[0][name])) for name in WEIGHTS}
    assert moved["weight_name"] == pytest.approx(3000, abs=2)
    assert moved["weight_name_frequency"] == pytest.approx(-3000, abs=2)
    assert moved["match_weight_millibits"] == pytest.approx(0, abs=3)


def test_exact_is_pooled_with_variant_for_common_values_and_not_for_rare_ones() -> None:
    fitted, model = fit_of(0, spread=0.0)
    cells = dict(zip(lay_out(model)[0].levels, range(len(lay_out(model)[0].levels)), strict=True))
    exact, variant = cells["given exact, surname exact"], cells["given variant, surname exact"]
    # Exact agreement as common by chance as the few commonest names make it: 3 bits below variant.
    u = fitted.tables[RANDOM][0]
    m = fitted.tables[MATCH][0]
    u[exact] = m[exact] * u[variant] / m[variant] * 8
    common = model_at(fitted, model, {}).model.name.cells
    rare = model_at(fitted, model, {"given": 1 / 256}).model.name.cells
    names = ("given exact, surname exact", "given variant, surname exact")
    assert common[names[0]].weight == pytest.approx(common[names[1]].weight)
    assert common[names[0]].weight > np.log2(m[exact] / u[exact]) + 0.1
    assert rare[names[0]].weight > rare[names[1]].weight + 0.5


@given(st.integers(0, 200), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
@settings(max_examples=examples(15), deadline=None)
def test_every_model_that_is_told_at_a_rarity_is_one(seed: int, given_share: float, surname_share: float) -> None:
    fitted, model = fit_of(seed)
    rare = {"given": given_share, "surname": surname_share, "extra_job": given_share, "postcode": surname_share}
    found = model_at(fitted, model, rare).model
    weights = {name: cell.weight for name, cell in found.name.cells.items()}
    assert weights["given exact, surname exact"] >= weights["given variant, surname exact"] - 1e-9
    assert found.address["same_premises"].weight >= found.address["same_postcode"].weight - 1e-9
    assert sum(level.u for level in found.address.values()) == pytest.approx(1.0)
