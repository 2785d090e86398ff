"""Progress lines: stage, counts, elapsed."""

import io

from linkage_spark.runs.progress import Progress, in_words


def test_a_stage_prints_its_start_and_its_end_with_counts() -> None:
    out = io.StringIO()
    progress = Progress(stream=out)
    with progress.stage("screen") as stage:
        stage.counts["candidate pairs"] = 12345
    first, last = out.getvalue().splitlines()
    assert first.endswith("screen …")
    assert "screen done: candidate pairs 12,345, " in last and last.endswith(" s")
    assert [s.name for s in progress.stages] == ["screen"]


def test_counts_in_words_of_nothing_is_empty() -> None:
    assert in_words({}) == ""
