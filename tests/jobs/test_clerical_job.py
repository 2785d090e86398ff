"""The job clerical as its users run it, on a small pairs.csv written by hand."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.errors import UsageError
from linkage_spark.runs.clerical import run_clerical
from tests.support.jobs import submit, table

HEADER = "ref_l,ref_r,match_weight,match_probability,linked,tier,explanation\n"
WEIGHTS = " Bits: prior -4.000, name +9.125; together +5.125."
STRATA = [("match", "0.9995", "true", 20), ("possible", "0.7", "true", 10), ("non_match", "0.1", "false", 30)]
METRICS = {"run": {"run_id": "20261121T080000Z-link", "kind": "link", "one_to_one": True}, "files": [{"records": 100}]}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def results(folder: Path, *, turned: bool = False) -> Path:
    """Sixty pairs in three strata; a link's refs are L7 and R7."""
    folder.mkdir()
    lines, no = [], 0
    for tier, probability, linked, number in STRATA:
        for _ in range(number):
            no += 1
            lines.append(f'L{no},R{no},1.0,{probability},{linked},{tier},"Names agree, in part.{WEIGHTS}"\n')
    (folder / "pairs.csv").write_text(HEADER + "".join(lines[::-1] if turned else lines))
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    root = tmp_path_factory.mktemp("clerical")
    folder, sample = results(root / "out"), root / "sample.csv"
    done = submit("clerical", "--results", folder, "--size", "24", "--out", sample)
    assert done.returncode == 0, said_by(done)
    return folder, sample, done.stdout


def said_by(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def number(row: dict[str, str]) -> int:
    return int(row["ref_l"][1:])


def filled(sample: Path) -> list[dict[str, str]]:
    """Every pair up to 20 is right, of the next ten the even ones are, and nobody can tell of pair 30; the rest is wrong."""
    rows = table(sample)
    for row in rows:
        no = number(row)
        yes = no <= 20 or (no <= 30 and no % 2 == 0)
        row["answer"] = "Cannot tell" if no == 30 else "yes" if yes else " NO "
    return rows


def test_the_sample_leads_nobody_and_the_draw_says_what_the_probabilities_expect(drawn: tuple[Path, Path, str]) -> None:
    folder, sample, said = drawn
    rows = table(sample)
    assert list(rows[0]) == ["ref_l", "ref_r", "stratum", "explanation", "answer"]
    assert len(rows) == 24
    assert {row["answer"] for row in rows} == {""}
    assert {row["explanation"] for row in rows} == {"Names agree, in part."}
    assert len({row["stratum"] for row in rows}) == 3
    assert not any(word in sample.read_text() for word in ("match", "possible", "shown", "0.9995", "0.7", "Bits"))
    changes = sum(one["stratum"] != other["stratum"] for one, other in itertools.pairwise(rows))
    assert changes >= 6
    # 20 · 0.0005 + 10 · 0.3 = 3.01 of 30 falsely; 30 · 0.1 = 3 missed.
    assert "Out of 100 people we expect to find 30, of whom 3 (" in said
    assert "falsely, and to miss 3 (" in said
    assert "This rests on the model's own probabilities alone; no pair was reviewed." in said
    assert {path.name for path in folder.iterdir()} == {"pairs.csv", "metrics.json"}


def test_answers_are_read_back_into_statement_figures_and_a_file(drawn: tuple[Path, Path, str], tmp_path: Path) -> None:
    folder, sample, _ = drawn
    rows = filled(sample)
    done = submit("clerical", "--results", folder, "--answers", write(tmp_path / "answers.csv", rows[::-1]))
    assert done.returncode == 0, said_by(done)
    figures = json.loads((folder / "clerical.json").read_text())
    middle = [row for row in rows if 20 < number(row) <= 30]
    yes = sum(row["answer"] == "yes" for row in middle)
    told = sum(row["answer"] != "Cannot tell" for row in middle)
    right = 20 + 10 * yes / told
    assert figures["reviewed"]["precision"]["value"] == pytest.approx(right / 30, abs=1e-6)
    assert figures["reviewed"]["missed_among_scored"]["value"] == 0.0
    assert figures["reviewed"]["missed_among_scored"]["high"] > 1
    assert figures["reviewed"]["sample"]["cannot_tell"] == len(middle) - told
    assert figures["results"] == {
        "run_id": METRICS["run"]["run_id"],
        "kind": "link",
        "people": 100,
        "counted": "people",
    }
    assert figures["statement"] in done.stdout
    assert "Out of 100 people we expect to find 30, of whom" in figures["statement"]
    assert "people reviewed" in figures["statement"]
    assert figures["advisory"] in done.stdout
    assert "precision" in done.stdout and "by the probabilities alone 0.8997" in done.stdout


def test_every_faulty_row_is_named_with_its_reason_and_nothing_is_written(
    drawn: tuple[Path, Path, str], tmp_path: Path
) -> None:
    folder, sample, _ = drawn
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rows = filled(sample)
    rows[0]["answer"], rows[1]["answer"], rows[2]["stratum"] = "", "surely Smithson", "S0"
    rows[3]["ref_r"] = "R999"
    rows.append(dict(rows[4]))
    done = submit("clerical", "--results", folder, "--answers", write(tmp_path / "answers.csv", rows))
    assert done.returncode == 3, said_by(done)
    for place, reason in (
        (0, "there is no answer"),
        (1, "the answer is none of yes, no, cannot tell"),
        (2, "its stratum is not that of pairs.csv as it is now"),
        (3, "the pair is not in pairs.csv"),
        (4, "the pair stands 2 times"),
        (24, "the pair stands 2 times"),
    ):
        row = rows[place]
        named = f"error: answers.csv: row {place + 1}, ref_l {row['ref_l']}, ref_r {row['ref_r']}: {reason}"
        assert named in said_by(done)
    assert said_by(done).count("error:") == 6
    assert "Smithson" not in said_by(done)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_row_taken_out_of_the_answers_is_missed_and_named(drawn: tuple[Path, Path, str], tmp_path: Path) -> None:
    folder, sample, _ = drawn
    rows = filled(sample)
    gone = [row for row in rows if number(row) > 30]
    done = submit(
        "clerical",
        "--results",
        folder,
        "--answers",
        write(tmp_path / "answers.csv", [row for row in rows if row not in gone]),
    )
    assert done.returncode == 3, said_by(done)
    named = [row for row in gone if f"ref_l {row['ref_l']}, ref_r {row['ref_r']}: the pair was drawn" in said_by(done)]
    assert len(named) == 2


def test_pairs_in_another_order_give_the_same_sample_and_one_that_is_there_is_not_written_over(
    drawn: tuple[Path, Path, str], tmp_path: Path
) -> None:
    _, sample, _ = drawn
    folder = results(tmp_path / "out", turned=True)
    done = submit("clerical", "--results", folder, "--size", "24", "--out", tmp_path / "sample.csv")
    assert done.returncode == 0, said_by(done)
    assert (tmp_path / "sample.csv").read_bytes() == sample.read_bytes()
    again = submit("clerical", "--results", folder, "--out", tmp_path / "sample.csv")
    assert again.returncode == 2, said_by(again)
    assert "the file is there already, and may hold answers" in said_by(again)
    assert (tmp_path / "sample.csv").read_bytes() == sample.read_bytes()


@pytest.mark.parametrize(
    "given", [{"out": None, "answers": None}, {"out": "s.csv", "answers": "a.csv"}, {"size": 9, "answers": "a.csv"}]
)
def test_arguments_that_do_not_fit_are_told_before_spark_starts(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give either --out"):
        run_clerical(**({"results": "nowhere", "size": None, "out": None, "answers": None} | given))


def test_a_folder_without_pairs_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    done = submit("clerical", "--results", tmp_path, "--out", tmp_path / "s.csv")
    assert done.returncode == 3
    assert "there is no pairs.csv" in said_by(done)
    assert list(tmp_path.iterdir()) == []
