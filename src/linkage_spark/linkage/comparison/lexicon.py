"""What is known of the tokens of names, one by one: spellings, nicknames, endings, sound; worked out once for each."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import jellyfish

_PARTICLES = (
    *((particle, 4) for particle in ("vander", "vanden", "dela", "van", "von", "o")),
    *((particle, 5) for particle in "della bint del dos bin ibn al el de da di ul ur ud ap".split()),
)
"""Words that standardising writes together with the surname after them and that writers drop, the longer of two first;
with the least letters left, so that hardly any other surname is meant."""

_FOLDS = tuple(
    pair.split("=")
    for pair in "rn=m cl=d vv=w oo=u ee=i ie=i ph=f ck=k q=k w=v y=i aa=a ll=l nn=n ss=s tt=t mm=m rr=r dd=d pp=p bb=b ff=f".split()
)
"""Letters that look alike in handwriting and print, then letters that writers of one sound choose between."""

_LEAST_CALL_NAME = 4
"""Letters of a short form that is the end of a longer name."""


class NameKnowledge(Protocol):
    """What the comparison asks of the reference of names (reference.names.NameReference fits)."""

    @property
    def prefix_tokens(self) -> frozenset[str]:
        """Tokens that often precede the call name, such as Muhammad in all its spellings."""

    @property
    def marked_tokens(self) -> Mapping[str, str]:
        """Whole tokens that one sex bears, such as Singh and Kaur; very many people share them."""

    @property
    def marked_endings(self) -> tuple[tuple[str, str, int], ...]:
        """(ending, mark, least length of the token)."""

    @property
    def given_names(self) -> frozenset[str]:
        """Established given names."""

    @property
    def shared_parts(self) -> tuple[tuple[str, str, int], ...]:
        """(kind, text, least letters beside it): endings and beginnings that very many names share."""

    @property
    def syllables(self) -> frozenset[str]:
        """What Chinese, Korean and Vietnamese given names are made of."""

    @property
    def courtesy_tokens(self) -> frozenset[str]:
        """Words such as Begum and Bibi, any of which may stand in a surname's place."""

    @property
    def nickname_pairs(self) -> frozenset[tuple[str, str]]:
        """Unordered pairs of which one is a short or pet form of the other; a relation, not transitive."""

    def canonical(self, token: str) -> str:
        """One spelling for all transliterations of a name; the token itself when unknown."""

    def sex_mark(self, token: str) -> str | None:
        """'m' or 'f' for a name part that only one sex bears; None otherwise."""


class KnownToken(NamedTuple):
    """What the comparison needs to know of one token.

    Attributes:
        letters: the letters as bits.
        canonical: one spelling for all transliterations.
        plain: without what writers of surnames add or drop.
        stems: the token without an ending that marks a sex, with that mark.
        kin: nicknames of the token, and the names it is a nickname of.
        canonical_kin: the same of its canonical spelling.
        folded: the token with letters that are often taken for each other made one.
        call: a given name without a beginning that very many share and that is often dropped (Seun of Oluwaseun).
        parts: beginnings and endings that very many names share, each as (kind, text), with what is left of the token.
        is_given: an established given name.
        is_courtesy: a word that stands in a surname's place, such as Begum.
    """

    letters: int
    canonical: str
    plain: str
    stems: tuple[tuple[str, str], ...]
    kin: frozenset[str]
    canonical_kin: frozenset[str]
    folded: str
    call: str
    parts: tuple[tuple[str, str, str], ...]
    is_given: bool
    is_courtesy: bool


class Lexicon:
    """Knows tokens, and remembers what it has worked out; what it remembers never changes a result.

    Args:
        names: reference of nicknames, transliterations, shared and sex-marked parts.
        memory: distinct tokens to remember before starting afresh.
    """

    def __init__(self, names: NameKnowledge, memory: int) -> None:
        self.memory = memory
        self._names = names
        self._sounds: dict[str, str] = {}
        self._known: dict[str, KnownToken] = {}
        self._kin = _kin(names.nickname_pairs)
        self._shared: dict[str, list[tuple[str, int]]] = {}
        for kind, text, least in names.shared_parts:
            self._shared.setdefault(text, []).append((kind, least))
        self._shared_lengths = sorted({len(text) for text in self._shared}, reverse=True)

    def known(self, token: str) -> KnownToken:
        """What is known of a token."""
        known = self._known.get(token)
        if known is None:
            if len(self._known) >= self.memory:
                self._known.clear()
            known = self._known[token] = self._learn(token)
        return known

    def sound(self, token: str) -> str:
        """The metaphone of a token."""
        sound = self._sounds.get(token)
        if sound is None:
            if len(self._sounds) >= self.memory:
                self._sounds.clear()
            sound = self._sounds[token] = jellyfish.metaphone(token)
        return sound

    def _learn(self, token: str) -> KnownToken:
        """What is known of a new token."""
        canonical = self._names.canonical(token)
        parts = self._shared_parts(token)
        calls = [rest for kind, _, rest in parts if kind == "given_beginning" and len(rest) >= _LEAST_CALL_NAME]
        return KnownToken(
            letters=_letter_set(token),
            canonical=canonical,
            plain=self._names.canonical(_plain_surname(token)),
            stems=tuple(
                (token.removesuffix(ending), mark)
                for ending, mark, least in self._names.marked_endings
                if len(token) >= least and token.endswith(ending)
            ),
            kin=self._kin.get(token, frozenset()),
            canonical_kin=self._kin.get(canonical, frozenset()),
            folded=_folded(token),
            call=calls[0] if calls else token,
            parts=parts,
            is_given=token in self._names.given_names,
            is_courtesy=token in self._names.courtesy_tokens,
        )

    def _shared_parts(self, token: str) -> tuple[tuple[str, str, str], ...]:
        """The parts of a token that very many names share, the longest first: (kind, part, what is left)."""
        found = []
        for length in self._shared_lengths:
            if length >= len(token):
                continue
            for text, rest, where in (
                (token[:length], token[length:], "beginning"),
                (token[-length:], token[:-length], "ending"),
            ):
                for kind, least in self._shared.get(text, ()):
                    if kind.endswith(where) and len(rest) >= least:
                        found.append((kind, text, rest))
        return tuple(found)


def _folded(token: str) -> str:
    """A token with letters that are often misread or written one for the other made one."""
    for one, other in _FOLDS:
        token = token.replace(one, other)
    return token


@functools.lru_cache(maxsize=2)
def _kin(pairs: frozenset[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """The tokens that stand in a nickname pair with each token; worked out once for all lexicons of a process."""
    kin: dict[str, set[str]] = {}
    for one, other in pairs:
        kin.setdefault(one, set()).add(other)
        kin.setdefault(other, set()).add(one)
    return {token: frozenset(others) for token, others in kin.items()}


def _letter_set(token: str) -> int:
    """The letters of a token as bits; letters beyond a-z share bits, which only loosens the bound."""
    letters = 0
    for letter in token:
        letters |= 1 << (ord(letter) % 61)
    return letters


def _plain_surname(token: str) -> str:
    """A surname without what writers add or drop: Mac for Mc, St for Saint, Souza for de Souza."""
    if token == "saint":
        return "st"
    if token.startswith("mac") and len(token) >= 6:
        return f"mc{token[3:]}"
    for particle, least in _PARTICLES:
        if token.startswith(particle) and len(token) - len(particle) >= least:
            return token[len(particle) :]
    return token
