"""Keeping results: one JSON file each, and the page docs/benchmarks.md made from all of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.machine import describe_machine
from benchmarks.result import Result, Table, Target
from client.written_file import write_file

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "benchmarks.md"
EXPLAINED = dict.fromkeys(
    ("matcher", "half_bare", "bare", "embedding"), ROOT / "docs" / "faq-model.md"
)
"""Pages that have a result where they explain it, between two marks, instead of `PAGE`."""
ORDER = (
    "predecessor",
    "matcher",
    "half_bare",
    "bare",
    "embedding",
    "scale",
    "leak",
    "importing",
    "overhead",
    "load",
    "updates",
    "backends",
    "one_cpu",
    "frameworks",
)

ELSEWHERE = {
    "peers-faq": "make bench-peers",
    "peers-resnet": "make bench-peers",
    "cpu_gpu": "python -m benchmarks.cpu_gpu report",
}
"""Results of other commands, which need more than `.venv` or settings of their own."""

HEAD = """# Benchmarks

For whoever wants to know how fast it is before trusting it. Every table is printed by the command
above it; `make bench` runs all but those of `make bench-peers`, which needs each of the other servers
in an environment of its own. What each part of the FAQ matcher is worth, and what its embedding costs, is in
[the FAQ model](faq-model.md). Both pages are made from the recorded results by
`python -m benchmarks page`; the machines are small and shared, so the ratios within a run matter
more than the absolute times. The interpreter counts, too: `pyenv` builds one without the compiler's
optimisations unless it is told to, that of a distribution or of the images is faster
(`make setup PYTHON=/usr/bin/python3`).
"""


def record(result: Result) -> None:
    """Write a result's JSON file and the page."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        **asdict(result),
        "machine": describe_machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    content = json.dumps(document, indent=1) + "\n"
    write_file(RESULTS / f"{result.name}.json", content.encode())
    write_page()


def write_page() -> None:
    """Make docs/benchmarks.md from the recorded results, and the parts that other pages have of some."""
    sections = [HEAD.strip()]
    for name in (*ORDER, *ELSEWHERE):
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        section = _section(json.loads(path.read_text()))
        if name in EXPLAINED:
            _fill(EXPLAINED[name], name, section.partition("\n\n")[2])
        else:
            sections.append(section)
    write_file(PAGE, ("\n\n".join(sections) + "\n").encode())


def _fill(page: Path, name: str, content: str) -> None:
    """Put a result between its marks in a page."""
    begin, end = f"<!-- begin of {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = page.read_text().partition(begin)
    after = rest.partition(end)[2]
    write_file(page, f"{before}{begin}\n{content}\n\n{end}{after}".encode())


def _section(document: dict[str, object]) -> str:
    machine, date = document.pop("machine"), document.pop("date")
    fields = dict(document)
    fields["tables"] = [Table(**table) for table in fields["tables"]]  # type: ignore[attr-defined]
    fields["targets"] = [Target(**target) for target in fields["targets"]]  # type: ignore[attr-defined]
    result = Result(**fields)  # type: ignore[arg-type]
    heading, _, rest = result.text().partition("\n")
    IMAGES.mkdir(parents=True, exist_ok=True)
    images = "\n\n".join(f"![{result.title}](images/{image})" for image in draw(result, IMAGES))
    command = ELSEWHERE.get(result.name, f"python -m benchmarks {result.name}")
    parts = [f"#{heading}", f"`{command}` · {date} · {machine}"]
    return "\n\n".join([*parts, rest.strip(), images]).rstrip()
