"""From the flags of ``load`` to a report."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from client.command_line.connection import FAQ, RESNET, chosen_address, chosen_key
from client.command_line.load_progress import TerminalObserver
from client.command_line.parsing import NOT_RECOVERED, OK, CommandFailed, UsageError
from client.load.arrivals import Arrivals
from client.load.load_test import LoadPlan, LoadReport, run_load_test
from client.load.report import plot_format, text_report, write_json
from client.load.target import LoadRefused
from client.load.workload import Workload, faq_workload, read_questions, resnet_workload
from client.picture import read_picture


def run(flags: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the load test, print the report and write the files; returns the exit status."""
    _require_outputs(flags.json, flags.plot)
    plan = _plan(flags, environment)
    try:
        report = run_load_test(plan, TerminalObserver())
    except LoadRefused as error:
        raise CommandFailed(str(error)) from None
    print(text_report(report), end="", flush=True)
    if flags.json is not None:
        write_json(report, flags.json)
    if flags.plot is not None:
        _write_plot(report, flags.plot)
    return NOT_RECOVERED if report.recovered is False else OK


def _require_outputs(figures: Path | None, plot: Path | None) -> None:
    """Better now than after minutes of measuring."""
    for path in (figures, plot):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: its folder does not exist")
    if plot is None:
        return
    try:
        plot_format(plot)
        import matplotlib  # noqa: F401
    except ValueError as error:
        raise UsageError(str(error)) from None
    except ModuleNotFoundError:
        raise CommandFailed("--plot needs the package matplotlib") from None


def _write_plot(report: LoadReport, path: Path) -> None:
    from client.load.plot import write_plot

    write_plot(report, path)


def _plan(flags: argparse.Namespace, environment: Mapping[str, str]) -> LoadPlan:
    address = chosen_address(flags, FAQ if flags.service == FAQ.name else RESNET, environment)
    try:
        return LoadPlan(
            address=address,
            workload=_workload(flags),
            api_key=chosen_key(flags, address, environment),
            rates=flags.rates,
            seconds=flags.seconds,
            deadline_ms=flags.deadline_ms,
            tell_deadline=flags.tell_deadline,
            arrivals=Arrivals(flags.arrivals),
            seed=flags.seed,
            connections=flags.connections,
            timeout=flags.timeout,
            max_requests=flags.max_requests,
            saturation=flags.saturation,
            level_seconds=flags.level_seconds,
            max_callers=flags.max_callers,
            recover=flags.recover,
            permitted_host=flags.permit_host,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _workload(flags: argparse.Namespace) -> Workload:
    is_faq = flags.service == FAQ.name
    path: Path | None = flags.questions if is_faq else flags.picture
    other: Path | None = flags.picture if is_faq else flags.questions
    if other is not None:
        raise UsageError("--questions is for --service faq, --picture for --service resnet")
    try:
        if is_faq:
            return faq_workload(None if path is None else read_questions(path))
        return resnet_workload(None if path is None else read_picture(path))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
