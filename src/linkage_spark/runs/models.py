"""Where a model comes from: a file of ``conf/models``, or the table of models learnt from the force's own records."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import ContractError, SettingsError
from linkage_spark.kit.contract import TableContract
from linkage_spark.model.schema import Model, load_model
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.training import TRAINED_MODEL


def is_shipped(conf: Path, model_id: str) -> bool:
    """A file of ``conf/models`` has this name."""
    return (conf / "models" / f"{model_id}.toml").is_file()


def find_model(conf: Path, store: DeltaStore, model_id: str) -> Model:
    """The shipped model of this id, else the trained one.

    Raises:
        SettingsError: there is neither, or the file is faulty; names the trained models that there are.
        ContractError: the stored content is not what was stored.
    """
    if is_shipped(conf, model_id):
        return load_model(conf, model_id)
    rows = {row["model_id"]: row for row in _rows(store)}
    if model_id not in rows:
        raise SettingsError(
            f"screening.model_id = '{model_id}': no file {model_id}.toml in conf/models, and no trained model of this name; "
            f"trained are: {', '.join(sorted(rows)) or 'none (jobs/train.py makes one)'}"
        )
    return _checked(rows[model_id])


def is_trained(store: DeltaStore, model_id: str) -> bool:
    """The table of trained models has this id."""
    return any(row["model_id"] == model_id for row in _rows(store))


def frozen_with(store: DeltaStore, contract: TableContract, model_id: str) -> DataFrame:
    """The rows that were frozen with a trained model; no row where there were none."""
    return store.read(contract).where(F.col("model_id") == model_id)


def _rows(store: DeltaStore) -> list[dict[str, str]]:
    """All trained models: a few rows."""
    if not store.exists(TRAINED_MODEL):
        return []
    columns = ("model_id", "fingerprint", "content_json")
    return [row.asDict() for row in store.read(TRAINED_MODEL).select(*columns).collect()]


def _checked(row: dict[str, str]) -> Model:
    """The model of a row.

    Raises:
        ContractError: the content was changed, or an older version of this software wrote it.
    """
    name = f"table {TRAINED_MODEL.name}: model {row['model_id']}"
    try:
        model = Model.model_validate(json.loads(row["content_json"]))
    except ValidationError as error:
        places = "; ".join(".".join(map(str, fault["loc"])) or "model" for fault in error.errors())
        raise ContractError(f"{name} does not fit this version ({places}); train again under a new id") from error
    if model.fingerprint != row["fingerprint"]:
        raise ContractError(f"{name} was changed after it was trained; train again under a new id")
    return model
