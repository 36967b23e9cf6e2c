"""API keys in the cluster: as Kubernetes Secrets, or in the key vault and mounted from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure
from pulumi_kubernetes import apiextensions, core

from infra.azure.place import Place
from infra.azure.workload_identity import WorkloadIdentities
from infra.kubernetes.custom_objects import SECRET_PROVIDER_CLASS
from infra.kubernetes.key_file import KEY_FILE, WEB_KEY_FILE, key_file, web_api_key
from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.pod import KEYS_VOLUME
from infra.settings import Settings
from infra.stacks.platform_outputs import PlatformOutputs
from infra.workload import WorkloadName, enabled, is_service

SERVICES_SECRET = "scoring-api-keys"  # noqa: S105 - its name
WEB_SECRET = "scoring-web-key"  # noqa: S105 - its name
CSI_DRIVER = "secrets-store.csi.k8s.io"
FILE_MODE = 0o440
"""For the pod's group (fsGroup) to read; nobody writes."""


@dataclass(frozen=True)
class ApiKeysArgs:
    """Arguments of :class:`ApiKeys`.

    Attributes:
        place: where the key vault's secrets belong.
        settings: the stack's.
        namespaces: of which the services' gets the keys.
        identities: as which each workload reads the key vault.
        platform: of which the key vault.
    """

    place: Place
    settings: Settings
    namespaces: Namespaces
    identities: WorkloadIdentities
    platform: PlatformOutputs


@dataclass(frozen=True)
class _KeyFile:
    """One secret file: its content, its name in a pod and the name it is kept under."""

    content: str
    file: str
    secret: str


class ApiKeys(pulumi.ComponentResource):
    """The services' key file and the client application's key.

    A changed key changes the mounted file, within the two minutes that the kubelet or the CSI
    driver takes; the services read it again by themselves, so no pod is restarted.

    Attributes:
        volumes: by workload, the volume with its key file.
        ready: what must be there before a pod mounts them.
    """

    volumes: Mapping[WorkloadName, core.v1.VolumeArgs]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        args: ApiKeysArgs,
        opts: pulumi.ResourceOptions | None = None,
        azure_opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:ApiKeys", name, None, opts)
        self._opts = pulumi.ResourceOptions(parent=self)
        self.ready = []
        if args.settings.security.key_vault.enabled:
            self.volumes = self._in_vault(name, args, azure_opts)
        else:
            self.volumes = self._in_cluster(name, args)
        self.register_outputs({"workloads": list(self.volumes)})

    def _in_cluster(self, name: str, args: ApiKeysArgs) -> dict[WorkloadName, core.v1.VolumeArgs]:
        volumes: dict[str, core.v1.VolumeArgs] = {}
        for key in _key_files(args.settings):
            secret = core.v1.Secret(
                f"{name}-{key.secret}",
                metadata=object_meta(key.secret, args.namespaces.services),
                type="Opaque",
                # A rotated key must reach the pods that run; an immutable Secret would need new
                # pods.
                immutable=False,
                string_data={key.file: pulumi.Output.secret(key.content)},
                opts=self._opts,
            )
            self.ready.append(secret)
            volumes[key.secret] = core.v1.VolumeArgs(
                name=KEYS_VOLUME,
                secret=core.v1.SecretVolumeSourceArgs(
                    secret_name=secret.metadata["name"], default_mode=FILE_MODE
                ),
            )
        return {workload: volumes[_secret_of(workload)] for workload in enabled(args.settings)}

    def _in_vault(
        self, name: str, args: ApiKeysArgs, azure_opts: pulumi.ResourceOptions | None
    ) -> dict[WorkloadName, core.v1.VolumeArgs]:
        keys = {key.secret: key for key in _key_files(args.settings)}
        secrets = [self._vault_secret(name, key, args, azure_opts) for key in keys.values()]
        volumes: dict[WorkloadName, core.v1.VolumeArgs] = {}
        for workload in enabled(args.settings):
            key = keys[_secret_of(workload)]
            self.ready.append(self._provider_class(f"{name}-{workload}", workload, key, args))
            volumes[workload] = core.v1.VolumeArgs(
                name=KEYS_VOLUME,
                csi=core.v1.CSIVolumeSourceArgs(
                    driver=CSI_DRIVER,
                    read_only=True,
                    volume_attributes={"secretProviderClass": _provider_class_name(workload)},
                ),
            )
        # Without its role in the vault an identity reads nothing, and the pod would not start.
        self.ready += [*secrets, args.identities]
        return volumes

    def _vault_secret(
        self,
        name: str,
        key: _KeyFile,
        args: ApiKeysArgs,
        azure_opts: pulumi.ResourceOptions | None,
    ) -> azure.keyvault.Secret:
        """Written through Azure's management plane, which reaches a private vault too."""
        secret = azure.keyvault.Secret(
            f"{name}-{key.secret}",
            secret_name=key.secret,
            vault_name=args.platform.key_vault_name,
            resource_group_name=args.place.resource_group_name,
            properties=azure.keyvault.SecretPropertiesArgs(
                value=pulumi.Output.secret(key.content),
                content_type="application/json" if key.file == KEY_FILE else "text/plain",
                # No date of expiry: it would lock everybody out at once. Each key in the file has
                # its own.
                attributes=azure.keyvault.SecretAttributesArgs(enabled=True),
            ),
            tags=args.place.tags,
            opts=pulumi.ResourceOptions.merge(azure_opts, pulumi.ResourceOptions(parent=self)),
        )
        args.place.locks.hold_back(secret)
        return secret

    def _provider_class(
        self, name: str, workload: WorkloadName, key: _KeyFile, args: ApiKeysArgs
    ) -> apiextensions.CustomResource:
        """One for each service account: the driver signs in as the pod that mounts."""
        return SECRET_PROVIDER_CLASS.declare(
            f"{name}-provider-class",
            object_meta(_provider_class_name(workload), args.namespaces.services),
            spec={
                "provider": "azure",
                "parameters": {
                    "usePodIdentity": "false",
                    "useVMManagedIdentity": "false",
                    "clientID": args.identities.client_ids[workload],
                    "keyvaultName": args.platform.key_vault_name,
                    "tenantId": args.place.tenant_id,
                    "objects": objects(key.secret, key.file),
                },
            },
            opts=self._opts,
        )


def objects(secret: str, file: str) -> str:
    """What the driver mounts: the newest version of one secret, under a file name.

    A YAML text inside a field, as the Azure provider of the CSI driver wants it.
    """
    lines = (
        "array:",
        "  - |",
        f"    objectName: {secret}",
        "    objectType: secret",
        f"    objectAlias: {file}",
    )
    return "\n".join(lines) + "\n"


def _key_files(settings: Settings) -> list[_KeyFile]:
    files = [_KeyFile(key_file(settings), KEY_FILE, SERVICES_SECRET)]
    if (key := web_api_key(settings)) is not None:
        files.append(_KeyFile(key, WEB_KEY_FILE, WEB_SECRET))
    return files


def _provider_class_name(workload: WorkloadName) -> str:
    return f"{workload}-keys"


def _secret_of(workload: WorkloadName) -> str:
    return SERVICES_SECRET if is_service(workload) else WEB_SECRET
