"""The shipped model of an analyst's person files: what it becomes depends on which columns are mapped."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linkage_spark.errors import SettingsError
from linkage_spark.model.schema import EXTRA_PREFIX, Model, Probabilities, Rule

EVERY_PAIR = Rule(id="every_pair", parts=("everyone",))
"""The one rule of a file that is small enough to compare whole."""

MOST_RULES = 62
"""A rule is one bit of a signed 64-bit mask."""

PLACE_KINDS: Mapping[str, Literal["code", "house", "street", "text"]] = {
    "place_postcode": "code",
    "place_house": "house",
    "place_street": "street",
    "place_locality": "text",
}
"""How the parts of a place that is no British address are compared."""

EXTRA_KINDS: Mapping[str, Literal["text", "exact"]] = {"text": "text", "exact": "exact"}

_EXTRA = "{extra}"
_EXACT = "exact"


class FileRule(BaseModel):
    """A blocking rule that is used where everything it reads is mapped.

    Attributes:
        id: name of the rule.
        parts: names of the key parts that must agree; ``{extra}`` stands for each free-text column of the analyst's own.
        refine: second keys in order of preference; the first that is mapped is taken.
        broad: the rule is left out where no second key is mapped: its heavy keys would propose too much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    parts: tuple[str, ...] = Field(min_length=1)
    refine: tuple[str, ...] = ()
    broad: bool = False


class PersonFileModel(BaseModel):
    """``conf/models/person_files_v1.toml``: probabilities by attribute and kind, and the rules to choose from.

    Attributes:
        id: name of the model; the file's name.
        provenance: how each number was obtained.
        matches_per_record: expected partners per record of the smaller file (link), or duplicates per record (dedupe).
        part_needs: what must be mapped for each key part: name, given_names, surname, date_of_birth, premises, postcode …
        rules: blocking rules.
        kinds: probabilities of further attributes by kind.
        tables: everything else of a model, as in a model of the force.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    provenance: Mapping[str, str]
    key_cap: int = Field(gt=0)
    matches_per_record: float = Field(gt=0, le=1)
    part_needs: Mapping[str, str]
    rules: tuple[FileRule, ...] = Field(min_length=1)
    kinds: Mapping[str, Mapping[str, Probabilities]]
    tables: Mapping[str, Any]

    def model_for(
        self,
        *,
        mapped: frozenset[str],
        further: Mapping[str, str],
        expected_matches: float,
        pairs: float,
        whole: bool,
    ) -> Model:
        """The model for one mapping.

        Args:
            mapped: what is mapped: of name, given_names, surname, date_of_birth, address, premises, postcode, town.
            further: further columns with their kind.
            expected_matches: matches to expect among all pairs before looking.
            pairs: pairs in the whole space.
            whole: compare every pair.

        Raises:
            SettingsError: no blocking rule is left for what is mapped.
        """
        rules = (EVERY_PAIR,) if whole else self.rules_for(mapped, further)[:MOST_RULES]
        if not rules:
            raise SettingsError(
                "these files are too large to compare every pair, and no blocking rule can be used on what is mapped: "
                "map both parts of the name, a date of birth or a postcode, on both sides"
            )
        share = expected_matches / pairs
        content = {
            **self.tables,
            "id": self.id,
            "prior_bits": math.log2(share / (1 - share)),
            "key_cap": self.key_cap,
            "rules": [rule.model_dump() for rule in rules],
            "further": {
                name: {"kind": kind, "levels": {at: p.model_dump() for at, p in self.kinds[kind].items()}}
                for name, kind in further.items()
            },
        }
        try:
            return Model.model_validate(dict(content, provenance=dict(self.provenance)))
        except ValidationError as error:
            raise SettingsError(f"model file {self.id}.toml: {_faults(error)}") from error

    def rules_for(self, mapped: frozenset[str], further: Mapping[str, str]) -> tuple[Rule, ...]:
        """The rules of which every part is mapped, in order; ``model_for`` takes the first MOST_RULES."""
        known = mapped | frozenset(further)

        def usable(part: str) -> bool:
            return self.part_needs.get(part, part.partition(":")[0]) in known

        found: list[Rule] = []
        for rule in self.rules:
            for name, parts in _expanded(rule, further):
                refine = next((part for part in rule.refine if usable(part) and part not in parts), "")
                if all(usable(part) for part in parts) and (refine or not rule.broad):
                    found.append(Rule(id=name, parts=parts, refine=refine))
        return tuple(found)


def coarsen_further(model: Model, agreement: Mapping[str, float], *, matched: float) -> tuple[Model, tuple[str, ...]]:
    """The model with further attributes of few values weighed by how often they agree by chance.

    Where random pairs agree on a column more often than the model's u of 'exact', u becomes (1 - t) u + t m of
    every level, with t such that u of 'exact' is what was counted, at most m: all weights shrink towards nothing
    and keep their order. Pairs of one person agree, too: as many as there can be are taken off what was counted, so that
    a column of many values keeps its u.

    Args:
        model: the shipped model for a mapping.
        agreement: further column -> share of all pairs that agree on it (``linkage.frequencies.count_agreement``).
        matched: the greatest share of all pairs that may be of one person.

    Returns:
        The model, and the columns that were changed, in order.
    """
    further, changed = dict(model.further), []
    for name, attribute in model.further.items():
        exact = attribute.levels[_EXACT]
        chance = min(max(agreement.get(name, 0.0) - matched, exact.u), exact.m)
        if chance <= exact.u:
            continue
        part = (chance - exact.u) / (exact.m - exact.u)
        levels = {
            level: at.model_copy(update={"u": (1.0 - part) * at.u + part * at.m})
            for level, at in attribute.levels.items()
        }
        further[name] = attribute.model_copy(update={"levels": levels})
        changed.append(name)
    return model.model_copy(update={"further": further}) if changed else model, tuple(changed)


def load_person_file_model(conf_dir: Path | str, model_id: str) -> PersonFileModel:
    """Read and validate ``<conf_dir>/models/<model_id>.toml``.

    Raises:
        SettingsError: the file is missing, is no TOML, or a key is unknown, missing or wrong.
    """
    path = Path(conf_dir) / "models" / f"{model_id}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return PersonFileModel.model_validate(content)
    except FileNotFoundError as error:
        raise SettingsError(f"model {model_id}: no file {path.name} in the folder models of the settings") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"model file {path.name}: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"model file {path.name}: {_faults(error)}") from error


def _expanded(rule: FileRule, further: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """The rule's id and parts; once for each free-text column where it says {extra}."""
    if not any(_EXTRA in part for part in rule.parts):
        return [(rule.id, rule.parts)]
    names = [name for name, kind in further.items() if name.startswith(EXTRA_PREFIX) and kind == "text"]
    return [
        (f"{rule.id}:{name.removeprefix(EXTRA_PREFIX)}", tuple(part.replace(_EXTRA, name) for part in rule.parts))
        for name in names
    ]


def _faults(error: ValidationError) -> str:
    """Every fault with its key."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'model'}: {e['msg']}" for e in error.errors())
