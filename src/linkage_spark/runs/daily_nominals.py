"""Nominals as a part of a daily run: changed records compared with all, the rest made anew, published with the day's hits in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from linkage_spark.linkage.keys import is_symmetric
from linkage_spark.model.schema import Model
from linkage_spark.runs.checkpoints import Checkpoints
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.daily_stages import changed_persons
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.main_stages import MainRun
from linkage_spark.runs.manifest import GoodRun, code_version
from linkage_spark.runs.models import find_model
from linkage_spark.runs.nominal_publishing import what_nominals_add
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.nominals import (
    STAGES,
    Former,
    former_nominals,
    frozen_versions,
    next_no,
    nominals_made_from,
    refuse_edited_model,
)
from linkage_spark.runs.publishing import Added
from linkage_spark.runs.stages import run_stage
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import RunKind
from linkage_spark.tables.nominals import NOMINAL_PAIR, NOMINALS, PERSON_JUDGEMENT


@dataclass(frozen=True)
class NominalPart:
    """The nominals of an estate that has some.

    Attributes:
        former: the last run that made nominals.
        of_model: the last one of the model that makes them now.
        judged_at: version of PERSON_JUDGEMENT; None where there is no such table.
        model: the model that makes them now.
    """

    former: Former
    of_model: Former | None
    judged_at: int | None
    model: Model

    def is_as_it_was(self, run: RunContext, good: GoodRun) -> bool:
        """Nothing that decides the nominals has changed since they were made."""
        return bool(self.former.figures["made_from"] == self.made_from(run, good))

    def made_from(self, run: RunContext, good: GoodRun) -> str:
        """One SHA-256 over all that decides them, of nominals on the tables of a run."""
        return nominals_made_from(own_run(run), good, self.judged_at)

    @property
    def pinned(self) -> dict[str, int]:
        """Version of each of their tables, as the run left it that made them last."""
        made = self.former.good.versions
        return {table.name: made[table.name] for table in NOMINALS if table.name in made}

    def stands_on(self, good: GoodRun) -> bool:
        """They were made of the person records that the last good run left. Where retention carried older ones over, it left out their pairs."""
        versions = self.former.good.versions
        return NOMINAL_PAIR.name in versions and versions[PERSON.name] == good.versions[PERSON.name]

    def carried_over(
        self,
        run: RunContext,
        good: GoodRun,
        versions: Mapping[str, int],
        *,
        as_they_were: bool,
        judged_at: int | None,
    ) -> dict[str, Any]:
        """Their figures in the row of a run that made none, and wrote tables anew.

        Args:
            run: that run.
            good: the good run before it.
            versions: of all tables, as that run leaves them.
            as_they_were: nothing that decides them has changed since they were made, nor does this run change it.
            judged_at: version of PERSON_JUDGEMENT as that run leaves it, with no word that came in since; None where there is no such table.
        """
        figures = dict(self.former.figures)
        if as_they_were:
            now = replace(self, judged_at=judged_at)
            figures["made_from"] = now.made_from(run, replace(good, versions=dict(versions)))
        return {**figures, "run_id": run.run_id}

    def _is_known(self, good: GoodRun) -> bool:
        """The pairs of the former run are those of the records that the day stands on: only those that changed need a comparison."""
        former, of_model = self.former, self.of_model
        return (
            of_model is not None
            and of_model.good.run_id == former.good.run_id
            and former.figures["code_version"] == code_version()
            and self.stands_on(good)
            and is_symmetric(self.model)
        )

    def make(self, main: MainRun, good: GoodRun) -> MadeNominals:
        """All stages, on the tables of the day.

        Raises:
            LinkageError: a stage or its check failed.
        """
        run = own_run(main.run)
        day = replace(good, versions=main.versions, made_from=main.inputs)
        made_from = self.made_from(main.run, day)
        today = run.day.isoformat()
        saved, _ = Checkpoints.open(
            run.files, run.work, run_id=run.run_id, fingerprint=made_from, day=today, refuse=run.refuse_unless_held
        )
        is_known = self._is_known(good)
        state = NominalRun(
            run=run,
            good=day,
            saved=saved,
            former=self.former.good,
            run_no=next_no(self.former),
            judged_at_version=self.judged_at,
            frozen=frozen_versions(self.of_model),
            changed=changed_persons(main) if is_known else None,
        )
        run.progress.say("nominals:")
        for name, work in STAGES.items():
            run_stage(run.progress, saved, name, partial(work, state))
        return MadeNominals(state=state, made_from=made_from)


@dataclass(frozen=True)
class MadeNominals:
    """Nominals that are made and not yet published."""

    state: NominalRun
    made_from: str

    @property
    def versions(self) -> dict[str, int]:
        """What RUN pins of them."""
        judged = self.state.judged_at_version
        said = {} if judged is None else {PERSON_JUDGEMENT.name: judged}
        return {**self.state.saved.versions, **said}

    def add(self, finished_at: datetime) -> Added:
        """What they add to the snapshot."""
        return what_nominals_add(self.state, finished_at, made_from=self.made_from)


def nominal_part(run: RunContext) -> NominalPart | None:
    """The nominals of an estate; None where the job nominals has never run.

    Raises:
        SettingsError: their model was edited under its id.
    """
    former = former_nominals(run.store)
    if former is None:
        return None
    own = own_run(run)
    of_model = former_nominals(run.store, own.model.id)
    refuse_edited_model(own, of_model)
    return NominalPart(former=former, of_model=of_model, judged_at=run.store.version(PERSON_JUDGEMENT), model=own.model)


def own_run(run: RunContext) -> RunContext:
    """The run as the stages of the nominals see it: their model, and a work folder of their own."""
    model = find_model(conf_dir(), run.store, run.settings.nominals.model_id)
    return replace(run, kind=RunKind.NOMINALS, model=model)
