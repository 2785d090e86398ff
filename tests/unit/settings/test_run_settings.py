"""Settings: every faulty key is named, and a run without an authority does not start."""

from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording

CONF = Path(__file__).resolve().parents[3] / "conf"


def test_shipped_local_settings_are_valid() -> None:
    settings = load_settings(CONF, "local")
    assert settings.identity.lawful_basis_reference.startswith("DEMO")
    assert len(settings.fingerprint) == 64


def test_shipped_cluster_settings_refuse_to_start_without_lawful_basis_and_key_file() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(CONF, "cluster")
    assert "identity.lawful_basis_reference" in str(caught.value)
    assert "secret.hmac_key_file" in str(caught.value)


def test_every_unknown_key_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(CONF, "local", {"screening": {"modle_id": "x"}, "gate": {}})
    assert "unknown key 'screening.modle_id'" in str(caught.value)
    assert "unknown key 'gate'" in str(caught.value)


def test_unknown_environment_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="no environment 'prod'; known are cluster, local"):
        load_settings(CONF, "prod")


def test_what_decides_results_changes_the_fingerprint_and_a_gate_does_not() -> None:
    shipped = load_settings(CONF, "local").fingerprint
    assert load_settings(CONF, "local", {"screening": {"model_id": "other"}}).fingerprint != shipped
    assert load_settings(CONF, "local", {"gates": {"max_refused_share": 0.5}}).fingerprint == shipped


def test_forbidden_words_are_found_behind_underscores_and_case() -> None:
    wording = load_wording(CONF)
    assert wording.forbidden_in("RISK_SCORE of a person") == ["risk score"]
    assert wording.forbidden_in(wording.advisory) == []
    assert wording.forbidden_in(wording.coverage_caveat) == []
