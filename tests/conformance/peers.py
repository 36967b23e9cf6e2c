"""The same checks against peers that speak the protocols: ``python -m tests.conformance.peers``.

Prints, for docs/api.md, what each client finds at our service, at MLServer and at KServe's server; each
serves the FAQ model by its adapter of benchmarks/peers. Needs ``make clients peers``. Ends with 1 where
ours fails a check, or a server could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.models import KEPT, faq_model
from benchmarks.peers.roster import OURS, PEERS, ROOT, Peer
from benchmarks.peers.running_server import ServerFailed, running_server
from benchmarks.peers.served_model import Setup
from services.launch import free_ports
from tests.conformance.conftest import QUESTION

SERVERS = (OURS, "mlserver", "kserve")
CLIENTS = ("tritonclient", "kserve")
ADDRESS = "HOST:PORT"
"""What stands in the table for a server's own."""

FOLDER = Path(__file__).parent


def main() -> int:
    """Run every check against every server and print the table."""
    found: dict[str, Mapping[str, str]] = {}
    titles: list[str] = []
    for name in SERVERS:
        peer = PEERS[name]
        print(f"{peer.title} …", file=sys.stderr)
        try:
            found[name] = outcomes(peer)
        except ServerFailed as error:
            print(f"{peer.title}: {error}", file=sys.stderr)
            found[name] = {}
        titles.append(f"{peer.title} {peer.version() if peer.is_installed else ''}".strip())
    print(table(titles, [found[name] for name in SERVERS]))
    return exit_status(found)


def exit_status(found: Mapping[str, Mapping[str, str]]) -> int:
    """0 where every server was asked, and ours passes all."""
    return int(not all(found.values()) or any(each != "ok" for each in found[OURS].values()))


def outcomes(peer: Peer) -> dict[str, str]:
    """What became of each check, by client and name."""
    setup = Setup("faq", faq_model(), free_ports(1)[0], is_tuned=False, deadline_seconds=10)
    log = KEPT / f"conformance-{peer.name}.log"
    found: dict[str, str] = {}
    with (
        tempfile.NamedTemporaryFile() as row,
        running_server(peer, setup, peer.workload("faq"), log) as server,
    ):
        Path(row.name).write_bytes(QUESTION)
        for client in CLIENTS:
            checks = _run(client, server.address.authority, Path(row.name))
            found |= {f"{client}: {name}": outcome for name, outcome in checks.items()}
    return found


def _run(client: str, address: str, row: Path) -> dict[str, str]:
    python = ROOT / ".venvs" / client / "bin" / "python"
    if not python.exists():
        raise ServerFailed(f"the client {client} is not here: make clients")
    options = ("--address", address, "--model", "faq", "--input", "question", "--row", row)
    done = subprocess.run(
        [python, FOLDER / f"{client}_checks.py", *options],
        input="\n", capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ServerFailed(f"{client} ended: {(done.stderr.strip().splitlines() or [''])[-1]}")
    return without_address(json.loads(done.stdout), address)


def without_address(found: Mapping[str, str], address: str) -> dict[str, str]:
    """Outcomes that are the same in every run: the port is another in each."""
    return {name: outcome.replace(address, ADDRESS) for name, outcome in found.items()}


def table(titles: Sequence[str], found: Sequence[Mapping[str, str]]) -> str:
    """A row for each check, a column for each server; the last row counts what passed."""
    names = list(dict.fromkeys(name for each in found for name in each))
    rows = [["client: check", *titles]]
    for name in names:
        shown = [each.get(name, "not run") for each in found]
        rows.append([name.replace("_", " "), *(_cell(each) for each in shown)])
    rows.append(["**passed**", *map(_passed, found)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def _passed(outcomes: Mapping[str, str]) -> str:
    if not outcomes:
        return "not run"
    return f"**{sum(each == 'ok' for each in outcomes.values())} of {len(outcomes)}**"


def _cell(outcome: str) -> str:
    return outcome if outcome == "ok" else outcome.replace("|", "/").replace("`", "'")[:90]


if __name__ == "__main__":
    raise SystemExit(main())
