from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from linkage_spark.report.console import summary
from linkage_spark.report.html import page
from tests.unit.report import made_up

VOID = {"meta", "br", "hr", "img", "link", "input"}
PAGE = page(made_up.figures(), examples=made_up.examples())


class Outline(HTMLParser):
    """Checks that elements close in order, and gathers ids and references."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _note(self, attrs: Any) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name in ("href", "xlink:href", "aria-labelledby"):
                self.targets.add(value.removeprefix("#"))
            self.targets.update(re.findall(r"url\(#([^)]+)\)", value or ""))


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


def test_page_is_well_formed_and_every_reference_stays_on_the_page() -> None:
    found = outline(PAGE)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)


def test_page_fetches_nothing_and_runs_nothing() -> None:
    found = outline(PAGE)
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"(?:https?:)?//[\w.]+|@import|url\((?!#)|\bon\w+=", PAGE) == []


def test_same_figures_give_the_same_bytes() -> None:
    assert page(made_up.figures(), examples=made_up.examples()) == PAGE


def test_advisory_stands_at_top_and_bottom_and_values_are_escaped() -> None:
    assert PAGE.count(made_up.ADVISORY) == 2
    assert made_up.CAVEAT not in PAGE
    assert PAGE.count(made_up.CAVEAT.replace("&", "&amp;")) == 2


def test_what_makes_a_models_probabilities_weak_stands_on_the_page_and_on_the_console() -> None:
    figures = made_up.figures()
    assert "probabilities are weak" not in PAGE + summary(figures, report_path="")
    figures["run"]["model_doubts"] = ["about 12 matches are expected"]
    for text in (page(figures), summary(figures, report_path="")):
        assert "The model’s probabilities are weak: about 12 matches are expected." in text


def test_a_sentence_cannot_bring_markup() -> None:
    example = {**made_up.examples()[0], "explanation": "<script>x</script>", "employee_id": "<b>E1</b>"}
    text = page(made_up.figures(), examples=[example])
    assert "<script>" not in text
    assert "<b>E1" not in text


def test_every_picture_has_a_text_for_those_who_do_not_see_it() -> None:
    pictures = re.findall(r"<svg[^>]*>", PAGE)
    assert len(pictures) == 6
    assert all('role="img"' in svg and re.search('aria-label="[^"]+"', svg) for svg in pictures)


def test_twelve_examples_with_their_sentences() -> None:
    rows = made_up.examples()
    assert len(rows) == 12
    assert all(row["hit_id"] not in PAGE and row["employee_id"] in PAGE for row in rows)
    assert PAGE.count(rows[0]["explanation"][:40]) == 12


def test_a_run_without_truth_hits_or_examples_still_has_a_page() -> None:
    figures = made_up.figures(with_accuracy=False)
    for section in (
        "hits",
        "hits_by_month",
        "location_hits",
        "tiers",
        "expected_false_links",
        "data_quality",
        "rules",
    ):
        figures[section] = []  # type: ignore[literal-required]
    text = page(figures, examples=[])
    assert outline(text).open == []
    assert "Accuracy against the truth" not in text
    assert "No example hits" in text


def test_what_evaluate_found_stands_on_the_page_in_tables() -> None:
    wanted = (
        "carried",
        "carried_tiers",
        "loss_by_stage",
        "loss_by_class",
        "gaps",
        "calibration",
        "ablation",
        "by_age_band",
        "by_event_type",
    )
    assert [name for name in wanted if f'id="table-{name}"' not in PAGE] == []


def test_costliest_errors_show_references_and_levels_and_values_only_when_asked() -> None:
    plain = page(made_up.figures(), costly=made_up.costly())
    asked = page(made_up.figures(), costly=made_up.costly(with_values=True))
    assert outline(plain).open == []
    assert 'id="table-costly_false"' in plain
    assert 'id="table-costly_lost"' in plain
    assert "N800400" in plain
    assert "date day month swap" in plain
    assert "planted" not in plain
    assert "zebedee, planted, 1980-3-14, 14 high street" in asked
    assert "costliest" not in PAGE


def test_the_committees_sentence_says_whether_a_truth_was_there() -> None:
    figures = made_up.figures(with_accuracy=False)
    figures["expectation"] = made_up.expectation(truth_was_there=False)
    text = page(figures)
    assert "Out of 13,000 people we expect to find 4,341, of whom 134" in text
    assert "nothing is said of them: 59 of the 13,000" in text
    assert "No truth was there" in text
    measured = made_up.figures()
    measured["expectation"] = made_up.expectation(truth_was_there=True)
    assert "No truth was there" not in page(measured)
    assert "by the truth" in page(measured)
