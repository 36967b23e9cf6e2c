"""Identities by which pods sign in to Azure, without any secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.cluster_profiles import scales_on_a_queue
from infra.azure.place import Place
from infra.azure.roles import KEY_VAULT_SECRETS_USER, MONITORING_DATA_READER, Grant, assign
from infra.azure.user_identity import user_identity
from infra.kubernetes.places import SERVICES_NAMESPACE
from infra.settings import Settings

AUDIENCE = "api://AzureADTokenExchange"
KEDA_NAMESPACE = "kube-system"
KEDA_SERVICE_ACCOUNT = "keda-operator"
"""Of the KEDA add-on (learn.microsoft.com/azure/azure-monitor/containers/integrate-keda)."""


@dataclass(frozen=True)
class WorkloadIdentitiesArgs:
    """What :class:`WorkloadIdentities` needs.

    Attributes:
        place: where they go.
        settings: say which pods read anything in Azure.
        oidc_issuer_url: who signs the service accounts' tokens.
        key_vault_id: the vault, where there is one.
        prometheus_workspace_id: the Azure Monitor workspace, where there is one.
    """

    place: Place
    settings: Settings
    oidc_issuer_url: pulumi.Input[str]
    key_vault_id: pulumi.Input[str]
    prometheus_workspace_id: pulumi.Input[str]


class WorkloadIdentities(pulumi.ComponentResource):
    """One identity for each service account that reads something in Azure, and none for others.

    Each has one federated credential: Azure refuses two writes to one identity's credentials at
    once, and identities of their own keep the services apart.

    Attributes:
        client_ids: client ids by service account of the services' namespace; empty where the pods
            read nothing in Azure.
        keda_client_id: that of KEDA's operator, where a service scales on its queue.
    """

    client_ids: Mapping[str, pulumi.Output[str]]
    keda_client_id: pulumi.Output[str] | None

    def __init__(
        self,
        name: str,
        args: WorkloadIdentitiesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("realtime-scoring:azure:WorkloadIdentities", name, None, opts)
        self.client_ids = {
            account: self._identity(
                name,
                args,
                _Account(
                    SERVICES_NAMESPACE,
                    account,
                    KEY_VAULT_SECRETS_USER,
                    args.key_vault_id,
                    f"The pods of {account} mount secrets of the vault.",
                ),
            )
            for account in _vault_readers(args.settings)
        }
        self.keda_client_id = None
        if scales_on_a_queue(args.settings):
            self.keda_client_id = self._identity(
                name,
                args,
                _Account(
                    KEDA_NAMESPACE,
                    KEDA_SERVICE_ACCOUNT,
                    MONITORING_DATA_READER,
                    args.prometheus_workspace_id,
                    "KEDA asks managed Prometheus how long the services' queues are.",
                ),
            )
        self.register_outputs(
            {"client_ids": self.client_ids, "keda_client_id": self.keda_client_id}
        )

    def _identity(
        self, name: str, args: WorkloadIdentitiesArgs, account: _Account
    ) -> pulumi.Output[str]:
        """An identity with its one role, which the service account's tokens stand for."""
        place = args.place
        opts = pulumi.ResourceOptions(parent=self)
        identity = user_identity(f"{name}-{account.name}", place, account.name, self)
        azure.managedidentity.FederatedIdentityCredential(
            f"{name}-{account.name}",
            federated_identity_credential_resource_name=f"{account.namespace}-{account.name}",
            resource_name_=identity.name,
            resource_group_name=place.resource_group_name,
            issuer=args.oidc_issuer_url,
            subject=f"system:serviceaccount:{account.namespace}:{account.name}",
            audiences=[AUDIENCE],
            opts=opts,
        )
        assign(
            f"{name}-{account.name}-reader",
            place,
            Grant(
                account.role_id,
                account.scope,
                identity.principal_id,
                azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                account.why,
            ),
            opts,
        )
        return identity.client_id


@dataclass(frozen=True)
class _Account:
    """A service account, and the one thing that it reads in Azure."""

    namespace: str
    name: str
    role_id: str
    scope: pulumi.Input[str]
    why: str


def _vault_readers(settings: Settings) -> list[str]:
    """Service accounts of the pods that mount secrets of the key vault."""
    if not settings.security.key_vault.enabled:
        return []
    workloads = {"faq": settings.faq, "resnet": settings.resnet, "web": settings.web}
    return [account for account, workload in workloads.items() if workload.enabled]
