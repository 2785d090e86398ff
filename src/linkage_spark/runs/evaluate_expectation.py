"""What a run's own probabilities say of it: people and pairs, whatever the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame

from linkage_spark.evaluation.clerical import count_strata
from linkage_spark.evaluation.expectation import expected_figures
from linkage_spark.evaluation.expected import match_probability
from linkage_spark.evaluation.figures import ExpectationFigures
from linkage_spark.evaluation.people import count_people, is_shown, people_figures
from linkage_spark.runs.progress import Progress


def expect_without_truth(
    links: DataFrame, figures: Mapping[str, Any], *, truth_was_there: bool, progress: Progress
) -> ExpectationFigures:
    """The committee's sentence and the figures behind it. Two small counts; no truth is looked at.

    A link that a reviewer negated is neither expected to be right nor missed: nobody sees it, and somebody has looked.

    Args:
        links: LINK of all scored pairs, all tiers, without those that reviewers had negated.
        figures: the run's own figures; reads ``screening``.
        truth_was_there: what the report says of it.
        progress: names the action.
    """
    screening = figures["screening"]
    with progress.stage("expect without truth") as stage:
        strata = count_strata(
            links.select("tier", match_probability().alias("match_probability")), shown=is_shown()
        ).collect()
        (row,) = count_people(links).collect()
        stage.counts["pairs"] = sum(int(stratum["pairs"]) for stratum in strata)
    return {
        "truth_was_there": truth_was_there,
        "people": people_figures(
            row.asDict(), employees=screening["employees"], not_screened=screening["employees"] - screening["screened"]
        ),
        "links": expected_figures(stratum.asDict() for stratum in strata),
    }
