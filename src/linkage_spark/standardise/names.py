"""A recorded name -> tokens, titles and what is wrong with it. Pure Python; no row, no Spark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import jellyfish

from linkage_spark.reference.names import NameReference
from linkage_spark.reference.standard import Reference
from linkage_spark.standardise.text import to_ascii
from linkage_spark.tables.enums import NameIssue

SOUND_LETTERS = 6
_MEMO = 100_000
_WORD = re.compile(r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*")
_COLLAR = re.compile(r"([a-z]{0,4})(\d{2,6})")
_PICTURES = re.compile("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
"""Arrows, signs and emoji, which transliterating would turn into words."""
_LOST_LETTER = re.compile("(?<=[^\\W\\d_])[?\ufffd]+(?=[^\\W\\d_])")
"""A letter inside a word that another system could not write."""
_DIGITS_FOR_LETTERS = re.compile("[a-z015]*[a-z]")
_LETTERS = str.maketrans("015", "ois")
_IRISH = re.compile(r"^(?:Mc|Mac|O)(?=[A-Z])")


class NameForm(NamedTuple):
    """A name in standard form.

    Attributes:
        given: given-name tokens, lower-case ASCII letters.
        surname: surname tokens, same form.
        titles: titles, ranks and collar numbers that were taken out.
        on_duty: True when a rank or a collar number was among them.
        issue: NameIssue or None.
    """

    given: tuple[str, ...]
    surname: tuple[str, ...]
    titles: tuple[str, ...]
    on_duty: bool
    issue: str | None


@dataclass
class _Found:
    """What has been taken out so far."""

    titles: list[str] = field(default_factory=list)
    on_duty: bool = False
    placeholder: bool = False


class _Word(NamedTuple):
    """One word: its tokens (parted at hyphens) and whether it stood in capitals."""

    tokens: tuple[str, ...]
    upper: bool


class _Part(NamedTuple):
    """One part of a name, read: its words, and what was taken out of it."""

    words: tuple[_Word, ...]
    titles: tuple[str, ...]
    on_duty: bool
    placeholder: bool


class NameReader:
    """Reads names with one reference and remembers parts: forenames and surnames repeat, whole names seldom do.

    What it remembers follows from the texts alone, so that it never changes a result.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._part = lru_cache(maxsize=_MEMO)(self._read_part)
        self._starts = _first_tokens(reference.whole_name_placeholders)

    def read(
        self, title: str | None, given: str | None, surname: str | None, box: str | None, surname_first: bool
    ) -> NameForm:
        """As ``read_name``."""
        reference, found = self._reference, _Found()
        _take_title_column(title, found, reference)
        parts = [part for part in (given, surname, box) if part and part.strip()]
        whole = " ".join(parts)
        if _may_start(whole, self._starts) and _is_placeholder(whole, reference.whole_name_placeholders):
            return NameForm((), (), tuple(found.titles), found.on_duty, NameIssue.PLACEHOLDER)
        if box and box.strip():
            given_words, surname_words = self._split_box(box, surname_first, found)
            prefixes = reference.box_prefixes if "," not in box else reference.surname_prefixes
        else:
            given_words = self._clean(given, found, leading=True)
            surname_words = self._clean(surname, found, leading=False)
            prefixes = reference.surname_prefixes
        given_tokens = tuple(token for word in given_words for token in word.tokens)
        surname_tokens = _join_prefixes([t for word in surname_words for t in word.tokens], prefixes)
        issue = _issue(given_tokens, surname_tokens, found, recorded=bool(parts))
        return NameForm(given_tokens, surname_tokens, tuple(found.titles), found.on_duty, issue)

    def _clean(self, text: str | None, found: _Found, *, leading: bool) -> Sequence[_Word]:
        """The words of one part, less placeholders, titles, ranks and numbers."""
        if not text or not text.strip():
            return ()
        part = self._part(text, leading, found.on_duty)
        found.titles += part.titles
        found.on_duty |= part.on_duty
        found.placeholder |= part.placeholder
        return part.words

    def _read_part(self, text: str, leading: bool, on_duty: bool) -> _Part:
        """One part; whether the title column or an earlier part showed a sign of duty bears on weak titles."""
        found = _Found(on_duty=on_duty)
        text, cut = _cut_starts(text, self._reference)
        if _is_placeholder(text, self._reference.name_placeholders):
            return _Part((), (), on_duty, True)
        words = _take_titles(_words(text), found, self._reference, leading=leading, numbers_count=not cut, needed=1)
        return _Part(tuple(words), tuple(found.titles), found.on_duty, found.placeholder)

    def _split_box(self, box: str, surname_first: bool, found: _Found) -> tuple[Sequence[_Word], Sequence[_Word]]:
        """A name in one box -> (given words, surname words)."""
        text, cut = _cut_starts(box, self._reference)
        left, _, right = text.partition(",")
        if right.strip(" ,"):
            surname = self._clean(left, found, leading=False)
            return self._clean(right.replace(",", " "), found, leading=True), surname
        words: Sequence[_Word] = _take_titles(
            _words(text.replace(",", " ")), found, self._reference, leading=True, numbers_count=not cut, needed=2
        )
        words = _join_box(words, self._reference.box_prefixes)
        if len(words) < 2:
            return (), words
        upper = [word.upper for word in words]
        if not all(upper) and upper[0]:
            surnames = next(place for place, capital in enumerate(upper) if not capital)
            return words[surnames:], words[:surnames]
        if not all(upper) and upper[-1]:
            first = max(place for place, capital in enumerate(upper) if not capital) + 1
            return words[:first], words[first:]
        return (words[1:], words[:1]) if surname_first else (words[:-1], words[-1:])


def read_name(
    *,
    title: str | None,
    given: str | None,
    surname: str | None,
    box: str | None,
    surname_first: bool,
    reference: Reference,
) -> NameForm:
    """Bring one recorded name into standard form.

    Args:
        title: the title column; None when the source has none.
        given: given names, joined by spaces.
        surname: the surname column.
        box: the whole name in one box, where the source has no parts.
        surname_first: order of a box that shows neither comma nor capitals.
        reference: titles, placeholders, prefixes.

    Returns:
        Tokens are empty, never None, where nothing usable was recorded.
    """
    return NameReader(reference).read(title, given, surname, box, surname_first)


def choose_call_name(given: Sequence[str], names: NameReference) -> str | None:
    """The first given token that is not only a prefix (Muhammad) with a further name after it."""
    for place, token in enumerate(given):
        follows = place + 1 < len(given) and len(given[place + 1]) > 1
        if not (follows and token in names.prefix_tokens):
            return token
    return None


@lru_cache(maxsize=200_000)
def sound_of(token: str) -> str | None:
    """Metaphone of one token, at most six letters; the token's own letters when it has no sound."""
    return (jellyfish.metaphone(token) or token.upper())[:SOUND_LETTERS].replace(" ", "") or None


def _take_title_column(title: str | None, found: _Found, reference: Reference) -> None:
    """Everything in a title column is a title; ranks and collar numbers are signs of duty."""
    for word in _words(title):
        for token in word.tokens:
            kind, _ = reference.titles.get(token, ("", ""))
            found.titles.append(token)
            found.on_duty |= kind == "rank" or any(sign.isdigit() for sign in token)


def _words(text: str | None) -> list[_Word]:
    """Words in order; 'McDONALD' counts as capitals, a single letter does not."""
    if not text:
        return []
    text = _LOST_LETTER.sub("", text) if "?" in text or "\ufffd" in text else text
    plain = text if text.isascii() else _PICTURES.sub("", text)
    return [_word(word) for word in _WORD.findall(to_ascii(plain))]


@lru_cache(maxsize=_MEMO)
def _word(plain: str) -> _Word:
    """One word of letters, digits and hyphens."""
    bare = _IRISH.sub("", plain)
    upper = len(bare.replace("-", "")) > 1 and bare.isupper()
    return _Word(tuple(plain.lower().replace("-", " ").split()), upper)


def _is_placeholder(text: str, listed: frozenset[str]) -> bool:
    """True when the whole text is a listed placeholder or holds no letter or digit at all."""
    if not text.strip():
        return False
    words = " ".join(token for word in _words(text) for token in word.tokens)
    return not words or words in listed or " ".join(text.lower().split()) in listed


def _first_tokens(listed: frozenset[str]) -> frozenset[str]:
    """The first token of each listed text."""
    return frozenset(match.group().partition("-")[0] for text in listed if (match := _WORD.search(text)))


def _may_start(text: str, first_tokens: frozenset[str]) -> bool:
    """False only when a text starts as no listed one does: most texts need no closer look."""
    if not text.isascii() or "'" in text or "`" in text or '"' in text:
        return True
    match = _WORD.search(text)
    return match is None or match.group().lower().partition("-")[0] in first_tokens


def _cut_starts(text: str, reference: Reference) -> tuple[str, bool]:
    """Cut MIG_ERROR_ and the like off the front; True when something was cut."""
    cut = False
    if not text.lstrip().upper().startswith(reference.name_placeholder_starts):
        return text.replace("_", " "), cut
    for start in reference.name_placeholder_starts:
        if text.lstrip().upper().startswith(start):
            text, cut = text.lstrip()[len(start) :], True
    return text.replace("_", " "), cut


def _take_titles(
    words: Sequence[_Word],
    found: _Found,
    reference: Reference,
    *,
    leading: bool,
    numbers_count: bool,
    needed: int,
) -> list[_Word]:
    """Take strong titles out anywhere, weak ones at the front where ``needed`` names follow."""
    if all(_is_plain(word.tokens, reference) for word in words):
        return list(words)
    kept: list[_Word] = []
    mixed = any(word.upper for word in words) and any(_is_mixed(word) for word in words)
    for place, word in enumerate(words):
        if len(word.tokens) > 1:
            kept.append(_without_digits(word))
            continue
        token = word.tokens[0]
        kind, strength = reference.titles.get(token, ("", ""))
        if any(sign.isdigit() for sign in token):
            _take_number(word, found, kept, reference, counts=numbers_count)
        elif token in reference.name_placeholder_tokens:
            found.placeholder = True
        elif strength == "strong" or (
            strength == "weak" and not kept and _is_weak_title(words, place, found, reference, leading, needed, mixed)
        ):
            if kind != "noise":
                found.titles.append(token)
            found.on_duty |= kind == "rank"
        else:
            kept.append(word)
    return [word for word in kept if word.tokens]


def _is_plain(tokens: Sequence[str], reference: Reference) -> bool:
    """True when nothing can be taken out of a word: letters only, and no title or placeholder by itself."""
    if len(tokens) > 1:
        return all(token.isalpha() for token in tokens)
    token = tokens[0]
    return token.isalpha() and token not in reference.titles and token not in reference.name_placeholder_tokens


def _is_weak_title(
    words: Sequence[_Word],
    place: int,
    found: _Found,
    reference: Reference,
    leading: bool,
    needed: int,
    mixed: bool,
) -> bool:
    """True when a word that may be a name is a title here: 'DI Jones', 'Det Con Smith', 'Con 4512'."""
    after = _names_after(words, place, reference)
    following = words[place + 1].tokens[0] if place + 1 < len(words) else ""
    rank_follows = reference.titles.get(following, ("", ""))[0] == "rank"
    if found.on_duty or rank_follows or any(sign.isdigit() for sign in following):
        return True
    return leading and (after >= needed or (mixed and words[place].upper and after >= 1))


def _is_mixed(word: _Word) -> bool:
    """True when the word has at least two letters and is not in capitals."""
    return not word.upper and len(word.tokens[0]) > 1 if word.tokens else False


def _names_after(words: Sequence[_Word], place: int, reference: Reference) -> int:
    """How many words after ``place`` are neither titles nor numbers."""
    return sum(
        1
        for word in words[place + 1 :]
        if len(word.tokens) > 1 or (word.tokens[0] not in reference.titles and not word.tokens[0][-1].isdigit())
    )


def _take_number(word: _Word, found: _Found, kept: list[_Word], reference: Reference, *, counts: bool) -> None:
    """A collar number goes to the titles; other digits are dropped and letters beside them kept."""
    token = word.tokens[0]
    collar = _COLLAR.fullmatch(token)
    letters = collar.group(1) if collar else ""
    known = reference.titles.get(letters, ("", ""))[0] == "rank"
    if collar and counts and (len(letters) <= 1 or known):
        found.titles.append(token)
        found.on_duty = True
        return
    kept.append(_without_digits(word))


def _without_digits(word: _Word) -> _Word:
    """The word's letters."""
    tokens = ("".join(sign for sign in _letters_meant(token) if sign.isalpha()) for token in word.tokens)
    return _Word(tuple(token for token in tokens if token), word.upper)


def _letters_meant(token: str) -> str:
    """'j0hn' -> 'john', 'sm1th' -> 'smith', '5oames' -> 'soames': digits that are read for letters, not 'john2' or '1st'."""
    if _DIGITS_FOR_LETTERS.fullmatch(token) and sum(map(str.isalpha, token)) > 1 + token[0].isdigit():
        return token.translate(_LETTERS)
    return token


def _join_box(words: Sequence[_Word], prefixes: frozenset[str]) -> list[_Word]:
    """Join a prefix to the word after it, never the first word of a box unless it is in capitals."""
    joined: list[_Word] = []
    waiting: list[_Word] = []
    for place, word in enumerate(words):
        is_prefix = len(word.tokens) == 1 and word.tokens[0] in prefixes
        if is_prefix and place + 1 < len(words) and (place or word.upper or word.tokens[0] in ("mc", "mac")):
            waiting.append(word)
            continue
        if waiting:
            front = "".join(part.tokens[0] for part in waiting)
            word = _Word((front + word.tokens[0], *word.tokens[1:]), word.upper)
            waiting = []
        joined.append(word)
    return joined


def _join_prefixes(tokens: list[str], prefixes: frozenset[str]) -> tuple[str, ...]:
    """'van der berg' -> 'vanderberg', 'saint john' -> 'stjohn'."""
    joined: list[str] = []
    front = ""
    for place, token in enumerate(tokens):
        if token in prefixes and place + 1 < len(tokens):
            front += "st" if token == "saint" else token
            continue
        joined.append(front + token)
        front = ""
    return tuple(joined)


def _issue(given: Sequence[str], surname: Sequence[str], found: _Found, *, recorded: bool) -> str | None:
    """The one issue to name, the gravest first."""
    if found.placeholder:
        return NameIssue.PLACEHOLDER
    if not recorded or not (given or surname):
        return NameIssue.MISSING
    if len(given) + len(surname) == 1:
        return NameIssue.SINGLE_TOKEN
    if not given or not surname:
        return NameIssue.MISSING
    if all(len(token) == 1 for token in given):
        return NameIssue.INITIALS_ONLY
    return None
