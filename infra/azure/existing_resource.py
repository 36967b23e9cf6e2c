"""Settings of resources that Azure makes by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

GROUP_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
SUBSCRIPTION_SCHEMA = (
    "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
)
LONGEST_NAME = 64


@dataclass(frozen=True)
class ExistingResource:
    """What a resource is to be, in the words of Azure Resource Manager.

    Attributes:
        type: such as ``Microsoft.Security/pricings``.
        api_version: of the request.
        name: with its parents' names before it.
        properties: what is set.
    """

    type: str
    api_version: str
    name: pulumi.Input[str]
    properties: Mapping[str, object]

    def in_template(self) -> dict[str, object]:
        """As a member of a template's resources."""
        return {
            "type": self.type,
            "apiVersion": self.api_version,
            "name": self.name,
            "properties": dict(self.properties),
        }


@dataclass(frozen=True)
class ExistingResourcesArgs:
    """What :class:`ExistingResources` needs.

    Attributes:
        place: where they are.
        purpose: part of the deployment's name.
        resources: what is set, one after the other.
        whole_subscription: whether they belong to the subscription, not to the resource group.
    """

    place: Place
    purpose: str
    resources: Sequence[ExistingResource]
    whole_subscription: bool = False


class ExistingResources(pulumi.ComponentResource):
    """Sets resources that are there already, by a deployment of Azure Resource Manager.

    Azure-native looks before it creates, and fails with "cannot create already existing resource"
    for all but the types in its list of defaults, which these are not in
    (github.com/pulumi/pulumi-azure-native, defaultResourcesState.go). A deployment writes what is
    missing and changes what is there. Deleting it deletes nothing that it set, so what it set stays
    when the stack goes; and what somebody changes by hand stays changed until the template does.

    Attributes:
        deployment_id: the deployment's resource id.
    """

    deployment_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: ExistingResourcesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:ExistingResources", name, None, opts)
        deployment = self._subscriptions(name, args) if args.whole_subscription else None
        self.deployment_id = (deployment or self._groups(name, args)).id
        self.register_outputs({"deployment_id": self.deployment_id})

    def _groups(self, name: str, args: ExistingResourcesArgs) -> azure.resources.Deployment:
        place = args.place
        return azure.resources.Deployment(
            f"{name}-deployment",
            deployment_name=_deployment_name(args),
            resource_group_name=place.resource_group_name,
            tags=place.tags,
            properties=_properties(GROUP_SCHEMA, args.resources),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _subscriptions(
        self, name: str, args: ExistingResourcesArgs
    ) -> azure.resources.DeploymentAtSubscriptionScope:
        place = args.place
        return azure.resources.DeploymentAtSubscriptionScope(
            f"{name}-deployment",
            deployment_name=_deployment_name(args),
            # Of the deployment's record: a subscription has no place of its own.
            location=place.location,
            tags=place.tags,
            properties=_properties(SUBSCRIPTION_SCHEMA, args.resources),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _deployment_name(args: ExistingResourcesArgs) -> str:
    return args.place.naming.resource("deploy", args.purpose, longest=LONGEST_NAME)


def _properties(
    schema: str, resources: Sequence[ExistingResource]
) -> azure.resources.DeploymentPropertiesArgs:
    return azure.resources.DeploymentPropertiesArgs(
        # The other mode would delete the rest of the resource group.
        mode=azure.resources.DeploymentMode.INCREMENTAL,
        template={
            "$schema": schema,
            "contentVersion": "1.0.0.0",
            "resources": [resource.in_template() for resource in resources],
        },
    )
