"""`import`: from a dump or tables to a data folder."""

from __future__ import annotations

import sys

from services.faq.import_settings import ImportSettings
from services.faq.importing.import_dump import import_dump
from services.faq.importing.import_table import BadLines, Columns, TableFormat, import_table
from services.faq.importing.report import ImportReport
from services.faq.importing.sites import host_of
from services.faq.importing.work_file import WORK_FILE
from services.faq.importing.write_data import REPORT_FILE, refuse_existing
from services.faq.records import DataError
from services.serving.command_line import CommandFailed


def run_import(settings: ImportSettings) -> None:
    """Write the data, and print what was found.

    Raises:
        CommandFailed: the source cannot be used, or the folder holds data already.
    """
    try:
        refuse_existing(settings.data, overwrite=settings.overwrite)
        report = _from_dump(settings) if settings.dump else _from_tables(settings)
    except BadLines as error:
        for line in error.errors:
            print(line, file=sys.stderr)
        raise CommandFailed(str(error)) from None
    except DataError as error:
        raise CommandFailed(str(error)) from None
    except KeyboardInterrupt:
        if (settings.data / WORK_FILE).exists():
            without = " without --restart" if settings.restart else ""
            print(f"the same command{without} goes on from here", file=sys.stderr)
        raise
    print(report.table())
    print(f"{settings.data}: written; the report is in {REPORT_FILE}", file=sys.stderr)


def _from_dump(settings: ImportSettings) -> ImportReport:
    assert settings.dump  # noqa: S101 - for the type checker
    return import_dump(
        settings.dump,
        settings.data,
        host=host_of(settings.site),
        tags=() if settings.any_tag else tuple(tag.strip().lower() for tag in settings.tag),
        restart=settings.restart,
    )


def _from_tables(settings: ImportSettings) -> ImportReport:
    columns = Columns(
        question=settings.question_column,
        body=settings.body_column,
        answer=settings.answer_column,
        id=settings.id_column,
        duplicate_of=settings.duplicate_of_column,
        created=settings.created_column,
        author=settings.author_column,
        url=settings.url_column,
        licence=settings.licence_column,
    )
    layout = TableFormat(columns, settings.encoding, settings.delimiter, settings.text_format)
    return import_table(settings.table, settings.data, layout, skip_errors=settings.skip_errors)
