"""``python -m benchmarks.cpu_gpu endpoint | local | report``: CPU against GPU, measured.

``endpoint`` measures what answers at an address, ``local`` starts one process for each backend on
this machine, ``report`` prints the table and draws the plot. Each deployment is one row of the
results file; those that are there already are not measured again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cpu_gpu.measure import Deployment, Effort, measure
from benchmarks.cpu_gpu.report import plot, table
from benchmarks.cpu_gpu.row import NotUsable, Row, read_rows, write_rows
from benchmarks.environments import interpreter
from benchmarks.record import IMAGES, record
from benchmarks.result import Result
from services.launch import LaunchFailed, running

PLOT = "cpu-gpu.png"
NOTE = (
    "One row for each deployment that was measured: saturation by raising the number of callers, then "
    "70 % of it offered as an open system. The device is what the service reported after it ran there; "
    "GPUs have rows only where one was used. Prices are those that were given."
)
BACKENDS = ("onnxruntime", "torch", "keras", "tensorflow")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name and return the exit status."""
    options = _parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], None]] = {
        "endpoint": _endpoint,
        "local": _local,
        "report": _report,
    }
    try:
        commands[options.command](options)
    except (NotUsable, LaunchFailed, OSError) as error:
        print(f"benchmarks.cpu_gpu: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks.cpu_gpu: interrupted; what was measured is kept", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cpu_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("endpoint", "measure what answers at an address"),
        ("local", "measure processes on this machine"),
        ("report", "print the table of what was measured"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--results", type=Path, default=Path(".bench/cpu_gpu.jsonl"), help="file of the rows"
        )
        if name == "report":
            command.add_argument("--plot", type=Path, help="PNG file to draw")
            command.add_argument("--record", action="store_true",
                                 help="write benchmarks/results/ and docs/benchmarks.md")  # fmt: skip
            command.add_argument(
                "--price", action="append", default=[], metavar="NAME=USD",
                help="another price per hour of a row",
            )  # fmt: skip
            continue
        command.add_argument("--device", choices=("cpu", "gpu"), default="cpu",
                             help="where it is to run; the service must say so too")  # fmt: skip
        command.add_argument("--usd-per-hour", type=_positive,
                             help="price of the nodes under the pods")  # fmt: skip
        command.add_argument(
            "--seconds", type=_positive, default=20.0, help="length of the 70 %% step"
        )
        command.add_argument("--level-seconds", type=_positive, default=8.0,
                             help="length of each level of concurrency")  # fmt: skip
        command.add_argument("--max-callers", type=int, default=64, help="highest concurrency")
        command.add_argument(
            "--again", action="store_true", help="measure rows that are there, too"
        )
        if name == "endpoint":
            command.add_argument("--name", required=True, help="what its row is called")
            command.add_argument("--url", required=True, help="address of the API")
            command.add_argument("--metrics-url", required=True,
                                 help="address of one pod's metrics, without /metrics")  # fmt: skip
            command.add_argument("--key-file", type=Path,
                                 help="file with an API key; else SCORING_API_KEY")  # fmt: skip
            command.add_argument("--pods", type=int, default=1, help="how many pods answer there")
            command.add_argument("--allow-host", help="a host that may be loaded besides this one")
        else:
            command.add_argument(
                "--model", action="append", required=True, metavar="BACKEND=FOLDER",
                help=f"model folder of a backend ({', '.join(BACKENDS)}); repeatable",
            )  # fmt: skip
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("must be over 0")
    return value


def _effort(options: argparse.Namespace) -> Effort:
    host = getattr(options, "allow_host", None)
    return Effort(options.seconds, options.level_seconds, options.max_callers, host)


def _endpoint(options: argparse.Namespace) -> None:
    deployment = Deployment(
        options.name, options.url, options.metrics_url, options.pods, options.device,
        options.usd_per_hour, options.key_file,
    )  # fmt: skip
    if not _is_there(options, options.name):
        _keep(options.results, measure(deployment, _effort(options), dict(os.environ)))


def _local(options: argparse.Namespace) -> None:
    models = [_backend_and_folder(text) for text in options.model]
    for backend, folder in models:
        name = f"this machine, {backend}"
        if not _is_there(options, name):
            _keep(options.results, _measure_local(options, name, backend, folder))


def _measure_local(options: argparse.Namespace, name: str, backend: str, folder: Path) -> Row:
    logs = options.results.parent
    logs.mkdir(parents=True, exist_ok=True)
    device = "cuda" if options.device == "gpu" else "cpu"
    python = interpreter(backend)
    if not python.exists():
        raise NotUsable(f"{backend} needs .venvs/tensorflow; run `make tensorflow`")
    service_options = (
        "--model", folder, "--backend", backend, "--device", device, "--no-access-log",
        "--deadline-ms", "60000",
    )  # fmt: skip
    with running("services.resnet", *service_options, log_folder=logs, python=python) as service:
        deployment = Deployment(
            name, service.url, service.metrics_url, 1, options.device, options.usd_per_hour
        )
        return measure(deployment, _effort(options), {})


def _backend_and_folder(text: str) -> tuple[str, Path]:
    backend, _, folder = text.partition("=")
    if backend not in BACKENDS or not folder:
        raise NotUsable(f"--model {text}: must be BACKEND=FOLDER, one of {', '.join(BACKENDS)}")
    return backend, Path(folder).resolve()


def _is_there(options: argparse.Namespace, name: str) -> bool:
    found = any(row.name == name for row in read_rows(options.results)) and not options.again
    if found:
        print(f"{name}: is there already; --again measures it anew", file=sys.stderr)
    return found


def _keep(results: Path, row: Row) -> None:
    others = [each for each in read_rows(results) if each.name != row.name]
    write_rows([*others, row], results)


def _report(options: argparse.Namespace) -> None:
    rows = read_rows(options.results)
    if not rows:
        raise NotUsable(f"{options.results}: nothing was measured yet")
    prices = dict(_price(text, rows) for text in options.price)
    rows = [
        row.model_copy(update={"usd_per_hour": prices.get(row.name, row.usd_per_hour)})
        for row in rows
    ]
    print(table(rows).markdown())
    for machine in dict.fromkeys(f"Measured from: {row.machine} ({row.date})" for row in rows):
        print(f"\n{machine}")
    if options.plot:
        plot(rows, options.plot)
    if options.record:
        plot(rows, IMAGES / PLOT)
        record(Result("cpu_gpu", "CPU against GPU", [NOTE], [table(rows)], [], [PLOT]))


def _price(text: str, rows: Sequence[Row]) -> tuple[str, float]:
    name, _, price = text.rpartition("=")
    try:
        value = float(price)
    except ValueError:
        value = 0.0
    if name not in {row.name for row in rows} or not value > 0:
        raise NotUsable(f"--price {text}: must be NAME=USD, with the name of a row")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
