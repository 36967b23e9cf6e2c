"""What Azure says of a subscription, by Azure's own clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.doctor.answers import (
    Grant,
    Identity,
    KubernetesVersion,
    NotSignedIn,
    Region,
    RunningPool,
    Sku,
    Subscription,
    Usage,
    first_line,
    identity_of,
    plain,
    region_of,
    sku_of,
    taken,
)
from infra.doctor.arm import SCOPE, Arm
from infra.doctor.once import Once

PERMISSIONS_VERSION = "2022-04-01"
NETWORK_VERSION = "2024-05-01"
STORAGE_VERSION = "2023-05-01"


@dataclass(frozen=True)
class Azure:
    """Asks one subscription.

    Attributes:
        subscription_id: which.
        arm: how.
    """

    subscription_id: str
    arm: Arm
    _once: Once = field(default_factory=Once, repr=False)

    def identity(self) -> Identity:
        """Who is signed in.

        Raises:
            NotSignedIn: when nobody is.
        """
        from azure.core.exceptions import ClientAuthenticationError

        try:
            token: str = self.arm.credential.get_token(SCOPE).token
        except ClientAuthenticationError as error:
            raise NotSignedIn(first_line(error.message)) from None
        return identity_of(token)

    def subscription(self) -> Subscription:
        """The subscription itself."""
        found = self._subscriptions().subscriptions.get(self.subscription_id)
        return Subscription(
            found.display_name or "", str(plain(found.state)), getattr(found, "tenant_id", None)
        )

    def regions(self) -> Mapping[str, Region]:
        """Regions open to the subscription, by name."""
        return self._once.get("regions", self._regions)

    def _regions(self) -> dict[str, Region]:
        found = self._subscriptions().subscriptions.list_locations(self.subscription_id)
        return {location.name: region_of(location) for location in found if location.name}

    def provider_states(self) -> Mapping[str, str]:
        """Registration of every resource provider, by namespace in lower case."""
        found = self._resources().providers.list()
        return {each.namespace.lower(): each.registration_state for each in found}

    def grants(self, scope: str) -> tuple[Grant, ...] | None:
        """What whoever is signed in may do at a scope; None where there is no such scope."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        found = self.arm.pages(path, PERMISSIONS_VERSION)
        if found is None:
            return None
        return tuple(
            Grant(tuple(each.get("actions") or ()), tuple(each.get("notActions") or ()))
            for each in found
        )

    def skus(self, region: str) -> Mapping[str, Sku]:
        """VM sizes of a region, by name."""
        return self._once.get(("skus", region), lambda: self._skus(region))

    def _skus(self, region: str) -> dict[str, Sku]:
        found = self._compute().resource_skus.list(filter=f"location eq '{region}'")
        return {
            sku.name: sku_of(sku, region) for sku in found if sku.resource_type == "virtualMachines"
        }

    def compute_usages(self, region: str) -> Mapping[str, Usage]:
        """Quotas of a region, by name in lower case; ``cores`` is the region's whole."""
        found = self._compute().usage.list(region)
        return {
            each.name.value.lower(): Usage(
                each.name.value,
                each.name.localized_value or each.name.value,
                each.current_value,
                each.limit,
            )
            for each in found
        }

    def network_usages(self, region: str) -> Mapping[str, Usage]:
        """Quotas of networks and addresses, by name in lower case."""
        path = self._path(f"providers/Microsoft.Network/locations/{region}/usages")
        return {
            each["name"]["value"].lower(): Usage(
                each["name"]["value"],
                each["name"].get("localizedValue") or each["name"]["value"],
                int(each["currentValue"]),
                int(each["limit"]),
            )
            for each in self.arm.pages(path, NETWORK_VERSION) or ()
        }

    def has_network_watcher(self, region: str) -> bool:
        """Whether the region has the network watcher that Azure makes by itself."""
        path = self._path(
            "resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/"
            f"NetworkWatcher_{region}"
        )
        return self.arm.ask("GET", path, NETWORK_VERSION) is not None

    def kubernetes_versions(self, region: str) -> tuple[KubernetesVersion, ...]:
        """What AKS offers in a region."""
        found = self._clusters().managed_clusters.list_kubernetes_versions(region)
        return tuple(
            KubernetesVersion(
                each.version,
                bool(each.is_preview),
                tuple(
                    str(plain(plan))
                    for plan in (each.capabilities and each.capabilities.support_plan) or ()
                ),
            )
            for each in found.values_property or ()
        )

    def pools_of(self, resource_group: str, cluster: str) -> Mapping[str, RunningPool] | None:
        """What runs in each pool of a cluster; None where there is no such cluster."""
        return self._once.get(
            ("pools", resource_group, cluster), lambda: self._pools_of(resource_group, cluster)
        )

    def _pools_of(self, resource_group: str, cluster: str) -> dict[str, RunningPool] | None:
        found = _or_none(lambda: self._clusters().managed_clusters.get(resource_group, cluster))
        if found is None:
            return None
        return {
            pool.name: RunningPool(
                pool.vm_size or "", plain(pool.scale_set_priority) == "Spot", pool.count or 0
            )
            for pool in found.agent_pool_profiles or ()
        }

    def has_registry(self, resource_group: str, name: str) -> bool:
        """Whether the registry is there."""
        return _or_none(lambda: self._registries().registries.get(resource_group, name)) is not None

    def registry_name_taken(self, name: str) -> str | None:
        """Why nobody may name a registry so; None where it is free."""
        from azure.mgmt.containerregistry.models import RegistryNameCheckRequest

        request = RegistryNameCheckRequest(name=name, type="Microsoft.ContainerRegistry/registries")
        return taken(self._registries().registries.check_name_availability(request))

    def has_vault(self, resource_group: str, name: str) -> bool:
        """Whether the key vault is there."""
        return _or_none(lambda: self._vaults().vaults.get(resource_group, name)) is not None

    def vault_name_taken(self, name: str) -> str | None:
        """Why nobody may name a key vault so; None where it is free."""
        from azure.mgmt.keyvault.models import VaultCheckNameAvailabilityParameters

        request = VaultCheckNameAvailabilityParameters(name=name)
        return taken(self._vaults().vaults.check_name_availability(request))

    def is_deleted_vault(self, region: str, name: str) -> bool:
        """Whether a deleted vault of this subscription still holds the name."""
        return _or_none(lambda: self._vaults().vaults.get_deleted(name, region)) is not None

    def has_storage_account(self, resource_group: str, name: str) -> bool:
        """Whether the storage account is there."""
        path = self._path(
            f"resourceGroups/{resource_group}/providers/Microsoft.Storage/storageAccounts/{name}"
        )
        return self.arm.ask("GET", path, STORAGE_VERSION) is not None

    def storage_name_taken(self, name: str) -> str | None:
        """Why nobody may name a storage account so; None where it is free."""
        path = self._path("providers/Microsoft.Storage/checkNameAvailability")
        body = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        answer = self.arm.ask("POST", path, STORAGE_VERSION, body) or {}
        if answer.get("nameAvailable"):
            return None
        return first_line(str(answer.get("message") or answer.get("reason") or "it is taken"))

    def name_servers(self, resource_group: str, zone: str) -> tuple[str, ...] | None:
        """Name servers of a DNS zone; None where there is no such zone."""
        from azure.mgmt.dns import DnsManagementClient

        zones = self._client(DnsManagementClient).zones
        found: Any = _or_none(lambda: zones.get(resource_group, zone))
        return None if found is None else tuple(found.name_servers or ())

    def of(self, subscription_id: str) -> Azure:
        """The same for another subscription."""
        return Azure(subscription_id, self.arm)

    def _subscriptions(self) -> Any:
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        return self.arm.client(SubscriptionClient)

    def _resources(self) -> Any:
        from azure.mgmt.resource.resources import ResourceManagementClient

        return self._client(ResourceManagementClient)

    def _compute(self) -> Any:
        from azure.mgmt.compute import ComputeManagementClient

        return self._client(ComputeManagementClient)

    def _clusters(self) -> Any:
        from azure.mgmt.containerservice import ContainerServiceClient

        return self._client(ContainerServiceClient)

    def _registries(self) -> Any:
        from azure.mgmt.containerregistry import ContainerRegistryManagementClient

        return self._client(ContainerRegistryManagementClient)

    def _vaults(self) -> Any:
        from azure.mgmt.keyvault import KeyVaultManagementClient

        return self._client(KeyVaultManagementClient)

    def _client(self, kind: Any) -> Any:
        return self.arm.client(kind, self.subscription_id)

    def _path(self, rest: str) -> str:
        return f"/subscriptions/{self.subscription_id}/{rest}"


def _or_none(ask: Callable[[], Any]) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return ask()
    except ResourceNotFoundError:
        return None
