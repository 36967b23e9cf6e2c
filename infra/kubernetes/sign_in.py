"""What sign-in needs in the cluster: variables, the pods' own token, the way to the provider."""

from __future__ import annotations

import json

from pulumi_kubernetes import core, networking

from infra.kubernetes.custom_objects import GATEWAY_GROUP
from infra.kubernetes.key_file import CLIENT_SECRET_FILE, KEY_FOLDER
from infra.kubernetes.places import SERVICES_NAMESPACE
from infra.kubernetes.retries import READS, retry_reads
from infra.sections.sign_in import SignInSettings
from infra.settings import Settings

AUDIENCE = "api://AzureADTokenExchange"
"""learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust"""
SUBJECT = f"system:serviceaccount:{SERVICES_NAMESPACE}:web"
TOKEN_VOLUME = "sign-in-token"  # noqa: S105 - its name
TOKEN_FOLDER = "/var/run/secrets/sign-in"  # noqa: S105 - where it is
TOKEN_FILE = "token"  # noqa: S105 - its name
TOKEN_SECONDS = 3600
"""The kubelet replaces it when four fifths are over; the page reads it at every sign-in."""
PRIVATE_RANGES = (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16",
)  # fmt: skip
"""RFC 6890: with the cluster's own networks, and the nodes' metadata service among them."""
HTTPS_PORT = 443
AFFINITY_COOKIE = "page-pod"


def redirect_uri(settings: Settings) -> str:
    """Where the provider sends people back to; it must know it."""
    return f"https://{settings.gateway.host_name}/auth/callback"


def signed_out_uri(settings: Settings) -> str:
    """Where it sends them after signing out."""
    return f"https://{settings.gateway.host_name}/auth/signed-out"


def is_federated(settings: Settings) -> bool:
    """Whether the pods' own tokens stand for a client secret."""
    sign_in = settings.web.sign_in
    return settings.web.enabled and sign_in is not None and sign_in.client_secret is None


def sign_in_variables(settings: Settings, sign_in: SignInSettings) -> dict[str, object]:
    """The settings of services/web/sign_in/settings.py; the secret is a file."""
    provider: dict[str, object] = (
        {"sign_in_tenant": settings.tenant_id}
        if sign_in.issuer is None
        else {"sign_in_issuer": sign_in.issuer}
    )
    proof: dict[str, object] = (
        {"sign_in_client_assertion_file": f"{TOKEN_FOLDER}/{TOKEN_FILE}"}
        if is_federated(settings)
        else {"sign_in_client_secret_file": f"{KEY_FOLDER}/{CLIENT_SECRET_FILE}"}
    )
    return {
        "public_url": f"https://{settings.gateway.host_name}",
        **provider,
        "sign_in_client_id": sign_in.client_id,
        **proof,
        "sign_in_groups": json.dumps(sign_in.groups),
        "sign_in_roles": json.dumps(sign_in.roles),
        "sign_in_everyone": sign_in.everyone,
        "sign_in_groups_claim": sign_in.groups_claim,
        "sign_in_scopes": sign_in.scopes,
        "session_idle_minutes": sign_in.idle_minutes,
        "session_hours": sign_in.hours,
    }


def token_volume() -> core.v1.VolumeArgs:
    """A token of the pod's service account, for Entra alone: the API server does not take it."""
    return core.v1.VolumeArgs(
        name=TOKEN_VOLUME,
        projected=core.v1.ProjectedVolumeSourceArgs(
            default_mode=0o440,
            sources=[
                core.v1.VolumeProjectionArgs(
                    service_account_token=core.v1.ServiceAccountTokenProjectionArgs(
                        audience=AUDIENCE, expiration_seconds=TOKEN_SECONDS, path=TOKEN_FILE
                    )
                )
            ],
        ),
    )


def token_mount() -> core.v1.VolumeMountArgs:
    """Where the page finds that token."""
    return core.v1.VolumeMountArgs(name=TOKEN_VOLUME, mount_path=TOKEN_FOLDER, read_only=True)


def to_the_provider(sign_in: SignInSettings) -> networking.v1.NetworkPolicyEgressRuleArgs:
    """HTTPS to the provider. Its addresses change: by default they are any but private ones."""
    blocks = [networking.v1.IPBlockArgs(cidr=network) for network in sign_in.provider_networks] or [
        networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=list(PRIVATE_RANGES))
    ]
    return networking.v1.NetworkPolicyEgressRuleArgs(
        to=[networking.v1.NetworkPolicyPeerArgs(ip_block=block) for block in blocks],
        ports=[networking.v1.NetworkPolicyPortArgs(port=HTTPS_PORT, protocol="TCP")],
    )


def affinity_policies() -> dict[str, dict[str, object]]:
    """Policies that send a browser to the pod where its session is, by name.

    Both rules of the page's route, on top of the Gateway's own policy: the more specific policy
    of the reading rule would hide that of the route.
    """
    route: dict[str, object] = {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": "web"}
    balance: dict[str, object] = {
        "mergeType": "StrategicMerge",
        "loadBalancer": {
            "type": "ConsistentHash",
            "consistentHash": {
                "type": "Cookie",
                "cookie": {
                    "name": AFFINITY_COOKIE,
                    # As long as the browser runs; without a value Envoy would not make the cookie.
                    "ttl": "0s",
                    "attributes": {"Secure": "", "SameSite": "Lax"},
                },
            },
        },
    }
    return {
        "page": {"targetRefs": [route], **balance},
        "page-reads": {"targetRefs": [{**route, "sectionName": READS}], **balance, **retry_reads()},
    }
