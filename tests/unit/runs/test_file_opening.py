"""What a user gave is looked at as a whole: every fault that can be known is told in one round."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from linkage_spark.errors import LinkageError, SettingsError, SourceError, UsageError
from linkage_spark.runs import file_inputs, file_opening
from linkage_spark.runs.file_inputs import file_names
from linkage_spark.runs.file_opening import Opened, open_given
from linkage_spark.runs.file_task import Task
from linkage_spark.store.files import Files

GOOD = "[columns]\nref = 'id'\nsurname = 'last'"
LINK = {"left": "data/a.csv", "right": "data/b.csv"}


class MemoryFiles:
    """The mapping files, in memory."""

    def __init__(self, **texts: str) -> None:
        self.texts = {name.replace("_", "."): text for name, text in texts.items()}

    def exists(self, path: str) -> bool:
        return path in self.texts

    def read_text(self, path: str) -> str:
        return self.texts[path]

    def absolute(self, path: str) -> str:
        return f"/{path}"


def frame(*names: str, **kinds: DataType) -> Any:
    """As much of a DataFrame as checking columns needs."""
    fields = [StructField(name, kinds.get(name, StringType())) for name in names]
    return SimpleNamespace(columns=list(names), schema=StructType(fields))


def given(
    monkeypatch: pytest.MonkeyPatch,
    mapping: str | None,
    there: Mapping[str, Any],
    *,
    paths: Mapping[str, str] = LINK,
    truth: str | None = None,
    out: str = "",
) -> Opened:
    """``open_given`` on files of which only the columns exist."""

    def read(_spark: Any, path: str) -> Any:
        if path not in there:
            raise SourceError(f"{path}: there is no such file; correct the path")
        return there[path]

    monkeypatch.setattr(file_inputs, "read_person_file", read)
    monkeypatch.setattr(file_opening, "read_truth", lambda _spark, path, _kind: path and read(_spark, path))
    kind: Any = "link" if len(paths) == 2 else "dedupe"
    files = MemoryFiles() if mapping is None else MemoryFiles(m_toml=mapping)
    task = Task(kind, paths, "m.toml", out or "out", truth=truth)
    return open_given(cast("Any", None), cast("Files", files), task, out=out, written=["a.csv"])


def told(error: LinkageError) -> list[str]:
    return str(error).split("\n")


def test_what_fits_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {path: frame("id", "last") for path in LINK.values()}
    opened = given(monkeypatch, GOOD, there)
    assert opened.frames == {"left": there["data/a.csv"], "right": there["data/b.csv"]}
    assert opened.mapping.both.surname == ("last",)


def test_faults_of_mapping_columns_and_truth_come_in_one_round_and_the_mapping_makes_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {
        "data/a.csv": frame("id", "first", "last"),
        "data/b.csv": frame("key", "last", last=ArrayType(StringType())),
    }
    mapping = "contry = 'GB'\n[columns]\nref = 'id'\nsurnam = 'last'\ngiven_names = 'first'"
    with pytest.raises(SettingsError) as caught:
        given(monkeypatch, mapping, there, truth="t.csv")
    assert caught.value.exit_code == 2
    assert told(caught.value) == [
        "m.toml: unknown key 'contry'; did you mean 'country'?",
        "m.toml: unknown key 'columns.surnam'; did you mean 'surname'?",
        "data/b.csv: column 'id' (ref) is not in the file; correct the mapping: there are key, last",
        "data/b.csv: column 'first' (given_names) is not in the file; correct the mapping: there are key, last",
        "data/b.csv: column 'last' (surname) has type array<string>; give it as text, a number or a date",
        "t.csv: there is no such file; correct the path",
    ]


def test_faults_of_files_alone_have_the_code_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError) as caught:
        given(monkeypatch, GOOD, {"data/b.csv": frame("id", "surname")})
    assert caught.value.exit_code == 3
    assert told(caught.value) == [
        "data/a.csv: there is no such file; correct the path",
        "data/b.csv: column 'last' (surname) is not in the file; correct the mapping: there are id, surname",
    ]


def test_an_argument_at_fault_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"left": "data/a.csv", "right": "data/a.csv"}
    with pytest.raises(UsageError) as caught:
        given(monkeypatch, "country = 1\n" + GOOD, {"data/a.csv": frame("id")}, paths=one, out="/data")
    assert told(caught.value) == [
        "--left: this run writes a file of that name into --out; take another folder",
        "--right: this run writes a file of that name into --out; take another folder",
        "--left and --right name one file; use dedupe to compare a file with itself",
        "m.toml: key 'country': write a two-letter code such as \"GB\", or leave it out",
        "data/a.csv: column 'last' (surname) is not in the file; correct the mapping: there are id",
    ]


def test_without_a_mapping_the_files_are_opened_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as caught:
        given(monkeypatch, None, {"data/a.csv": frame("id")})
    assert told(caught.value) == [
        "--mapping m.toml: there is no such file",
        "data/b.csv: there is no such file; correct the path",
    ]


@pytest.mark.parametrize("fault", ["", "wrong = 1\n"])
def test_a_mapping_of_two_files_does_not_fit_one_and_its_columns_are_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    mapping = fault + "[columns]\nsurname = 'last'\n[left.columns]\nref = 'a'\n[right.columns]\nref = 'b'"
    with pytest.raises(SettingsError) as caught:
        given(monkeypatch, mapping, {"c.csv": frame("id", "name")}, paths={"file": "c.csv"})
    assert told(caught.value)[-2:] == [
        "m.toml: [columns] has no column for ref; one file is read by [columns] alone, add it there",
        "c.csv: column 'last' (surname) is not in the file; correct the mapping: there are id, name",
    ]
    assert len(told(caught.value)) == (3 if fault else 2)


def test_files_are_called_by_their_names_and_by_their_sides_where_names_are_alike() -> None:
    assert file_names({"left": "x/a.csv", "right": "b.csv"}) == {"left": "a.csv", "right": "b.csv"}
    assert file_names({"left": "x/a.csv", "right": "y/a.csv"}) == {"left": "left a.csv", "right": "right a.csv"}
    assert file_names({"file": "x/a.csv"}) == {"file": "a.csv"}
