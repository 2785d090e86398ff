"""Splink on the same standard tables: one backend, one size, in a process of its own. Started by bench.peers.

Settings as a practised user would write them: link_only, six blocking rules, five comparisons, term frequencies of
names, dates and postcodes. Splink makes no call to any network here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on

from bench.splink_backend import Backend

THRESHOLD = 0.95
"""Splink's own default cut: pairs at least so probable are counted as links."""
PAIRS_FOR_U = 5e6

RULES = (
    block_on("surname", "dob"),
    block_on("forename", "dob"),
    block_on("surname", "postcode"),
    block_on("dob", "postcode"),
    block_on("forename", "surname", "substr(dob, 1, 4)"),
    block_on("substr(forename, 1, 1)", "substr(surname, 1, 3)", "substr(dob, 1, 4)"),
)


def settings() -> SettingsCreator:
    """What Splink compares and blocks on."""
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=list(RULES),
        comparisons=[
            cl.NameComparison("forename").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("dob", input_is_string=True).configure(term_frequency_adjustments=True),
            cl.PostcodeComparison("postcode").configure(term_frequency_adjustments=True),
            cl.ExactMatch("premises"),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def train(backend: Backend, tables: list[Path]) -> Linker:
    """Estimate the model on the tables themselves, as the documentation recommends."""
    linker = backend.linker(tables, settings())
    deterministic: list[Any] = [block_on("forename", "surname", "dob"), block_on("surname", "dob", "postcode")]
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=PAIRS_FOR_U, seed=1)
    for rule in (block_on("dob"), block_on("surname", "postcode")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def measure(backend: Backend, tables: list[Path], repeats: int, kept: Path) -> dict[str, Any]:
    """Train and predict once, keep the model; then predict alone with it, each time from empty caches."""
    began = time.monotonic()
    linker = train(backend, tables)
    trained = time.monotonic() - began
    predicted = linker.inference.predict()
    pairs = backend.count(predicted)
    whole = time.monotonic() - began
    links = backend.count(predicted, f"match_probability >= {THRESHOLD}")
    model = linker.misc.save_model_to_json()
    kept.write_text(json.dumps(model), encoding="utf-8")
    seconds = [_seconds(lambda: _predict(backend, tables, model)) for _ in range(repeats)]
    return {
        "with_training_seconds": round(whole, 1),
        "training_seconds": round(trained, 1),
        "predict_seconds": {
            "median": round(statistics.median(seconds), 1),
            "least": round(min(seconds), 1),
            "most": round(max(seconds), 1),
        },
        "pairs": pairs,
        "links_at_0_95": links,
    }


def measure_cold(backend: Backend, tables: list[Path], model: dict[str, Any]) -> dict[str, Any]:
    """Predict once with a given model, the first thing this process does after its start."""
    return {"predict_cold_seconds": round(_seconds(lambda: _predict(backend, tables, model)), 1)}


def _predict(backend: Backend, tables: list[Path], model: dict[str, Any]) -> int:
    """Read, predict, count."""
    return backend.count(backend.linker(tables, model).inference.predict())


def _seconds(work: Callable[[], int]) -> float:
    """Wall time of one call."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="peer_splink", description=__doc__)
    parser.add_argument("--backend", choices=("duckdb", "spark"), required=True)
    parser.add_argument("--tables", type=Path, required=True, help="folder with roster and history in Parquet")
    parser.add_argument("--model", type=Path, required=True, help="file the trained model is kept in")
    parser.add_argument("--cold", action="store_true", help="only predict once, with the model that is there")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--result", type=Path, required=True, help="JSON file to write")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linkage_bench.") as work:
        backend = Backend(asked.backend, Path(work))
        tables = [asked.tables / side for side in ("roster", "history")]
        if asked.cold:
            found = measure_cold(backend, tables, json.loads(asked.model.read_text(encoding="utf-8")))
        else:
            found = measure(backend, tables, asked.repeats, asked.model)
    asked.result.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
