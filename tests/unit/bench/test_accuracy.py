"""What make accuracy does before and after the jobs: the truth is kept apart, and the page says what the figures say."""

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from bench.accuracy.cells import table
from bench.accuracy.force_page import force_parts
from bench.accuracy.keep import keep_force
from bench.accuracy.page import JSON, PEERS, _guard, compare, headline, main_text, page
from bench.accuracy.run import CASES, FILES, MAPPINGS, command, missing_files, split_truth, true_pairs
from linkage_spark.settings.mapping import load_mapping
from tests.unit.report import made_up

PEER = {"s": {"task": "a set", "measured_on": "clusters", "default_f1": 0.9, "ceiling_f1": 0.95, "aim_f1": 0.94}}


def febrl(*ids):
    rows = [[f" {text}" for text in (ref, "ann", "1804974")] for ref in ids]
    return pd.DataFrame(rows, columns=["rec_id", "given_name", "soc_sec_id"]).map(str.strip)


def test_a_febrl_file_loses_its_key_and_identity_number_and_records_of_one_number_are_one_entity():
    kept, truth = split_truth(febrl("rec-7-org", "rec-7-dup-0", "rec-70-org"), "febrl3")
    assert list(kept.columns) == ["ref", "given_name"]
    assert sorted(truth["entity"]) == ["7", "7", "70"]
    assert sorted(kept["ref"]) == list(kept["ref"]) == list(truth["ref"])
    assert not any("7" in name and name.startswith("rec") for name in kept["ref"])


def test_a_file_with_a_cluster_column_loses_it_and_the_names_that_tell_it():
    columns = ["unique_id", "cluster", "full_name", "first_and_surname", "first_name"]
    frame = pd.DataFrame([["Q1-1", "Q1", "sir x y", "x y", "x"], ["Q1-2", "Q1", "x", "x", "x"]], columns=columns)
    kept, truth = split_truth(frame, "historical_half")
    assert list(kept.columns) == ["ref", "first_name"]
    assert "Q1" not in kept.to_csv()
    assert list(truth["entity"]) == ["Q1", "Q1"]


def test_keys_that_are_not_unique_are_refused():
    with pytest.raises(SystemExit, match="not unique"):
        split_truth(febrl("rec-7-org", "rec-7-org"), "febrl3")


def test_true_pairs_of_two_files_are_all_pairs_of_one_entity():
    left = pd.DataFrame({"ref": ["a", "b", "c"], "entity": ["1", "2", "3"]})
    right = pd.DataFrame({"ref": ["x", "y", "z"], "entity": ["1", "1", "2"]})
    assert true_pairs(left, right).to_numpy().tolist() == [["a", "x"], ["a", "y"], ["b", "z"]]


def test_every_set_is_measured_trained_without_the_address_and_untrained():
    for row in {case.row for case in CASES}:
        assert {case.variant for case in CASES if case.row == row} == {"default", "no_place", "shipped"}
    assert set(tomllib.loads(PEERS.read_text())) == {case.row for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_has_a_mapping_that_fits_its_name_and_the_words_of_its_job(case):
    attributes = load_mapping(case.mapping, (MAPPINGS / f"{case.mapping}.toml").read_text()).attributes
    place = attributes & {"address", "locality", "postcode"}
    assert bool(place) == (case.variant != "no_place")
    words = command(case, Path("w"))
    assert ("--train" in words) == (case.variant != "shipped")
    assert ("--one-to-one" in words) == case.row.endswith("one_to_one")
    assert words[1] == ("link" if len(FILES[case.data]) == 2 else "dedupe")


def test_a_folder_that_is_not_named_or_lacks_a_file_is_said_in_a_sentence(tmp_path):
    assert "OPEN_DATA=DIR" in missing_files(None, CASES)
    (tmp_path / "febrl3.csv").touch()
    said = missing_files(tmp_path, CASES)
    assert "lacks fake_1000.csv, febrl4a.csv, febrl4b.csv, historical_half.parquet" in said
    assert missing_files(tmp_path, tuple(case for case in CASES if case.data == "febrl3")) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [(0.9954, 0.995, "equal"), (0.9956, 0.995, "better"), (0.9944, 0.995, "worse"), (None, 0.9, "not measured")],
)
def test_figures_are_compared_in_the_three_digits_of_the_peers(ours, theirs, word):
    assert compare(ours, theirs) == word


def clusters(f1, precision):
    shares = {"pairwise_f1": {"value": f1}, "pairwise_precision": {"value": precision}, "b_cubed_f1": 0.9}
    return {"cluster_truth": shares, "truth": {"default": {"f1": {"value": 0.99}, "precision": {"value": 1.0}}}}


def test_the_headline_of_dedupe_is_of_clusters_and_of_link_of_pairs():
    assert headline(clusters(0.8, 0.7), "clusters")["f1"] == 0.8
    assert headline(clusters(0.8, 0.7), "pairs")["f1"] == 0.99


def held(wrong, right, f1):
    return {
        "pairwise_precision": {"numerator": right, "denominator": right + wrong},
        "pairwise_f1": {"value": f1},
        "b_cubed_f1": 0.9,
    }


def test_what_the_guard_cut_stands_with_the_clusters_before_it_and_after_it():
    run = {
        "guard": {"linked_pairs_cut": {"dates_contradict": 12, "too_large": 1}},
        "cluster_truth_before_guard": held(40, 1000, 0.95),
        "cluster_truth": held(3, 990, 0.96),
    }
    said, written = _guard({"s.default": run, "s.shipped": {"cluster_truth": held(1, 2, 0.5)}}, PEER)
    assert "before it → after it" in said
    assert written.splitlines()[2:] == [
        "| a set | trained | 13 | dates contradict 12, too large 1 | 40 → 3 | 1,000 → 990 | 0.9500 → 0.9600 | 0.9000 |"
    ]
    assert _guard({"s.shipped": {"cluster_truth": held(1, 2, 0.5)}}, PEER) == []


def test_a_page_without_figures_says_so_and_marks_nothing_as_met():
    text = page({"force": None, "sets": {}}, PEER, "")
    assert "Not measured yet" in text
    assert "- a set: not measured" in text
    assert "Every aim is met" not in text


def test_numbers_stand_with_thousands_and_what_is_not_there_is_a_dash():
    assert table(["a", "b"], [[1234, None]]).splitlines()[2] == "| 1,234 | – |"


def test_the_page_is_what_the_figures_make_of_it_and_holds_no_path():
    assert JSON.with_suffix(".md").read_text(encoding="utf-8") == main_text(JSON)
    text = json.dumps(json.loads(JSON.read_text(encoding="utf-8")))
    assert "/tmp" not in text
    assert "/home" not in text
    assert "/work" not in text


def test_what_evaluate_found_of_a_force_is_kept_and_said():
    figures = made_up.figures()
    figures["expectation"] = made_up.expectation(truth_was_there=True)
    kept = keep_force(json.loads(json.dumps(figures)))
    text = "\n\n".join(force_parts(kept))
    assert "in tier match, of true links that carry match" in text
    assert "Out of 13,000 people we expect to find 4,341" in text
    assert "266 of them falsely" in text
    assert "no household or context: match+possible" in text
    assert "25 to 34" in text
    assert "recall: south asian" in text
    assert "held back: contradiction" in text
    assert force_parts(
        {name: kept[name] for name in ("screening", "scopes", "model_id", "model_fingerprint", "code_version")}
    )
