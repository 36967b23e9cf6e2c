"""A provider plugin that keeps what it is given: Azure, Kubernetes and Docker for the real engine.

The engine starts it as it starts the real plugins. Inputs come back as outputs, with what only a
cloud would know beside them; in a preview those are unknown, as they are from the real ones.
What others change in the cloud is in the file that the variable :data:`DRIFT` names: properties by
resource name, which a refresh then finds. Locks are kept in the file that :data:`LOCKS` names, and
refuse what Azure's refuse. What the file of :data:`TAKEN` names cannot be made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine's protocol writes a value that is not known yet."""
DRIFT = "FAKE_PROVIDER_DRIFT"
LOCKS = "FAKE_PROVIDER_LOCKS"
TAKEN = "FAKE_PROVIDER_TAKEN"
LOCK = "azure-native:authorization:ManagementLockByScope"
LARGEST_MESSAGE = 64 << 20
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: fake
clusters: [{name: fake, cluster: {server: https://fake.invalid:443, certificate-authority-data: ZmFrZQ==}}]
contexts: [{name: fake, context: {cluster: fake, user: fake}}]
users:
- name: fake
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubelogin
      args: [get-token, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630, --login, devicecode]
"""

COMPUTED: dict[str, dict[str, Any]] = {
    "azure-native:managedidentity:UserAssignedIdentity": {
        "principalId": "22222222-2222-2222-2222-222222222222",
        "clientId": "33333333-3333-3333-3333-333333333333",
    },
    "azure-native:containerregistry:Registry": {"loginServer": "fake.azurecr.io"},
    "azure-native:network:PublicIPAddress": {"ipAddress": "203.0.113.7"},
    "azure-native:monitor:AzureMonitorWorkspace": {
        "metrics": {"prometheusQueryEndpoint": "https://fake.prometheus.invalid"}
    },
    "azure-native:monitor:DataCollectionEndpoint": {
        "metricsIngestion": {"endpoint": "https://fake.ingest.invalid"}
    },
    "azure-native:dashboard:Grafana": {
        "identity": {
            "type": "SystemAssigned",
            "principalId": "44444444-4444-4444-4444-444444444444",
        }
    },
    "docker:index/image:Image": {"repoDigest": "fake.azurecr.io/fake@sha256:" + "ab" * 32},
    "docker:index/network:Network": {"driver": "bridge"},
}
VAULT_SECRET = "azure-native:keyvault:Secret"
_CHANGING = threading.Lock()
"""The file of locks is read and written by one request at a time."""
UNCHANGEABLE = {
    ("azure-native:containerservice:AgentPool", "vmSize"),
    ("azure-native:containerservice:AgentPool", "osDiskType"),
    ("azure-native:containerservice:AgentPool", "availabilityZones"),
    ("azure-native:containerservice:ManagedCluster", "dnsPrefix"),
}


class FakeProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One plugin; the engine asks, it agrees."""

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="99.0.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema='{"name": "fake", "version": "99.0.0"}')

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return _difference(request.olds, request.news)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        # The engine itself puts old values in the place of those that are ignored; the paths that
        # it gives along are not looked at, so that one which matches nothing shows.
        return _difference(request.old_inputs, request.news, _type_of(request.urn))

    def Create(self, request: Any, context: Any) -> Any:
        name = request.urn.rsplit("::", 1)[-1]
        kind = _type_of(request.urn)
        if not request.preview and name in _read(TAKEN, default=[]):
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"ConflictError: {name}")
        outputs = _outputs(kind, name, request.properties, preview=request.preview)
        identity = "" if request.preview else _id(kind, name)
        if kind == LOCK and not request.preview:
            _change_locks(outputs["scope"], locked=True)
        return provider_pb2.CreateResponse(id=identity, properties=outputs)

    def Update(self, request: Any, context: Any) -> Any:
        name = request.urn.rsplit("::", 1)[-1]
        outputs = _outputs(_type_of(request.urn), name, request.news, preview=request.preview)
        return provider_pb2.UpdateResponse(properties=outputs)

    def Read(self, request: Any, context: Any) -> Any:
        name = request.urn.rsplit("::", 1)[-1]
        found = _read(DRIFT, default={}).get(name, {})
        is_imported = not request.properties.fields
        request.inputs.update(found)
        if is_imported:
            outputs = _outputs(_type_of(request.urn), name, request.inputs, preview=False)
            request.properties.CopyFrom(outputs)
        else:
            request.properties.update(found)
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Delete(self, request: Any, context: Any) -> Any:
        inputs = MessageToDict(request.properties)
        if _type_of(request.urn) == LOCK:
            _change_locks(inputs["scope"], locked=False)
            return empty_pb2.Empty()
        if _type_of(request.urn) == VAULT_SECRET:
            # The one deletion that goes to the vault itself, where whoever deploys has no role.
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "ForbiddenByRbac")
        # An extension of a locked resource, or what is locked itself.
        places = [request.id, *(str(inputs.get(key, "")) for key in ("scope", "resourceUri"))]
        with _CHANGING:
            locks = _locks()
        for scope in locks:
            if any(f"{place}/".startswith(f"{scope}/") for place in places):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"ScopeLocked: {scope}")
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = struct_pb2.Struct()
        if request.tok.endswith("listManagedClusterUserCredentials"):
            encoded = base64.b64encode(KUBECONFIG.encode()).decode()
            answer.update({"kubeconfigs": [{"name": "clusterUser", "value": encoded}]})
        return provider_pb2.InvokeResponse(**{"return": answer})

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _id(kind: str, name: str) -> str:
    if kind.startswith("azure-native:"):
        return f"{SUBSCRIPTION}/resourceGroups/fake/providers/{kind.split(':')[1]}/{name}"
    return f"{name}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"


def _outputs(
    kind: str, name: str, inputs: struct_pb2.Struct, *, preview: bool
) -> struct_pb2.Struct:
    outputs = struct_pb2.Struct()
    outputs.CopyFrom(inputs)
    computed = dict(COMPUTED.get(kind, {}))
    identity_list = MessageToDict(inputs).get("identity", {})
    if isinstance(identity_list, dict) and isinstance(
        identity_list.get("userAssignedIdentities"), list
    ):
        # A list in the request, a map in the answer: so is Azure's own interface.
        computed["identity"] = {
            **identity_list,
            "userAssignedIdentities": {
                each: {} for each in identity_list["userAssignedIdentities"]
            },
        }
    if kind == "azure-native:containerservice:ManagedCluster":
        computed["oidcIssuerProfile"] = {
            "enabled": True,
            "issuerURL": "https://fake.oidc.invalid/issuer/",
        }
    if kind.startswith("azure-native:") and "name" not in outputs:
        computed["name"] = _azure_name(kind, MessageToDict(inputs)) or name
    if kind.endswith(":keyvault:Vault"):
        computed["properties"] = {
            **MessageToDict(inputs).get("properties", {}),
            "vaultUri": "https://fake.vault.invalid/",
        }
    known_in_preview = {"name", "identity", "properties"}
    outputs.update(
        {
            key: UNKNOWN if preview and key not in known_in_preview else value
            for key, value in computed.items()
        }
    )
    return outputs


def _azure_name(kind: str, inputs: dict[str, Any]) -> str:
    """The name that the inputs give: those that end in Name, less those of what holds it."""
    if kind.endswith(":ResourceGroup"):
        return str(inputs.get("resourceGroupName", ""))
    names = [
        value
        for key, value in inputs.items()
        if key.endswith("Name") and key != "resourceGroupName" and isinstance(value, str)
    ]
    return names[0] if len(names) == 1 else ""


def _read(variable: str, *, default: Any) -> Any:
    """The JSON in the file that a variable names."""
    path = Path(os.environ.get(variable, ""))
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else default


def _locks() -> list[str]:
    """The scopes that are locked."""
    return _read(LOCKS, default=[])


def _change_locks(scope: str, *, locked: bool) -> None:
    with _CHANGING:
        scopes = {*_locks(), scope} if locked else {*_locks()} - {scope}
        Path(os.environ[LOCKS]).write_text(json.dumps(sorted(scopes)), encoding="utf-8")


def _difference(olds: struct_pb2.Struct, news: struct_pb2.Struct, kind: str = "") -> Any:
    old, new = MessageToDict(olds), MessageToDict(news)
    changed = sorted(
        key for key in {*old, *new} if not key.startswith("__") and old.get(key) != new.get(key)
    )
    replaced = [key for key in changed if _cannot_change(kind, key, old, new)]
    kinds = provider_pb2.DiffResponse
    return kinds(
        changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE,
        diffs=changed,
        replaces=replaced,
    )


def _cannot_change(kind: str, key: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether only another resource can have the new value: names, places, sizes of nodes."""
    if kind.startswith("azure-native:"):
        return key.endswith("Name") or key == "location" or (kind, key) in UNCHANGEABLE
    if kind.startswith("kubernetes:") and key == "metadata":
        return any(_of(old, key, part) != _of(new, key, part) for part in ("name", "namespace"))
    # pulumi-docker has no way to change most of a container that runs.
    return kind == "docker:index/container:Container"


def _of(properties: dict[str, Any], *path: str) -> Any:
    value: Any = properties
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def main() -> None:
    """Serve on a free port, which the engine reads from the first line, until it ends us."""
    options = [
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(FakeProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
