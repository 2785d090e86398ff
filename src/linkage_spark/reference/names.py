"""Facts of names: nicknames, spelling variants, prefixes, shared and sex-marked parts. Never stored on a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nicknames

from linkage_spark.errors import SettingsError
from linkage_spark.reference.files import read_table


@dataclass(frozen=True)
class NameReference:
    """What comparing and standardising know of names. Tokens are lower-case ASCII letters.

    Attributes:
        nickname_pairs: unordered pairs, each as (lesser, greater); a relation, not a grouping. Where a pair is
            listed, the pair of the two canonical spellings is among them as well.
        variants: spelling or transliteration variant -> canonical token; flat and idempotent.
        prefix_tokens: canonical tokens and variants that often precede the call name (Muhammad).
        marked_tokens: token -> 'f' or 'm'.
        marked_endings: (ending, 'f' or 'm', least length of the token), longest first.
        given_names: established given names, nicknames and variants among them.
        shared_parts: (kind, text, least letters beside it), longest first: endings and beginnings that very many
            names share; kind is surname_ending, given_ending or given_beginning.
        syllables: what Chinese, Korean and Vietnamese given names are made of.
        courtesy_tokens: words such as Begum and Bibi, any of which may stand in a surname's place.
    """

    nickname_pairs: frozenset[tuple[str, str]]
    variants: Mapping[str, str]
    prefix_tokens: frozenset[str]
    marked_tokens: Mapping[str, str]
    marked_endings: tuple[tuple[str, str, int], ...]
    given_names: frozenset[str]
    shared_parts: tuple[tuple[str, str, int], ...]
    syllables: frozenset[str]
    courtesy_tokens: frozenset[str]

    def are_nicknames(self, a: str, b: str) -> bool:
        """True when one token is a listed nickname of the other, spelling variants allowed.

        Symmetric and not transitive: Alex goes with Alexander and with Alexandra, these two do not
        go together. False for equal tokens.
        """
        if a == b:
            return False
        if _ordered(a, b) in self.nickname_pairs:
            return True
        c, d = self.canonical(a), self.canonical(b)
        return c != d and _ordered(c, d) in self.nickname_pairs

    def canonical(self, token: str) -> str:
        """The canonical spelling of a token; the token itself when it has no listed variant."""
        return self.variants.get(token, token)

    def sex_mark(self, token: str) -> str | None:
        """'f' or 'm' when the token itself is marked (Kaur, Singh, -ska, -ski); None otherwise."""
        mark = self.marked_tokens.get(token)
        if mark is not None:
            return mark
        for ending, marked, least in self.marked_endings:
            if len(token) >= least and token.endswith(ending):
                return marked
        return None


def load_name_reference(conf_dir: Path) -> NameReference:
    """Load nicknames (the ``nicknames`` package and conf/reference/nicknames.csv), variants and marks.

    Raises:
        SettingsError: when a file is missing or ill-formed, or a variant has two canonical tokens.
    """
    marks = read_table(conf_dir, "sex_marked", ("kind", "text", "mark", "least_length"))
    endings = [(text, mark, int(least)) for kind, text, mark, least in marks if kind == "ending"]
    variants = _load_variants(conf_dir)
    nickname_pairs = _load_nicknames(conf_dir, variants)
    parts = read_table(conf_dir, "name_parts", ("kind", "text", "least_rest"))
    shared = [(kind, text, int(least)) for kind, text, least in parts if kind != _COURTESY]
    given_names = {token for (token,) in read_table(conf_dir, "given_names", ("token",))}
    prefixes = {token for (token,) in read_table(conf_dir, "name_prefixes", ("token",))}
    prefixes |= {variant for variant, canonical in variants.items() if canonical in prefixes}
    return NameReference(
        nickname_pairs=nickname_pairs,
        variants=variants,
        prefix_tokens=frozenset(prefixes),
        marked_tokens={text: mark for kind, text, mark, _ in marks if kind == "token"},
        marked_endings=tuple(sorted(endings, key=lambda row: (-len(row[0]), row[0]))),
        given_names=frozenset(given_names.union(variants, variants.values(), *nickname_pairs)),
        shared_parts=tuple(sorted(shared, key=lambda row: (-len(row[1]), row))),
        syllables=frozenset(token for (token,) in read_table(conf_dir, "syllables", ("token",))),
        courtesy_tokens=frozenset(text for kind, text, _ in parts if kind == _COURTESY),
    )


_COURTESY = "courtesy"


def _ordered(a: str, b: str) -> tuple[str, str]:
    """The pair in one order."""
    return (a, b) if a < b else (b, a)


def _load_nicknames(conf_dir: Path, variants: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Pairs of the package, with our additions and without our exclusions, and the same in canonical spelling."""
    pairs: set[tuple[str, str]] = set()
    for name, others in nicknames.NickNamer().nickname_lookup.items():
        pairs |= {_ordered(name, other) for other in others if name != other}
    for a, b, use in read_table(conf_dir, "nicknames", ("name_a", "name_b", "use")):
        if use == "add":
            pairs.add(_ordered(a, b))
        elif use == "drop":
            pairs.discard(_ordered(a, b))
        else:
            raise SettingsError("conf/reference/nicknames.csv: column use must be add or drop in every row.")
    canonical = {_ordered(variants.get(a, a), variants.get(b, b)) for a, b in pairs}
    return frozenset(pairs | {pair for pair in canonical if pair[0] != pair[1]})


def _load_variants(conf_dir: Path) -> dict[str, str]:
    """Variant -> canonical token, checked to be flat."""
    variants: dict[str, str] = {}
    for canonical, listed in read_table(conf_dir, "name_variants", ("canonical", "variants")):
        for variant in listed.split():
            if variants.setdefault(variant, canonical) != canonical:
                raise SettingsError(f"conf/reference/name_variants.csv: '{variant}' has two canonical names.")
    chained = sorted(canonical for canonical in set(variants.values()) if canonical in variants)
    if chained:
        raise SettingsError(
            f"conf/reference/name_variants.csv: {', '.join(chained)}: canonical in one row, a variant in another."
        )
    return variants
