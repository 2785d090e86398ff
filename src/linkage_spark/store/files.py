"""Files on any file system that Hadoop knows: the local disk, HDFS, and what else the cluster has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession


@dataclass(frozen=True, order=True)
class FileEntry:
    """One file or folder.

    Attributes:
        path: full path with its scheme.
        name: last part of the path; with ``list(recursive=True)`` the path below the folder listed.
        size_bytes: length; 0 for a folder.
        modified_ms: time of the last change, milliseconds since 1970 UTC.
        is_dir: True for a folder.
    """

    path: str
    name: str
    size_bytes: int
    modified_ms: int
    is_dir: bool


class Files:
    """What this package does with files. Every path goes through it.

    Hadoop's own file system does the work. On the local disk three operations are done by the
    operating system instead, since Hadoop's are not atomic there (exclusive create, replace) or leave
    checksum files that go stale (write).
    """

    def __init__(self, spark: SparkSession) -> None:
        gateway: Any = spark.sparkContext._gateway
        self._gateway = gateway
        self._hadoop: Any = gateway.jvm.org.apache.hadoop.fs
        self._permission: Any = gateway.jvm.org.apache.hadoop.fs.permission.FsPermission
        self._read_all: Any = gateway.jvm.org.apache.commons.io.IOUtils.toByteArray
        self._configuration: Any = spark.sparkContext._jsc.hadoopConfiguration()

    def absolute(self, path: str) -> str:
        """The full path: plain on the local disk, with its scheme elsewhere.

        A relative path means one thing to Spark's readers and another to Delta's table builder.
        """
        local = self._local(path)
        if local is not None:
            return str(local)
        with self._opened(path) as (_, found):
            return str(found.toString())

    def exists(self, path: str) -> bool:
        """True when a file or folder is there."""
        with self._opened(path) as (system, found):
            return bool(system.exists(found))

    def holds_anything(self, path: str) -> bool:
        """True when a file is there, or a folder with something in it, which is not listed as a whole."""
        with self._opened(path) as (system, found):
            return bool(system.exists(found) and system.listStatusIterator(found).hasNext())

    def is_file(self, path: str) -> bool:
        """True when a file, and no folder, is there."""
        with self._opened(path) as (system, found):
            return bool(system.exists(found) and system.getFileStatus(found).isFile())

    def mkdirs(self, path: str, *, mode: str | None = None) -> None:
        """Make a folder and its parents; ``mode``, such as ``"700"``, is set on the folder itself."""
        with self._opened(path) as (system, found):
            system.mkdirs(found)
            if mode is not None:
                system.setPermission(found, self._permission(mode))

    def list(self, path: str, *, recursive: bool = False) -> tuple[FileEntry, ...]:
        """What lies in a folder, in order of name; empty when there is no such folder.

        With ``recursive`` the files at any depth, named by their path below the folder.
        """
        with self._opened(path) as (system, found):
            if not system.exists(found):
                return ()
            base = system.getFileStatus(found).getPath().toString().rstrip("/")
            if recursive:
                walk = system.listFiles(found, True)
                statuses = []
                while walk.hasNext():
                    statuses.append(walk.next())
            else:
                statuses = list(system.listStatus(found))
            return tuple(sorted((_entry(status, base) for status in statuses), key=lambda entry: entry.name))

    def size_bytes(self, path: str) -> int:
        """Length of a file, or of all files below a folder; 0 when nothing is there."""
        with self._opened(path) as (system, found):
            return int(system.getContentSummary(found).getLength()) if system.exists(found) else 0

    def delete(self, path: str) -> bool:
        """Delete a file, or a folder with all that is in it; False when nothing was there."""
        with self._opened(path) as (system, found):
            return bool(system.delete(found, True))

    def delete_empty(self, path: str) -> bool:
        """Delete a folder in which nothing lies; False when something does, or when it was not there."""
        with self._opened(path) as (system, found):
            try:
                return bool(system.delete(found, False))
            except Py4JJavaError:
                return False

    def read_bytes(self, path: str) -> bytes:
        """The content of one file."""
        with self._opened(path) as (system, found):
            stream = system.open(found)
            try:
                return bytes(self._read_all(stream))
            finally:
                stream.close()

    def read_text(self, path: str) -> str:
        """The content of one UTF-8 file."""
        return self.read_bytes(path).decode()

    def write_bytes(self, path: str, content: bytes, *, mode: str | None = None) -> None:
        """Write one file whole: readers see the former content or the new one, never a part.

        The content goes to a hidden file beside it, which then takes its place.
        """
        folder, name = path.rstrip("/").rsplit("/", 1)
        hidden = f"{folder}/.{name}.tmp"
        self.delete(hidden)
        self._create(hidden, content, mode=mode)
        self.rename_overwrite(hidden, path)

    def write_text(self, path: str, text: str, *, mode: str | None = None) -> None:
        """Write one UTF-8 file whole, as ``write_bytes`` does."""
        self.write_bytes(path, text.encode(), mode=mode)

    def create_exclusive(self, path: str, text: str) -> bool:
        """Create a file that must not exist yet; False when it does. Of several callers one gets True."""
        try:
            self._create(path, text.encode(), mode=None)
        except FileExistsError:
            return False
        return True

    def rename_overwrite(self, source: str, target: str) -> None:
        """Put a file in the place of another, or where none is. Atomic on the local disk and on HDFS."""
        local_source, local_target = self._local(source), self._local(target)
        if local_source is not None and local_target is not None:
            # A checksum file of the former content would make Hadoop's readers refuse the new one.
            for stale in (local_source, local_target):
                stale.with_name(f".{stale.name}.crc").unlink(missing_ok=True)
            local_source.replace(local_target)
            return
        with self._opened(target) as (system, found):
            context = self._hadoop.FileContext.getFileContext(system.getUri(), self._configuration)
            rename = self._hadoop.Options.Rename
            options = self._gateway.new_array(rename, 1)
            options[0] = rename.OVERWRITE
            context.rename(self._hadoop.Path(source), found, options)

    def _create(self, path: str, content: bytes, *, mode: str | None) -> None:
        """Create and fill a file; FileExistsError when it is there."""
        local = self._local(path)
        if local is not None:
            local.parent.mkdir(parents=True, exist_ok=True)
            permission = int(mode, 8) if mode is not None else 0o666
            handle = os.open(path=local, flags=os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode=permission)
            with os.fdopen(handle, mode="wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            return
        with self._opened(path) as (system, found):
            try:
                stream = system.create(found, False)
            except Py4JJavaError as error:
                if "FileAlreadyExistsException" in _java_classes(error) or system.exists(found):
                    raise FileExistsError(path) from None
                raise
            try:
                if mode is not None:
                    system.setPermission(found, self._permission(mode))
                stream.write(bytearray(content))
            finally:
                stream.close()

    @contextmanager
    def _opened(self, path: str) -> Iterator[tuple[Any, Any]]:
        """The file system that holds a path, and the path as Hadoop writes it."""
        found = self._hadoop.Path(path)
        system = found.getFileSystem(self._configuration)
        yield system, system.makeQualified(found)

    def _local(self, path: str) -> Path | None:
        """The path on this machine's disk; None when it lies on another file system."""
        with self._opened(path) as (system, found):
            return Path(found.toUri().getPath()) if system.getUri().getScheme() == "file" else None


def _entry(status: Any, base: str) -> FileEntry:
    """One file status as values."""
    path = status.getPath().toString()
    return FileEntry(
        path=path,
        name=path.removeprefix(base).lstrip("/") or path.rsplit("/", 1)[-1],
        size_bytes=int(status.getLen()),
        modified_ms=int(status.getModificationTime()),
        is_dir=bool(status.isDirectory()),
    )


def _java_classes(error: Py4JJavaError) -> str:
    """Names of the Java exception's class and of its causes' classes."""
    names: list[str] = []
    cause = error.java_exception
    while cause is not None and len(names) < 10:
        names.append(str(cause.getClass().getName()))
        cause = cause.getCause()
    return " ".join(names)
