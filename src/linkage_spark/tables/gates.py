"""What each run measured of itself, so that the next one can be held against it."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import DATE, DOUBLE, STRING

RUN_METRIC = TableContract(
    name="run_metric",
    row="One figure of one good run.",
    key=("run_id", "measure", "part"),
    fields=(
        Field("run_id", STRING, "The run.", required=True),
        Field("run_day", DATE, "Day that it was for.", required=True),
        Field("measure", STRING, "What was measured (Measure).", required=True),
        Field(
            "part",
            STRING,
            "Of which part, such as a source and table, a lane and tier; '' of the whole.",
            required=True,
        ),
        Field("value", DOUBLE, "The figure; its unit is the measure's.", required=True),
    ),
)
