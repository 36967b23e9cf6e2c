"""From the resolved work file to the data's files, a row at a time."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tqdm import tqdm

from services.faq.attribution import Attribution, Kind
from services.faq.importing import sites
from services.faq.importing.work_file import WorkFile
from services.faq.importing.write_data import DataWriter

_CHOSEN: Final = """
DROP TABLE IF EXISTS chosen;
CREATE TABLE chosen (question INTEGER PRIMARY KEY, answer INTEGER, accepted INTEGER);
INSERT INTO chosen SELECT question, id, accepted FROM (
    SELECT answers.question AS question, answers.id AS id,
           answers.id IS questions.accepted AS accepted,
           row_number() OVER (
               PARTITION BY answers.question
               ORDER BY answers.id IS questions.accepted DESC, answers.score DESC, answers.id
           ) AS place
    FROM answers JOIN questions ON questions.id = answers.question
) WHERE place = 1;
DROP TABLE IF EXISTS written;
CREATE TABLE written (id INTEGER PRIMARY KEY, root INTEGER, steps INTEGER);
INSERT INTO written SELECT resolved.id, resolved.root, resolved.steps
    FROM resolved JOIN questions USING (id)
    WHERE resolved.root IS NOT NULL AND resolved.root != resolved.id
      AND questions.tagged AND questions.text IS NOT NULL;
DROP TABLE IF EXISTS originals;
CREATE TABLE originals (id INTEGER PRIMARY KEY);
INSERT INTO originals SELECT DISTINCT root FROM written;
"""
_UNASKED: Final = """
INSERT INTO originals SELECT question FROM chosen
WHERE question NOT IN (SELECT id FROM originals) AND question NOT IN (SELECT duplicate FROM links)
"""

_ORIGINALS: Final = """
SELECT post.id, chosen.answer, post.text, post.created, post.licence, post.owner, post.owner_name,
       post.url, users.name, source_ids.name
FROM questions AS post JOIN chosen ON chosen.question = post.id
LEFT JOIN users ON users.id = post.owner
LEFT JOIN source_ids ON source_ids.id = post.id
WHERE post.id IN (SELECT id FROM originals) ORDER BY post.id
"""
_DUPLICATES: Final = """
SELECT post.id, chosen.answer, post.text, post.created, post.licence, post.owner, post.owner_name,
       post.url, users.name, source_ids.name
FROM written JOIN questions AS post ON post.id = written.id
JOIN chosen ON chosen.question = written.root
LEFT JOIN users ON users.id = post.owner
LEFT JOIN source_ids ON source_ids.id = post.id
ORDER BY post.id
"""
_ANSWERS: Final = """
SELECT post.id, post.id, post.text, post.created, post.licence, post.owner, post.owner_name,
       post.url, users.name, source_ids.name
FROM chosen JOIN answers AS post ON post.question = chosen.question AND post.id = chosen.answer
LEFT JOIN users ON users.id = post.owner
LEFT JOIN source_ids ON source_ids.id = post.question
WHERE chosen.question IN (SELECT id FROM originals) ORDER BY post.id
"""
_QUERIES: Final[tuple[tuple[Kind, str], ...]] = (
    ("original", _ORIGINALS),
    ("duplicate", _DUPLICATES),
    ("answer", _ANSWERS),
)

_COUNTED: Final = {
    "left out: duplicates that are not in the dump": """
        SELECT count(*) FROM resolved
        WHERE root IS NOT id AND id NOT IN (SELECT id FROM questions)
        AND id IN (SELECT duplicate FROM links)""",
    "left out: duplicates without the tag": """
        SELECT count(*) FROM resolved JOIN questions USING (id)
        WHERE root IS NOT NULL AND root != id AND NOT tagged""",
    "duplicates: through another duplicate (chains)": "SELECT count(*) FROM written WHERE steps > 1",
    "duplicates: with several originals, of which one was taken": """
        SELECT count(*) FROM written
        WHERE (SELECT count(*) FROM links WHERE links.duplicate = written.id) > 1""",
    "answers: accepted": """
        SELECT count(*) FROM chosen WHERE accepted AND question IN (SELECT id FROM originals)""",
    "answers: highest score, as none is accepted": """
        SELECT count(*) FROM chosen JOIN questions ON questions.id = question
        WHERE NOT chosen.accepted AND questions.accepted IS NULL
        AND question IN (SELECT id FROM originals)""",
    "answers: highest score, as the accepted one is not in the dump": """
        SELECT count(*) FROM chosen JOIN questions ON questions.id = question
        WHERE NOT chosen.accepted AND questions.accepted IS NOT NULL
        AND question IN (SELECT id FROM originals)""",
}
_REASONS: Final = """
SELECT reason, count(*) FROM resolved JOIN questions USING (id)
WHERE reason IS NOT NULL AND tagged AND id IN (SELECT duplicate FROM links) GROUP BY reason
"""


def choose(work: WorkFile, *, without_duplicates: bool = False) -> bool:
    """Choose what is written, and return whether that is anything.

    Args:
        work: with its duplicates resolved.
        without_duplicates: whether questions that nobody asked again are originals too.
    """
    for statement in _CHOSEN.split(";"):
        work.database.execute(statement)
    if without_duplicates:
        work.database.execute(_UNASKED)
    return bool(work.database.execute("SELECT EXISTS (SELECT 1 FROM originals)").fetchone()[0])


def authors(work: WorkFile) -> array[int]:
    """Return the ids of the authors of what is written, sorted."""
    return work.ids(
        """
        SELECT owner FROM questions WHERE owner IS NOT NULL AND
          (id IN (SELECT id FROM written) OR id IN (SELECT id FROM originals))
        UNION SELECT owner FROM answers JOIN chosen ON answers.question = chosen.question
          AND answers.id = chosen.answer
        WHERE owner IS NOT NULL AND chosen.question IN (SELECT id FROM originals) ORDER BY 1
        """
    )


def counts(work: WorkFile) -> dict[str, int]:
    """Return what the work file says about how the duplicates were resolved."""
    database = work.database
    found = {name: database.execute(query).fetchone()[0] for name, query in _COUNTED.items()}
    for reason, count in database.execute(_REASONS):
        found[f"left out: duplicates, as {reason}"] = count
    return found


def export(work: WorkFile, writer: DataWriter, host: str | None) -> dict[str, int]:
    """Write all lines, sorted by id, and return how many of each kind, and texts by licence.

    Args:
        work: with what is written chosen.
        writer: takes the lines.
        host: site of the texts that have no address of their own; None if they are of no site.
    """
    written: dict[str, int] = {}
    for kind, query in _QUERIES:
        for number, answer, text, *rest in _shown(work.database, kind, query):
            created = rest[0]
            if kind == "original":
                writer.original(number, answer, text, created)
            elif kind == "duplicate":
                writer.duplicate(number, answer, text, created)
            else:
                writer.answer(number, text)
            attribution = _attribution(host, kind, number, *rest)
            writer.attribution(attribution)
            for key in (f"written: {kind}s", f"licence: {attribution.licence or 'not stated'}"):
                written[key] = written.get(key, 0) + 1
    return written


def _shown(database: sqlite3.Connection, kind: Kind, query: str) -> Iterator[tuple[Any, ...]]:
    rows: Iterable[tuple[Any, ...]] = database.execute(query)
    yield from tqdm(rows, desc=f"writing {kind}s", disable=None)


def _attribution(
    host: str | None,
    kind: Kind,
    number: int,
    created: str,
    licence: str,
    owner: int | None,
    owner_name: str,
    url: str | None,
    name: str | None,
    source_id: str | None,
) -> Attribution:
    address = sites.answer_url if kind == "answer" else sites.question_url
    return Attribution(
        kind=kind,
        id=number,
        source_id=source_id,
        url=url or (address(host, number) if host else None),
        author=name or owner_name or None,
        author_url=sites.user_url(host, owner) if host and owner else None,
        licence=licence or None,
        licence_url=sites.licence_url(licence),
        created=created or None,
    )
