"""Objects of kinds that Helm charts bring.

The SDK has no classes for them. The tests check each against the custom resource definition of
the pinned chart instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

GATEWAY_GROUP = "gateway.networking.k8s.io"
ENVOY_GROUP = "gateway.envoyproxy.io"
CERTIFICATES_GROUP = "cert-manager.io"
KEDA_GROUP = "keda.sh"
SECRETS_STORE_GROUP = "secrets-store.csi.x-k8s.io"


@dataclass(frozen=True)
class CustomKind:
    """A kind of a custom resource definition."""

    group: str
    version: str
    kind: str

    def declare(
        self,
        resource_name: str,
        metadata: kubernetes.meta.v1.ObjectMetaArgs,
        spec: Mapping[str, object],
        opts: pulumi.ResourceOptions,
    ) -> kubernetes.apiextensions.CustomResource:
        """Declare an object of this kind."""
        return kubernetes.apiextensions.CustomResource(
            resource_name,
            api_version=f"{self.group}/{self.version}",
            kind=self.kind,
            metadata=metadata,
            spec=spec,
            opts=opts,
        )


GATEWAY_CLASS = CustomKind(GATEWAY_GROUP, "v1", "GatewayClass")
GATEWAY = CustomKind(GATEWAY_GROUP, "v1", "Gateway")
HTTP_ROUTE = CustomKind(GATEWAY_GROUP, "v1", "HTTPRoute")
ENVOY_PROXY = CustomKind(ENVOY_GROUP, "v1alpha1", "EnvoyProxy")
CLIENT_TRAFFIC_POLICY = CustomKind(ENVOY_GROUP, "v1alpha1", "ClientTrafficPolicy")
BACKEND_TRAFFIC_POLICY = CustomKind(ENVOY_GROUP, "v1alpha1", "BackendTrafficPolicy")
SECURITY_POLICY = CustomKind(ENVOY_GROUP, "v1alpha1", "SecurityPolicy")
ISSUER = CustomKind(CERTIFICATES_GROUP, "v1", "Issuer")
CERTIFICATE = CustomKind(CERTIFICATES_GROUP, "v1", "Certificate")
SCALED_OBJECT = CustomKind(KEDA_GROUP, "v1alpha1", "ScaledObject")
TRIGGER_AUTHENTICATION = CustomKind(KEDA_GROUP, "v1alpha1", "TriggerAuthentication")
SECRET_PROVIDER_CLASS = CustomKind(SECRETS_STORE_GROUP, "v1", "SecretProviderClass")
