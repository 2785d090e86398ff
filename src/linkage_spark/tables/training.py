"""Models learnt from the force's own records: the parameters, and what is frozen with them under one id."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.linkage import FREQUENCY, REFINED_KEY
from linkage_spark.tables.types import BOOLEAN, LONG, STRING, TIMESTAMP

TRAINED_MODEL = TableContract(
    name="trained_model",
    row="One model learnt from the force's own records, never changed; a setting puts it into use.",
    key=("model_id",),
    fields=(
        Field("model_id", STRING, "Name of the model, as screening.model_id in conf/settings names it.", required=True),
        Field("base_model_id", STRING, "The shipped model that it started from.", required=True),
        Field("fingerprint", STRING, "SHA-256 of the model's content, as RUN keeps it.", required=True),
        Field(
            "content_json", STRING, "The model as conf/models would hold it: rules, levels, thresholds.", required=True
        ),
        Field(
            "is_weak",
            BOOLEAN,
            "True when its probabilities are weak, or the shipped ones were kept because the estimate could not be used.",
            required=True,
        ),
        Field(
            "figures_json", STRING, "How the estimate went: starts, rounds, classes, levels, reasons.", required=True
        ),
        Field("run_id", STRING, "The training run.", required=True),
        Field("person_version", LONG, "Version of the table person that it learnt from.", required=True),
        Field("trained_at", TIMESTAMP, "End of the training, UTC.", required=True),
    ),
)

TRAINED_FREQUENCY = TableContract(
    name="trained_frequency",
    row="One value's frequency as a trained model weighs it, a person's own copies taken off.",
    key=FREQUENCY.key,
    fields=FREQUENCY.fields,
)

TRAINED_REFINED_KEY = TableContract(
    name="trained_refined_key",
    row="One heavy key that takes a second key under a trained model.",
    key=REFINED_KEY.key,
    fields=REFINED_KEY.fields,
)

TRAINING: tuple[TableContract, ...] = (TRAINED_MODEL, TRAINED_FREQUENCY, TRAINED_REFINED_KEY)
