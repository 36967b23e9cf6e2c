"""What an import has found so far, on disk: a SQLite file that a later run can go on with."""

from __future__ import annotations

import json
import sqlite3
import time
from array import array
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from services.faq.records import DataError

WORK_FILE: Final = ".import.sqlite3"
_FORMAT: Final = 2
_SECONDS_BETWEEN_COMMITS: Final = 2.0
_CACHE_KILOBYTES: Final = 64 * 1024

_SCHEMA: Final = """
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE links (
    duplicate INTEGER, original INTEGER, id INTEGER, PRIMARY KEY (duplicate, original)
) WITHOUT ROWID;
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, tagged INTEGER NOT NULL, accepted INTEGER,
    text TEXT, created TEXT, licence TEXT, owner INTEGER, owner_name TEXT, url TEXT
);
CREATE TABLE answers (
    question INTEGER, id INTEGER, score INTEGER,
    text TEXT, created TEXT, licence TEXT, owner INTEGER, owner_name TEXT, url TEXT,
    PRIMARY KEY (question, id)
);
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE source_ids (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""


class WorkFile:
    """The SQLite file, and where the import stands.

    Attributes:
        database: the open connection, in a transaction that `commit` ends.
        counts: what the report counts, saved with every commit.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.counts: Counter[str] = Counter(self._state("counts", {}))
        self._committed = time.monotonic()

    def is_done(self, step: str) -> bool:
        """Whether a step was finished."""
        return self._state(f"done {step}", False)

    def place(self, step: str) -> int:
        """Return the byte of the step's file that reading goes on from."""
        return self._state(f"place {step}", 0)

    def finish(self, step: str) -> None:
        """Save that a step is finished."""
        self._save(f"done {step}", True)
        self._commit()

    def reached(self, step: str, place: int) -> None:
        """Save, every few seconds, that everything before byte `place` is in the file."""
        if time.monotonic() - self._committed > _SECONDS_BETWEEN_COMMITS:
            self._save(f"place {step}", place)
            self._commit()

    def ids(self, query: str) -> array[int]:
        """Return the ids that a query finds, in its order, eight bytes each."""
        return array("q", (row[0] for row in self.database.execute(query)))

    def _commit(self) -> None:
        self._save("counts", dict(self.counts))
        self.database.commit()
        self._committed = time.monotonic()

    def _state(self, name: str, default: Any) -> Any:
        found = self.database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else default

    def _save(self, name: str, value: object) -> None:
        self.database.execute("REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))


@contextmanager
def open_work_file(folder: Path, source: dict[str, Any], *, restart: bool) -> Generator[WorkFile]:
    """Open the work file of `folder`, which stays there unless `remove_work_file` removes it.

    Args:
        folder: where the data will be.
        source: what is imported and how; an import of something else cannot be gone on with.
        restart: whether to begin anew.

    Raises:
        DataError: the file is of another import, is damaged, is in use, or the disk is full.
    """
    path = folder / WORK_FILE
    try:
        if restart:
            _begin_anew(folder)
        with closing(sqlite3.connect(path, timeout=0)) as database:
            _prepare(database, path, source)
            yield WorkFile(database)
    except sqlite3.Error as error:
        raise DataError(_message(path, error)) from None


def remove_work_file(folder: Path) -> None:
    """Remove the work file, where there is one."""
    for suffix in ("", "-journal"):
        (folder / (WORK_FILE + suffix)).unlink(missing_ok=True)


def _begin_anew(folder: Path) -> None:
    """Remove the work file, unless another import holds it."""
    with closing(sqlite3.connect(folder / WORK_FILE, timeout=0)) as database:
        try:
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if _is_in_use(error):
                raise
            # Whatever else is wrong with the file, it goes.
        remove_work_file(folder)


def _prepare(database: sqlite3.Connection, path: Path, source: dict[str, Any]) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
    database.execute("PRAGMA temp_store = FILE")
    expected = json.dumps({"format": _FORMAT, **source}, sort_keys=True)
    database.execute("BEGIN EXCLUSIVE")
    if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute("INSERT INTO state VALUES ('source', ?)", (expected,))
    found = database.execute("SELECT value FROM state WHERE name = 'source'").fetchone()
    if found[0] != expected:
        raise DataError(
            f"{path}: an unfinished import of another dump or with other options is here; "
            "give --restart to begin anew, or another --data"
        )
    database.commit()


def _is_in_use(error: sqlite3.Error) -> bool:
    return "locked" in str(error)


def _message(path: Path, error: sqlite3.Error) -> str:
    text = str(error)
    if _is_in_use(error):
        return f"{path}: another import is writing here"
    if "full" in text or "I/O" in text:
        return (
            f"{path}: cannot be written ({text}); make room and run the same command again; "
            "without --restart an import of a dump goes on from here"
        )
    return f"{path}: cannot be used ({text}); give --restart to begin anew"
