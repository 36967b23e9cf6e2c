"""Where the gateway's certificate comes from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.kubernetes.platform_objects import (
    FULL,
    declared,
    objects,
    resource_of,
    spec_of,
)
from tests.infra.kubernetes.workload_objects import declared_workloads

EXISTING = {"gateway": {"tls": {"issuer": "existing-secret", "existing_secret": "site"}}}


def _acme(issuer: str, **gateway: Any) -> dict[str, Any]:
    tls = {"issuer": issuer, "email": "ops@contoso.com"}
    return {"gateway": {"host_name": "scoring.contoso.com", "tls": tls, **gateway}}


def _https_secret(values: dict[str, Any]) -> str:
    listeners = spec_of(declared(values), "Gateway", "scoring")["listeners"]
    (reference,) = listeners[1]["tls"]["certificateRefs"]
    return reference["name"]


def test_a_secret_that_exists_is_named_and_nothing_is_issued() -> None:
    assert _https_secret(EXISTING) == "site"
    kinds = {found["kind"] for found in objects(declared(EXISTING))}
    assert not kinds & {"Issuer", "Certificate"}


def test_the_gateway_names_the_secret_that_the_certificate_fills() -> None:
    secret = _https_secret(FULL)
    assert spec_of(declared(FULL), "Certificate", secret)["secretName"] == secret


def test_by_default_the_cluster_signs_for_itself() -> None:
    assert spec_of(declared(), "Issuer", "gateway") == {"selfSigned": {}}


@pytest.mark.parametrize(
    ("issuer", "server"),
    [
        ("acme", "https://acme-v02.api.letsencrypt.org/directory"),
        ("acme-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
    ],
)
def test_acme_servers(issuer: str, server: str) -> None:
    acme = spec_of(declared(_acme(issuer)), "Issuer", "gateway")["acme"]
    assert acme["server"] == server
    assert acme["email"] == "ops@contoso.com"
    # An account belongs to one server: staging must not leave its key to the real one.
    assert issuer in acme["privateKeySecretRef"]["name"]


def test_the_challenge_is_answered_on_the_http_listener_without_node_ports() -> None:
    recording = declared(FULL)
    (solver,) = spec_of(recording, "Issuer", "gateway")["acme"]["solvers"]
    route = solver["http01"]["gatewayHTTPRoute"]
    (parent,) = route["parentRefs"]
    listeners = spec_of(recording, "Gateway", parent["name"])["listeners"]
    listener = next(found for found in listeners if found["name"] == parent["sectionName"])
    assert (listener["protocol"], listener["port"]) == ("HTTP", 80)
    assert parent["namespace"] == "scoring"
    assert route["serviceType"] == "ClusterIP"


def test_solvers_run_where_the_services_do_also_on_spot_nodes() -> None:
    (solver,) = spec_of(declared(FULL), "Issuer", "gateway")["acme"]["solvers"]
    pod = solver["http01"]["gatewayHTTPRoute"]["podTemplate"]["spec"]
    assert pod["nodeSelector"] == {"realtime-scoring.io/pool": "cpu"}
    assert [t["key"] for t in pod["tolerations"]] == ["kubernetes.azure.com/scalesetpriority"]
    (solver,) = spec_of(declared(_acme("acme")), "Issuer", "gateway")["acme"]["solvers"]
    assert solver["http01"]["gatewayHTTPRoute"]["podTemplate"]["spec"]["tolerations"] == []


def test_a_solver_is_what_azure_policy_takes() -> None:
    """The restricted standard asks for a group of each kind; the services' pods name them, too."""
    (solver,) = spec_of(declared(_acme("acme")), "Issuer", "gateway")["acme"]["solvers"]
    pod = solver["http01"]["gatewayHTTPRoute"]["podTemplate"]["spec"]["securityContext"]
    service = spec_of(declared_workloads(), "Deployment", "faq")["template"]["spec"]
    assert set(pod) == set(service["securityContext"]) - {"fsGroupChangePolicy"}
    assert pod["runAsNonRoot"] is True
    assert pod["runAsGroup"] == pod["fsGroup"] == pod["supplementalGroups"][0] != 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}


def test_keys_are_small_and_new_each_time() -> None:
    certificate = spec_of(declared(FULL), "Certificate", "gateway-certificate")
    assert certificate["privateKey"] == {
        "algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always",
    }  # fmt: skip
    assert certificate["dnsNames"] == ["scoring.contoso.com"]
    assert certificate["issuerRef"]["kind"] == "Issuer"
    days = {
        key: int(certificate[key].removesuffix("h")) / 24 for key in ("duration", "renewBefore")
    }
    assert days == {"duration": 90, "renewBefore": 30}


def test_the_certificate_comes_after_its_issuer() -> None:
    recording = declared(FULL)
    issuer = resource_of(recording, "Issuer", "gateway")
    certificate = resource_of(recording, "Certificate", "gateway-certificate")
    assert issuer.urn in certificate.options.depends_on
