"""A resource monitor that remembers what a program declares, options included, and does nothing.

Pulumi's own mock passes inputs alone to a test; protection, ignored changes, dependencies and
providers stay in the request, so the requests themselves are kept here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2

from infra.planning.state import resource_id, state_of
from infra.planning.wire import Secret, Value, object_of, struct_of

STACK = "pulumi:pulumi:Stack"
USER_CREDENTIALS = "azure-native:containerservice:listManagedClusterUserCredentials"


class NotPlannable(Exception):
    """The program did what the engine would refuse or what needs a cloud."""


@dataclass(frozen=True)
class Options:
    """How the engine is to treat a resource; URNs stand for other resources.

    Attributes:
        protect: whether Pulumi refuses to delete it.
        ignore_changes: properties that others may change, in camelCase.
        depends_on: everything that has to be there before it.
        property_dependencies: the same by property.
        provider: the provider's URN; empty for the package's default provider.
        version: of the provider's plugin.
        delete_before_replace: whether the old one goes before the new one comes.
        retain_on_delete: whether Pulumi forgets it rather than deletes it.
        replace_on_changes: properties whose change replaces it.
        additional_secret_outputs: outputs that are secret whatever they are made of.
        aliases: URNs or names it had before.
        deleted_with: a resource whose deletion takes this one along.
        custom_timeouts: how long creation, update and deletion may take.
    """

    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )
    provider: str = ""
    version: str = ""
    delete_before_replace: bool = False
    retain_on_delete: bool = False
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deleted_with: str = ""
    custom_timeouts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Recorded:
    """A resource as the program declared it.

    Attributes:
        type: its token, such as ``azure-native:network:Subnet``.
        name: its name in the program.
        urn: as the engine would make it.
        parent: the parent's URN; empty for those right below the stack.
        inputs: as the engine would see them; secrets are :class:`~infra.planning.wire.Secret`.
        options: how the engine is to treat it.
        custom: whether a provider makes it; components are made of others.
        outputs: what a component registered as its outputs.
    """

    type: str
    name: str
    urn: str
    parent: str
    inputs: Mapping[str, Value]
    options: Options
    custom: bool
    outputs: Mapping[str, Value] = field(default_factory=dict[str, Value])


Transform = Callable[[Recorded], Recorded | None]
"""Changes a resource while the program declares it, as a resource transform of the engine does:
what comes back is what is declared, and what other resources are made of. None leaves it out, which
only the record shows: the program goes on as if it were there."""


class RecordingMonitor(mocks.MockMonitor):
    """Keeps every registration; answers with what a plan can know."""

    def __init__(self, transform: Transform | None = None) -> None:
        super().__init__(_NoMocks())
        self._transform = transform
        self.recorded: dict[str, Recorded] = {}
        self.outputs: dict[str, dict[str, Value]] = {}
        self.stack_urn = ""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: all ancestors' types, less the stack's."""
        qualified = type_
        if parent and parent != self.stack_urn:
            qualified = f"{parent.split('::')[2]}${type_}"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{qualified}::{name}"

    def RegisterResource(  # noqa: N802 - the name is the protocol's
        self, request: Any
    ) -> resource_pb2.RegisterResourceResponse:
        """Remember a resource; answer with its state."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK:
            self.stack_urn = urn
            return resource_pb2.RegisterResourceResponse(urn=urn)
        declared = self._recorded(
            request, urn, object_of(request.object), _options(request), custom=request.custom
        )
        resource = self._transform(declared) if self._transform else declared
        if resource is not None:
            self._keep(resource)
        inputs = (resource or declared).inputs
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        state = state_of(request.type, urn, inputs)
        for name in request.additionalSecretOutputs:
            if name in state and not isinstance(state[name], Secret):
                state[name] = Secret(state[name])
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=resource_id(request.type, urn, inputs), object=struct_of(state)
        )

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Remember what the program only looks up: other stacks, resources that exist already."""
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs = object_of(request.properties)
        self._keep(self._recorded(request, urn, inputs, _options(request), custom=True))
        state = state_of(request.type, urn, inputs)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=struct_of(state))

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        """Remember a component's outputs, or the stack's."""
        self.outputs[request.urn] = object_of(request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Answer the one question that the program may ask the cloud."""
        if request.tok != USER_CREDENTIALS:
            raise NotPlannable(f"the program calls {request.tok}, which a plan cannot answer")
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(struct_of(_user_credentials()))
        return response

    def _recorded(
        self,
        request: Any,
        urn: str,
        inputs: Mapping[str, Value],
        options: Options,
        *,
        custom: bool,
    ) -> Recorded:
        parent = "" if request.parent == self.stack_urn else request.parent
        return Recorded(request.type, request.name, urn, parent, inputs, options, custom)

    def _keep(self, resource: Recorded) -> None:
        if resource.urn in self.recorded:
            raise NotPlannable(
                f"two resources have the URN {resource.urn}; the engine would refuse it"
            )
        self.recorded[resource.urn] = resource


class _NoMocks(mocks.Mocks):
    """The base class wants some; every method that would call them is overridden."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError


def _options(request: Any) -> Options:
    """Options of a request; one that reads a resource has only some of them."""
    common = Options(
        depends_on=tuple(sorted(request.dependencies)),
        provider=_provider_urn(request.provider),
        version=request.version,
        additional_secret_outputs=tuple(sorted(request.additionalSecretOutputs)),
    )
    if isinstance(request, resource_pb2.ReadResourceRequest):
        return common
    timeouts = request.customTimeouts
    return Options(
        protect=request.protect,
        ignore_changes=tuple(request.ignoreChanges),
        depends_on=common.depends_on,
        property_dependencies={
            key: tuple(sorted(request.propertyDependencies[key].urns))
            for key in sorted(request.propertyDependencies)
            if request.propertyDependencies[key].urns
        },
        provider=common.provider,
        version=common.version,
        delete_before_replace=request.deleteBeforeReplace,
        retain_on_delete=request.retainOnDelete,
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=common.additional_secret_outputs,
        # azure-native adds hundreds by itself, one for each API version of the type: no names.
        aliases=tuple(
            alias.urn or alias.spec.name
            for alias in request.aliases
            if alias.urn or alias.spec.name
        ),
        deleted_with=request.deletedWith,
        custom_timeouts={
            name: getattr(timeouts, name)
            for name in ("create", "update", "delete")
            if getattr(timeouts, name)
        },
    )


def _provider_urn(reference: str) -> str:
    """A provider's URN from ``urn::id``; the id itself is a placeholder with colons."""
    return "::".join(reference.split("::")[:4])


def _user_credentials() -> dict[str, Value]:
    """A cluster's user credentials as AKS gives them out with local accounts off."""
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "cluster",
                "cluster": {
                    "server": "https://cluster.invalid:443",
                    "certificate-authority-data": base64.b64encode(b"certificate").decode(),
                },
            }
        ],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "user"}}],
        "current-context": "cluster",
        "users": [
            {
                "name": "user",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": [
                            "get-token",
                            "--login",
                            "devicecode",
                            "--server-id",
                            "6dae42f8-4368-4678-94ff-3960e28e3630",
                        ],
                        "provideClusterInfo": False,
                    }
                },
            }
        ],
    }
    encoded = base64.b64encode(json.dumps(kubeconfig).encode()).decode()
    return {"kubeconfigs": [{"name": "clusterUser", "value": encoded}]}
