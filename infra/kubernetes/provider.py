"""How Pulumi reaches the cluster."""

from __future__ import annotations

import base64

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import containerservice as aks

from infra.kubernetes.kubeconfig import without_questions
from infra.settings import Settings
from infra.stacks.platform_outputs import PlatformOutputs


def cluster_provider(
    name: str, settings: Settings, platform: PlatformOutputs, opts: pulumi.ResourceOptions
) -> kubernetes.Provider:
    """The provider of every Kubernetes object of the stack.

    The cluster's id identifies it: with the kubeconfig alone any change of the cluster would preview
    as a new provider, and so as a replacement of everything in the cluster
    (github.com/pulumi/pulumi-kubernetes/issues/2745).

    ``delete_unreachable`` is left to the environment (``PULUMI_K8S_DELETE_UNREACHABLE=true``): a
    cluster that is stopped, or a network that fails, must not let `pulumi` forget objects that live
    on. docs/operations.md says when to set it.

    Args:
        name: Pulumi name of the provider.
        settings: say how to sign in.
        platform: has the cluster.
        opts: the Azure provider, which fetches the kubeconfig.
    """
    return kubernetes.Provider(
        name,
        kubeconfig=pulumi.Output.secret(_kubeconfig(settings, platform, opts)),
        cluster_identifier=platform.cluster_id,
        enable_server_side_apply=True,
        # Without these two, other content of a Secret or a ConfigMap means deletion first: a rotated
        # key would take the key file away from pods that start meanwhile.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
        opts=pulumi.ResourceOptions(depends_on=list(platform.ready)),
    )


def _kubeconfig(
    settings: Settings, platform: PlatformOutputs, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Fetched anew in each run, by the rights of whoever runs it.

    It waits for the cluster's id: the name is known before there is a cluster, and the first
    preview would ask for the credentials of nothing.
    """
    name = pulumi.Output.all(platform.cluster_id, platform.cluster_name).apply(
        lambda cluster: str(cluster[1])
    )
    credentials = aks.list_managed_cluster_user_credentials_output(
        resource_group_name=platform.resource_group_name,
        resource_name=name,
        format="exec",
        opts=pulumi.InvokeOutputOptions(provider=opts.provider),
    )
    access, tenant_id = settings.access, settings.tenant_id
    return pulumi.Output.secret(credentials).apply(
        lambda found: without_questions(
            base64.b64decode(found.kubeconfigs[0].value).decode(), access, tenant_id
        )
    )
