"""The model of person files follows from what is mapped and from nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.errors import SettingsError
from linkage_spark.linkage.keys import key_parts
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import PLACE_KINDS, coarsen_further, load_person_file_model
from linkage_spark.model.schema import FURTHER_LEVELS, Model
from tests.support.examples import examples

CONF = Path(__file__).resolve().parents[3] / "conf"
SHIPPED = load_person_file_model(CONF, "person_files_v1")
NAMES = frozenset(("name", "given_names", "surname"))
BRITISH = NAMES | {"date_of_birth", "address", "premises", "postcode", "town"}
DATES = {"date", "year", "year_month", "month_day"}


def model_for(mapped: frozenset[str], further: dict[str, str] | None = None, *, whole: bool = False) -> Model:
    return SHIPPED.model_for(
        mapped=mapped, further=further or {}, expected_matches=500.0, pairs=1_000_000.0, whole=whole
    )


def rules(mapped: frozenset[str], further: dict[str, str] | None = None) -> dict[str, tuple[tuple[str, ...], str]]:
    return {rule.id: (rule.parts, rule.refine) for rule in model_for(mapped, further).rules}


def test_names_alone_leave_a_surname_with_an_initial_and_a_forename_with_one() -> None:
    # All other rules read a date or a place, or are broad and have no second key without one.
    assert rules(NAMES) == {
        "surname": (("surname_sound",), "given_initial"),
        "given": (("given_sound",), "surname_initial"),
    }


def test_a_full_british_mapping_has_these_rules_and_second_keys() -> None:
    found = rules(BRITISH)
    assert list(found) == [
        "premises",
        "house_street",
        "sounds",
        "date",
        "starts",
        "ends",
        "surname_year",
        "given_year",
        "surname_month_day",
        "given_month_day",
        "month_day",
        "year_month",
        "postcode",
        "surname_district",
        "given_district",
        "year_district",
        "surname",
        "given",
        "given_as_surname",
        "surname_as_given",
        "surname_town",
        "given_town",
        "street_year",
    ]
    assert found["sounds"] == (("sounds",), "year")
    assert found["surname_district"] == (("surname_sound", "district"), "year")


def test_without_a_date_of_birth_no_rule_reads_one_and_the_next_second_key_is_taken() -> None:
    found = rules(BRITISH - {"date_of_birth"})
    assert not [name for name, (parts, refine) in found.items() if DATES & {*parts, refine}]
    assert found["sounds"] == (("sounds",), "district")
    assert found["surname_district"] == (("surname_sound", "district"), "given_initial")
    assert "date" not in found


def test_dates_alone_still_give_a_rule_without_a_second_key() -> None:
    assert rules(frozenset(("date_of_birth",))) == {"date": (("date",), "")}


def test_extra_stands_for_free_text_only() -> None:
    found = rules(NAMES, {"extra_job": "text", "extra_sex": "exact", "extra_club": "text"})
    assert {name: parts for name, (parts, _) in found.items() if "extra" in name} == {
        "extra:job": ("extra_job",),
        "extra:club": ("extra_club",),
        "extra_surname:job": ("extra_job", "surname_sound"),
        "extra_surname:club": ("extra_club", "surname_sound"),
        "extra_given:job": ("extra_job", "given_sound"),
        "extra_given:club": ("extra_club", "given_sound"),
    }
    assert not [name for name, (parts, refine) in found.items() if "extra_sex" in (*parts, refine)]


def test_a_part_of_a_place_that_is_no_british_address_has_its_own_rules() -> None:
    found = rules(NAMES | {"date_of_birth"}, {"place_street": "street"})
    assert {name for name in found if name.startswith("place")} == {
        "place_street",
        "place_street_year",
        "place_street_surname",
        "place_street_given",
    }
    assert found["place_street_year"] == (("place_street:word", "year"), "initials")


def test_a_small_file_is_compared_whole_by_one_rule() -> None:
    model = model_for(frozenset(), {"extra_job": "text"}, whole=True)
    assert [(rule.id, rule.parts, rule.refine) for rule in model.rules] == [("every_pair", ("everyone",), "")]
    assert list(model.further) == ["extra_job"]


def test_nothing_to_block_on_is_said() -> None:
    with pytest.raises(SettingsError, match="map both parts of the name, a date of birth or a postcode"):
        model_for(frozenset(("town",)))


def test_the_prior_is_the_log_odds_of_the_expected_share() -> None:
    assert model_for(NAMES).prior_bits == pytest.approx(math.log2(0.0005 / 0.9995))


MAPPED = st.frozensets(st.sampled_from(sorted(BRITISH)))
FURTHER = st.dictionaries(st.sampled_from(["extra_a", "extra_b", *PLACE_KINDS]), st.just(""), max_size=4).map(
    lambda names: {name: PLACE_KINDS.get(name, "text" if name == "extra_a" else "exact") for name in names}
)


@settings(max_examples=examples(80), deadline=None)
@given(MAPPED, FURTHER)
def test_every_rule_of_any_mapping_reads_what_is_mapped_and_no_broad_one_lacks_a_second_key(
    mapped: frozenset[str], further: dict[str, str]
) -> None:
    try:
        model = model_for(mapped, further)
    except SettingsError:
        return
    needs = dict(SHIPPED.part_needs)
    broad = {rule.id for rule in SHIPPED.rules if rule.broad}
    for rule in model.rules:
        for part in (*rule.parts, *([rule.refine] if rule.refine else [])):
            assert needs.get(part, part.split(":")[0]) in mapped | set(further), (rule.id, part)
        assert rule.refine not in rule.parts
        if rule.id in broad or rule.id.startswith("extra_a"):
            assert rule.refine, rule.id
    # Every part is one that blocking knows, and the model of each mapping is valid as a whole.
    assert key_parts(model)
    assert list(model.further) == list(further)


@given(st.sampled_from(["postcode", "dob", "surname_2", "year", "sister", "zzz"]))
def test_the_name_of_a_column_decides_nothing(name: str) -> None:
    one, other = (model_for(NAMES, {f"extra_{at}": "text"}) for at in ("job", name))
    renamed = one.model_dump_json().replace("extra_job", f"extra_{name}").replace(":job", f":{name}")
    assert renamed == other.model_dump_json()


def test_every_kind_has_every_level() -> None:
    assert {kind: set(levels) for kind, levels in SHIPPED.kinds.items()} == {
        kind: set(levels) for kind, levels in FURTHER_LEVELS.items()
    }


def test_a_column_named_like_two_others_still_has_a_model() -> None:
    assert model_for(NAMES, {"extra_job": "text", "extra_surname_job": "text"}).rules


def test_every_unknown_key_of_a_model_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    text = (CONF / "models" / "person_files_v1.toml").read_text(encoding="utf-8")
    wrong = text.replace("key_cap = 200", "key_cap = 0\nkey_cup = 3").replace("broad = true", "brood = true", 1)
    (tmp_path / "models" / "wrong.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_person_file_model(tmp_path, "wrong")
    for key in ("key_cap", "key_cup", "rules.1.brood"):
        assert key in str(caught.value)
    assert "wrong.toml" in str(caught.value)


def test_a_missing_and_a_broken_model_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(SettingsError, match="absent"):
        load_person_file_model(tmp_path, "absent")
    (tmp_path / "models" / "broken.toml").write_text("id = ", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"broken\.toml"):
        load_person_file_model(tmp_path, "broken")


def test_an_unknown_key_inside_the_tables_is_named_when_the_model_is_made() -> None:
    tables = {**SHIPPED.tables, "limits": {**SHIPPED.tables["limits"], "rarest": 1}}
    wrong = SHIPPED.model_copy(update={"tables": tables})
    with pytest.raises(SettingsError, match=r"limits\.rarest"):
        wrong.model_for(mapped=NAMES, further={}, expected_matches=5.0, pairs=100.0, whole=True)


# ---- the shipped frequencies ---------------------------------------------------------------------------------


def test_the_shipped_frequencies_are_surnames_only_and_shares() -> None:
    found = Frequencies.shipped(CONF, "person_files_v1")
    assert set(found.by_attribute) == {"surname"}
    surname = found.of("surname")
    assert surname is not None
    assert len(surname.shares) == 500
    assert surname.share("smith") > surname.share("khan") > surname.rare_share > 0
    assert sum(surname.shares.values()) < 1
    assert surname.share("featherstonehaugh") == surname.rare_share


def test_shipped_frequencies_read_shares_and_skip_the_header(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "m.frequencies.csv"
    path.write_text(
        "# source\nattribute,value,bearers,share\nsurname,smith,12,0.5\nsurname,,12,0.01\n", encoding="utf-8"
    )
    found = Frequencies.shipped(tmp_path, "m").of("surname")
    assert found is not None
    assert found.shares == {"smith": 0.5}
    assert found.rare_share == 0.01
    assert found.records == pytest.approx(24)


def test_missing_and_broken_frequencies_are_named_without_a_value(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(SettingsError, match=r"m\.frequencies\.csv"):
        Frequencies.shipped(tmp_path, "m")
    for text in (
        "attribute,value,share\nsurname,zzqxv,0.5\n",
        "attribute,value,bearers,share\nsurname,zzqxv,many,0.5\n",
    ):
        (tmp_path / "models" / "m.frequencies.csv").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"m\.frequencies\.csv") as caught:
            Frequencies.shipped(tmp_path, "m")
        assert "zzqxv" not in str(caught.value)


@pytest.mark.parametrize("kind", ["text", "exact", "code", "house", "street"])
@given(share=st.floats(min_value=0.0, max_value=1.0))
@settings(max_examples=examples(30))
def test_a_column_of_few_values_weighs_what_chance_leaves_it_and_never_less_than_nothing(
    kind: str, share: float
) -> None:
    before = model_for(BRITISH, {"extra_team": kind, "extra_job": "text"})
    after, changed = coarsen_further(before, {"extra_team": share}, matched=0.0)
    old, new = before.further["extra_team"].levels, after.further["extra_team"].levels
    assert after.further["extra_job"] == before.further["extra_job"]
    assert changed == (("extra_team",) if share > old["exact"].u else ())
    assert math.isclose(new["exact"].u, max(min(share, old["exact"].m), old["exact"].u), rel_tol=1e-9)
    assert math.isclose(sum(at.u for at in new.values()), sum(at.u for at in old.values()), rel_tol=1e-9)
    assert -1e-9 <= new["exact"].weight <= old["exact"].weight + 1e-9
    assert all(abs(new[level].weight) <= abs(old[level].weight) + 1e-9 for level in new)
    assert all(new[level].m == old[level].m for level in new)
    assert Model.model_validate(after.model_dump()) == after


@pytest.mark.parametrize("kind", ["text", "exact", "code", "house", "street"])
@pytest.mark.parametrize("records", [20, 500, 5_000])
def test_a_column_of_unique_values_keeps_its_weight_however_small_the_files(kind: str, records: int) -> None:
    # Two files of the same people: every one agrees with itself, which is 1 pair in so many as there are records.
    before = model_for(BRITISH, {"extra_team": kind})
    after, changed = coarsen_further(before, {"extra_team": 1 / records}, matched=1 / records)
    assert (after, changed) == (before, ())
