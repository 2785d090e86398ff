from __future__ import annotations

import json
import subprocess
import sys

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs.reporting import write_report
from tests.unit.report import made_up


class Kept:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def write_text(self, path: str, text: str) -> None:
        self.texts[path] = text


def test_report_writes_page_summary_and_figures_beside_each_other() -> None:
    files = Kept()
    figures = made_up.figures()
    report = write_report("/out/", "R1", figures, files=files, examples=made_up.examples())
    assert set(files.texts) == {f"/out/reports/R1/{name}" for name in ("report.html", "summary.txt", "figures.json")}
    assert report.path == "/out/reports/R1/report.html"
    assert files.texts["/out/reports/R1/summary.txt"] == report.summary
    assert json.loads(files.texts["/out/reports/R1/figures.json"]) == figures


def test_each_file_of_a_report_is_written_only_while_the_lock_is_held() -> None:
    files = Kept()

    def refuse() -> None:
        if files.texts:
            raise LockError("another run holds the lock")

    with pytest.raises(LockError):
        write_report("/out", "R1", made_up.figures(), files=files, refuse=refuse)
    assert list(files.texts) == ["/out/reports/R1/report.html"]


def test_figures_file_names_no_employee() -> None:
    files = Kept()
    write_report("/out", "R1", made_up.figures(), files=files, examples=made_up.examples())
    assert "E1002" not in files.texts["/out/reports/R1/figures.json"]


def test_importing_the_report_does_not_import_matplotlib() -> None:
    imports = "import sys, linkage_spark.report.html, linkage_spark.runs.reporting"
    code = f"{imports}; sys.exit('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0
