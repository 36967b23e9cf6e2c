"""API keys in the cluster: as Kubernetes Secrets, or in the key vault and mounted from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure
from pulumi_kubernetes import apiextensions, core

from infra.azure.place import Place
from infra.azure.workload_identity import WorkloadIdentities
from infra.kubernetes.custom_objects import SECRET_PROVIDER_CLASS
from infra.kubernetes.key_file import (
    CLIENT_SECRET_FILE,
    KEY_FILE,
    WEB_KEY_FILE,
    client_secret,
    key_file,
    web_api_key,
)
from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.pod import KEYS_VOLUME
from infra.settings import Settings
from infra.stacks.platform_outputs import PlatformOutputs
from infra.workload import WorkloadName, enabled, is_service

SERVICES_SECRET = "scoring-api-keys"  # noqa: S105 - its name
WEB_SECRET = "scoring-web-key"  # noqa: S105 - its name
SIGN_IN_SECRET = "scoring-web-sign-in"  # noqa: S105 - its name, in the key vault
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
    """One secret file.

    Attributes:
        content: what is in it.
        file: its name in a pod.
        secret: the Kubernetes Secret that holds it, and others for the same pods.
        vault_secret: the key vault's secret that holds it alone.
    """

    content: str
    file: str
    secret: str
    vault_secret: str


class ApiKeys(pulumi.ComponentResource):
    """The services' key file, and the client application's key and secret.

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
        for secret_name, files in _key_files(args.settings).items():
            secret = core.v1.Secret(
                f"{name}-{secret_name}",
                metadata=object_meta(secret_name, args.namespaces.services),
                type="Opaque",
                # A rotated key must reach the pods that run; an immutable Secret would need new
                # pods.
                immutable=False,
                string_data={key.file: pulumi.Output.secret(key.content) for key in files},
                opts=self._opts,
            )
            self.ready.append(secret)
            volumes[secret_name] = core.v1.VolumeArgs(
                name=KEYS_VOLUME,
                secret=core.v1.SecretVolumeSourceArgs(
                    secret_name=secret.metadata["name"], default_mode=FILE_MODE
                ),
            )
        return {workload: volumes[_secret_of(workload)] for workload in enabled(args.settings)}

    def _in_vault(
        self, name: str, args: ApiKeysArgs, azure_opts: pulumi.ResourceOptions | None
    ) -> dict[WorkloadName, core.v1.VolumeArgs]:
        files = _key_files(args.settings)
        secrets = [
            self._vault_secret(name, key, args, azure_opts)
            for keys in files.values()
            for key in keys
        ]
        volumes: dict[WorkloadName, core.v1.VolumeArgs] = {}
        for workload in enabled(args.settings):
            keys = files[_secret_of(workload)]
            self.ready.append(self._provider_class(f"{name}-{workload}", workload, keys, args))
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
        """Written through Azure's management plane, which reaches a private vault too.

        Its deletion would go the other way, through the vault itself, where whoever deploys has no
        right and, with a private vault, no reach. So the stack forgets it: it goes with the vault.
        """
        secret = azure.keyvault.Secret(
            f"{name}-{key.vault_secret}",
            secret_name=key.vault_secret,
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
            opts=pulumi.ResourceOptions.merge(
                azure_opts, pulumi.ResourceOptions(parent=self, retain_on_delete=True)
            ),
        )
        args.place.locks.hold_back(secret)
        return secret

    def _provider_class(
        self, name: str, workload: WorkloadName, keys: Sequence[_KeyFile], args: ApiKeysArgs
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
                    "objects": objects({key.vault_secret: key.file for key in keys}),
                },
            },
            opts=self._opts,
        )


def objects(files: Mapping[str, str]) -> str:
    """What the driver mounts: the newest version of each secret, under a file name.

    A YAML text inside a field, as the Azure provider of the CSI driver wants it.
    """
    lines = ["array:"]
    for secret, file in files.items():
        lines += [
            "  - |",
            f"    objectName: {secret}",
            "    objectType: secret",
            f"    objectAlias: {file}",
        ]
    return "\n".join(lines) + "\n"


def _key_files(settings: Settings) -> dict[str, list[_KeyFile]]:
    """The files, by the Secret that holds them."""
    services = _KeyFile(key_file(settings), KEY_FILE, SERVICES_SECRET, SERVICES_SECRET)
    files = {SERVICES_SECRET: [services]}
    if (key := web_api_key(settings)) is not None:
        files[WEB_SECRET] = [_KeyFile(key, WEB_KEY_FILE, WEB_SECRET, WEB_SECRET)]
        if (secret := client_secret(settings)) is not None:
            own = _KeyFile(secret, CLIENT_SECRET_FILE, WEB_SECRET, SIGN_IN_SECRET)
            files[WEB_SECRET].append(own)
    return files


def _provider_class_name(workload: WorkloadName) -> str:
    return f"{workload}-keys"


def _secret_of(workload: WorkloadName) -> str:
    return SERVICES_SECRET if is_service(workload) else WEB_SECRET
