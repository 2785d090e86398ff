"""Which pairs of names have nothing in common: settled for whole columns, before names are looked at one by one.

Nearly all pairs that blocking proposes bear two names that are simply not alike. Here they are told from the rest by
arrays of what is known of each token, and by string distances in one call for many pairs. What is not settled
here is compared by ``NameComparer``: a bound, never a guess (tests/unit/linkage/comparison).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler, Prefix
from rapidfuzz.process import cpdist

from linkage_spark.linkage.comparison.levels import GIVEN, JUST_BELOW_FUZZY, MOST_TOKENS, SURNAME
from linkage_spark.linkage.comparison.lexicon import KnownToken, Lexicon

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_HALF = 32
_MOST_EDITS = 2
_MOST_INITIALS = 3
_START = 4
"""Letters at the start that Jaro-Winkler favours."""

_TRAITS = 8
_LENGTH, _FIRST, _CANONICAL, _PLAIN, _SOUND, _CALL, _FOLDED, _FLAGS = range(_TRAITS)
_STEMS, _KIN, _CANONICAL_KIN, _ENDS_IN_A, _BEYOND_ASCII, _COURTESY = (1 << bit for bit in range(6))


def initials_of(tokens: Sequence[str]) -> str:
    """The initials of two or three tokens, run together; '' for any other number."""
    return "".join(token[0] for token in tokens) if 2 <= len(tokens) <= _MOST_INITIALS else ""


class _PairSet:
    """A set of unordered pairs of numbers."""

    def __init__(self) -> None:
        self._packed: set[int] = set()
        self._sorted: Ints | None = None

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take up pairs."""
        before = len(self._packed)
        self._packed.update((min(pair) << _HALF) | max(pair) for pair in pairs)
        if len(self._packed) != before:
            self._sorted = None

    def has(self, a: Ints, b: Ints, where: Bools) -> Bools:
        """Whether each pair is in the set; false outside ``where``."""
        found = np.zeros(len(a), dtype=np.bool_)
        rows = np.flatnonzero(where)
        if len(rows) and self._packed:
            if self._sorted is None:
                self._sorted = np.sort(np.fromiter(self._packed, dtype=np.int64, count=len(self._packed)))
            keys = (np.minimum(a[rows], b[rows]) << _HALF) | np.maximum(a[rows], b[rows])
            place = np.searchsorted(self._sorted, keys).clip(max=len(self._sorted) - 1)
            found[rows] = self._sorted[place] == keys
        return found


class Vocabulary:
    """Distinct strings of tokens by number, with what is known of their tokens; grows with every batch.

    Args:
        lexicon: knows tokens, and forgets them at the same size.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._forget()

    def _forget(self) -> None:
        self._numbers: dict[str, int] = {}
        self._first_token = np.zeros(0, dtype=np.int64)
        self._joined = np.zeros(0, dtype=np.int64)
        self._initials = np.zeros(0, dtype=np.int64)
        self._letter_count = np.zeros(0, dtype=np.int64)
        self._joined_numbers: dict[str, int] = {}
        self._joined_texts: list[str] = []
        self.count = np.zeros(0, dtype=np.int64)
        """Tokens of each string."""
        self._tokens = np.zeros(0, dtype=np.int64)
        self._token_numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._traits = np.zeros((_TRAITS, 0), dtype=np.int64)
        self._letters = np.zeros(0, dtype=np.uint64)
        self._starts = np.zeros((_START, 0), dtype=np.int64)
        self._forms: dict[str, int] = {}
        self._plains: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        self._folds: dict[str, int] = {}
        self._sounds: dict[str, int] = {"": 0}
        self._kin_of_tokens = _PairSet()
        self._kin_of_forms = _PairSet()

    def numbers(self, values: Sequence[str]) -> Ints:
        """Number of each string; numbers of an earlier call may be void after the next one."""
        if max(len(self._texts), len(self._numbers)) + len(values) > self._lexicon.memory:
            self._forget()
        known = self._numbers
        unknown = [value for value in values if value not in known]
        if unknown:
            self._add(list(dict.fromkeys(unknown)))
        return np.array([known[value] for value in values], dtype=np.int64)

    def surely_differ(self, kind: str, a: Ints, b: Ints) -> Bools:
        """Pairs of strings, by number, that ``NameComparer.part_level`` finds to differ.

        True where no token of one string is like any of the other, nor their tokens run together.
        Other pairs may differ as well.
        """
        pair, left, right = self._token_pairs(a, b)
        open_: Bools = self._joined[a] == self._joined[b]
        if kind == GIVEN:
            open_ |= (self._joined[a] == self._initials[b]) | (self._joined[b] == self._initials[a])
        run_together = np.flatnonzero(self._may_run_together(a, b))
        pair = np.concatenate([pair, run_together])
        left = np.concatenate([left, self._run_together(a[run_together])])
        right = np.concatenate([right, self._run_together(b[run_together])])
        open_[pair[self._may_be_alike(kind, left, right)]] = True
        return ~open_

    def _may_run_together(self, a: Ints, b: Ints) -> Bools:
        """Pairs of another number of tokens and about the same number of letters."""
        close = np.abs(self._letter_count[a] - self._letter_count[b]) <= _MOST_EDITS
        apart: Bools = (self.count[a] != self.count[b]) & close
        return apart

    def _run_together(self, strings: Ints) -> Ints:
        """The tokens of each string as one token."""
        texts = [self._joined_texts[number] for number in self._joined[strings].tolist()]
        self._add_tokens(texts)
        return np.array([self._token_numbers[text] for text in texts], dtype=np.int64)

    def _token_pairs(self, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
        """Every token of one string beside every token of the other: number of the pair, and both tokens."""
        each = self.count[a] * self.count[b]
        pair = np.repeat(np.arange(len(a)), each)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(each) - each, each)
        wide = self.count[b][pair]
        left = self._tokens[self._first_token[a][pair] + place // wide]
        right = self._tokens[self._first_token[b][pair] + place % wide]
        return pair, left, right

    def _may_be_alike(self, kind: str, a: Ints, b: Ints) -> Bools:
        """False for tokens whose level is surely *differ*: every way to another level is shut."""
        left, right = self._traits[:, a], self._traits[:, b]
        same_first = left[_FIRST] == right[_FIRST]
        short, long = np.minimum(left[_LENGTH], right[_LENGTH]), np.maximum(left[_LENGTH], right[_LENGTH])
        alike: Bools = (a == b) | (left[_CANONICAL] == right[_CANONICAL]) | (same_first & (short == 1))
        both, one_of_two = left[_FLAGS] & right[_FLAGS], left[_FLAGS] ^ right[_FLAGS]
        alike |= (left[_FOLDED] == right[_FOLDED]) | (same_first & (left[_SOUND] == right[_SOUND]) & (left[_SOUND] > 0))
        if kind != SURNAME:
            alike |= self._kin_of_tokens.has(a, b, (both & _KIN) > 0)
            alike |= left[_CALL] == right[_CALL]
            forms = left[_CANONICAL], right[_CANONICAL]
            alike |= self._kin_of_forms.has(*forms, (both & _CANONICAL_KIN) > 0)
        if kind != GIVEN:
            alike |= (left[_PLAIN] == right[_PLAIN]) | ((both & (_STEMS | _COURTESY)) > 0)
        # Two libraries count letters beyond ASCII in two ways; standard forms have none.
        alike |= ((both | one_of_two) & _BEYOND_ASCII) > 0
        edits = np.where(short >= 6, 2, np.where(short >= 3, 1, -1))
        may_start = np.zeros(len(a), dtype=np.bool_)
        if kind != SURNAME:
            # Forms of the other sex: a short name and its ending, or two endings of which one is an a.
            edits[same_first & ((one_of_two & _ENDS_IN_A) > 0)] = _MOST_EDITS
            may_start = same_first
        rest = np.flatnonzero(~alike & (short > 1))
        near = rest[self._enough_letters(a[rest], b[rest], short[rest], long[rest], edits[rest], may_start[rest])]
        alike[near] = self._close(a[near], b[near], short[near], edits[near], may_start[near])
        return alike

    def _enough_letters(self, a: Ints, b: Ints, short: Ints, long: Ints, edits: Ints, may_start: Bools) -> Bools:
        """The bound of ``NameComparer``: enough letters in common for some rule of spelling."""
        length_a, length_b = self._traits[_LENGTH][a], self._traits[_LENGTH][b]
        only_a = np.bitwise_count(self._letters[a] & ~self._letters[b]).astype(np.int64)
        only_b = np.bitwise_count(self._letters[b] & ~self._letters[a]).astype(np.int64)
        common = np.minimum(length_a - only_a, length_b - only_b)
        same = np.cumprod(self._starts[:, a] == self._starts[:, b], axis=0, dtype=np.int64).sum(axis=0)
        jaro = (common / short + common / long + 1.0) / 3.0
        enough = (long - common <= edits) | (jaro + 0.1 * same * (1.0 - jaro) >= JUST_BELOW_FUZZY)
        starts = may_start & (np.where(length_a <= length_b, only_a, only_b) == 0)
        found: Bools = (common > 0) & (enough | starts)
        return found

    def _close(self, a: Ints, b: Ints, short: Ints, edits: Ints, may_start: Bools) -> Bools:
        """Few enough edits, Jaro-Winkler high enough, or one the start of the other."""
        if not len(a):
            return np.zeros(0, dtype=np.bool_)
        texts = self._texts
        left, right = [texts[number] for number in a.tolist()], [texts[number] for number in b.tolist()]
        found = cpdist(left, right, scorer=DamerauLevenshtein.distance, score_cutoff=_MOST_EDITS) <= edits
        found |= cpdist(left, right, scorer=JaroWinkler.similarity, score_cutoff=JUST_BELOW_FUZZY) > 0
        begun = np.flatnonzero(may_start & ~found)
        if len(begun):
            shared = cpdist([left[row] for row in begun], [right[row] for row in begun], scorer=Prefix.similarity)
            found[begun] = shared >= short[begun]
        return np.asarray(found, dtype=np.bool_)

    def _add(self, values: list[str]) -> None:
        """Take up new strings."""
        tokens = [value.split()[:MOST_TOKENS] for value in values]
        self._add_tokens([token for each in tokens for token in each])
        joined = ["".join(each) for each in tokens]
        initials = [initials_of(each) for each in tokens]
        for text in (*joined, *filter(None, initials)):
            if text not in self._joined_numbers:
                self._joined_numbers[text] = len(self._joined_texts)
                self._joined_texts.append(text)
        count = _ints([len(each) for each in tokens])
        first = len(self._tokens) + np.cumsum(count) - count
        self.count = np.concatenate([self.count, count])
        self._first_token = np.concatenate([self._first_token, first])
        self._letter_count = np.concatenate([self._letter_count, _ints([len(text) for text in joined])])
        self._joined = np.concatenate([self._joined, _ints([self._joined_numbers[text] for text in joined])])
        number = [self._joined_numbers[text] if text else -1 for text in initials]
        self._initials = np.concatenate([self._initials, _ints(number)])
        flat = [self._token_numbers[token] for each in tokens for token in each]
        self._tokens = np.concatenate([self._tokens, _ints(flat)])
        for value in values:
            self._numbers[value] = len(self._numbers)

    def _add_tokens(self, tokens: Iterable[str]) -> None:
        """Take up new tokens."""
        before = len(self._texts)
        for token in tokens:
            if token not in self._token_numbers:
                self._token_numbers[token] = len(self._texts)
                self._texts.append(token)
        if len(self._texts) > before:
            self._know(self._texts[before:])

    def _know(self, words: list[str]) -> None:
        """Lay out what is known of new tokens."""
        lexicon, forms, number = self._lexicon, self._forms, self._token_numbers
        traits = np.zeros((_TRAITS, len(words)), dtype=np.int64)
        letters = np.zeros(len(words), dtype=np.uint64)
        starts = np.full((_START, len(words)), -1, dtype=np.int64)
        for place, word in enumerate(words):
            known = lexicon.known(word)
            letters[place] = known.letters
            starts[: min(len(word), _START), place] = [ord(letter) for letter in word[:_START]]
            is_new = known.canonical not in forms
            form = forms.setdefault(known.canonical, len(forms))
            traits[:, place] = (
                len(word),
                ord(word[0]) if word else 0,
                form,
                self._plains.setdefault(known.plain, len(self._plains)),
                self._sounds.setdefault(lexicon.sound(word), len(self._sounds)),
                self._calls.setdefault(known.call, len(self._calls)),
                self._folds.setdefault(known.folded, len(self._folds)),
                _flags(word, known),
            )
            if known.kin:
                self._kin_of_tokens.add((number[word], number[other]) for other in known.kin if other in number)
            if is_new and known.canonical_kin:
                self._kin_of_forms.add((form, forms[other]) for other in known.canonical_kin if other in forms)
        self._traits = np.concatenate([self._traits, traits], axis=1)
        self._letters = np.concatenate([self._letters, letters])
        self._starts = np.concatenate([self._starts, starts], axis=1)


def _flags(word: str, known: KnownToken) -> int:
    """What is true of a token, as bits."""
    claims = {
        _STEMS: known.stems,
        _KIN: known.kin,
        _CANONICAL_KIN: known.canonical_kin,
        _ENDS_IN_A: word.endswith("a"),
        _BEYOND_ASCII: not word.isascii(),
        _COURTESY: known.is_courtesy,
    }
    return sum(flag for flag, holds in claims.items() if holds)


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
