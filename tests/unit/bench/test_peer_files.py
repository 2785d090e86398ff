"""The whole job on a file beside Splink's: from which line to which it counts, what its clusters are worth, what the page says."""

import copy

import pandas as pd
import pytest

pytest.importorskip("psutil", reason="psutil is installed by scripts/setup.sh bench")

from bench.accuracy.run import command
from bench.files_page import files_parts
from bench.peer_files import CASES, judged, ratios, whole_job
from bench.process import Watched

TRUTH = pd.DataFrame({"ref": list("abcde"), "entity": ["1", "1", "1", "2", "3"]})


def clusters(*labels):
    return pd.DataFrame({"ref": list("abcde"), "cluster_id": list(labels)})


def test_the_job_counts_from_its_first_stage_to_its_last_line_and_what_it_says_before_does_not_count():
    lines = [
        (90.0, "WARNING: something of Java's"),
        (100.0, "[    0.0 s] read files …"),
        (103.0, "[    3.0 s] read files done: rows of file 9, 3.0 s"),
        (103.0, "[    3.0 s] write …"),
        (104.5, "[    4.5 s] write done: 1.5 s"),
        (107.0, "done"),
    ]
    assert whole_job(Watched(lines=lines)) == {"seconds": 7.0, "steps": {"read files": 3.0, "write": 1.5}}


def test_a_job_without_a_stage_is_no_figure():
    with pytest.raises(SystemExit, match="no stage"):
        whole_job(Watched(lines=[(1.0, "nothing")]))


def test_of_pairs_in_one_cluster_the_true_ones_are_counted_and_of_true_pairs_those_in_one_cluster():
    # Together stand ab and cd, of which ab is true; true are ab, ac, bc.
    found = judged(clusters("x", "x", "y", "y", "z"), TRUTH)
    assert found["clusters"] == 3
    assert (found["pairwise_precision"], found["pairwise_recall"], found["pairwise_f1"]) == (0.5, 0.333333, 0.4)


def test_clusters_like_the_entities_are_right_whatever_they_are_called():
    found = judged(clusters("q", "q", "q", "r", "s"), TRUTH)
    assert (found["pairwise_precision"], found["pairwise_recall"], found["clusters"]) == (1.0, 1.0, 3)


def test_a_record_without_a_cluster_is_no_figure():
    with pytest.raises(SystemExit, match="same records"):
        judged(clusters("q", "q", "q", "r", "s").head(4), TRUTH)


def test_both_cases_are_run_trained_and_without_the_truth(tmp_path):
    assert list(CASES) == ["historical_half", "historical_half_text"]
    for case in CASES.values():
        words = command(case, tmp_path, measured=False)
        assert "--train" in words
        assert "--truth" not in words
        assert "--truth" in command(case, tmp_path)


RUN = {
    "seconds": 40.0,
    "steps": {"train": 30.0, "predict": 6.0, "cluster": 4.0},
    "process_seconds": 50.0,
    "cpu_seconds": 90.0,
    "others_cpu_seconds": 5.0,
    "peak_memory_mb": 2000,
    "pairs": 1234,
    "clusters": 7,
    "pairwise_precision": 0.9,
    "pairwise_recall": 0.8,
    "pairwise_f1": 0.8471,
}


def figures(*, ours, others=5.0):
    ways = {way: copy.deepcopy(RUN) for way in ("ours", "splink_spark", "splink_duckdb")}
    ways["ours"] |= {"seconds": ours, "steps": {"read files": 1.0}, "others_cpu_seconds": others}
    ways["splink_duckdb"]["seconds"] = 4.0
    case = {**ways, "ours_in_parts_of": ratios(ways), "measured_on": "2026-11-22", "versions": {"splink": "5"}}
    scale = {"master": "local[2]", "records": 25085}
    return {"machine": {"cpu": "a cpu", "cores": 2}, "scale": scale, "cases": {"historical_half": case}}


def test_ours_is_told_in_parts_of_each_of_splinks_engines_and_the_aim_is_reached_below_a_fifth_only():
    assert ratios(figures(ours=8.0)["cases"]["historical_half"]) == {"splink_spark": 0.2, "splink_duckdb": 2.0}
    said = {ours: "\n".join(files_parts(figures(ours=ours))) for ours in (7.9, 8.0)}
    assert "0.198 of Splink's time on Spark (aim: less than 0.20, reached)" in said[7.9]
    assert "0.200 of Splink's time on Spark (aim: less than 0.20, missed) and 2.0 times that on DuckDB" in said[8.0]


def test_the_page_says_when_the_machine_was_busy():
    assert "The machine was busy: other programs took up to 1.5 of its 2 cores" in "\n".join(
        files_parts(figures(ours=8.0, others=75.0))
    )
    assert "Other programs took at most 0.1 of a core." in "\n".join(files_parts(figures(ours=8.0)))


def test_without_the_texts_splink_neither_compares_nor_blocks_on_them():
    pytest.importorskip("splink", reason="splink is installed by scripts/setup.sh bench")
    from bench.peer_splink_dedupe import TEXTS, settings

    told = {texts: settings(texts=texts).get_settings("duckdb").as_dict() for texts in (True, False)}
    assert all(column in str(told[True]) for column in TEXTS)
    assert not any(column in str(told[False]) for column in TEXTS)
    rules = {texts: len(told[texts]["blocking_rules_to_generate_predictions"]) for texts in told}
    assert rules == {True: 10, False: 9}
