"""A Stack Exchange dump to the data's files, in five steps that a later run can go on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.faq.importing import export, read_dump
from services.faq.importing.dump_files import DumpFiles, find_dump
from services.faq.importing.report import ImportReport
from services.faq.importing.resolve import resolve
from services.faq.importing.work_file import WorkFile, open_work_file, remove_work_file
from services.faq.importing.write_data import new_data
from services.faq.records import DataError


def import_dump(
    dump: Path, data: Path, *, host: str, tags: Sequence[str], restart: bool = False
) -> ImportReport:
    """Write the files of `data` from a dump.

    Args:
        dump: a folder or a 7z archive.
        data: folder to write to; also where the unfinished work is.
        host: the site's host, for addresses and to find the files.
        tags: originals and duplicates need one of them; empty for all questions.
        restart: whether to begin anew instead of going on with an unfinished import.

    Raises:
        DataError: the dump cannot be used, or nothing is found in it.
    """
    files = find_dump(dump, host)
    data.mkdir(parents=True, exist_ok=True)
    source = _source(files, host, tags)
    with open_work_file(data, source, restart=restart) as work:
        read_dump.read_links(work, files.links)
        read_dump.read_posts(work, files.posts, tags)
        resolve(work)
        report = None
        if export.choose(work):
            if files.users:
                read_dump.read_users(work, files.users, export.authors(work))
            report = _write(work, data, host, source)
        remove_work_file(data)
    if report is None:
        raise DataError(_nothing(dump, tags, work))
    return report


def _source(files: DumpFiles, host: str, tags: Sequence[str]) -> dict[str, Any]:
    """What an import is of; another size or time of change is another dump."""
    stats = [(file, file.path.stat()) for file in files.all()]
    return {
        "host": host,
        "tags": sorted(tags),
        "files": [
            {"name": str(file), "bytes": stat.st_size, "changed": stat.st_mtime_ns}
            for file, stat in stats
        ],
    }


def _write(work: WorkFile, data: Path, host: str, source: dict[str, Any]) -> ImportReport:
    with new_data(data) as writer:
        written = export.export(work, writer, host)
        report = ImportReport(source, {**work.counts, **export.counts(work), **written})
        writer.report(report.json())
    return report


def _nothing(dump: Path, tags: Sequence[str], work: WorkFile) -> str:
    links = work.counts["links: to an original"]
    if not links:
        return f"{dump}: no question is linked as a duplicate; nothing was written"
    tagged = " or ".join(tags)
    return (
        f"{dump}: of {links:,} links to originals none is between questions in the dump"
        + (f" tagged {tagged}" if tags else "")
        + " with an answer; nothing was written"
    )
