"""Which original each duplicate belongs to, through chains, cycles and holes.

A root is a question that is nobody's duplicate. From the usable roots (in the dump, tagged, with an
answer) the links are followed backwards, one step at a time, so that each duplicate gets the
nearest usable root, of equally near ones the one that was linked first. What only leads to roots
that cannot be used is marked with the reason; what then is left leads into cycles, of which the
oldest usable question becomes the root. Everything is in tables, so memory does not grow.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from services.faq.importing.work_file import WorkFile

STEP: Final = "resolve"

_TABLES: Final = """
DROP TABLE IF EXISTS resolved;
CREATE TABLE resolved (id INTEGER PRIMARY KEY, root INTEGER, reason TEXT, steps INTEGER);
CREATE INDEX resolved_by_steps ON resolved (steps);
CREATE INDEX IF NOT EXISTS links_by_original ON links (original);
DROP TABLE IF EXISTS cyclic;
CREATE TABLE cyclic (id INTEGER PRIMARY KEY);
DROP VIEW IF EXISTS usable;
CREATE VIEW usable AS SELECT id FROM questions
    WHERE tagged AND text IS NOT NULL AND id IN (SELECT question FROM answers);
DROP VIEW IF EXISTS root_questions;
CREATE VIEW root_questions AS SELECT DISTINCT original AS id FROM links
    WHERE original NOT IN (SELECT duplicate FROM links);
"""

_USABLE_ROOTS: Final = """
INSERT INTO resolved SELECT id, id, NULL, :steps FROM root_questions
WHERE id IN (SELECT id FROM usable)
"""

_OTHER_ROOTS: Final = """
INSERT INTO resolved
SELECT root_questions.id, NULL,
       CASE WHEN questions.id IS NULL THEN 'the original is not in the dump'
            WHEN NOT questions.tagged THEN 'the original has not the tag'
            WHEN questions.text IS NULL THEN 'the original is too long'
            ELSE 'the original has no answer' END,
       :steps
FROM root_questions LEFT JOIN questions USING (id)
WHERE root_questions.id NOT IN (SELECT id FROM resolved)
"""

_OF_CYCLE: Final = "INSERT INTO resolved VALUES (:question, :root, :reason, :steps)"

_NEXT: Final = """
INSERT INTO resolved
SELECT duplicate, root, reason, :steps + 1 FROM (
    SELECT links.duplicate AS duplicate, near.root AS root, near.reason AS reason,
           row_number() OVER (PARTITION BY links.duplicate ORDER BY links.id, near.id) AS place
    FROM resolved AS near JOIN links ON links.original = near.id
    WHERE near.steps = :steps AND links.duplicate NOT IN (SELECT id FROM resolved)
) WHERE place = 1
"""


def resolve(work: WorkFile) -> None:
    """Fill the table `resolved`: a root, or a reason why there is none, for every duplicate."""
    if work.is_done(STEP):
        return
    database = work.database
    for statement in _TABLES.split(";"):
        database.execute(statement)
    work.counts["links: to a question that is not in the dump, ignored"] += _drop_holes(database)
    step = _mark(database, _USABLE_ROOTS, {"steps": 0})
    step = _mark(database, _OTHER_ROOTS, {"steps": step + 1})
    cycles = _break_cycles(database, step + 1)
    work.counts["links: cycles, of which the oldest question is the original"] += cycles
    work.finish(STEP)


def _drop_holes(database: sqlite3.Connection) -> int:
    """Drop the links to questions that are not there and lead nowhere else, if another question
    can take their place: a question whose own original is gone is an original itself."""
    dropped = 0
    while True:
        found = database.execute(
            """
            DELETE FROM links WHERE
              original NOT IN (SELECT id FROM questions)
              AND original NOT IN (SELECT duplicate FROM links)
              AND duplicate IN (SELECT original FROM links)
            """
        ).rowcount
        if not found:
            return dropped
        dropped += found


def _mark(database: sqlite3.Connection, roots: str, values: dict[str, int | str | None]) -> int:
    """Insert the roots, then everything that leads to them; return the last step's number."""
    steps = int(values["steps"] or 0)
    database.execute(roots, values)
    while database.execute(_NEXT, {"steps": steps}).rowcount:
        steps += 1
    return steps


def _break_cycles(database: sqlite3.Connection, step: int) -> int:
    """Give what is left a root; return the number of cycles."""
    database.execute(
        "INSERT INTO cyclic SELECT DISTINCT duplicate FROM links "
        "WHERE duplicate NOT IN (SELECT id FROM resolved)"
    )
    cycles, question = 0, 0
    while question := _next_unresolved(database, question):
        cycle = _cycle_from(database, question)
        root = _oldest_usable(database, cycle)
        values: dict[str, int | str | None] = {
            "question": root or cycle[0],
            "root": root,
            "reason": None if root else "a cycle of duplicates has no usable original",
            "steps": step,
        }
        step = _mark(database, _OF_CYCLE, values) + 1
        cycles += 1
    return cycles


def _next_unresolved(database: sqlite3.Connection, start: int) -> int | None:
    found = database.execute(
        "SELECT id FROM cyclic WHERE id >= ? AND id NOT IN (SELECT id FROM resolved) "
        "ORDER BY id LIMIT 1",
        (start,),
    ).fetchone()
    return found[0] if found else None


def _cycle_from(database: sqlite3.Connection, question: int) -> list[int]:
    """Follow the first links until a question comes again; return the cycle."""
    place: dict[int, int] = {}
    while question not in place:
        place[question] = len(place)
        question = database.execute(
            "SELECT original FROM links WHERE duplicate = ? ORDER BY id LIMIT 1", (question,)
        ).fetchone()[0]
    return list(place)[place[question] :]


def _oldest_usable(database: sqlite3.Connection, cycle: list[int]) -> int | None:
    for question in sorted(cycle):
        if database.execute("SELECT 1 FROM usable WHERE id = ?", (question,)).fetchone():
            return question
    return None
