"""The nominals' part of the page of benchmarks."""

from __future__ import annotations

from typing import Any

from bench.markdown import table


def nominal_parts(sizes: dict[str, Any]) -> list[str]:
    """Seconds, memory and accuracy of the job nominals, by size."""
    return [
        "## Nominals",
        "`scripts/submit.sh nominals` on a copy of the backfilled estate: every police person record against every other, "
        "components, guard, ids, portraits, alerts, snapshot. The first stage starts when session and settings are there.",
        _whole(sizes),
        _growth(sizes),
        "Seconds per stage:",
        _stages(sizes),
        *_judged(sizes),
    ]


def _judged(sizes: dict[str, Any]) -> list[str]:
    """Accuracy of the sizes that were held against their truth; which were not."""
    judged = {size: run for size, run in sizes.items() if "accuracy" in run}
    timed = [head for head, run in zip(_heads(sizes), sizes.values(), strict=True) if "accuracy" not in run]
    found = ["Against the truth, after the guard:", _accuracy(judged)] if judged else []
    return [*found, f"Timed alone: {' and '.join(timed)} records."] if timed else found


def _heads(sizes: dict[str, Any]) -> list[str]:
    return [f"{int(size):,}" for size in sizes]


def _whole(sizes: dict[str, Any]) -> str:
    """The job as a whole."""
    runs = list(sizes.values())
    rows: list[list[Any]] = [
        ["seconds", *[run["seconds"] for run in runs]],
        ["of these from the first stage on", *[run["seconds_from_first_stage"] for run in runs]],
        ["processor seconds, all processes", *[run["cpu_seconds"] for run in runs]],
        ["other programs on this machine, processor seconds meanwhile", *[run["others_cpu_seconds"] for run in runs]],
        ["candidate pairs", *[run["candidate_pairs"] for run in runs]],
        ["accepted edges", *[run["edges"] for run in runs]],
        ["components", *[run["components"] for run in runs]],
        ["records in the largest", *[run["largest_component"] for run in runs]],
        ["edges cut", *[sum(run["cuts"].values()) for run in runs]],
        ["peak memory of all processes, MB", *[run["peak_memory_mb"] for run in runs]],
        ["of these Java, MB", *[run["peak_memory_mb_by_program"].get("java") for run in runs]],
        ["of these Python, driver and workers, MB", *[run["peak_memory_mb_by_program"].get("python") for run in runs]],
    ]
    return table(["police person records", *_heads(sizes)], rows)


def _growth(sizes: dict[str, Any]) -> str:
    """One to three million."""
    if not {"1000000", "3000000"} <= set(sizes):
        return ""
    one, three = sizes["1000000"], sizes["3000000"]
    wall, processor = (three[name] / one[name] for name in ("seconds_from_first_stage", "cpu_seconds"))
    return (
        f"From 1 to 3 million records the time from the first stage on grows {wall:.2f}-fold, processor time {processor:.2f}-fold, "
        f"candidate pairs {three['candidate_pairs'] / one['candidate_pairs']:.2f}-fold. Other programs took "
        f"{one['others_cpu_seconds']:.0f} and {three['others_cpu_seconds']:.0f} processor seconds meanwhile; the code was that of commits "
        f"{one['versions']['commit'][:7]} and {three['versions']['commit'][:7]} (see the end of this page)."
    )


def _stages(sizes: dict[str, Any]) -> str:
    """Seconds by stage and size."""
    by_size = [{stage["stage"]: stage["seconds"] for stage in run["stages"]} for run in sizes.values()]
    names = list(dict.fromkeys(name for stages in by_size for name in stages))
    return table(["stage", *_heads(sizes)], [[name, *[stages.get(name) for stages in by_size]] for name in names])


def _accuracy(sizes: dict[str, Any]) -> str:
    """Pairs, B-cubed and wrong joins by size."""
    after = [run["accuracy"]["after"] for run in sizes.values()]
    before = [run["accuracy"]["before"] for run in sizes.values()]
    rows: list[list[Any]] = [
        ["joined pairs that are of one person", *[_of(one["whole"]["pairwise_precision"]) for one in after]],
        ["the same before the guard", *[_of(one["whole"]["pairwise_precision"]) for one in before]],
        ["B-cubed F1 within what the joining rule permits", *[_share(one["permitted"]["b_cubed_f1"]) for one in after]],
        ["B-cubed F1 against every true person", *[_share(one["whole"]["b_cubed_f1"]) for one in after]],
        ["people in a nominal with somebody else", *[_of(one["over_merged"]["persons"]) for one in after]],
        [
            "nominals of two people whose dates of birth no level explains",
            *[one["over_merged"]["contradicting_nominals"] for one in after],
        ],
        [
            "pairs of twins joined",
            *[f"{one['over_merged']['twins_joined']:,} of {one['over_merged']['twin_pairs']:,}" for one in after],
        ],
    ]
    return table(["police person records", *_heads(sizes)], rows)


def _of(told: dict[str, Any]) -> str:
    """Counts and the share."""
    return f"{told['numerator']:,} of {told['denominator']:,}"


def _share(value: float) -> str:
    return f"{value:.4f}"
