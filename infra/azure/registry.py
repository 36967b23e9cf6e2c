"""Where images are kept: a registry of the stack's own, one that exists already, or Docker Hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.azure.private_endpoint import (
    Endpoints,
    PrivateEndpoint,
    PrivateEndpointArgs,
    required,
)
from infra.azure.roles import ACR_PULL, ACR_PUSH, Grant, assign
from infra.sections.registry import AcrSettings, RegistrySettings

PRIVATE_ZONE = "privatelink.azurecr.io"


@dataclass(frozen=True)
class ContainerRegistryArgs:
    """What :class:`ContainerRegistry` needs.

    Attributes:
        place: where it goes.
        settings: which registry, and what it can do.
        kubelet_principal_id: the identity with which nodes pull images.
        pushers: service principals that push images, such as CI's.
        endpoints: where its private endpoint goes, where it is private.
        zone_redundant: whether images survive the loss of a zone.
        workspace_id: where logs go.
    """

    place: Place
    settings: RegistrySettings
    kubelet_principal_id: pulumi.Input[str]
    pushers: Sequence[str]
    endpoints: Endpoints | None
    zone_redundant: bool
    workspace_id: pulumi.Input[str]


class ContainerRegistry(pulumi.ComponentResource):
    """A container registry, and who may pull from it and push to it.

    Attributes:
        login_server: what the name of an image begins with, Docker Hub's namespace included.
        id: resource id; None of Docker Hub.
    """

    login_server: pulumi.Output[str]
    id: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: ContainerRegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:ContainerRegistry", name, None, opts)
        docker_hub = args.settings.docker_hub
        if args.settings.kind == "docker_hub" and docker_hub is not None:
            self.id = None
            self.login_server = pulumi.Output.from_input(f"docker.io/{docker_hub.namespace}")
        elif args.settings.acr.existing_id is not None:
            self._take(name, args, args.settings.acr.existing_id)
        else:
            self._make(name, args)
        self.register_outputs({"login_server": self.login_server, "id": self.id})

    def _take(self, name: str, args: ContainerRegistryArgs, existing_id: str) -> None:
        """Use a registry that exists already: all that the stack adds is who may do what."""
        self.id = pulumi.Output.from_input(existing_id)
        registry_name = existing_id.rpartition("/")[2].lower()
        self.login_server = pulumi.Output.from_input(f"{registry_name}.azurecr.io")
        self._permissions(name, args, self.id)

    def _make(self, name: str, args: ContainerRegistryArgs) -> None:
        place = args.place
        registry = self._registry(name, args)
        place.locks.put_on(f"{name}-registry", registry)
        send_diagnostics(f"{name}-registry", place, registry, args.workspace_id, parent=self)
        replicas = self._replicas(name, args, registry)
        if args.settings.acr.private:
            PrivateEndpoint(
                f"{name}-private",
                PrivateEndpointArgs(
                    place,
                    required(args.endpoints),
                    service="registry",
                    resource_id=registry.id,
                    group_id="registry",
                    zone_name=PRIVATE_ZONE,
                    # A registry to which a replica is being added takes no endpoint meanwhile.
                    after=replicas,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        self.id = registry.id
        self.login_server = registry.login_server
        self._permissions(name, args, registry.id)

    def _registry(self, name: str, args: ContainerRegistryArgs) -> azure.containerregistry.Registry:
        place, acr = args.place, args.settings.acr
        access = azure.containerregistry.PublicNetworkAccess
        bypass = azure.containerregistry.NetworkRuleBypassOptions
        premium = acr.sku == "Premium"
        return azure.containerregistry.Registry(
            f"{name}-registry",
            registry_name=place.naming.globally_unique("cr", longest=50),
            resource_group_name=place.resource_group_name,
            location=place.location,
            sku=azure.containerregistry.SkuArgs(name=acr.sku),
            # People, pods and CI all come with an identity of their own.
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            public_network_access=access.DISABLED if acr.private else access.ENABLED,
            # Defender scans images from outside the network, as one of Azure's own services.
            network_rule_bypass_options=bypass.AZURE_SERVICES,
            network_rule_set=azure.containerregistry.NetworkRuleSetArgs(
                default_action=azure.containerregistry.DefaultAction.DENY
            )
            if acr.private
            else None,
            zone_redundancy=_redundancy(args) if premium else None,
            # Layers come from the registry's own address instead of a storage account that
            # firewalls would have to open for everybody's.
            data_endpoint_enabled=True if premium else None,
            policies=_policies(acr) if premium else None,
            tags=place.tags,
            opts=place.keep(self),
        )

    def _replicas(
        self, name: str, args: ContainerRegistryArgs, registry: azure.containerregistry.Registry
    ) -> list[azure.containerregistry.Replication]:
        """One after another: a registry that is being changed takes no second change."""
        replicas: list[azure.containerregistry.Replication] = []
        for location in args.settings.acr.replica_locations:
            replica = azure.containerregistry.Replication(
                f"{name}-replica-{location}",
                replication_name=location,
                registry_name=registry.name,
                resource_group_name=args.place.resource_group_name,
                location=location,
                region_endpoint_enabled=True,
                zone_redundancy=_redundancy(args),
                tags=args.place.tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(replicas)),
            )
            args.place.locks.hold_back(replica)
            replicas.append(replica)
        return replicas

    def _permissions(
        self, name: str, args: ContainerRegistryArgs, registry_id: pulumi.Input[str]
    ) -> None:
        """Nodes may pull, CI may push, and that is all."""
        assign(
            f"{name}-pull",
            args.place,
            Grant(
                role_id=ACR_PULL,
                scope=registry_id,
                principal_id=args.kubelet_principal_id,
                principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                description="The cluster's nodes pull images.",
            ),
            pulumi.ResourceOptions(parent=self),
        )
        for pusher in args.pushers:
            assign(
                f"{name}-push-{pusher}",
                args.place,
                Grant(
                    role_id=ACR_PUSH,
                    scope=registry_id,
                    principal_id=pusher,
                    principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                    description="Pushes the services' images.",
                ),
                pulumi.ResourceOptions(parent=self),
            )


def _redundancy(args: ContainerRegistryArgs) -> azure.containerregistry.ZoneRedundancy:
    redundancy = azure.containerregistry.ZoneRedundancy
    return redundancy.ENABLED if args.zone_redundant else redundancy.DISABLED


def _policies(acr: AcrSettings) -> azure.containerregistry.PoliciesArgs:
    """What only the Premium tier has.

    Quarantine and content trust stay off: the one hides every image from the nodes until a
    scanner releases it, the other is being retired in favour of signatures
    (learn.microsoft.com/azure/container-registry/container-registry-content-trust-deprecation).
    Images are taken by digest instead.
    """
    days = acr.untagged_retention_days
    export = azure.containerregistry.ExportPolicyStatus
    return azure.containerregistry.PoliciesArgs(
        retention_policy=azure.containerregistry.RetentionPolicyArgs(
            status=azure.containerregistry.PolicyStatus.ENABLED, days=days
        )
        if days is not None
        else None,
        # Azure takes disabled only together with public access off.
        export_policy=azure.containerregistry.ExportPolicyArgs(
            status=export.DISABLED if acr.private else export.ENABLED
        ),
    )
