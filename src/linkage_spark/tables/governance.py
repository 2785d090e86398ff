"""What was removed, when and why, and who put which model into use: logs that name no data subject."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import DATE, INT, LONG, STRING, TIMESTAMP

REMOVAL = TableContract(
    name="removal",
    row="What one run of retention removed from one place for one reason; never of whom. A run that stands in no row of RUN was cut off: its rows stand again, or went with a later run, but for reviewers' words, which may be gone; its files are gone.",
    key=("run_id", "kind", "part", "reason"),
    fields=(
        Field(
            "run_id",
            STRING,
            "The run; of files the attempt of retention since whose beginning they are gone.",
            required=True,
        ),
        Field("run_day", DATE, "The day that it was for.", required=True),
        Field("removed_at", TIMESTAMP, "When, UTC.", required=True),
        Field("kind", STRING, "RemovalKind.", required=True),
        Field("part", STRING, "The table, or the run whose snapshot or report it was.", required=True),
        Field("reason", STRING, "RemovalReason.", required=True),
        Field("rows", LONG, "Rows that no longer stand there; 0 for files.", required=True),
        Field("files", LONG, "Files deleted; 0 for rows.", required=True),
        Field("bytes", LONG, "Their length.", required=True),
        Field(
            "reference",
            STRING,
            "The case that asked for it; null when its period was over, and of files that were gone before a run for another case, or for none, came to tell of them.",
        ),
    ),
)

MODEL_TRIAL = TableContract(
    name="model_trial",
    row="One trial of a model in shadow: what readers would have seen of the last good run's records, beside what they see.",
    key=("run_id",),
    fields=(
        Field("run_id", STRING, "The trial.", required=True),
        Field("model_id", STRING, "The model that was tried.", required=True),
        Field("model_fingerprint", STRING, "SHA-256 of what it was.", required=True),
        Field("against_model_id", STRING, "The model in use.", required=True),
        Field("against_run_id", STRING, "The run whose records and hits it was held against.", required=True),
        Field("tried_at", TIMESTAMP, "End of the trial, UTC.", required=True),
        Field("hits_now", INT, "Hits of the model in use.", required=True),
        Field("hits_then", INT, "Hits that the tried model gives.", required=True),
        Field("gained", INT, "Of these, hits that the model in use does not give.", required=True),
        Field("lost", INT, "Hits of the model in use that the tried one does not give.", required=True),
        Field("changed", INT, "Hits of both in another tier.", required=True),
    ),
)

MODEL_APPROVAL = TableContract(
    name="model_approval",
    row="One word that a tried model may be put into use. Rows are added, never changed.",
    key=("model_id", "approved_at"),
    fields=(
        Field("model_id", STRING, "The model.", required=True),
        Field(
            "model_fingerprint",
            STRING,
            "SHA-256 of what was tried; another content needs another trial.",
            required=True,
        ),
        Field("trial_run_id", STRING, "The trial whose report was read.", required=True),
        Field("approver", STRING, "Who approved it, by name or post.", required=True),
        Field("reference", STRING, "Minute or decision in which it is recorded.", required=True),
        Field("approved_at", TIMESTAMP, "When, UTC.", required=True),
    ),
)
