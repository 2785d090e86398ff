"""Levels of two strings of tokens: one part of a name against one part of another."""

from __future__ import annotations

import jellyfish

from linkage_spark.linkage.comparison.levels import (
    DIFFER,
    EXACT,
    FUZZY,
    GIVEN,
    INITIAL,
    JUST_BELOW_FUZZY,
    MOST_TOKENS,
    SURNAME,
    TYPO,
    VARIANT,
)
from linkage_spark.linkage.comparison.lexicon import KnownToken, Lexicon
from linkage_spark.linkage.comparison.lexicon import NameKnowledge as NameKnowledge
from linkage_spark.linkage.comparison.unlike import Vocabulary, initials_of

_FEMININE_ENDINGS = frozenset(("a", "ia", "ina", "ine", "ette", "elle", "la", "lla", "le"))
_FEMININE_PAIRS = (("er", "ra"), ("o", "a"), ("us", "a"), ("ian", "ina"))


_LEAST_FOLDED = 4
"""Letters of a name that another may be for being misread or written by ear in one of the usual ways."""


_LEAST_SLIP = 5
"""Letters of an established given name that a slip may turn into another one of the same sound."""


class NameComparer:
    """Compares strings of tokens and remembers each distinct pair.

    Args:
        names: reference of nicknames, transliterations and sex-marked parts.
        memory: distinct pairs to remember before starting afresh; never changes a result.
    """

    def __init__(self, names: NameKnowledge, memory: int = 500_000) -> None:
        self._names = names
        self._weak = names.prefix_tokens | frozenset(names.marked_tokens)
        self.memory = memory
        self._parts: dict[tuple[str, str, str], int] = {}
        self._tokens: dict[tuple[str, str, str], int] = {}
        self.lexicon = Lexicon(names, memory)
        """What is known of single tokens."""
        self._marks: dict[str, frozenset[str]] = {}
        self.vocabulary = Vocabulary(self.lexicon)
        """What tells pairs that surely differ from the rest, many at once."""

    def part_level(self, kind: str, left: str, right: str) -> int:
        """Level of two strings of tokens, neither empty; symmetric."""
        if left == right:
            return EXACT
        key = (kind, left, right) if left < right else (kind, right, left)
        level = self._parts.get(key)
        if level is None:
            if len(self._parts) >= self.memory:
                self._parts.clear()
            level = self._parts[key] = self._part_level(kind, key[1], key[2])
        return level

    def sex_marks(self, given: str | None, surname: str | None) -> frozenset[str]:
        """Marks for a sex: of any surname token, and of whole tokens such as Kaur among the given names."""
        found = [self._token_marks(token) for token in (surname or "").split()]
        found += [self._token_marks(token) for token in (given or "").split() if token in self._names.marked_tokens]
        return frozenset().union(*found) if found else frozenset()

    def sex_marked_conflict(self, left: tuple[str | None, str | None], right: tuple[str | None, str | None]) -> bool:
        """Both names (given, surname) bear marks, and none in common."""
        marks_l, marks_r = self.sex_marks(*left), self.sex_marks(*right)
        return bool(marks_l) and bool(marks_r) and not marks_l & marks_r

    def _token_marks(self, token: str) -> frozenset[str]:
        marks = self._marks.get(token)
        if marks is None:
            mark = self._names.sex_mark(token)
            marks = self._marks[token] = frozenset((mark,)) if mark else frozenset()
        return marks

    def _part_level(self, kind: str, left: str, right: str) -> int:
        tokens_l, tokens_r = tuple(left.split())[:MOST_TOKENS], tuple(right.split())[:MOST_TOKENS]
        if len(tokens_l) == 1 and len(tokens_r) == 1:
            return self.token_level(kind, tokens_l[0], tokens_r[0])
        joined_l, joined_r = "".join(tokens_l), "".join(tokens_r)
        if joined_l == joined_r or set(tokens_l) == set(tokens_r):
            return EXACT
        level = self._sets_level(kind, tokens_l, tokens_r)
        if level < TYPO and len(tokens_l) != len(tokens_r) and abs(len(joined_l) - len(joined_r)) <= 2:
            together = self.token_level(kind, joined_l, joined_r)
            level = together if together in (TYPO, VARIANT) else level
        if (
            level == DIFFER
            and kind == GIVEN
            and (joined_l == initials_of(tokens_r) or joined_r == initials_of(tokens_l))
        ):
            return INITIAL
        return level

    def surname_left_out(self, given: str, surname: str, other_given: str) -> int:
        """Level of a whole name against the given names of another whose own surname it then lacks.

        Harpreet Kaur beside Harpreet Kaur Gill, Abdi Nur beside Abdi Nur Hassan: DIFFER unless every token of
        the surname stands, in some spelling, after the other's first given name. Muhammad alone says too little.
        """
        tokens, further = surname.split()[:MOST_TOKENS], other_given.split()[1:MOST_TOKENS]
        if self._names.prefix_tokens.issuperset(tokens):
            return DIFFER
        found = all(any(self.token_level(SURNAME, token, other) >= VARIANT for other in further) for token in tokens)
        return self.part_level(GIVEN, f"{given} {surname}", other_given) if found else DIFFER

    def _sets_level(self, kind: str, left: tuple[str, ...], right: tuple[str, ...]) -> int:
        """Level of two sets of tokens; prefixes and community names give way to others beside them."""
        strong_l = tuple(token for token in left if token not in self._weak)
        strong_r = tuple(token for token in right if token not in self._weak)
        if not strong_l and not strong_r:
            return self._matched_level(kind, left, right)
        if not strong_l or not strong_r:
            weak, other = (left, right) if not strong_l else (right, left)
            shared = any(self.token_level(kind, a, b) >= VARIANT for a in weak for b in other if b in self._weak)
            return FUZZY if shared else self._matched_level(kind, left, right)
        if strong_l == strong_r:
            return EXACT if kind == GIVEN else VARIANT
        return self._matched_level(kind, strong_l, strong_r)

    def _matched_level(self, kind: str, left: tuple[str, ...], right: tuple[str, ...]) -> int:
        if len(left) == 1 and len(right) == 1:
            return self.token_level(kind, left[0], right[0])
        levels = self._match_tokens(kind, left, right)
        if kind == GIVEN:
            if min(levels) == DIFFER and self._names.syllables.issuperset((*left, *right)):
                return DIFFER
            return self._given_level(levels, self.token_level(kind, left[0], right[0]))
        return _surname_level(levels)

    def _given_level(self, levels: list[int], first: int) -> int:
        """Given names: the first decides, further ones support or contradict it."""
        conflict = min(levels) == DIFFER
        if conflict:
            return {EXACT: VARIANT, VARIANT: TYPO, TYPO: FUZZY}.get(first, DIFFER)
        if first == EXACT:
            return EXACT
        if first >= FUZZY:
            return first
        if max(levels) == EXACT and min(levels) == INITIAL:
            return FUZZY
        return min(*levels, VARIANT)

    def _match_tokens(self, kind: str, left: tuple[str, ...], right: tuple[str, ...]) -> list[int]:
        """Levels of the shorter list's tokens, each with its own best partner in the longer one."""
        grid = [
            (-self.token_level(kind, a, b), min(a, b), max(a, b), i, j)
            for i, a in enumerate(left)
            for j, b in enumerate(right)
        ]
        if all(pair[0] == -DIFFER for pair in grid):
            return [DIFFER]
        pairs = sorted(grid, key=lambda pair: pair[:3])
        used_l: set[int] = set()
        used_r: set[int] = set()
        levels: list[int] = []
        for negative, _, _, i, j in pairs:
            if i not in used_l and j not in used_r:
                used_l.add(i)
                used_r.add(j)
                levels.append(-negative)
        return levels

    def token_level(self, kind: str, left: str, right: str) -> int:
        """Level of two single tokens, neither empty; symmetric."""
        if left == right:
            return EXACT
        key = (kind, left, right) if left < right else (kind, right, left)
        level = self._tokens.get(key)
        if level is None:
            if len(self._tokens) >= self.memory:
                self._tokens.clear()
            level = self._tokens[key] = self._token_level(kind, key[1], key[2])
        return level

    def _token_level(self, kind: str, a: str, b: str) -> int:
        short, long = (a, b) if len(a) <= len(b) else (b, a)
        same_start = short[0] == long[0]
        if len(short) == 1:
            return INITIAL if same_start else DIFFER
        if kind != SURNAME and same_start and _other_sex(short, long):
            return FUZZY
        one, other = self.lexicon.known(short), self.lexicon.known(long)
        if is_variant(kind, (short, one), (long, other)):
            return VARIANT
        if kind == SURNAME and one.is_courtesy and other.is_courtesy:
            return FUZZY
        if same_start and long.startswith(short):
            if kind == SURNAME and len(long) >= len(short) + 2:
                return min(self._spelling_level(kind, short, long, one, other), FUZZY)
            if kind == GIVEN and len(short) >= 3:
                return VARIANT
        is_folded = one.folded == other.folded and len(short) >= _LEAST_FOLDED
        level = TYPO if is_folded else self._spelling_level(kind, short, long, one, other)
        if level == TYPO and kind == GIVEN and one.is_given and other.is_given:
            # Two established names, short or sounding unlike: two people sooner than a slip (John and Joan, Jayden and Hayden).
            sound_alike = self.lexicon.sound(short) == self.lexicon.sound(long)
            return TYPO if sound_alike and (is_folded or len(short) >= _LEAST_SLIP) else FUZZY
        return level

    def _spelling_level(self, kind: str, short: str, long: str, one: KnownToken, other: KnownToken) -> int:
        """Level by edit distance and Jaro-Winkler, of what is left beside a part that both share with many; else by sound."""
        rest = _rest(kind, one, other) if one.parts and other.parts else None
        if rest is None:
            level = self._letters_level(short, long, one, other)
        else:
            short_rest, long_rest = sorted(rest, key=len)
            known = self.lexicon.known
            level = self._letters_level(short_rest, long_rest, known(short_rest), known(long_rest))
            if kind != GIVEN and jellyfish.damerau_levenshtein_distance(short, long) <= 1:
                level = max(level, TYPO)
        return FUZZY if level == DIFFER and self._sound_alike(short, long) else level

    def _letters_level(self, short: str, long: str, one: KnownToken, other: KnownToken) -> int:
        """Level of two spellings by their letters alone."""
        if may_be_alike(short, long, one.letters, other.letters):
            edits = jellyfish.damerau_levenshtein_distance(short, long)
            closeness = jellyfish.jaro_winkler_similarity(short, long)
            one_slip = edits <= 1 and (len(short) >= 5 or (len(short) == 4 and short[0] == long[0]))
            if one_slip or (edits <= 2 and len(short) >= 8) or closeness >= 0.94:
                return TYPO
            if (edits <= 1 and len(short) >= 3) or (edits <= 2 and len(short) >= 6) or closeness >= 0.84:
                return FUZZY
        return DIFFER

    def _sound_alike(self, short: str, long: str) -> bool:
        """Same first letter and same metaphone."""
        if short[0] != long[0]:
            return False
        sound = self.lexicon.sound(short)
        return bool(sound) and sound == self.lexicon.sound(long)


def is_variant(kind: str, short: tuple[str, KnownToken], long: tuple[str, KnownToken]) -> bool:
    """One token is a known other form of the other, the longer one second; each with what is known of it."""
    (a, one), (b, other) = short, long
    if one.canonical == other.canonical:
        return True
    if kind != SURNAME and (b in one.kin or other.canonical in one.canonical_kin or other.call == a):
        return True
    if kind == GIVEN:
        return False
    if one.plain == other.plain or b == f"{a}ova":
        return True
    if not one.stems or not other.stems:
        return False
    return any(stem == root for stem, _ in one.stems for root, _ in other.stems)


def may_be_alike(short: str, long: str, letters_s: int, letters_l: int) -> bool:
    """False when too few letters (as bits) are shared for any spelling rule: a bound, not a guess."""
    len_s, len_l = len(short), len(long)
    common = min(len_s - (letters_s & ~letters_l).bit_count(), len_l - (letters_l & ~letters_s).bit_count())
    if common <= 0:
        return False
    if len_l - common <= (2 if len_s >= 6 else 1 if len_s >= 3 else -1):  # so many edits may do
        return True
    jaro = (common / len_s + common / len_l + 1.0) / 3.0
    return jaro + 0.1 * _shared_start(short, long) * (1.0 - jaro) >= JUST_BELOW_FUZZY


def _rest(kind: str, one: KnownToken, other: KnownToken) -> tuple[str, str] | None:
    """What two tokens have beside the longest part that both share with many names; None where there is none."""
    of_kind = "given" if kind == GIVEN else "surname"
    for shared, text, rest in one.parts:
        for same, part, other_rest in other.parts:
            if shared == same and text == part and shared.startswith(of_kind):
                return rest, other_rest
    return None


def _surname_level(levels: list[int]) -> int:
    """Surnames of several tokens: one double-barrelled name may be written as one of its parts."""
    if min(levels) == DIFFER:
        return FUZZY if max(levels) == EXACT else DIFFER
    return min(*levels, VARIANT)


def _other_sex(short: str, long: str) -> bool:
    """A man's and a woman's form of one name are two names: Paul and Paula, Alexander and Alexandra."""
    if long.startswith(short):
        return long[len(short) :] in _FEMININE_ENDINGS
    return any(
        (a.endswith(man) and b.endswith(woman) and a.removesuffix(man) == b.removesuffix(woman))
        for a, b in ((short, long), (long, short))
        for man, woman in _FEMININE_PAIRS
    )


def _shared_start(short: str, long: str) -> int:
    """How many of the first four letters agree."""
    for place, (x, y) in enumerate(zip(short[:4], long[:4], strict=False)):
        if x != y:
            return place
    return min(4, len(short))
