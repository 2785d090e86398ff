"""The reference tables load, are sound, and travel to executors."""

import pickle
from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.reference.files import read_table
from linkage_spark.reference.names import load_name_reference
from linkage_spark.reference.standard import load_reference

CONF = Path(__file__).resolve().parents[3] / "conf"


@pytest.fixture(scope="module")
def names():
    return load_name_reference(CONF)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("robert", "bob", True),
        ("bob", "robert", True),
        ("mohammed", "mo", True),
        ("md", "mo", True),  # through the canonical spelling
        ("alexander", "alex", True),
        ("alexandra", "alex", True),
        ("alexander", "alexandra", False),  # a shared nickname is not equality
        ("aaron", "erin", False),  # the package has it; dropped here
        ("john", "john", False),
        ("vickie", "viktoria", True),  # listed for another spelling: vickie and victoria
        ("jules", "iulia", True),
        ("louis", "louise", False),
    ],
)
def test_nicknames_are_symmetric_and_not_transitive(names, a, b, expected):
    assert names.are_nicknames(a, b) is expected
    assert names.are_nicknames(b, a) is expected


def test_every_nickname_holds_for_the_canonical_spellings_too(names):
    for one, other in names.nickname_pairs:
        pair = tuple(sorted((names.canonical(one), names.canonical(other))))
        assert pair[0] == pair[1] or pair in names.nickname_pairs


def test_shared_parts_courtesy_names_and_syllables_are_plain_letters(names):
    kinds = {"surname_ending", "given_ending", "given_beginning"}
    assert {kind for kind, _, _ in names.shared_parts} == kinds
    texts = [text for _, text, _ in names.shared_parts]
    assert [len(text) for text in texts] == sorted(map(len, texts), reverse=True)
    for text in (*texts, *names.courtesy_tokens, *names.syllables):
        assert text.isascii() and text.isalpha() and text.islower() and len(text) > 1
    assert all(least > 1 for _, _, least in names.shared_parts)
    assert {"begum", "bibi"} <= names.courtesy_tokens
    assert not names.courtesy_tokens & {"kaur", "singh"}


def test_nicknames_and_spellings_are_established_given_names(names):
    assert {"robert", "bob", "mohammed", "jayden"} <= names.given_names
    assert not {"rnary", "xqz"} & names.given_names


def test_variants_are_flat_and_lower_case(names):
    for variant, canonical in names.variants.items():
        assert names.canonical(canonical) == canonical
        assert variant.isascii() and variant.isalpha() and variant.islower()


@pytest.mark.parametrize(
    ("token", "mark"),
    [
        ("kaur", "f"),
        ("singh", "m"),
        ("begum", "f"),
        ("kowalska", "f"),
        ("kowalski", "m"),
        ("ska", None),
        ("smith", None),
    ],
)
def test_sex_marked_parts(names, token, mark):
    assert names.sex_mark(token) == mark


def test_md_is_a_spelling_of_muhammad_and_no_title():
    reference = load_reference(CONF)
    assert reference.names.canonical("md") == "muhammad"
    assert "md" in reference.names.prefix_tokens
    assert "md" not in reference.titles


def test_there_are_124_postcode_areas():
    assert len(load_reference(CONF).postcode_areas) == 124


def test_reference_travels_and_is_small():
    reference = load_reference(CONF)
    packed = pickle.dumps(reference)
    assert pickle.loads(packed) == reference  # noqa: S301 - our own bytes
    assert len(packed) < 200_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "conf/reference/t.csv: no such file. Restore it from the release."),
        ("a\nx\n", "conf/reference/t.csv: no '# Source:' line. Say where the rows come from."),
        ("# Source: me\n# Licence: MIT\nb\nx\n", "conf/reference/t.csv: the first row must be a."),
        ("# Source: me\n# Licence: MIT\na\nx,y\n", "conf/reference/t.csv: line 4 has 2 cells, not 1."),
    ],
)
def test_a_broken_table_is_named(tmp_path, text, message):
    (tmp_path / "reference").mkdir()
    if text is not None:
        (tmp_path / "reference" / "t.csv").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_table(tmp_path, "t", ("a",))
    assert str(caught.value) == message
