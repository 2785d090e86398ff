"""The compared pairs of an analyst's files, and what training and scoring ask of them. Frames in, frames out.

Two ways to the same answers (tests/flows/test_sent_pairs.py): small files go to every task, and their pairs are compared
once; of larger ones Spark joins the keys, and pairs are compared for each question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pyspark import Broadcast
from pyspark.sql import DataFrame

from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.linkage.sent_pairs import (
    SentFiles,
    count_compared,
    count_drawn,
    count_weights_sent,
    score_sent,
    sum_copies,
)
from linkage_spark.linkage.training.patterns import count_patterns, count_weights, expected_copies
from linkage_spark.linkage.training.sampling import draw_pairs, sample_other_pairs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model


class Comparisons(Protocol):
    """Candidate pairs, compared."""

    def patterns(self, model: Model) -> DataFrame:
        """Patterns of the candidates: ``patterns.count_patterns``."""

    def other_patterns(self, model: Model, draws: int) -> DataFrame:
        """The same of a sample of the pairs that no rule proposes: ``sampling.sample_other_pairs``."""

    def copies(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """Matches expected among candidates that agree on a value: ``patterns.expected_copies``."""

    def weights(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """Candidates by match weight: ``patterns.count_weights``."""

    def scored(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """Candidates above the model's floor: ``score_stage.score_candidates``."""

    def release(self) -> None:
        """Give back what tasks hold; nothing can be asked afterwards."""


@dataclass(frozen=True)
class JoinedComparisons:
    """Pairs with the compared columns of both records.

    Attributes:
        candidates: what ``propose_file_pairs`` gave.
        left, right: PERSON rows with further columns; the same frame for one file.
        records: rows of both.
        within: one file against itself.
        names: nicknames, transliterations and sex-marked parts.
        seed: of the sample.
    """

    candidates: DataFrame
    left: DataFrame
    right: DataFrame
    records: tuple[int, int]
    within: bool
    names: NameKnowledge
    seed: int = 0

    def patterns(self, model: Model) -> DataFrame:
        """See ``Comparisons``."""
        return count_patterns(self.candidates, model=model, names=self.names)

    def other_patterns(self, model: Model, draws: int) -> DataFrame:
        """See ``Comparisons``."""
        sample = sample_other_pairs(
            self.left,
            self.right,
            self.candidates,
            model=model,
            draws=draws,
            records=self.records,
            within=self.within,
            seed=self.seed,
        )
        return count_patterns(sample, model=model, names=self.names)

    def copies(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return expected_copies(self.candidates, model=model, names=self.names, frequencies=frequencies)

    def weights(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return count_weights(self.candidates, model=model, names=self.names, frequencies=frequencies)

    def scored(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return score_candidates(self.candidates, model=model, frequencies=frequencies, names=self.names)

    def release(self) -> None:
        """Tasks hold nothing."""


@dataclass(frozen=True)
class SentComparisons:
    """Pairs as positions and codes, the records with every task.

    Attributes:
        compared: what ``sent_pairs.compare_sent`` gave, kept.
        sent: the records.
        names: nicknames, transliterations and sex-marked parts.
        seed: of the sample.
    """

    compared: DataFrame
    sent: Broadcast[SentFiles]
    names: NameKnowledge
    seed: int = 0

    def patterns(self, model: Model) -> DataFrame:
        """See ``Comparisons``."""
        return count_compared(self.compared, model=model)

    def other_patterns(self, model: Model, draws: int) -> DataFrame:
        """See ``Comparisons``; the attributes are those of the model that the files were sent with."""
        files = self.sent.value
        drawn = draw_pairs(
            self.compared.sparkSession,
            draws=draws,
            records=(len(files.left), len(files.right)),
            within=files.within,
            seed=self.seed,
        )
        return count_drawn(drawn, self.sent, names=self.names)

    def copies(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return sum_copies(self.compared, self.sent, model=model, frequencies=frequencies)

    def weights(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return count_weights_sent(self.compared, self.sent, model=model, frequencies=frequencies)

    def scored(self, model: Model, frequencies: Frequencies) -> DataFrame:
        """See ``Comparisons``."""
        return score_sent(self.compared, self.sent, model=model, frequencies=frequencies, names=self.names)

    def release(self) -> None:
        """See ``Comparisons``."""
        self.sent.destroy()
