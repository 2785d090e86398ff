"""Splink on one person file: train, predict, cluster, in a process of its own. Started by bench.peer_files.

What is compared, blocked on and trained is what Splink's authors publish for this very file: the example "Linking a
dataset of real historical persons", docs/demos/examples/duckdb/deduplicate_50k_synthetic of Splink's repository (its
version for Splink 5), with two changes in Splink's favour and one for repeating it: columns that serve charts alone are
not kept, no chart is drawn, and the sample has a seed. Without the texts, birth place and occupation go, and with them
the rule that needs one. Splink makes no call to any network here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on

from bench.splink_backend import Backend

THRESHOLD = 0.95
"""The example's cut for clusters; Splink's own default too."""
PAIRS_FOR_U = 1e7
EXPECTED_RECALL = 0.6
"""What the example supposes its deterministic rules to find."""

WHOLE_NAME = "first_name_surname_concat"
ADDED = f"first_name || ' ' || surname as {WHOLE_NAME}"
"""The column that term frequencies of whole names need."""
TEXTS = ("birth_place", "occupation")

RULES = (
    ("substr(first_name,1,3)", "substr(surname,1,4)"),
    ("surname", "dob"),
    ("first_name", "dob"),
    ("postcode_fake", "first_name"),
    ("postcode_fake", "surname"),
    ("dob", "birth_place"),
    ("substr(postcode_fake,1,3)", "dob"),
    ("substr(postcode_fake,1,3)", "first_name"),
    ("substr(postcode_fake,1,3)", "surname"),
    ("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
)
SURE_RULES = (
    ("first_name", "surname", "dob"),
    ("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
    ("dob", "postcode_fake"),
)
TRAINED_ON = (("first_name", "surname"), ("dob",))


def settings(*, texts: bool) -> SettingsCreator:
    """What Splink compares and blocks on."""
    name = cl.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name=WHOLE_NAME)
    comparisons = [name, cl.DateOfBirthComparison("dob", input_is_string=True), cl.PostcodeComparison("postcode_fake")]
    if texts:
        comparisons += [cl.ExactMatch(column).configure(term_frequency_adjustments=True) for column in TEXTS]
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="ref",
        blocking_rules_to_generate_predictions=[
            block_on(*rule) for rule in RULES if texts or not set(rule) & set(TEXTS)
        ],
        comparisons=comparisons,
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def train(linker: Linker) -> None:
    """Estimate the model on the file itself, step by step as the example does."""
    sure: list[Any] = [block_on(*rule) for rule in SURE_RULES]
    linker.training.estimate_probability_two_random_records_match(sure, recall=EXPECTED_RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=PAIRS_FOR_U, seed=1)
    for rule in TRAINED_ON:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), estimate_without_term_frequencies=True
        )


def measure(backend: Backend, path: Path, members: Path, *, texts: bool) -> dict[str, Any]:
    """The whole way once, each step to its end, and what came of it.

    Args:
        backend: an engine, ready.
        path: the file.
        members: new folder for every record's cluster.
        texts: with birth place and occupation.
    """
    steps: dict[str, float] = {}
    began = time.monotonic()
    with _timed(steps, "train"):
        linker = backend.linker([path], settings(texts=texts), added=ADDED)
        train(linker)
    with _timed(steps, "predict"):
        predicted = linker.inference.predict()
        pairs = backend.count(predicted)
    with _timed(steps, "cluster"):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=THRESHOLD
        )
        backend.write(clusters, ("ref", "cluster_id"), members)
    whole = time.monotonic() - began
    return {
        "seconds": round(whole, 1),
        "steps": {name: round(seconds, 1) for name, seconds in steps.items()},
        "pairs": pairs,
        "linked": backend.count(predicted, f"match_probability >= {THRESHOLD}"),
    }


@contextmanager
def _timed(steps: dict[str, float], name: str) -> Iterator[None]:
    """Wall time of one step."""
    began = time.monotonic()
    yield
    steps[name] = time.monotonic() - began


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(prog="peer_splink_dedupe", description=__doc__)
    parser.add_argument("--backend", choices=("duckdb", "spark"), required=True)
    parser.add_argument("--input", type=Path, required=True, help="the file, CSV with a header")
    parser.add_argument("--texts", action="store_true", help="with birth place and occupation")
    parser.add_argument("--members", type=Path, required=True, help="folder to make, with every record's cluster")
    parser.add_argument("--result", type=Path, required=True, help="JSON file to write")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linkage_bench.") as work:
        found = measure(Backend(asked.backend, Path(work)), asked.input, asked.members, texts=asked.texts)
    asked.result.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
