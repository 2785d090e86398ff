"""A trained model is found by its id, and is what was stored; nothing else takes its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linkage_spark.errors import ContractError, SettingsError
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.schema import Model, load_model
from linkage_spark.runs.models import find_model, frozen_with, is_trained
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.training import TRAINED_FREQUENCY, TRAINED_MODEL
from tests.support.feeds import CONF

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHIPPED = load_model(CONF, "screening_v1")


def trained(name: str) -> Model:
    return Model.model_validate({**SHIPPED.model_dump(mode="json"), "id": name, "doubts": ["few matches"]})


def kept(store: DeltaStore, model: Model, **changed: object) -> None:
    row = {
        "model_id": model.id,
        "base_model_id": SHIPPED.id,
        "fingerprint": model.fingerprint,
        "content_json": json.dumps(model.model_dump(mode="json", exclude_unset=True)),
        "is_weak": True,
        "figures_json": "{}",
        "run_id": "20261121T080000Z-train",
        "person_version": 1,
        "trained_at": datetime(2026, 11, 21, 8, tzinfo=UTC),
        **changed,
    }
    values = [tuple(row[name] for name in TRAINED_MODEL.names)]
    store.append(TRAINED_MODEL, local_frame(store.spark, values, schema=TRAINED_MODEL.schema))


def test_a_model_comes_from_its_file_else_from_the_table_and_else_is_told_by_name(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = DeltaStore(spark, str(tmp_path / "root"))
    assert find_model(CONF, store, SHIPPED.id) == SHIPPED
    with pytest.raises(SettingsError, match="trained are: none"):
        find_model(CONF, store, "screening_here")
    kept(store, trained("screening_here"))
    found = find_model(CONF, store, "screening_here")
    assert found.fingerprint == trained("screening_here").fingerprint
    assert found.doubts == ("few matches",)
    assert is_trained(store, "screening_here")
    assert not is_trained(store, "screening_there")
    with pytest.raises(SettingsError, match="trained are: screening_here"):
        find_model(CONF, store, "screening_there")


def test_content_that_was_changed_or_does_not_fit_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    store = DeltaStore(spark, str(tmp_path / "root"))
    model = trained("screening_here")
    content = model.model_dump(mode="json", exclude_unset=True)
    kept(store, model, content_json=json.dumps({**content, "prior_bits": -1.0}))
    kept(store, trained("screening_old"), content_json=json.dumps({"id": "screening_old"}))
    with pytest.raises(ContractError, match="was changed after it was trained"):
        find_model(CONF, store, "screening_here")
    with pytest.raises(ContractError, match="does not fit this version"):
        find_model(CONF, store, "screening_old")


def test_what_is_frozen_with_a_model_is_its_own(spark: SparkSession, tmp_path: Path) -> None:
    store = DeltaStore(spark, str(tmp_path / "root"))
    rows = [("one", "given", "adam", 12, 0.1), ("two", "given", "sara", 20, 0.2)]
    store.append(TRAINED_FREQUENCY, local_frame(spark, rows, schema=TRAINED_FREQUENCY.schema))
    assert [row.value for row in frozen_with(store, TRAINED_FREQUENCY, "two").collect()] == ["sara"]
