"""The settings of a run: who answers for it, which model, which limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from linkage_spark.errors import SettingsError
from linkage_spark.settings.files import Frozen, merge, read_toml, validate


class Identity(Frozen):
    """Under which authority the run processes personal data."""

    lawful_basis_reference: str

    @field_validator("lawful_basis_reference")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("is empty; enter the force's reference of the lawful basis and the DPIA")
        return value


class Screening(Frozen):
    """How employees are screened.

    Attributes:
        model_id: the model.
        needs_approval: a model takes another one's place only once it was tried in shadow and somebody has approved it by name;
            and every mapped police source needs a canary.
    """

    model_id: str
    needs_approval: bool


class Secret(Frozen):
    """Where the key of all stored hashes lies. A relative path lies under the output root."""

    hmac_key_file: str

    @field_validator("hmac_key_file")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("is empty; name the file that holds the key, readable by the job's user alone")
        return value


class Publish(Frozen):
    """How the star is written."""

    files_per_table: int = Field(ge=1, le=200)


class AlertBudget(Frozen):
    """Most hits and location hits of one lane and tier that may come or change in one day; more stop the run."""

    conduct_match: int = Field(ge=0)
    conduct_possible: int = Field(ge=0)
    welfare_match: int = Field(ge=0)
    welfare_possible: int = Field(ge=0)
    triage_match: int = Field(ge=0)
    triage_possible: int = Field(ge=0)
    triage_location: int = Field(ge=0)


class Gates(Frozen):
    """Limits that stop a run before it publishes.

    Attributes:
        max_refused_share: of any feed's rows.
        max_links_per_employee: links shown per screened employee.
        runs_before: so many earlier runs a run's figures are held against, by their median.
        max_fall: share by which the rows of a table, or the links of a tier, may fall below it.
        max_rise: share by which they may rise above it.
        max_refused_rise: how far the refused share of a feed may rise above it, a share of 1.
        max_event_age_days: oldest that a source's latest event may be.
        max_feed_age_days: longest that a feed, the roster's too, may not have been written to.
        max_days_without_news: longest that no run may have found anything new in the feeds; then ``status`` ends with an error.
        min_times_changed, max_times_changed: a day's changed records against the median day; judged once there are three days. Fewer
            pass where two of the days looked back on brought as few.
        max_filled_fall: how far the share of a source's new records that state a date of birth, or an address, may fall below the median
            run's, a share of 1.
        max_times_candidates: candidate pairs per changed record against the median run; judged once there are three days.
        most_changed_units: changed persons, events and parts that one day takes; more of them are for a backfill.
        max_weight_shift_bits: how far the quantiles of the links' weights may move.
        max_times_cluster: largest component and number of nominals of ten records and more, against the median.
        alert_budget: most new hits of a day.
    """

    max_refused_share: float = Field(ge=0, le=1)
    max_links_per_employee: float = Field(gt=0)
    runs_before: int = Field(ge=1)
    max_fall: float = Field(ge=0, le=1)
    max_rise: float = Field(ge=0)
    max_refused_rise: float = Field(ge=0, le=1)
    max_event_age_days: int = Field(ge=0)
    max_feed_age_days: int = Field(ge=0)
    max_days_without_news: int = Field(ge=0)
    min_times_changed: float = Field(ge=0, le=1)
    max_times_changed: float = Field(ge=1)
    max_filled_fall: float = Field(ge=0, le=1)
    max_times_candidates: float = Field(ge=1)
    most_changed_units: int = Field(ge=1)
    max_weight_shift_bits: float = Field(ge=0)
    max_times_cluster: float = Field(ge=1)
    alert_budget: AlertBudget


class Baseline(Frozen):
    """Days up to which the evidence of a lane counts as known; None: that of the first run. A day before the one in force changes nothing."""

    conduct: date | None = None
    welfare: date | None = None
    triage: date | None = None


class KeptFor(Frozen):
    """Days for which what no longer holds is kept, of one purpose, by why it went. 0: until the next run of retention.

    Attributes:
        record_withdrawn: the source has taken the record back.
        left_roster: the employee has left.
        superseded: anything else went (amended, another model, other software); and what was shown before of what still holds.
    """

    record_withdrawn: int = Field(ge=0)
    left_roster: int = Field(ge=0)
    superseded: int = Field(ge=0)


class Retention(Frozen):
    """How long what no longer holds is kept, in days.

    Attributes:
        table_days: superseded versions of tables, with their files and log entries; an earlier day can be scored again for so long.
        published_days: snapshots that readers no longer see, and reports.
        due_every_days: longest that the job retain may not have come to its end; then ``status`` ends with an error.
        law_enforcement, public_task: links and hits, by the purpose that they were processed for.
    """

    table_days: int = Field(ge=1)
    published_days: int = Field(ge=1)
    due_every_days: int = Field(ge=1)
    law_enforcement: KeptFor
    public_task: KeptFor


class Lock(Frozen):
    """When a lock counts as left behind, in hours."""

    stale_after_hours: float = Field(gt=0)


class Evaluation(Frozen):
    """Limits that the job evaluate ends with an error for, after it has written its report.

    Attributes:
        max_tradition_gap: how far recall of a naming tradition may lie below the best one's, a share of 1.
        max_tradition_precision_gap: the same of precision.
        min_tradition_links: least number of links of a group that is judged.
    """

    max_tradition_gap: float = Field(ge=0, le=1)
    max_tradition_precision_gap: float = Field(ge=0, le=1)
    min_tradition_links: int = Field(ge=1)


class NominalSettings(Frozen):
    """How police person records are joined.

    Attributes:
        model_id: the model under conf/models.
        engine: who finds connected components.
        driver_edges: most accepted edges that 'auto' brings to the driver.
        max_records, max_path, bridge_bits: limits of one person's cluster (``nominals.guard.GuardLimits``).
        max_bearers: a verified PNC or CRO number on more records joins none of them.
        quarantine_records: components with more records are not looked into and wait for a reviewer.
    """

    model_id: str
    engine: Literal["auto", "driver", "graphframes"]
    driver_edges: int = Field(ge=0)
    max_records: int = Field(ge=1)
    max_path: int = Field(ge=1)
    bridge_bits: float
    max_bearers: int = Field(ge=2)
    quarantine_records: int = Field(ge=3)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings that decide which records join; who finds the components does not."""
        decides = self.model_dump(exclude={"engine", "driver_edges"})
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


class Settings(Frozen):
    """Everything a run may be told, besides its paths."""

    identity: Identity
    screening: Screening
    secret: Secret
    publish: Publish
    gates: Gates
    baseline: Baseline = Baseline()
    retention: Retention
    lock: Lock
    evaluation: Evaluation
    nominals: NominalSettings

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings that decide results; they hold the name of the key's file, never the key.

        Settings of the nominals have one of their own. Gates, retention, lock, the number of files and the limits of the evaluation decide whether and how a result is
        published and judged, not what it is, so a run that a gate stopped goes on where it stopped when the gate is changed.
        """
        decides = self.model_dump(include={"identity": True, "screening": {"model_id"}, "secret": True})
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def load_settings(conf_dir: Path, env: str, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read ``settings/base.toml``, the environment's file over it, and ``overrides`` over both.

    Args:
        conf_dir: the ``conf`` folder.
        env: ``local`` or ``cluster``: the file beside ``base.toml``.
        overrides: nested tables as they would stand in a file.

    Raises:
        SettingsError: names the file and every faulty key.
    """
    folder = conf_dir / "settings"
    if not (folder / f"{env}.toml").is_file():
        known = sorted(path.stem for path in folder.glob("*.toml") if path.stem != "base")
        raise SettingsError(f"conf/settings: no environment '{env}'; known are {', '.join(known)}")
    values = merge(read_toml(folder / "base.toml"), read_toml(folder / f"{env}.toml"))
    return validate(Settings, merge(values, overrides or {}), source=f"conf/settings/{env}.toml over base.toml")
