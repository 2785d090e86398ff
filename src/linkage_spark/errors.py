"""Every error of this package, classed by what the caller can do about it.

One root. Each class carries the exit code that a job ends with, so that a scheduler can tell a
typing mistake from bad data and from a run that must not be published. Messages name the source,
the column or the row's key and the remedy; they never carry a person's value.
"""

from __future__ import annotations

from collections.abc import Sequence


class LinkageError(Exception):
    """Root of all errors raised on purpose. Exit code 1: look at the log."""

    exit_code = 1


class UsageError(LinkageError):
    """The command line is wrong. Exit code 2: correct the arguments."""

    exit_code = 2


class SettingsError(LinkageError):
    """A settings, source-mapping or model file is wrong. Exit code 2: correct the file it names."""

    exit_code = 2


class SourceError(LinkageError):
    """A feed does not fit its mapping. Exit code 3: mend the feed or the mapping.

    Args:
        faults: one sentence per fault, each naming source, column or key, and the remedy. All
            faults that could be found are reported at once.
    """

    exit_code = 3

    def __init__(self, faults: Sequence[str] | str) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class FeedNotThereError(SourceError):
    """There is no such feed. One that its mapping does not require may be missing; one that is there and cannot be read may not."""


class ContractError(LinkageError):
    """A table does not have the shape its contract states. Exit code 1: a defect of this code."""


class GateError(LinkageError):
    """A run's results failed a check before publishing, or an evaluation its limits; nothing was published. Exit code 4."""

    exit_code = 4


class LockError(LinkageError):
    """Another run holds the lock. Exit code 5: wait, or see who holds it."""

    exit_code = 5


def gathered(errors: Sequence[LinkageError]) -> LinkageError:
    """Several errors as one: of the first one's class, with the sentences of all, each once.

    Args:
        errors: at least one.
    """
    sentences = [line for error in errors for line in str(error).split("\n")]
    return type(errors[0])("\n".join(dict.fromkeys(sentences)))


class StaleError(LinkageError):
    """What readers see is older than it should be, the newest run failed, or retention is overdue. Exit code 6: look at that run."""

    exit_code = 6
