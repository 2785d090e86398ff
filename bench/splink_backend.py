"""Splink's two engines for the programs that measure it: opens files, counts a result's rows, writes them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from splink import DuckDBAPI, Linker

QUIET = 50
"""Log level: errors only."""


class Backend:
    """One of Splink's two engines.

    Args:
        name: 'duckdb' or 'spark'; a Spark session is opened at once.
        work: folder of Splink's intermediate tables on Spark.
    """

    def __init__(self, name: str, work: Path) -> None:
        self.name = name
        if name == "spark":
            from pyspark.sql import SparkSession

            self.spark = SparkSession.builder.appName(name="bench-splink").getOrCreate()
            self.spark.sparkContext.setCheckpointDir(dirName=str(work))
            self.spark.range(1).count()

    def linker(self, paths: list[Path], model: Any, added: str = "") -> Linker:
        """A linker that knows nothing of earlier ones: every cache is empty.

        Args:
            paths: a folder of Parquet files, or one CSV file with a header, for every table.
            model: Splink's settings.
            added: an SQL expression of a further column, with its name.
        """
        if self.name == "duckdb":
            api: Any = DuckDBAPI()
        else:
            from splink.backends.spark import SparkAPI

            self.spark.catalog.clearCache()
            api = SparkAPI(spark_session=self.spark)  # type: ignore[no-untyped-call]
        tables = [
            api.register(self._open(api, path, added), dataset_display_name=f"{path.stem}_{time.monotonic_ns()}")
            for path in paths
        ]
        return Linker(tables, model, log_level=QUIET)

    def count(self, result: Any, condition: str = "1 = 1") -> int:
        """Rows of a result."""
        query = f"select count(*) as n from {result.physical_name} where {condition}"
        if self.name == "duckdb":
            return int(result.db_api.duckdb_con.sql(query).fetchall()[0][0])
        return int(self.spark.sql(query).collect()[0].n)

    def write(self, result: Any, columns: tuple[str, ...], folder: Path) -> None:
        """Some columns of a result as Parquet files in a new folder."""
        query = f"select {', '.join(columns)} from {result.physical_name}"
        if self.name == "duckdb":
            folder.mkdir(parents=True)
            result.db_api.duckdb_con.sql(query).write_parquet(str(folder / "part.parquet"))
        else:
            self.spark.sql(query).write.parquet(str(folder))

    def _open(self, api: Any, path: Path, added: str) -> Any:
        """A table; every column of a CSV file is text, and nothing is null."""
        csv = path.suffix == ".csv"
        if self.name == "duckdb":
            con = api.duckdb_con
            frame = con.read_csv(str(path), all_varchar=True) if csv else con.read_parquet(f"{path}/*.parquet")
            return frame.project(f"*, {added}") if added else frame
        frame = self.spark.read.csv(str(path), header=True, escape='"') if csv else self.spark.read.parquet(str(path))
        return frame.selectExpr("*", added) if added else frame
