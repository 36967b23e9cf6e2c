"""The gateway's certificate: from ACME, from the cluster itself, or one that exists already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.kubernetes.add_ons import AddOns
from infra.kubernetes.custom_objects import CERTIFICATE, CERTIFICATES_GROUP, GATEWAY_GROUP, ISSUER
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import GATEWAY_NAME
from infra.scheduling import POOL_LABEL, SPOT_TAINT_KEY, SPOT_TAINT_VALUE

if TYPE_CHECKING:
    from infra.settings import Settings

SECRET_NAME = "gateway-certificate"  # noqa: S105  (the name, not the secret)
ISSUER_NAME = "gateway"
HTTP_LISTENER = "http"
ACME_SERVERS = {
    "acme": "https://acme-v02.api.letsencrypt.org/directory",
    "acme-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
"""Source: letsencrypt.org/docs/staging-environment"""
SOLVER_USER = 1000
"""The user of cert-manager's images."""
DURATION = "2160h"
RENEW_BEFORE = "720h"
"""Ninety days, renewed thirty days before: time to see and mend what failed."""


@dataclass(frozen=True)
class CertificatesArgs:
    """What the certificate depends on."""

    settings: Settings
    namespace: pulumi.Input[str]
    add_ons: AddOns


class Certificates(pulumi.ComponentResource):
    """Issuer and certificate, in the namespace of the Gateway.

    Attributes:
        secret_name: TLS secret that the Gateway names.
    """

    secret_name: str

    def __init__(
        self, name: str, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:Certificates", name, None, opts)
        tls = args.settings.gateway.tls
        self.secret_name = tls.existing_secret or SECRET_NAME
        if args.add_ons.cert_manager is not None:
            after = pulumi.ResourceOptions(parent=self, depends_on=[args.add_ons.cert_manager])
            issuer = ISSUER.declare(
                f"{name}-issuer",
                object_meta(ISSUER_NAME, args.namespace),
                issuer_spec(args.settings, args.namespace),
                after,
            )
            CERTIFICATE.declare(
                f"{name}-certificate",
                object_meta(self.secret_name, args.namespace),
                certificate_spec(args.settings.gateway.host_name, self.secret_name),
                pulumi.ResourceOptions(parent=self, depends_on=[issuer]),
            )
        self.register_outputs({"secretName": self.secret_name})


def issuer_spec(settings: Settings, namespace: pulumi.Input[str]) -> dict[str, object]:
    """Who signs. ACME's challenge is answered through the gateway's own HTTP listener.

    The solver's route matches one exact path, which goes before the redirect of every path
    (gateway-api.sigs.k8s.io/reference/spec/#httprouterule).
    """
    tls = settings.gateway.tls
    server = ACME_SERVERS.get(tls.issuer)
    if server is None:
        return {"selfSigned": {}}
    listener = {
        "group": GATEWAY_GROUP,
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "namespace": namespace,
        "sectionName": HTTP_LISTENER,
    }
    solver = {
        "parentRefs": [listener],
        "serviceType": "ClusterIP",
        "podTemplate": {"spec": _solver_pod(settings)},
    }
    return {
        "acme": {
            "server": server,
            "email": tls.email,
            "privateKeySecretRef": {"name": f"{ISSUER_NAME}-{tls.issuer}-account"},
            "solvers": [{"http01": {"gatewayHTTPRoute": solver}}],
        }
    }


def certificate_spec(host_name: str, secret_name: str) -> dict[str, object]:
    """What is signed: a small, fast key, a new one each time."""
    return {
        "secretName": secret_name,
        "dnsNames": [host_name],
        "duration": DURATION,
        "renewBefore": RENEW_BEFORE,
        "revisionHistoryLimit": 2,
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["digital signature", "server auth"],
        "issuerRef": {"group": CERTIFICATES_GROUP, "kind": "Issuer", "name": ISSUER_NAME},
    }


def _solver_pod(settings: Settings) -> dict[str, object]:
    spot = {
        "key": SPOT_TAINT_KEY,
        "operator": "Equal",
        "value": SPOT_TAINT_VALUE,
        "effect": "NoSchedule",
    }
    return {
        "nodeSelector": {POOL_LABEL: "cpu"},
        "tolerations": [spot] if settings.cluster.cpu_pool.spot else [],
        # In the place of cert-manager's own, which names no groups: Azure Policy's restricted
        # standard refuses such a pod, and no certificate would come.
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": SOLVER_USER,
            "runAsGroup": SOLVER_USER,
            "fsGroup": SOLVER_USER,
            "supplementalGroups": [SOLVER_USER],
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
