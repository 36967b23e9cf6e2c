"""The real services behind the gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.launch import LaunchedService, running
from tests.cleanup import ended_by
from tests.conftest import Server, serve

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Services:
    """A process of each, with real models; the client application calls the other two."""

    faq: Server
    resnet: Server
    web: Server

    def ports(self) -> dict[str, list[int]]:
        """As the gateway's fixture wants them."""
        return {
            "faq": [port_of(self.faq)],
            "resnet": [port_of(self.resnet)],
            "web": [port_of(self.web)],
        }


def port_of(server: Server | LaunchedService) -> int:
    return int(server.url.rsplit(":", 1)[1])


@contextmanager
def running_services(
    faq_model: Path, resnet_model: Path, new_folder: Callable[[str], Path]
) -> Iterator[Services]:
    """All three, until the end of the block."""
    with (
        contextmanager(serve)("services.faq", faq_model, new_folder("faq")) as faq,
        contextmanager(serve)("services.resnet", resnet_model, new_folder("resnet")) as resnet,
        _running_web(faq, resnet, new_folder("web")) as web,
    ):
        yield Services(faq, resnet, web)


@contextmanager
def _running_web(faq: Server, resnet: Server, folder: Path) -> Iterator[Server]:
    options: list[str | Path] = ["--max-picture-bytes", str(MEBIBYTE)]
    for name, server in (("faq", faq), ("resnet", resnet)):
        key_file = folder / f"{name}.key"
        key_file.write_text(server.key)
        options += [f"--{name}-url", server.url, f"--{name}-key-file", key_file]
    with (
        running("services.web", *options, log_folder=folder) as web,
        ended_by(f"kill {web.process.pid}"),
    ):
        yield Server(web.url, web.metrics_url, "", web.log)
