from __future__ import annotations

from linkage_spark.report.console import WIDTH, summary
from tests.unit.report import made_up


def test_summary_fits_the_terminal_and_holds_every_section() -> None:
    text = summary(made_up.figures(), report_path="/out/reports/r/report.html")
    tables = ("STAGES", "PERSONS PER SOURCE", "CANDIDATE PAIRS", "HITS BY", "EXPECTED FALSE", "ACCURACY")
    assert [name for name in tables if name not in text] == []
    assert max(map(len, text.splitlines())) <= WIDTH + 10
    assert text.startswith(made_up.ADVISORY)
    assert text.rstrip().endswith("/out/reports/r/report.html")


def test_pairs_kept_at_their_first_rule_add_up() -> None:
    figures = made_up.figures(with_accuracy=False)
    text = summary(figures, report_path="")
    assert f"{sum(row['pairs_first'] for row in figures['rules']):,}" in text
    assert "ACCURACY" not in text


def test_rows_read_are_kept_or_refused() -> None:
    text = summary(made_up.figures(), report_path="")
    roster = next(line for line in text.splitlines() if line.startswith("HR roster"))
    assert roster.split()[2:6] == ["13,412", "13,377", "35", "35"]


def test_columns_line_up() -> None:
    lines = summary(made_up.figures(), report_path="").splitlines()
    start = lines.index("HITS BY LANE, EVENT, ROLE AND TIER")
    heads, rows = lines[start + 1], lines[start + 3 : start + 13]
    assert {len(row) for row in rows} == {len(heads)}


def test_the_summary_says_what_records_carry_where_links_were_lost_and_what_is_expected() -> None:
    figures = made_up.figures()
    figures["expectation"] = made_up.expectation(truth_was_there=True)
    text = summary(figures, report_path="")
    heads = ("WHAT THE RECORDS CARRY", "WHERE TRUE LINKS WERE LOST", "GAPS BETWEEN", "WHAT EACH PART IS WORTH")
    assert [head for head in heads if head not in text] == []
    assert "Out of 13,000 people we expect to find 4,341" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= WIDTH + 10
